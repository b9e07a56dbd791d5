"""No value of a file or of an answer is taken for a command by a terminal or a CI system, or forges a line."""

import csv
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import runner.intercom.client
import runner.ledger.postgres.connection  # noqa: F401  # it and the client set the loggers of their libraries
from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone
from tests.support.project import ROOT, run_in_process
from tests.support.proof import proofs

# What the values hold. A line end lets a value begin a line; GitHub finds `##[` anywhere in one.
FORGED = {
    "a command of GitHub": "x\n::error title=msgrun::forged",
    "a command after white space": "x\n \t::stop-commands::y",
    "a command after a carriage return": "x\r::add-mask::y",
    "a command after a next-line character": "x\x85::add-mask::y",
    "a command after a line separator": "x\u2028::add-mask::y",
    "an old command of GitHub": "x ##[add-mask]y",
    "a command of Azure": "x ##vso[task.setvariable variable=a]y",
    "a colour": "x\x1b[31my",
    "a hidden text": "x\x1b[8my",
    "a cleared screen": "x\x1b[2J\x1b[Hy",
    "a link of a terminal": "x\x1b]8;;https://evil.example\x07y",
    "a title of a terminal": "x\x9d0;y\x9c",
    "a C1 control sequence": "x\x9b31my",
    "a backspace": "safe\b\b\b\bevil",
    "reversed text": "x\u202eevil\u2066y",
    "a forged line of a plan": "x\nPlan: nothing to send",
}
RECORD = {"key": "a" * 32, "attempt": "x", "status": "unknown", "revision": 1, "at": "2026-11-22T10:00:00Z"}
MESSAGE = 'name: a\nmessage_type: email\nsubject: S\nbody: Hi\nfrom: {type: admin, id: "1"}\nto: {type: user, id: a1}\n'
COMMANDS = ("validate",), ("lint",), ("plan",), ("status",), ("lock", "verify"), ("lock", "show"), ("lock", "stats")
OWN = re.compile(r"::(error|warning|notice) [^:]*::|::(group|endgroup)::")


def files(place: str, text: str) -> dict[str, str]:
    """The files of a project with the text at a place."""
    quoted, header = json.dumps(text), HEADER % salt_check("")
    messages = {
        "a file's name": {f"messages/{text.replace('/', '')}.yaml": "a: b\n"},
        "a key": {"messages/b.yaml": f"{quoted}: 1\n"},
        "a name": {"messages/b.yaml": MESSAGE.replace("name: a", f"name: {quoted}")},
        "a choice": {"messages/b.yaml": MESSAGE.replace("email", quoted, 1)},
        "an include": {"messages/a.yaml": with_body("{% include " + quoted + " %}")},
        "an unknown filter": {"messages/a.yaml": with_body("{{ 1 | " + text + " }}")},
        "a body's file": {"messages/a.yaml": MESSAGE.replace("body: Hi", f"body_file: {quoted}")},
        "a suppression list": {"msgrun.yaml": f"suppress: [{quoted}]\n"},
        "the setting of the ledger": {"msgrun.yaml": f"lock: {quoted}\n"},
        "the workspace": {"msgrun.yaml": f"workspace: {quoted}\n"},
        "a CSV header": {"a.csv": f'email,"{text}","{text}"\nann@example.com,1,2\n', "messages/a.yaml": OF_TABLE},
        "a CSV cell": {"a.csv": f'email,b\n"{text}",2\n', "messages/a.yaml": OF_TABLE},
        "an identifier": {"messages/a.yaml": MESSAGE.replace("a1", quoted)},
        "the ledger's workspace": {"messages.lock": header.replace('"workspace":""', f'"workspace":{quoted}') + "\n"},
    }
    fields = {"message": "a", "to": "id:1", place.removeprefix("a record's "): text}
    return messages.get(place) or {"messages.lock": header + json.dumps({**RECORD, **fields}) + "\n"}


