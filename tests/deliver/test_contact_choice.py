"""Which contact a recipient is, and what its faults make of it: by role, then by the rules of the project."""

import pytest

from runner.declare.recipient_rules import RecipientPolicy
from runner.deliver.contact_choice import choose_contact
from runner.intercom.contact import Contact

USER, OTHER = Contact("u1", "user"), Contact("u2", "user")
LEAD, STRAY = Contact("l1", "lead"), Contact("l2", "lead")


def choose(role="user", found=(), *, is_email=True, **rules):
    return choose_contact(role, "email", found, RecipientPolicy(**rules), is_email=is_email)


@pytest.mark.parametrize(
    ("role", "found", "expected", "code"),
    [
        ("user", [USER], "u1", ""),
        ("user", [LEAD, USER], "u1", ""),
        ("lead", [LEAD, USER], "l1", ""),
        ("lead", [USER], "u1", "contact_other_role"),
        ("user", [LEAD], "l1", "contact_other_role"),
        ("user", [LEAD, STRAY, USER], "u1", ""),
    ],
)
def test_one_contact_is_chosen(role, found, expected, code):
    choice = choose(role, found)
    assert (choice.action, choice.contact.id, choice.code) == ("send", expected, code)


@pytest.mark.parametrize(
    ("role", "found", "code", "reason", "detail"),
    [
        ("user", [], "contact_not_found", "no contact has this email", ""),
        ("user", [OTHER, USER], "contact_ambiguous", "several contacts have this email", "u1, u2"),
        ("user", [LEAD, STRAY], "contact_ambiguous", "several contacts have this email", "l1, l2"),
        ("lead", [USER, LEAD, STRAY], "contact_ambiguous", "several contacts have this email", "l1, l2"),
    ],
)
def test_none_or_several_are_refused_by_name(role, found, code, reason, detail):
    choice = choose(role, found)
    assert (choice.action, choice.contact) == ("refused", None)
    assert (choice.code, choice.reason, choice.detail) == (code, reason, detail)


@pytest.mark.parametrize("fault", ["no_email", "unsubscribed", "bounced", "spam"])
def test_a_fault_about_emails_excludes_from_emails_alone(fault):
    contact = Contact("u1", "user", faults=frozenset({fault}))
    choice = choose(found=[contact])
    assert (choice.action, choice.contact, choice.code) == ("excluded", None, f"contact_{fault}")
    assert choose(found=[contact], is_email=False).contact == contact


def test_the_project_chooses_the_rule_and_the_strictest_one_decides():
    contact = Contact("l1", "lead", faults=frozenset({"spam", "bounced"}))
    assert choose(found=[contact], other_role="refuse").action == "refused"
    assert choose(found=[contact], spam="warn").code == "contact_bounced"
    choice = choose(found=[contact], spam="warn", bounced="warn")
    assert (choice.action, choice.contact, choice.reason.count(";")) == ("send", contact, 2)
    assert choose(not_found="exclude").action == "excluded"
