"""A sender is exactly one admin, or nothing is sent and the message says which ones there are."""

import pytest

from runner.declare.sender import Sender
from runner.intercom.admins import Admin, SenderFault, find_admin

ANN = Admin("1", "Ann Lee", "Ann@Example.com", has_seat=True)
BO = Admin("2", "Bo", "bo@example.com")
ZOE = Admin("3", "Zoe\u0308  Müller", "")
ALL = (ANN, BO, ZOE)


@pytest.mark.parametrize(
    ("sender", "admin"),
    [
        (Sender("id", "2"), BO),
        (Sender("email", "ann@example.COM"), ANN),
        (Sender("name", "Ann Lee"), ANN),
        (Sender("name", "Zoë Müller"), ZOE),
    ],
)
def test_an_admin_is_found_by_each_kind_of_identifier(sender, admin):
    assert find_admin(sender, ALL) == admin


def fault(sender: Sender, admins: tuple[Admin, ...]) -> SenderFault:
    result = find_admin(sender, admins)
    assert isinstance(result, SenderFault)
    return result


def test_two_matches_are_an_error_that_names_both():
    twin = Admin("9", "Ann Lee", "ann.lee@example.com")
    assert fault(Sender("name", "Ann Lee"), (*ALL, twin)).message == (
        "2 admins have the name Ann Lee: 1 (Ann@Example.com) and 9 (ann.lee@example.com)"
    )
    other = Admin("9", "Anna", "ANN@example.com")
    assert fault(Sender("email", "ann@example.com"), (*ALL, other)).message == (
        "2 admins have the email address ann@example.com: 1 (Ann Lee) and 9 (Anna)"
    )
    assert 'from: {type: admin, id: "1"}' in fault(Sender("email", "ann@example.com"), (*ALL, other)).hint


def test_without_a_match_the_near_ones_are_named():
    assert fault(Sender("name", "ann lee"), ALL).message == "no admin has the name ann lee; near it: 1 (Ann Lee)"
    assert "; near it: 1 (Ann@Example.com)" in fault(Sender("email", "an@example.com"), ALL).message


def test_without_a_near_one_the_first_ten_are_named():
    many = tuple(Admin(str(number), f"Bo {number}") for number in range(12))
    message = fault(Sender("name", "Xaviera"), many).message
    assert message.startswith("no admin has the name Xaviera; yours are 0 (Bo 0), 1 (Bo 1),")
    assert message.endswith("9 (Bo 9) and 2 more")
    assert fault(Sender("name", "Ann"), ()).message == "no admin has the name Ann; yours are none"


def test_an_admin_without_an_email_address_is_no_match_of_a_blank():
    assert isinstance(find_admin(Sender("email", "x@example.com"), (ZOE,)), SenderFault)
