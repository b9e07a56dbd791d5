"""A plan file: what a line says, what differs, and what keeps a message from being sent."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ProblemsFound
from runner.plan.plan_file import PlanEntry, PlanFile, parse_plan_file

ONE = PlanEntry("outage", 1, "email", "394051", 1204, "sha256:" + "a" * 64)
TWO = PlanEntry("welcome", 3, "inapp", "7", 2, "sha256:" + "b" * 64)


def read(*lines: PlanEntry) -> PlanFile:
    return parse_plan_file("messages.plan", b"".join(line.to_line() for line in lines))


def told(data: bytes) -> list[tuple[int, str]]:
    with pytest.raises(ProblemsFound) as found:
        parse_plan_file("messages.plan", data)
    assert all("plan --write" in problem.hint for problem in found.value.problems)
    return [(problem.place.line, problem.code) for problem in found.value.problems]


def test_a_line_is_json_with_its_keys_in_order():
    assert ONE.to_line() == (
        b'{"name":"outage","revision":1,"type":"email","sender":"394051","recipients":1204,"digest":"sha256:'
        + b"a" * 64 + b'"}\n'
    )  # fmt: skip


def test_what_is_written_is_read_and_each_line_knows_its_number():
    found = read(ONE, TWO)
    assert found.entries == {"outage": ONE, "welcome": TWO}
    assert [line.line_number for line in found.entries.values()] == [1, 2]


def test_order_blank_lines_windows_line_ends_and_a_byte_order_mark_mean_nothing():
    data = b"\xef\xbb\xbf" + TWO.to_line().replace(b"\n", b"\r\n") + b"\r\n" + ONE.to_line().rstrip(b"\n")
    assert parse_plan_file("messages.plan", data).entries == {"outage": ONE, "welcome": TWO}


def test_a_conflict_of_a_merge_is_told_at_each_of_its_lines():
    other = replace(ONE, recipients=3)
    data = b"".join(
        [
            b"<<<<<<< HEAD\n",
            ONE.to_line(),
            b"||||||| base\n",
            b"=======\n",
            other.to_line(),
            b">>>>>>> topic\n",
            TWO.to_line(),
        ]
    )
    assert told(data) == [
        (1, "plan-conflict"), (3, "plan-conflict"), (4, "plan-conflict"), (5, "plan-twice"), (6, "plan-conflict"),
    ]  # fmt: skip


def test_a_message_with_two_lines_is_told():
    assert told(ONE.to_line() + TWO.to_line() + ONE.to_line()) == [(3, "plan-twice")]


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "1"}, {"revision": 0}, {"revision": True}, {"recipients": -1}, {"recipients": 1.5}, {"sender": 7},
        {"digest": "sha256:abc"}, {"digest": "v1:" + "a" * 64}, {"type": None}, {"more": 1},
    ],
)  # fmt: skip
def test_a_line_of_the_wrong_form_is_told(change):
    data = json.dumps({**json.loads(ONE.to_line()), **change}).encode()
    assert told(TWO.to_line() + data) == [(2, "plan-form")]


@pytest.mark.parametrize("data", [b"name: outage", b"[1]", b"{", b'"x"', b"\xff\xfe", b'{"name":"outage"}'])
def test_what_is_no_line_of_a_plan_file_is_told(data):
    assert told(data) == [(1, "plan-form")]


def test_what_fits_may_be_sent_and_any_part_of_it():
    found = read(ONE)
    assert [found.guard(ONE, sends) for sends in (1204, 1, 0)] == [None, None, None]


def test_more_than_the_line_agrees_to_is_refused_and_it_says_what_would_allow_it():
    guard = read(TWO, replace(ONE, recipients=1000)).guard(ONE, 1001)
    assert guard.code == "plan"
    assert guard.message == "outage would go to 1,001 recipients, and messages.plan:2 agrees to 1,000"
    assert guard.hint.startswith("msgrun plan --write")
    assert guard.hint.endswith("--limit 1000")
    assert read(replace(ONE, recipients=1000)).guard(ONE, 1000) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revision": 2, "digest": "sha256:" + "c" * 64}, "revision 2, not 1; digest sha256:"),
        ({"type": "inapp"}, "type inapp, not email"),
        ({"sender": "7"}, "sender 7, not 394051"),
        ({"recipients": 1205, "digest": "sha256:" + "c" * 64}, "1,205 recipients, not 1,204; digest sha256:"),
        ({"digest": "sha256:" + "c" * 64}, "other texts or other recipients: digest sha256:cccccccccccc, not"),
    ],
)
def test_what_is_declared_otherwise_is_refused_and_told(change, words):
    declared = replace(ONE, **change)
    guard = read(ONE).guard(declared, 1)
    assert guard.message.startswith("outage is not what messages.plan:1 agrees to: ")
    assert words in guard.message
    assert read(ONE).guard(declared, 0) is None
    (found,) = read(ONE).changes([declared], is_full_selection=True)
    assert (found.kind, words in found.detail) == ("changed", True)


def test_a_message_without_a_line_is_refused():
    assert "messages.plan has no line for welcome: 2 recipients" in read(ONE).guard(TWO, 2).message
    missing = PlanFile("messages.plan", {}, exists=False)
    assert "messages.plan does not exist, and require_plan is true" in missing.guard(TWO, 2).message


@pytest.mark.parametrize(
    ("path", "command"),
    [("messages.plan", "msgrun plan --write"), ("messages.staging.plan", "msgrun -e staging plan --write")],
)
def test_the_way_to_write_it_names_the_environment(path, command):
    assert PlanFile(path, {}).write_command == command


def test_what_is_out_of_date_is_told_by_name():
    third = replace(ONE, name="new")
    found = read(ONE, TWO).changes([third, replace(TWO, recipients=3)], is_full_selection=True)
    assert [(change.kind, change.name) for change in found] == [
        ("new", "new"), ("removed", "outage"), ("changed", "welcome"),
    ]  # fmt: skip
    assert read(ONE, TWO).changes([TWO, ONE], is_full_selection=True) == []


def test_of_a_selection_the_other_lines_are_neither_out_of_date_nor_lost():
    file, changed = read(ONE, TWO), replace(TWO, recipients=3)
    assert [change.name for change in file.changes([changed], is_full_selection=False)] == ["welcome"]
    assert file.new_content([changed], is_full_selection=False) == ONE.to_line() + changed.to_line()
    assert file.new_content([changed], is_full_selection=True) == changed.to_line()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=20)
lines = st.builds(
    PlanEntry,
    texts,
    st.integers(1, 10**6),
    st.sampled_from(["inapp", "email"]),
    texts,
    st.integers(0, 10**7),
    st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}"),
)


@given(st.lists(lines, unique_by=lambda line: line.name), st.randoms())
def test_a_file_is_sorted_whatever_the_order_and_reads_back_as_it_was_written(found, random):
    data = PlanFile("messages.plan", {}).new_content(found, is_full_selection=True)
    random.shuffle(found)
    file = parse_plan_file("messages.plan", data)
    assert file.new_content(found, is_full_selection=True) == data
    assert list(file.entries) == sorted(line.name for line in found)
    assert file.changes(found, is_full_selection=True) == []
