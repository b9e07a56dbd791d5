"""What the headers of a ledger add up to depends neither on their order nor on where they were read."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import GuardRefused
from runner.ledger.facts import Facts
from runner.ledger.mark import NO_MARK, MoveMark
from runner.ledger.record import Header, salt_check
from tests.support.ledger_contexts import ID_A, ID_B
from tests.support.ledgers import read, written


def test_headers_may_stand_on_any_line_and_an_empty_one_contradicts_nobody(record):
    data = written([record(), Header("", ""), Header("acme", ""), record(), Header("", salt_check("s"))])
    assert read(data).headers.merged("s") == Header("acme", salt_check("s"))


marks = st.one_of(
    st.just(NO_MARK),
    st.builds(
        MoveMark,
        st.integers(1, 3),
        st.sampled_from(["pending", "current", "moved"]),
        st.sampled_from(["a.lock", "git+origin", "postgresql://db/m"]),
    ),
)
marked = st.builds(Header, st.just("acme"), st.sampled_from(["", "9165df25"]), st.sampled_from(["", ID_A]), marks)


def added(*members: Header) -> Facts:
    found = Facts()
    for member in members:
        found.add(member)
    return found


@given(st.lists(marked, max_size=6), st.randoms(use_true_random=False))
def test_the_mark_that_holds_depends_neither_on_order_nor_on_repetition(members, chance) -> None:
    shuffled = [*members, *members]
    chance.shuffle(shuffled)
    assert added(*shuffled).mark == added(*members).mark


@given(st.lists(marked, max_size=4), st.lists(marked, max_size=4))
def test_of_the_union_of_two_ledgers_the_higher_of_their_marks_holds(ours, theirs) -> None:
    one, other = added(*ours), added(*theirs)
    both = read(written(ours) + written(theirs))
    assert both.mark == added(*ours, *theirs).mark == max(one.mark, other.mark, key=lambda mark: mark.rank)
    ids = {header.ledger for header in (one.headers.merged(""), other.headers.merged(""))} - {""}
    assert both.headers.merged("").ledger == next(iter(ids), "")


@given(st.lists(marked, max_size=6))
def test_compaction_keeps_the_mark_the_id_and_the_workspace_in_two_lines_at_most(members) -> None:
    found = added(*members)
    compacted = read(b"".join(found.compacted_lines("")))
    assert (compacted.mark, compacted.headers.merged("")) == (found.mark, found.headers.merged(""))
    assert len(compacted.headers) <= 2
    assert list(compacted.compacted_lines("")) == list(found.compacted_lines(""))


@given(st.lists(marked, max_size=4), marked)
def test_a_header_is_written_if_and_only_if_it_says_something_new_that_holds(members, header) -> None:
    found = added(*members)
    before, new = found.mark, found.headers.new(header, "")
    is_higher = header.mark.rank[:2] > before.rank[:2]
    if new is None:
        assert not is_higher
        return
    assert (new.workspace, new.ledger) == ("acme", found.headers.merged("").ledger or header.ledger)
    found.add(new)
    assert found.mark == (header.mark if is_higher else before)
    assert found.headers.new(header, "") is None


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (NO_MARK, MoveMark(1, "pending", "a.lock")),
        (MoveMark(1, "pending", "a.lock"), MoveMark(1, "current", "a.lock")),
        (MoveMark(1, "current", "a.lock"), MoveMark(1, "moved", "git+origin")),
        (MoveMark(1, "moved", "git+origin"), MoveMark(2, "pending", "git+origin")),
        (MoveMark(2, "moved", "git+origin"), MoveMark(10, "pending", "git+origin")),
    ],
)
def test_the_highest_turn_holds_and_within_a_turn_pending_current_moved(lower: MoveMark, higher: MoveMark) -> None:
    assert added(Header(mark=higher), Header(mark=lower)).mark == higher


def test_a_ledger_without_a_mark_is_current() -> None:
    assert Facts().mark == added(Header("acme")).mark == MoveMark(0, "current", "")


def test_headers_that_name_two_ids_are_refused_and_one_without_an_id_contradicts_nobody() -> None:
    assert added(Header(), Header(ledger=ID_A)).headers.merged("").ledger == ID_A
    with pytest.raises(GuardRefused, match=f"two ledgers were merged: {ID_A} and {ID_B}"):
        added(Header(ledger=ID_B), Header(ledger=ID_A)).headers.merged("")


def test_a_header_that_contradicts_the_ledger_is_never_written() -> None:
    found = added(Header("acme", ledger=ID_A))
    with pytest.raises(GuardRefused, match="belongs to workspace acme, not zz"):
        found.headers.new(Header("zz"), "")
    with pytest.raises(GuardRefused, match=f"has the id {ID_A}, not {ID_B}"):
        found.headers.new(Header(ledger=ID_B), "")


def test_headers_that_name_two_workspaces_are_refused():
    with pytest.raises(GuardRefused, match="two workspaces: acme and zz"):
        read(written([Header("zz", ""), Header("acme", "")])).headers.merged("")


def test_another_salt_than_the_ledgers_is_refused():
    data = Header("", salt_check("s3cret")).to_line()
    assert read(data).headers.merged("s3cret").salt_check == hashlib.sha256(b"msgrun:s3cret").hexdigest()[:8]
    with pytest.raises(GuardRefused, match="salt"):
        read(data).headers.merged("other")
