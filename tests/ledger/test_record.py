"""The lines of headers and marks: as documented, read back as they were, and harmless whatever a file says."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import LedgerUnavailable
from runner.ledger.mark import MARK_RANK, MAX_GENERATION, NO_MARK, MoveMark
from runner.ledger.record import Header, Record, parse_entry, salt_check
from tests.support.ledger_contexts import ID_A, ID_B

BASE = f'{{"msgrun_lock":1,"ledger":"{ID_A}","workspace":"acme","salt_check":"9f3a01bc"'
texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs")), max_size=12)
marks = st.builds(MoveMark, st.integers(1, MAX_GENERATION - 1), st.sampled_from(sorted(MARK_RANK)), texts.filter(bool))
HEADER = Header("acme", "9f3a01bc", ID_A)


def parse(line: str | bytes) -> Header:
    found = parse_entry(orjson.loads(line), "messages.lock", 1)
    assert isinstance(found, Header)
    return found


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        (NO_MARK, BASE + "}\n"),
        (MoveMark(1, "pending", "messages.lock"), BASE + ',"turn":1,"from":"messages.lock","pending":true}\n'),
        (MoveMark(1, "current", "messages.lock"), BASE + ',"turn":1,"from":"messages.lock"}\n'),
        (MoveMark(1, "moved", "git+origin"), BASE + ',"turn":1,"moved":"git+origin"}\n'),
    ],
)
def test_a_header_is_written_as_documented_and_read_back(mark: MoveMark, line: str) -> None:
    header = Header("acme", "9f3a01bc", ID_A, mark)
    assert header.to_line().decode() == line
    assert parse(line) == header


def test_a_header_of_before_has_no_id_and_no_mark() -> None:
    line = b'{"msgrun_lock":1,"workspace":"acme","salt_check":"9f3a01bc"}\n'
    assert parse(line) == Header("acme", "9f3a01bc")
    assert Header("acme", "9f3a01bc").to_line() == line


@given(st.builds(Header, texts, texts, st.sampled_from(["", ID_A, ID_B]), st.one_of(st.just(NO_MARK), marks)))
def test_every_header_comes_back_from_its_line(header: Header) -> None:
    assert parse(header.to_line()) == header


@pytest.mark.parametrize("turn", [0, -1, MAX_GENERATION, 10**30, 1.5, 1e300, True, "1", None, [1], {"n": 1}, "NaN"])
def test_a_turn_that_is_no_number_of_moves_is_no_mark(turn: Any) -> None:
    value = {"msgrun_lock": 1, "turn": turn, "moved": "git+origin"}
    assert parse_entry(value, "messages.lock", 1) == Header()


@pytest.mark.parametrize("field", ["moved", "from"])
def test_control_characters_of_an_address_are_never_printed(field: str) -> None:
    value = {"msgrun_lock": 1, "turn": 1, field: "git+origin\x1b[2J\n::error::\x07\u202e\u2028x"}
    header = parse_entry(value, "messages.lock", 1)
    assert isinstance(header, Header)
    assert header.mark.address == "git+origin[2J::error::x"
    assert header.mark.address.isprintable()


@given(
    st.dictionaries(
        st.sampled_from(["workspace", "salt_check", "turn", "moved", "from", "pending", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_whatever_a_header_holds_it_is_read_and_its_mark_can_be_written_and_compared(value: dict[str, Any]) -> None:
    header = parse_entry({**value, "msgrun_lock": 1}, "messages.lock", 1)
    assert isinstance(header, Header)
    assert 0 <= header.mark.generation < MAX_GENERATION
    assert header.mark.address.isprintable()
    assert max(header.mark.rank, NO_MARK.rank) >= NO_MARK.rank
    again = parse(header.to_line())
    assert again.mark.rank[:2] == header.mark.rank[:2] or not header.mark.address


def test_of_a_header_that_is_moved_and_pending_moved_holds() -> None:
    value = {"msgrun_lock": 1, "turn": 1, "moved": "git+origin", "pending": True, "from": "a.lock"}
    assert parse(orjson.dumps(value)).mark == MoveMark(1, "moved", "git+origin")


@pytest.mark.parametrize("ledger", ["01A", "../../x", f"{ID_A}\n", ID_A.lower(), f"{ID_A}*", ["x"], 7])
def test_an_id_that_could_lead_out_of_its_place_is_no_id(ledger: Any) -> None:
    with pytest.raises(LedgerUnavailable, match=r"messages\.lock:7: this is not the id of a ledger"):
        parse_entry({"msgrun_lock": 1, "ledger": ledger}, "messages.lock", 7)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_header_of_another_version_is_never_guessed(version: Any) -> None:
    with pytest.raises(LedgerUnavailable, match=r"messages\.lock:7: this ledger has version") as caught:
        parse_entry({"msgrun_lock": version}, "messages.lock", 7)
    assert caught.value.hint == "update msgrun"


def test_marks_sort_by_turn_then_by_status() -> None:
    expected = [NO_MARK, *(MoveMark(turn, status) for turn in (1, 2, 10) for status in ("pending", "current", "moved"))]
    assert sorted(set(expected), key=lambda mark: mark.rank) == expected


def test_a_salt_check_tells_salts_apart_and_is_eight_hex_digits() -> None:
    assert salt_check("") == "9165df25"
    assert len({salt_check(salt) for salt in ("", "a", "b", "A")}) == 4


def test_a_record_is_searchable_only_if_it_holds_what_reconcile_compares() -> None:
    record = Record("k", "A-1", "claimed", contact="c", sender="1", text="t", at="2026", opens_conversation=True)
    assert record.is_searchable
    assert not any(
        Record(**{**{name: getattr(record, name) for name in Record.__slots__}, **less}).is_searchable
        for less in ({"contact": ""}, {"sender": ""}, {"text": ""}, {"at": ""}, {"opens_conversation": False})
    )


def test_a_field_that_is_nested_too_deeply_is_an_error_of_its_line() -> None:
    nested: Any = []
    for _ in range(400):
        nested = [nested]
    record = {"key": "a" * 32, "attempt": "A-1", "status": "sent", "later": nested}
    with pytest.raises(LedgerUnavailable, match=r"messages\.lock:7: a field is nested too deeply"):
        parse_entry(record, "messages.lock", 7)
