"""The table of keys says what a dict would, whatever its size."""

import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.key_table import KEY_SIZE, KeyList, KeyTable


@given(st.lists(st.integers(0, 40)), st.integers(0, 5000))
def test_a_key_has_the_row_of_its_first_coming(numbers, expected):
    table, rows = KeyTable.with_room_for(expected), {}
    for number in numbers:
        key = hashlib.sha256(bytes([number])).digest()[:KEY_SIZE]
        assert (key in table) == (key in rows)
        assert KeyTable().add_if_new(key)
        assert key not in table or not table.add_if_new(key)
        assert table.add(key) == rows.setdefault(key, len(rows))
        assert table.row_of(key) == rows[key]
    assert list(table) == list(rows)
    assert len(table) == len(rows)


def test_growing_loses_no_key():
    table = KeyTable()
    keys = [hashlib.sha256(str(number).encode()).digest()[:KEY_SIZE] for number in range(5000)]
    assert [table.add(key) for key in keys] == list(range(5000))
    assert [table.row_of(key) for key in keys] == list(range(5000))
    assert table.row_of(b"\0" * KEY_SIZE) is None


def test_keys_that_fall_on_one_slot_stay_apart():
    keys = [bytes([number]) * KEY_SIZE for number in range(256)]
    table = KeyTable()
    assert [table.add(key) for key in (*keys, *keys)] == [*range(256), *range(256)]


@pytest.mark.proof
def test_keys_are_kept_in_little_room():
    keys = [hashlib.sha256(str(number).encode()).digest()[:KEY_SIZE] for number in range(100_000)]
    tracemalloc.start()
    table = KeyTable()
    assert all(map(table.add_if_new, keys))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(keys) < 35


@given(st.lists(st.integers(0, 200)))
def test_keys_of_a_run_are_added_until_one_comes_twice(numbers):
    run, table = KeyList(), KeyTable()
    keys = [hashlib.sha256(bytes([number])).digest()[:KEY_SIZE] for number in numbers]
    for key in keys:
        run.add(key)
    assert list(run) == keys
    assert table.extend_if_new(run) == (len(set(keys)) == len(keys))
    assert table.extend_if_new(iter(keys)) == (not keys)
