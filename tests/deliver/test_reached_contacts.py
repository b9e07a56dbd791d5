"""A contact is reached once by a revision, and remembering a million of them costs little."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.deliver.reached_contacts import ReachedContacts


@given(st.lists(st.text(max_size=3)))
def test_it_says_new_exactly_as_a_set_does(contacts):
    reached, known = ReachedContacts(), set()
    for contact in contacts:
        assert reached.add("news", 1, contact) is (contact not in known)
        known.add(contact)


def test_it_grows_and_forgets_nothing():
    reached = ReachedContacts()
    assert all(reached.add("news", 1, f"c{number}") for number in range(5000))
    assert not any(reached.add("news", 1, f"c{number}") for number in range(5000))


def test_every_revision_of_a_message_may_reach_a_contact():
    reached = ReachedContacts()
    revisions = [("news", 1), ("news", 2), ("other", 2)]
    assert [reached.add(*revision, "c1") for revision in revisions for _ in range(2)] == [True, False] * 3


@pytest.mark.proof
def test_a_contact_costs_at_most_32_bytes():
    tracemalloc.start()
    reached = ReachedContacts()
    for number in range(100_000):
        reached.add("news", 1, f"c{number}")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 32 * 100_000
