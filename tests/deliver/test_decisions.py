"""What a person decides is written down as they decided it, and nothing is POSTed for it."""

import itertools

import pytest

from runner.deliver.decisions import accept_edits, adopt_deliveries, find_unknown, resolve_unknown
from runner.errors import UsageMistake
from runner.ledger.lockfile.ledger import LockfileLedger

AT = "2026-11-22T10:00:00Z"
TWO = "- {type: user, id: aaa1}\n- {type: user, id: aaa2}"


def append(house, records):
    with LockfileLedger(house.places, "", "test", house.clock().now()) as ledger:
        ledger.recover()
        ledger.append(*records)


def only(house):
    (message,) = house.plan().messages
    return message


def test_an_accepted_edit_is_sent_and_stays_one_attempt(house):
    house.declare(TWO)
    house.apply()
    house.declare(TWO, body="Cats")
    assert only(house).counts["edited"] == 2
    records = accept_edits(only(house), house.facts, AT)
    assert {record.by for record in records} == {"accept"}
    assert sorted(record.id for record in records) == ["2001", "2002"]
    append(house, records)
    assert only(house).counts["sent"] == 2
    assert house.facts.duplicates() == []
    assert house.apply().sent == 0


def test_what_was_accepted_may_be_undone_and_is_sent_still(house):
    house.declare()
    house.apply()
    house.declare(body="Cats")
    append(house, accept_edits(only(house), house.facts, AT))
    house.declare()
    assert only(house).counts["sent"] == 1


def test_nothing_edited_is_nothing_to_accept(house):
    house.declare()
    house.apply()
    assert accept_edits(only(house), house.facts, AT) == []


def test_adopted_deliveries_count_as_sent_without_an_id(house):
    house.declare("- {type: user, id: aaa1}\n- {type: user, email: ann@example.com}")
    records = adopt_deliveries(only(house), "RUN9", "sha256:p", AT)
    assert [(record.attempt, record.id, record.by, record.contact) for record in records] == [
        ("RUN9-1", "", "adopt", "aaa1"),
        ("RUN9-2", "", "adopt", ""),
    ]
    append(house, records)
    assert only(house).counts["sent"] == 2
    assert house.apply().sent == 0


def test_only_what_is_open_is_adopted(house):
    house.declare("\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(4)))
    house.trouble("ok", "500_after", "400")
    house.apply(limit=3)
    records = adopt_deliveries(only(house), "RUN9", "sha256:p", AT)
    assert [record.to for record in records] == ["id:aaa2", "id:aaa3"]


def test_an_unknown_delivery_that_was_sent_is_sent(house):
    house.declare(TWO)
    house.trouble("500_after")
    house.apply()
    (state,) = find_unknown(house.facts, None, "seed")
    append(house, resolve_unknown([state], "2001", AT))
    assert house.statuses() == ["sent", "sent"]
    record = house.facts.state(state.record.key).record
    assert (record.id, record.by, record.sender) == ("2001", "person", "")
    assert house.facts.duplicates() == []


def test_an_unknown_delivery_that_was_not_sent_is_sent_by_the_next_run(house):
    house.declare(TWO)
    house.trouble("500_before", "drop_before")
    house.apply()
    append(house, resolve_unknown(find_unknown(house.facts, None, "seed"), None, AT))
    assert house.statuses() == ["free", "free"]
    assert house.apply().sent == 2


def test_one_id_is_never_the_proof_of_two_deliveries(house):
    house.declare(TWO)
    house.trouble("500_after", "500_after")
    house.apply()
    with pytest.raises(UsageMistake, match="one message id"):
        resolve_unknown(find_unknown(house.facts, None, "seed"), "2001", AT)


def test_of_two_open_attempts_the_newer_one_was_sent_and_both_were_not(house, tmp_path):
    del tmp_path
    house.declare()
    house.trouble("500_after")
    house.apply()
    claim = next(record for record in house.records() if record.status == "claimed")
    lines = claim.to_line().replace(b"RUN1-1", b"RUN2-1").replace(claim.at.encode(), b"2099-01-01T00:00:00Z")
    house.places.lockfile.write_bytes(house.places.lockfile.read_bytes() + lines)
    (state,) = find_unknown(house.facts, None, "seed")
    assert [record.attempt for record in resolve_unknown([state], "2001", AT)] == ["RUN2-1"]
    assert sorted(record.attempt for record in resolve_unknown([state], None, AT)) == ["RUN1-1", "RUN2-1"]


def test_a_delivery_is_named_by_the_start_of_its_key(house):
    house.declare(TWO)
    house.trouble("500_after", "500_after")
    house.apply()
    first, second = find_unknown(house.facts, None, "seed")
    assert find_unknown(house.facts, first.record.key[:12], None) == [first]
    assert find_unknown(house.facts, second.record.key, None) == [second]
    assert find_unknown(house.facts, None, "other") == []


def test_a_start_that_fits_two_or_none_or_something_settled_is_said(house):
    house.declare("\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(40)))
    house.trouble("ok", *["500_after"] * 39)
    house.apply()
    keys = sorted(state.record.key for state in find_unknown(house.facts, None, "seed"))
    shared = next(one[:1] for one, other in itertools.pairwise(keys) if one[0] == other[0])
    with pytest.raises(UsageMistake, match="unknown deliveries have a key that begins"):
        find_unknown(house.facts, shared, None)
    with pytest.raises(UsageMistake, match="no unknown delivery") as caught:
        find_unknown(house.facts, "zzz", None)
    assert "status lists them" in caught.value.hint
    sent = next(key for key in house.facts if house.facts.state(key).status == "sent")
    with pytest.raises(UsageMistake) as caught:
        find_unknown(house.facts, sent, None)
    assert caught.value.hint == "that delivery is sent"
