"""What worries of a change is named with what it was and what it is."""

import pytest

from runner.compare.audience_overlap import Overlap
from runner.compare.comparison import Comparison, FieldChange, MessageChange
from runner.preview.change_concerns import list_change_concerns


def concerns(*fields: FieldChange, audience: Overlap | None = None, hosts: dict[str, list[str]] | None = None) -> str:
    change = MessageChange("news", "changed", fields, audience)
    comparison = Comparison("main", "0" * 40, (change,), new_hosts=hosts or {})
    return "\n".join(f"{concern.label}: {concern.text}" for concern in list_change_concerns(comparison, change))


@pytest.mark.parametrize(
    ("name", "before", "now", "text"),
    [
        ("from", "name:Ada", "name:Eve", "sender: another sender: name:Ada → name:Eve"),
        ("expires", "2027-06-01T00:00:00Z", "", "expires was removed, it was 2027-06-01:"),
        ("max_recipients", "10", "9000", "limit: max_recipients was loosened: 10 → 9,000"),
        ("max_recipients", "10", "", "10 → none"),
    ],
)
def test_a_field_that_guards_is_a_concern(name: str, before: str, now: str, text: str) -> None:
    assert text in concerns(FieldChange(name, before, now))


@pytest.mark.parametrize(
    ("name", "before", "now"),
    [("expires", "2027-06-01T00:00:00Z", "2027-05-01T00:00:00Z"), ("max_recipients", "10", "9"), ("expires", "", "x")],
)
def test_a_stricter_field_is_none(name: str, before: str, now: str) -> None:
    assert concerns(FieldChange(name, before, now)) == ""


def test_many_more_recipients_are_a_concern() -> None:
    assert concerns(audience=Overlap(added=15, same=15)) == "audience: more recipients: 15 → 30, 2 times as many"
    assert concerns(audience=Overlap(added=15)) == "audience: more recipients: 0 → 15"
    assert not concerns(audience=Overlap(added=5, same=100))


def test_an_audience_of_other_people_is_a_concern() -> None:
    assert (
        concerns(audience=Overlap(added=9, removed=9, same=1)) == "audience: other recipients: 1 of 10 stay, 9 are new"
    )
    assert not concerns(audience=Overlap(added=9, removed=9, same=10))


def test_a_new_host_is_one_of_the_messages_that_link_to_it() -> None:
    assert "a link or an image leads to a new host, evil.test, which no" in concerns(hosts={"evil.test": ["news"]})
    assert not concerns(hosts={"evil.test": ["other"]})
