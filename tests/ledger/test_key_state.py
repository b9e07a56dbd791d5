"""What the records of one key say together, above all whether it was sent twice."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.ledger.key_state import State, fold_records
from runner.ledger.record import DUPLICATE, Record


def sent(attempt: str, message_id: str, at: str = "") -> Record:
    """An attempt that was sent; later ones sort by their name."""
    return Record("k1", attempt, "sent", "m", 1, id=message_id, at=at or f"2026-11-22T10:00:0{attempt[-1]}Z")


def acknowledge(state: State) -> list[Record]:
    return [replace(record, code=DUPLICATE, by="person", at="2099") for record in state.duplicate_records[1:]]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("1", ["1"]),
        ("11", ["1"]),
        ("12", ["1", "2"]),
        ("123", ["1", "2", "3"]),
        ("121", ["1", "2"]),
        ("122", ["1", "2", "2"]),
        ("112", ["1", "2"]),
    ],
)
def test_an_attempt_with_other_ids_than_the_first_is_a_duplicate_and_one_acknowledgement_settles_all(
    ids: str, expected: list[str]
) -> None:
    records = [sent(f"R-{number}", message_id) for number, message_id in enumerate(ids)]
    for order in permutations(records):
        state = fold_records(order)
        assert [record.id for record in state.duplicate_records] == expected
        assert state.is_duplicate == (len(expected) > 1)
        assert not fold_records([*order, *acknowledge(state)]).is_duplicate


def test_a_third_message_is_reported_again_after_two_were_acknowledged() -> None:
    records = [sent("R-0", "1"), sent("R-1", "2")]
    records += acknowledge(fold_records(records))
    state = fold_records([*records, sent("R-2", "3")])
    assert [record.id for record in state.duplicate_records] == ["1", "3"]
    assert not fold_records([*records, sent("R-2", "3"), *acknowledge(state)]).is_duplicate


def test_an_attempt_without_an_id_and_a_second_record_of_one_attempt_are_no_duplicate() -> None:
    accepted = replace(sent("R-0", "1"), content="new", by="accept")
    adopted = replace(sent("R-1", ""), by="adopt")
    assert not fold_records([sent("R-0", "1"), accepted, adopted]).is_duplicate


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "1", "2", "3"])), min_size=1, max_size=8))
def test_an_acknowledgement_settles_every_duplicate_and_leaves_the_key_sent(attempts: list[tuple[int, str]]) -> None:
    records = [sent(f"R-{number}", message_id) for number, message_id in attempts]
    state = fold_records(records)
    settled = fold_records([*records, *acknowledge(state)])
    assert not settled.is_duplicate
    assert settled.status == "sent"
    assert {record.attempt for record in settled.sent_records} == {record.attempt for record in records}


def test_the_record_of_what_was_sent_is_the_sending_whatever_was_decided_later() -> None:
    first = sent("R-0", "1")
    accepted = replace(first, content="new", by="accept", at="2027-01-01T00:00:00Z")
    for order in permutations([first, accepted, replace(accepted, content="newer", at="2027-01-02T00:00:00Z")]):
        state = fold_records(order)
        assert state.record == first
        assert state.accepted_at == "2027-01-02T00:00:00Z"
        assert state.was_sent_as("new", "")
    assert fold_records([accepted]).record == accepted
    assert fold_records([first]).accepted_at == ""