def with_body(body: str) -> str:
    return MESSAGE.replace("body: Hi", f"body: {json.dumps(body)}")


OF_TABLE = MESSAGE.replace("{type: user, id: a1}", "{csv: ../a.csv, type: user, email: '{{ email }}'}")
PLACES = (
    "a file's name", "a key", "a name", "a choice", "an include", "an unknown filter", "a body's file",
    "a suppression list", "the setting of the ledger", "the workspace", "a CSV header", "a CSV cell", "an identifier",
    "the ledger's workspace", "a record's message", "a record's to", "a record's at", "a record's code",
    "a record's request_id", "a record's attempt",
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it has no sandbox
    clone.write("msgrun.yaml", "")
    clone.write("messages.lock", HEADER % salt_check(""))
    clone.write("messages/a.yaml", MESSAGE)
    return clone


def printed(project: Clone, *args: str) -> str:
    ran = run_in_process(args, project.path, {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"})
    return ran.out + ran.err


# In every run each form at one place and one form at each place; in the proofs a fifth of all pairs, which covers each
# form at several places.
PAIRS = [(place, form) for place in PLACES for form in FORGED][::5]
FEW = [*zip(PLACES, list(FORGED) * 2, strict=False)]


@pytest.mark.parametrize(("place", "form"), [*FEW, *proofs(pair for pair in PAIRS if pair not in FEW)])
def test_no_output_is_taken_for_a_command(project: Clone, place: str, form: str) -> None:
    for path, text in files(place, FORGED[form]).items():
        project.write(path, text)
    for command in COMMANDS:
        text = printed(project, *command)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]", text), command
        lines = text.splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::")], command
        assert "##[" not in text, command
        assert "##vso[" not in text, command
        assert not [line for line in lines if line.startswith("Plan: nothing")], command


@pytest.mark.parametrize(("place", "form"), [*FEW, *proofs(pair for pair in PAIRS if pair not in FEW)])
def test_annotations_hold_no_command_but_our_own(project: Clone, place: str, form: str) -> None:
    for path, text in files(place, FORGED[form]).items():
        project.write(path, text)
    for command in (("validate", "--format", "github"), ("plan", "--format", "github")):
        text = printed(project, *command)
        for line in text.splitlines():
            assert not line.lstrip().startswith("::") or OWN.match(line), line
        assert "##[" not in text
        assert "\x1b" not in text


@pytest.mark.parametrize("form", FORGED)
def test_json_means_the_same_and_holds_nothing_to_obey(project: Clone, form: str) -> None:
    for path, text in files("a record's message", FORGED[form]).items():
        project.write(path, text)
    text = printed(project, "status", "--format", "json")
    assert json.loads(text)["messages"][0]["name"] == FORGED[form]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]|##\w*\[", text)


def test_a_file_that_a_job_prints_later_holds_no_command(project: Clone) -> None:
    project.write("messages/b.yaml", '"x##[error]y": 1\n"##vso[task.setvariable variable=a]y": 2\n')
    for ci, is_kept in (("true", False), ("", True)):
        environ = {**os.environ, "CI": ci, "GITHUB_ACTIONS": ci, "PYTHONPATH": str(ROOT)}
        with (project.path / "log.txt").open("wb") as log:
            command = [sys.executable, "-m", "runner", "validate"]
            subprocess.run(command, check=False, cwd=project.path, env=environ, stdout=log)
        printed = (project.path / "log.txt").read_text()
        assert "there is no key" in printed
        assert ("##[error]" in printed) is is_kept
        assert ("##vso[" in printed) is is_kept


def test_a_colour_is_ours_alone(project: Clone) -> None:
    project.write("messages/b.yaml", '"x\\e[31my": 1\n')
    ran = run_in_process(["validate"], project.path, {**os.environ, "FORCE_COLOR": "1"})
    assert "\x1b[31merror\x1b[0m: there is no key x<U+001B>[31my here" in ran.out


def test_a_terminal_of_a_ci_system_is_read_by_it_too(project: Clone) -> None:
    """A workflow makes a terminal for the colours: `script -qec "msgrun plan"`."""
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "plan", "messages/x ##[add-mask]y"]
    for ci, text in (("true", "# #[add-mask]"), ("", " ##[add-mask]")):
        primary, secondary = os.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CI": ci}
        subprocess.run(command, env=environment, stdout=secondary, stderr=secondary, check=False)
        os.close(secondary)
        printed_text = os.read(primary, 65536).decode()
        os.close(primary)
        assert text in printed_text


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "utf-8"])
def test_a_terminal_that_lacks_a_character_is_no_fault(project: Clone, encoding: str) -> None:
    project.write("messages/größe→👍.yaml", MESSAGE.replace("name: a", "name: b").replace("Hi", "Hi 👍 {{ x }}"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "validate"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"x has no value" in done.stdout
    assert done.stderr == b""


FORMULAS = ("=1+1", " =1+1", "\xa0@SUM(1)", ";=1+1", "a;-1", "\t+1", "\uff1d1+1", "|cmd", "\r=1", "-1")


@pytest.mark.parametrize("form", ["text", "csv"])
def test_the_audit_gives_no_command_and_no_formula(project: Clone, form: str) -> None:
    lines = [HEADER % salt_check("")]
    for number, text in enumerate([*FORGED.values(), *FORMULAS]):
        named = {"actor": text, "run_url": text, "commit": text, "key": f"{number:032x}"}
        lines.append(json.dumps({**RECORD, **named, "message": "a", "to": "id:1", "attempt": f"{text}-1"}) + "\n")
    project.write("messages.lock", "".join(lines))
    text = printed(project, "audit", "--format", form)
    assert text.partition("\nNext:")[0].count("unknown") == (1 if form == "csv" else len(lines) - 1), text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]|##\w*\[", text)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    if form == "csv":
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
        assert len(cells) == 17 * (1 + len(FORGED) + len(FORMULAS))
        assert not [cell for cell in cells if re.search(r"(^|[;\t])\s*[=+@|\uff1d-]", cell)]


def test_a_warning_of_python_is_not_printed(project: Clone) -> None:
    project.write("messages/a.yaml", with_body("{% if false %}{{ 1[0:1] }}{% endif %}{% include 'b.html' %}"))
    project.write("messages/b.html", "Hi{% if false %}{{ 1[0:1] }}{% endif %}")
    project.write("b.html", "::error title=forged::x\n" * 60)
    ran = subprocess.run(
        [sys.executable, "-m", "runner", "validate"], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_library_that_reads_from_the_network_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("psycopg", "psycopg.pool", "requests", "urllib3.connectionpool"):
        logging.getLogger(name).handle(logging.LogRecord(name, logging.ERROR, "", 1, "::error::x", (), None))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", [["validate"], ["lint"], ["plan", "--format", "json"]])
def test_a_log_has_two_thousand_warnings_at_most_and_counts_the_others(tmp_path: Path, command: list[str]) -> None:
    tests = "".join(f"{{% if v{number} %}}{{% endif %}}" for number in range(99))
    text = "---\n".join(with_body(f"Hi {tests}").replace("name: a", f"name: a{number}") for number in range(25))
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages/a.yaml").write_text(text)
    ran = run_in_process(command, tmp_path, {})
    lines = [line for line in (ran.out + ran.err).splitlines() if re.match(r"messages/.*: warning: ", line)]
    assert (ran.code, len(lines)) == (0, 2_000), ran.err
    assert " more warnings are not printed; --format json of validate and lint has all\n" in ran.err
    everything = run_in_process(["validate", "--format", "json"], tmp_path, {}).out
    assert len(json.loads(everything)["problems"]) == 2_475
