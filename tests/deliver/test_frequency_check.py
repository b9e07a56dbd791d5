"""At most so many messages to a contact within a time: by the ledger, and by the plan itself."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.declare.recipient_rules import Redirect
from runner.declare.sending_times import parse_frequency
from runner.deliver.claims import InlineClaims
from runner.ledger.record import Record

WEEKLY = parse_frequency({"max": 1, "per": "7d"})
FIVE = "\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(5))


@pytest.fixture
def weekly(project):
    project.began = datetime(2026, 11, 28, 10, tzinfo=UTC)
    project.change(frequency=WEEKLY)
    return project


def declare(project, name, to="", **fields):
    project.declare(to, name=name, **{"body": f"Text of {name}", **fields})


def excluded(project, message=0):
    deliveries = project.checked.messages[message].deliveries
    return [planned.reason for planned in deliveries if planned.action == "excluded"]


def test_a_contact_gets_one_message_a_week_and_the_reason_says_from_when_on_it_gets_another(weekly):
    declare(weekly, "first", FIVE)
    assert weekly.apply().sent == 5
    weekly.slept.append(86_400)
    declare(weekly, "second", FIVE)
    assert weekly.apply().sent == 0
    reason = "more than 1 message in 7 days: first on 2026-11-28 10:00 UTC; may be sent from 2026-12-05 10:00 UTC on"
    assert excluded(weekly, 1) == [reason] * 5
    assert {planned.code for planned in weekly.checked.messages[1].deliveries} == {"frequency"}
    weekly.slept.append(6 * 86_400 + 1)
    assert weekly.apply().sent == 5


def test_two_messages_of_one_apply_count_in_the_order_of_the_plan(weekly):
    declare(weekly, "a", FIVE)
    declare(weekly, "b", "- {type: user, id: aaa1}\n- {type: user, id: bbb}")
    assert weekly.apply().sent == 6
    assert excluded(weekly) == []
    reason = "more than 1 message in 7 days: a in this run; may be sent from 2026-12-05 10:00 UTC on"
    assert excluded(weekly, 1) == [reason]


def test_the_latest_messages_decide_when_there_is_room_again(weekly):
    weekly.change(frequency=parse_frequency({"max": 2, "per": "24h"}))
    for name in "abc":
        declare(weekly, name)
        weekly.apply()
        weekly.slept.append(3600)
    assert [message["contact"] for message in weekly.made] == ["aaa1", "aaa1"]
    words = "a on 2026-11-28 10:00 UTC, b on 2026-11-28 11:00 UTC; may be sent from 2026-11-29 10:00 UTC on"
    assert excluded(weekly, 2) == [f"more than 2 messages in 24 hours: {words}"]


def test_a_message_may_be_excepted_and_counts_all_the_same(weekly):
    declare(weekly, "a")
    declare(weekly, "b", frequency="ignore")
    declare(weekly, "c")
    assert weekly.apply().sent == 2
    (reason,) = excluded(weekly, 2)
    assert "a in this run, and 1 more;" in reason


def test_what_may_have_been_sent_counts_and_what_was_not_sent_does_not(weekly):
    declare(weekly, "a", "- {type: user, id: aaa1}\n- {type: user, id: aaa2}")
    weekly.trouble("500_after", "400")
    weekly.apply()
    assert weekly.statuses() == ["unknown", "refused"]
    declare(weekly, "b", "- {type: user, id: aaa1}\n- {type: user, id: aaa2}")
    assert weekly.apply().sent == 1
    assert len(excluded(weekly, 1)) == 1


def test_an_edit_that_a_person_accepts_later_is_no_message(weekly):
    declare(weekly, "a")
    weekly.apply()
    facts = weekly.facts
    (record,) = facts.records()
    later = (weekly.began + timedelta(days=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = Record(**{**record.to_dict(), "by": "accept", "at": later, "content": "sha256:2"}).to_line()
    with weekly.places.lockfile.open("ab") as lockfile:
        lockfile.write(line)
    weekly.slept.append(8 * 86_400)
    declare(weekly, "b")
    assert weekly.apply().sent == 1


def test_what_is_redirected_is_neither_limited_nor_counted(weekly):
    weekly.change(redirect=Redirect("user", "id", "test"))
    declare(weekly, "a", FIVE)
    assert weekly.apply().sent == 5
    weekly.change(redirect=None)
    declare(weekly, "b", "- {type: user, id: test}")
    assert weekly.plan().counts["send"] == 1


def test_an_attempt_knows_whether_another_run_may_leave_no_room_for_it(weekly, monkeypatch):
    limited = {}
    write = InlineClaims._write

    def record(writer, attempts):
        limited.update({attempt.claim.message: attempt.is_limited for attempt in attempts})
        return write(writer, attempts)

    monkeypatch.setattr(InlineClaims, "_write", record)
    declare(weekly, "a", "- {type: user, id: a}")
    declare(weekly, "b", "- {type: user, id: b}", frequency="ignore")
    weekly.apply()
    weekly.change(frequency=None)
    declare(weekly, "c", "- {type: user, id: c}")
    weekly.apply()
    assert limited == {"a": True, "b": False, "c": False}
