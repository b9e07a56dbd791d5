"""What holds for every command: odd streams, bugs, interruptions, and where options stand."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from runner.cli import run
from runner.errors import LedgerUnavailable
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.ledger.record import Record
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.support.processes import running
from tests.support.project import Folder
from tests.support.proof import proofs, table


def shell(folder: Folder, command: str) -> subprocess.CompletedProcess[str]:
    line = f"{sys.executable} -m runner -C {folder.path} {command}"
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", *proofs([">&-"]), *table(["<&-", "2>&-"])])
def test_a_closed_standard_stream_is_no_fault(folder: Folder, closed: str) -> None:
    folder.message(LIST)
    assert shell(folder, f"validate {closed}").returncode == 0
    assert shell(folder, f"--sandbox apply --yes {closed}").returncode == 0
    assert "Traceback" not in shell(folder, f"plan {closed}").stderr


def test_a_reader_that_goes_away_changes_no_exit_code(folder: Folder) -> None:
    folder.message(LIST)
    ran = shell(folder, "--sandbox apply --yes | head -1; exit ${PIPESTATUS[0]}")
    assert (ran.returncode, ran.stderr) == (0, "Sender: Wash, admin 394051\n")


def test_output_that_cannot_be_written_is_said(folder: Folder) -> None:
    folder.message(LIST)
    ran = shell(folder, "validate > /dev/full")
    assert ran.returncode == 1
    assert "the output cannot be written" in ran.stderr


def test_a_plan_that_a_full_disk_does_not_take_is_no_wrong_usage(folder: Folder) -> None:
    folder.message(LIST)
    assert shell(folder, "plan --out /dev/full").returncode == 1
    assert shell(folder, "plan --out missing/plan.json").returncode == 64


def test_a_bug_is_told_in_a_line_and_kept_in_a_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    monkeypatch.setattr("runner.cli.commands.validate.find_recipient_problems", lambda *_: 1 / 0)
    ran = folder.run("validate")
    assert ran.code == 1
    assert ran.err.startswith("a bug in msgrun: ZeroDivisionError. Please report it with ")
    path = Path(ran.err.split(" with ")[1].strip())
    assert "ZeroDivisionError" in path.read_text()
    path.unlink()


def test_an_interruption_while_python_still_imports_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from runner.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), "validate"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interruption_before_anything_is_sent_exits_with_130(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    folder.message(LIST)
    monkeypatch.setattr("runner.cli.commands.validate.find_recipient_problems", interrupted)
    ran = folder.run("validate")
    assert (ran.code, ran.err.strip()) == (130, "Interrupted by Ctrl-C.")


@pytest.mark.parametrize(
    "args", [["nope"], ["plan", "--limit", "x"], ["validate", "--format", "xml"], ["apply", "--deadline", "soon"]]
)
def test_a_wrong_usage_exits_with_64(args: list[str]) -> None:
    assert run(args) == 64


def test_addresses_are_masked_wherever_they_stand_by_mistake(folder: Folder) -> None:
    folder.message(
        "name: a\nmessage_type: inapp\nbody: x\nfrom: {type: admin, id: 1}\nto: {ann@example.com: {type: user}}\n", "a"
    )
    lookup = "body: \"{{ {'pro': 'the Pro plan'}[plan] }}\"\n"
    people = "to: {type: user, id: x, vars: {plan: bo@example.com}}\n"
    folder.message("name: b\nmessage_type: inapp\n" + lookup + "from: {type: admin, id: 1}\n" + people, "b")
    audience = 'to: {csv: ../people.csv, type: user, email: "{{ x }}"}\n'
    folder.message("name: c\nmessage_type: inapp\nbody: x\nfrom: {type: admin, id: 1}\n" + audience, "c")
    folder.write("people.csv", "cy@example.com,cy@example.com\n")
    for form in ("text", "json", "github"):
        ran = folder.run("validate", "--format", form)
        assert ran.code == 1
        assert not [name for name in ("ann@", "bo@", "cy@") if name in ran.out + ran.err]


def test_all_problems_of_one_declaration_are_told_at_once(folder: Folder) -> None:
    folder.write("people.csv", "id,n\na1\n")
    folder.message(
        "name: a b\nmessage_type: email\nsubject: Hi {{ frist_name }}\nbody_file: nope.html\n"
        "template: fancy\nrevision: 0\n"
        "from: {type: admin, id: 1}\nto: {csv: ../people.csv, type: user, id: '{{ id }}'}\n",
    )
    folder.message(LIST.replace("Cy", "null"), "list")
    for command in ("validate", "plan", "apply"):
        out = folder.run(command).out
        for code in ("name-form", "not-a-choice", "out-of-range", "file-missing", "csv-row", "undefined-variable"):
            assert f"[{code}]" in out, (command, code)


def test_the_sandbox_keeps_running_until_it_is_stopped(folder: Folder) -> None:
    log = folder.path / "log.jsonl"
    folder.write("msgrun.yaml", "region: eu\n")  # the workspace that it plays is in the project's region
    command = [
        sys.executable,
        "-m",
        "runner",
        "-C",
        str(folder.path),
        "sandbox",
        "--workspace",
        "acme",
        "--log",
        str(log),
    ]
    with running([*command, "--trouble", "share=slow:0:1"]) as process:
        url = process.stdout.readline().split()[2].rstrip(",")
        assert [process.stdout.readline() for _ in range(2)] == ["trouble:\n", "  share=slow:0:1\n"]
        folder.message(LIST)
        ran = folder.process("apply", "--yes", env={"INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "x"})
        assert ran.code == 0, ran.err
        assert log.read_text().count('"created": "') + log.read_text().count('"created":"') == 3
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert err.startswith("Stopped: ")
    assert err.endswith(" requests, 3 new messages, trouble with 3.\n")


def test_the_sandbox_starts_outside_a_project_and_leaves_nothing_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runner", "-C", str(tmp_path), "sandbox"]
    with running(command) as process:
        url = process.stdout.readline().split()[2].rstrip(",")
        with urllib.request.urlopen(f"{url}/_sandbox/messages") as answer:
            assert json.load(answer) == []
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()  # also what `readline` has read ahead
        process.wait(timeout=10)
    assert "for another program (msgrun itself takes --sandbox):\n  export INTERCOM_BASE_URL=" in said
    assert (process.returncode, list(tmp_path.iterdir())) == (0, [])
    reset = subprocess.run([*command, "--reset"], capture_output=True, text=True, check=False)
    assert (reset.returncode, "no project" in reset.stderr) == (64, True)


def test_the_sandbox_says_what_it_cannot_do(folder: Folder) -> None:
    assert folder.run("sandbox", "--trouble", "nonsense").code == 64
    with Sandbox() as other:
        assert folder.run("sandbox", "--port", other.url.rsplit(":", 1)[1]).code == 6


def test_a_deadline_puts_the_rest_off(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--deadline", "0s")
    assert (ran.code, intercom.messages) == (75, [])
    assert "3 left" in ran.out
    assert folder.run("apply", "--yes", "--deadline", "20m").code == 0


def test_a_canary_goes_first_and_the_next_command_is_named(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--canary", "1")
    assert (ran.code, len(intercom.messages)) == (0, 1)
    assert "2 left by --canary 1\n\nNext:\n  Send the 2 that are left:\n    msgrun apply --yes\n" in ran.out
    assert folder.run("apply", "--yes", "--canary", "5").code == 0
    assert len(intercom.messages) == 3


def test_a_log_file_holds_every_record_and_nothing_personal(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST.replace("id: a1", "email: ann@example.com"))
    ran = folder.run("apply", "--yes", "-v", "--log-file", str(folder.path / "run.log"))
    text = (folder.path / "run.log").read_text()
    assert text.count('"status":"claimed"') == text.count('"status":"sent"') == 3
    # As a word: the three letters may stand inside a run's id, which is random.
    assert not re.search(r"\bann\b", text, re.IGNORECASE)
    assert "example.com" not in text
    assert ran.err.count("sent list ") == 3
    assert " request " in ran.err
    assert folder.run("apply", "--yes", "--log-file", str(folder.path / "no" / "run.log")).code in {0, 64}
    assert len(intercom.messages) == 3


def _take_no_outcomes(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """Lets the ledger take claims and no outcome. Nothing waits."""
    write = LockfileLedger.commit

    def commit(ledger: LockfileLedger, outcomes: list[Record], claims: list[Record]) -> None:
        if outcomes:
            raise LedgerUnavailable(reason)
        write(ledger, outcomes, claims)

    monkeypatch.setattr(LockfileLedger, "commit", commit)
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_an_outcome_that_the_ledger_does_not_take_is_rescued(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_no_outcomes(monkeypatch, "the disk is full")
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--limit", "1")
    assert ran.code == 6
    assert "messages.lock.rescue, which the next run here picks up: keep it" in ran.err
    monkeypatch.undo()
    assert json.loads(folder.run("status", "--format", "json").out)["counts"]["sent"] == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERCOM_BASE_URL", intercom.url)
        patch.setenv("INTERCOM_ACCESS_TOKEN", "x")
        assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3
    assert sum(record["status"] == "sent" for record in records(folder)) == 3


def test_in_ci_an_outcome_that_the_ledger_does_not_take_is_unknown_to_others_and_the_artifact_is_named(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not intercom.messages
    _take_no_outcomes(monkeypatch, "the push was refused")
    for name, value in {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--limit", "1", "--lockfile-in-ci")
    assert ran.code == 6
    assert '{"key"' not in ran.err
    assert "Download the artifact msgrun-rescue-2 and, in a clone, add its 1 outcome to the ledger:" in ran.out
    assert "lock import messages.lock.rescue" in ran.out
    assert ran.out.index("stopped: ") < ran.out.index("Next:")
    assert "run the workflow again (Actions, Run workflow)" in ran.out
    assert "apply --yes" not in ran.out.partition("Next:")[2], "that names files of a machine that is gone"
    assert "unknown=1\n" in (tmp_path / "output").read_text()
