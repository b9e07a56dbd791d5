"""A date of the subject that the body contradicts is named, and nothing that is not certain."""

import pytest

from runner.preview.date_conflict import find_date_conflict
from runner.privacy import Private, Text


@pytest.mark.parametrize(
    ("subject", "body", "text"),
    [
        (
            "Prices change on 1 March",
            "<p>From <b>1 April</b> 2027.</p>",
            "the subject says 1 March, and the body 1 April",
        ),
        (
            "Prices: March 1st",
            "on April&nbsp;1, and again: 1st of April",
            "the subject says March 1st, and the body April 1",
        ),
        ("Down on 2027-03-01", "on 2027-04-01", "the subject says 2027-03-01, and the body 2027-04-01"),
    ],
)
def test_two_dates_are_named(subject: str, body: str, text: str) -> None:
    assert find_date_conflict(subject, body) == text


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("On 1 March", "on March 1st, 2027"),
        ("On 1 March", "from 1 March to 1 April"),
        ("On 1 March", "2 March, then 3 March"),
        ("On 1 March", "2 March, which is 2027-03-01"),
        ("On 1 March", "no date, 12-14 March, 10:12 March, you may 1 day"),
        ("From 1 March to 2 March", "on 3 March"),
        ("12\u201314 March", "on 12 March"),
        ("On 13 March", "on 12-14 March, not 1 April"),
        ("On 1 March", "from March on, not 1 April"),
        ("On 1 March", "March 30-31, not 1 April"),
        ("No date", "on 3 March"),
        ("On 1 March", Text(("until ", Private("1 March 2027"), ", not 2 March"))),
        (Text(("On ", Private("1 March"))), "on 2 March"),
    ],
)
def test_what_is_not_certain_is_not(subject: str, body: str) -> None:
    assert find_date_conflict(subject, body) == ""


def test_the_date_of_a_value_is_not_named() -> None:
    assert find_date_conflict("On 1 March", Text(("on ", Private("2 March")))) == ""
