"""What a person decides is written down as they decided it, and nothing is POSTed for it."""

import itertools
from dataclasses import replace

import pytest

from runner.deliver.manual_outcomes import (
    accept_edits,
    acknowledge_duplicates,
    adopt_deliveries,
    find_unknown,
    resolve_unknown,
)
from runner.errors import UsageMistake
from runner.ledger.lockfile.ledger import open_lockfile

AT = "2026-11-22T10:00:00Z"
TWO = "- {type: user, id: aaa1}\n- {type: user, id: aaa2}"


def append(project, records):
    with open_lockfile(project.places, "", "test", project.clock().now()) as ledger:
        ledger.recover()
        ledger.append(*records)


def only(project):
    (message,) = project.plan().messages
    return message


def test_an_accepted_edit_is_sent_and_stays_one_attempt(project):
    project.declare(TWO)
    project.apply()
    project.declare(TWO, body="Cats")
    assert only(project).counts["edited"] == 2
    records = accept_edits(only(project), project.facts, AT)
    assert {record.by for record in records} == {"accept"}
    assert sorted(record.id for record in records) == ["2001", "2002"]
    append(project, records)
    assert only(project).counts["sent"] == 2
    assert project.facts.duplicates() == []
    assert project.apply().sent == 0


def test_what_was_accepted_may_be_undone_and_is_sent_still(project):
    project.declare()
    project.apply()
    project.declare(body="Cats")
    append(project, accept_edits(only(project), project.facts, AT))
    project.declare()
    assert only(project).counts["sent"] == 1


def test_nothing_edited_is_nothing_to_accept(project):
    project.declare()
    project.apply()
    assert accept_edits(only(project), project.facts, AT) == []


def test_adopted_deliveries_count_as_sent_without_an_id(project):
    project.declare("- {type: user, id: aaa1}\n- {type: user, email: ann@example.com}")
    records = adopt_deliveries(only(project), "RUN9", "sha256:p", AT)
    assert [(record.attempt, record.id, record.by, record.contact) for record in records] == [
        ("RUN9-1", "", "adopt", "aaa1"),
        ("RUN9-2", "", "adopt", ""),
    ]
    append(project, records)
    assert only(project).counts["sent"] == 2
    assert project.apply().sent == 0


