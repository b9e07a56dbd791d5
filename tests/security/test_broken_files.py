"""No file of a pull request crashes msgrun: what is torn, too deep or no address is told at its place."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.clock import parse_timestamp
from runner.current_work import CURRENT_WORK
from runner.declare.sending_times import parse_frequency
from runner.deliver.frequency_check import FrequencyCheck
from runner.deliver.online_status_file import load_online_status
from runner.ledger.facts import Facts
from runner.ledger.key_state import fold_records
from runner.ledger.record import Record, salt_check
from runner.report.plain_text import format_duplicate
from tests.support.clones import HEADER, Clone, message
from tests.support.project import run_in_process

KEY = f'"key":"{"a" * 32}"'
OPEN = f'{{{KEY},"attempt":"one","status":"claimed"}}'
TORN = [
    f'{{{KEY},"attempt":"\\q","status":"sent"',
    f'{{{KEY},"attempt":"a\\u12","message":"x"',
    f'{{{KEY},"message":"a\tb","attempt":"x"',
    f'{{{KEY},"revision":{"9" * 5000},"attempt":"x"',
    f'{{{KEY},"attempt":"\\ud800","status":"sent"',
    f'{{{KEY},"attempt":5,"message":7}}',
    f'{{{KEY},"attempt":["x"],"status":"sent"}}',
    f'{{{KEY},"attempt":"x","status":["sent"]}}',
    f'{{{KEY},"attempt":"x","status":"sent","message":["m"],"revision":{{}}}}',
    f'{{{KEY},"attempt":"x","status":"sent","a":{"[" * 2000}{"]" * 2000}}}',
    '{"key":["a"],"attempt":"x","status":"sent"}',
    '{"msgrun_lock":[1]}',
    "[" * 100_000,
    '{"a":' * 1000,
    '{"key"' * 1000,
    "\0" * 100,
]
YAML = [
    "? [a, b]\n: c\nname: a", "[a]: b", "{a: b}: c", "name: a\nvars: {[x]: y}", "to: {[a]: b}", "to: [{[a]: b}]",
    "to: {? {a: b} : c}", "name: [a]", "? {a: b}\n: {? [c] : d}", "? !!set {a}\n: b", "!!python/tuple [a]: b",
    "? null\n: a", "<<: [a]", "<<: {[a]: b}", "? &x [*x]\n: b", "x: &a [*a]", "vars: &a {b: *a}",
]  # fmt: skip
JSON = [
    "[" * 100_000, '{"a":' * 100_000,
    f'{{"who":"a","x":{"[" * 500}{"]" * 500}}}', f'{{"who":"a","x":{"[" * 61}1{"]" * 61}}}',
    f'{{"who":"a","x":{"[" * 3000}{"]" * 3000}}}', '{"who":"\\ud800"}', f'{{"who":{"9" * 6000}}}', '{"who":1e999}',
    '{"who":"a","who":"b"}', "[[1]]", '"x"', "null", '{"who":NaN}', '{"who":"a"}{"who":"b"}',
]  # fmt: skip
ADDRESSES = [
    "http://[::1", "http://[", "https://[x]/", "http://a:99999/", "http://a:b/", "http://", "//", "http://a\u2100b/",
    "http://[::1]:x", "http://[fe80::1%25lo", "http://user:pw@[::1", "http://a:0/", "127.0.0.1:80",
    "https://a/?token=s3cret",
]  # fmt: skip
READ = """\
name: b
message_type: inapp
from: {{type: admin, id: "1"}}
body: Hi
to: {{{}, type: user, id: "{{{{ who }}}}"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it talks to nobody
    made.write("msgrun.yaml", "")
    made.write("messages.lock", HEADER % salt_check(""))
    made.write("messages/first.yaml", message("first", "aaa1") + 'from: {type: admin, id: "1"}\n')
    return made


def run(project: Clone, *args: str, **environment: str) -> tuple[int, str]:
    ran = run_in_process(args, project.path, {**os.environ, **environment})
    printed = ran.out + ran.err
    assert "a bug in msgrun" not in printed
    assert "Traceback" not in printed
    return ran.code, printed


@pytest.mark.parametrize("number", range(len(TORN)))
def test_a_torn_line_hides_no_other_and_crashes_nothing(project: Clone, number: int) -> None:
    project.write("messages.lock", f"{HEADER % salt_check('')}{TORN[number]}\n{OPEN}\n")
    for command in (("plan",), ("status",), ("lock", "show"), ("lock", "verify"), ("lock", "export")):
        code, printed = run(project, *command)
        assert code in {0, 1, 5, 6}, printed
    code, printed = run(project, "status")
    assert code == 6 or "1 unknown" in printed or "a" * 12 in printed


@pytest.mark.parametrize("number", range(len(YAML)))
def test_a_key_that_is_no_text_is_a_problem_with_its_place(project: Clone, number: int) -> None:
    text = YAML[number]
    project.write("messages/b.yaml", f"{text}\n")
    code, printed = run(project, "validate")
    assert (code, "messages/b.yaml:" in printed) == (1, True)
    project.write("msgrun.yaml", f"{text}\n")
    assert run(project, "validate")[0] == 1


@pytest.mark.parametrize("number", range(len(JSON)))
def test_a_line_of_json_that_is_no_row_is_a_problem_with_its_place(project: Clone, number: int) -> None:
    project.write("messages/b.yaml", READ.format("jsonl: ../list.jsonl"))
    project.write("list.jsonl", f"{JSON[number]}\n")
    code, printed = run(project, "validate")
    assert code == 1
    assert "list.jsonl:1:" in printed or "messages/b.yaml:" in printed
    project.write("messages/b.yaml", "")
    project.write("messages.plan", f"{JSON[number]}\n")
    assert run(project, "plan")[0] == 1
    project.write("saved.json", f"{JSON[number]}\n")
    assert run(project, "apply", "--yes", "--plan", "saved.json")[0] == 1


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_no_address_is_told_and_its_secrets_are_not(project: Clone, address: str) -> None:
    link = f'<a href="{address}">x</a> {address}'
    project.write("messages/b.yaml", READ.format("csv: ../a.csv").replace("body: Hi", f"body: '{link}'"))
    project.write("a.csv", "who\nann1\n")
    assert run(project, "lint")[0] in {0, 1}
    assert run(project, "plan", "--format", "markdown")[0] == 0
    code, printed = run(project, "apply", "--yes", INTERCOM_BASE_URL=address, INTERCOM_ACCESS_TOKEN="x")
    assert (code, "INTERCOM_BASE_URL" in printed) == (64, True)
    databases = [address.replace("http", "postgresql")] if set(address) & set("[@?") else []  # others are tried for 5 s
    for lock in (f"git+{address}", *databases):
        code, printed = run(project, "plan", MSGRUN_LOCK=lock)
        assert code in ({1, 5, 6, 64} if "://" in lock else {0, 6, 64})  # without it, it is the name of a lockfile
        assert "s3cret" not in printed
        assert "pw@" not in printed


STATUSES = [
    '{"counts":[]}', '{"counts":"replied"}', '{"counts":{"replied":-1}}', '{"counts":{"replied":1e3}}', '{"listed":7}',
    '{"listed":[["k"]]}', '{"listed":[[["k"],"replied","x"]]}', '{"listed":[{"k":1}]}', '{"revision":true}',
    '{"name":[]}', '{"at":null}', '{"counts":{"other":1}}', "7", "null", '"abc"', "[]", "{}",
]  # fmt: skip


@pytest.mark.parametrize("row", STATUSES)
def test_what_intercom_showed_before_is_read_in_its_own_form_alone(tmp_path: Path, row: str) -> None:
    path = tmp_path / "online-messages.json"
    entry: Any = {"name": "a", "revision": 1, "at": "x", "counts": {"replied": 1}, "listed": [["k", "replied", "x"]]}
    path.write_text(json.dumps({"format_version": 1, "messages": [entry]}))
    assert load_online_status(path)
    changed = json.loads(row)
    changed = {**entry, **changed} if isinstance(changed, dict) and changed else changed
    for messages in ([changed], changed, {"a": changed}):
        path.write_text(json.dumps({"format_version": 1, "messages": messages}))
        assert load_online_status(path) == {}
        path.write_text(json.dumps(messages))
        assert load_online_status(path) == {}


@pytest.mark.parametrize("folder", [".msgrun", ".msgrun/sandbox"])
def test_what_intercom_showed_is_not_taken_from_a_commit(tmp_path: Path, folder: str) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    path = tmp_path / folder / "online-messages.json"
    path.parent.mkdir(parents=True)
    entry = {"name": "a", "revision": 1, "at": "x", "counts": {"replied": 1}, "listed": []}
    path.write_text(json.dumps({"format_version": 1, "messages": [entry]}))
    (tmp_path / ".gitignore").write_text(".msgrun/")
    assert load_online_status(path)
    subprocess.run(["git", "-C", tmp_path, "add", "-f", path], check=True)
    assert load_online_status(path) == {}


@pytest.mark.parametrize(
    "at",
    [
        "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "9999-W52-7", "2999-12-31T23:59:59-23:59", "9999-99-99",
    ],
)  # fmt: skip
def test_a_sending_at_a_time_that_cannot_be_counts_as_one(at: str) -> None:
    facts = Facts()
    facts.add(
        Record(
            "c" * 32,
            "01JD0000000000000000000001-1",
            "sent",
            message="old",
            revision=1,
            to="id:a",
            contact="a",
            id="1",
            at=at,
        )
    )
    check = FrequencyCheck(parse_frequency({"max": 1, "per": "9999d"}), facts, datetime(2026, 11, 28, tzinfo=UTC))
    assert check.find_excess("a").startswith("old on ")


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+23:59", "0001-01-01", "1969-12-31T23:00:00Z", "9999-12-31", "", "x"]
)
def test_a_time_that_no_record_can_have_is_none(at: str) -> None:
    assert parse_timestamp(at) is None


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["2", "1", "1", ""], "1 and 2"),
        ([str(number) for number in range(100, 110)], " and ".join(map(str, range(100, 110)))),
        ([str(number) for number in range(100, 999)], f"{' and '.join(map(str, range(100, 110)))} and 889 more"),
        (["1", "x" * 1_000_000], f"1 and {'x' * 128}"),
    ],
)  # fmt: skip
def test_of_a_delivery_that_was_sent_very_often_the_first_ids_are_named(ids: list[str], expected: str) -> None:
    records = [
        Record("c" * 32, f"x-{number}", "sent", message="m", to="id:a", id=one) for number, one in enumerate(ids)
    ]
    line = format_duplicate(fold_records(records))
    assert f" to id:a, as {expected}\n  hint: " in line


def test_records_of_one_key_count_as_progress() -> None:
    facts = Facts()
    for number in range(50):
        facts.add(Record("c" * 32, f"x-{number}", "sent", message="m", to="id:a", id=str(number)))
    before = CURRENT_WORK.status().progress
    facts.duplicates()
    assert CURRENT_WORK.status().progress[0] >= before[0] + 50
