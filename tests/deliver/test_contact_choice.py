"""Who a recipient is: exactly one contact, of the declared role if there is one, or a refusal that names the rest."""

import pytest

from runner.declare.delivery import Delivery
from runner.deliver.contact_choice import ChosenContact, NoContact, choose_contact
from runner.intercom.contact import Contact

USER, OTHER = Contact("u1", "user"), Contact("u2", "user")
LEAD, STRAY = Contact("l1", "lead"), Contact("l2", "lead")


def delivery(role: str, to: str = "ann@example.com") -> Delivery:
    payload = {"to": {"type": role, "email": to}}
    return Delivery(b"k" * 16, "email", "ann@example.com", payload, b"d" * 16, 1, {}, (), ())


@pytest.mark.parametrize(
    ("role", "found", "expected"),
    [
        ("user", [USER], "u1"),
        ("user", [LEAD, USER], "u1"),
        ("contact", [LEAD, USER], "l1"),
        ("contact", [USER], "u1"),
        ("user", [LEAD], "l1"),
        ("user", [LEAD, STRAY, USER], "u1"),
    ],
)
def test_one_contact_is_chosen(role, found, expected):
    choice = choose_contact(delivery(role), found)
    assert isinstance(choice, ChosenContact)
    assert choice.contact.id == expected
    assert bool(choice.warnings) is ((role == "user") != (choice.contact.role == "user"))


@pytest.mark.parametrize(
    ("role", "found", "code", "told"),
    [
        ("user", [], "contact_not_found", "no contact has this email"),
        ("user", [OTHER, USER], "contact_ambiguous", "2 contacts have this email: u1, u2"),
        ("user", [LEAD, STRAY], "contact_ambiguous", "2 contacts have this email: l1, l2"),
        ("contact", [USER, LEAD, STRAY], "contact_ambiguous", "2 contacts have this email: l1, l2"),
    ],
)
def test_none_or_several_are_refused_by_name(role, found, code, told):
    assert choose_contact(delivery(role), found) == NoContact(code, told)


def test_of_a_redirected_delivery_it_is_the_contact_of_redirect_that_is_missing():
    refusal = NoContact("contact_not_found", "no contact has this email of redirect")
    assert choose_contact(delivery("user", "tester@example.com"), []) == refusal