def test_only_what_is_open_is_adopted(project):
    project.declare("\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(4)))
    project.trouble("ok", "500_after", "400")
    project.apply(limit=3)
    records = adopt_deliveries(only(project), "RUN9", "sha256:p", AT)
    assert [record.to for record in records] == ["id:aaa2", "id:aaa3"]


def test_an_unknown_delivery_that_was_sent_is_sent(project):
    project.declare(TWO)
    project.trouble("500_after")
    project.apply()
    (state,) = find_unknown(project.facts, None, "seed")
    append(project, resolve_unknown([state], "2001", AT))
    assert project.statuses() == ["sent", "sent"]
    record = project.facts.state(state.record.key).record
    assert (record.id, record.by, record.sender) == ("2001", "person", "")
    assert project.facts.duplicates() == []


def test_an_unknown_delivery_that_was_not_sent_is_sent_by_the_next_run(project):
    project.declare(TWO)
    project.trouble("500_before", "drop_before")
    project.apply()
    append(project, resolve_unknown(find_unknown(project.facts, None, "seed"), None, AT))
    assert project.statuses() == ["free", "free"]
    assert project.apply().sent == 2


def test_one_id_is_never_the_proof_of_two_deliveries(project):
    project.declare(TWO)
    project.trouble("500_after", "500_after")
    project.apply()
    with pytest.raises(UsageMistake, match="one message id"):
        resolve_unknown(find_unknown(project.facts, None, "seed"), "2001", AT)


def test_of_two_open_attempts_the_newer_one_was_sent_and_both_were_not(project, tmp_path):
    del tmp_path
    project.declare()
    project.trouble("500_after")
    project.apply()
    claim = next(record for record in project.records() if record.status == "claimed")
    lines = claim.to_line().replace(b"RUN1-1", b"RUN2-1").replace(claim.at.encode(), b"2099-01-01T00:00:00Z")
    project.places.lockfile.write_bytes(project.places.lockfile.read_bytes() + lines)
    (state,) = find_unknown(project.facts, None, "seed")
    assert [record.attempt for record in resolve_unknown([state], "2001", AT)] == ["RUN2-1"]
    assert sorted(record.attempt for record in resolve_unknown([state], None, AT)) == ["RUN1-1", "RUN2-1"]


def test_a_delivery_is_named_by_the_start_of_its_key(project):
    project.declare(TWO)
    project.trouble("500_after", "500_after")
    project.apply()
    first, second = find_unknown(project.facts, None, "seed")
    assert find_unknown(project.facts, first.record.key[:12], None) == [first]
    assert find_unknown(project.facts, second.record.key, None) == [second]
    assert find_unknown(project.facts, None, "other") == []


def test_a_start_that_fits_two_or_none_or_something_settled_is_said(project):
    project.declare("\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(40)))
    project.trouble("ok", *["500_after"] * 39)
    project.apply()
    keys = sorted(state.record.key for state in find_unknown(project.facts, None, "seed"))
    shared = next(one[:1] for one, other in itertools.pairwise(keys) if one[0] == other[0])
    with pytest.raises(UsageMistake, match="unknown deliveries have a key that begins"):
        find_unknown(project.facts, shared, None)
    with pytest.raises(UsageMistake) as caught:
        find_unknown(project.facts, "seed", None)
    assert caught.value.hint == "seed is a message: use --message seed --all, with --not-sent or with --sent -"
    with pytest.raises(UsageMistake, match="no unknown delivery") as caught:
        find_unknown(project.facts, "zzz", None)
    assert "status lists them" in caught.value.hint
    sent = next(key for key in project.facts if project.facts.state(key).status == "sent")
    with pytest.raises(UsageMistake) as caught:
        find_unknown(project.facts, sent, None)
    assert caught.value.hint.startswith("it counts as sent, and that cannot be taken back")


def send_again(project, number, message_id):
    """As if another machine had sent each delivery once more, as a message with an id of its own."""
    records = [record for record in project.records() if record.attempt.startswith("RUN1-") and record.status == "sent"]
    append(
        project,
        [
            replace(record, attempt=f"OTHER{number}-{at}", id=f"{message_id}{at}", at=f"2099-01-01T00:00:0{number}Z")
            for at, record in enumerate(records)
        ],
    )


@pytest.mark.parametrize("attempts", [2, 3])
def test_an_acknowledged_duplicate_is_reported_no_more_and_a_new_one_is(project, attempts):
    project.declare()
    project.apply()
    for number in range(1, attempts):
        send_again(project, number, f"m{number}")
    (state,) = project.facts.duplicates()
    records = acknowledge_duplicates(project.facts, state.record.key[:12], None, AT)
    assert {(record.code, record.by, record.status) for record in records} == {("duplicate", "person", "sent")}
    assert len(records) == attempts - 1
    append(project, records)
    assert project.facts.duplicates() == []
    assert project.statuses() == ["sent"]
    send_again(project, attempts, "new")
    (state,) = project.facts.duplicates()
    append(project, acknowledge_duplicates(project.facts, state.record.key, None, AT))
    assert project.facts.duplicates() == []
    with open_lockfile(project.places, "", "test", project.clock().now()) as ledger:
        ledger.compact()
    assert project.facts.duplicates() == []
    assert project.apply().sent == 0


def test_all_duplicates_of_a_message_are_acknowledged_together_and_those_of_others_stay(project):
    project.declare(TWO)
    project.declare(name="other", body="Cats")
    project.apply()
    send_again(project, 1, "m")
    records = acknowledge_duplicates(project.facts, None, "seed", AT)
    assert len(records) == 2
    append(project, records)
    assert [state.record.message for state in project.facts.duplicates()] == ["other"]
    assert acknowledge_duplicates(project.facts, None, "seed", AT) == []


def test_a_key_that_fits_no_duplicate_or_two_is_said(project):
    project.declare("\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(40)))
    project.apply()
    sent = project.facts
    with pytest.raises(UsageMistake, match="0 duplicates have a key that begins with"):
        acknowledge_duplicates(sent, next(iter(sent)), None, AT)
    send_again(project, 1, "m")
    keys = sorted(project.facts)
    shared = next(one[:1] for one, other in itertools.pairwise(keys) if one[0] == other[0])
    with pytest.raises(UsageMistake, match=f"duplicates have a key that begins with {shared}"):
        acknowledge_duplicates(project.facts, shared, None, AT)
