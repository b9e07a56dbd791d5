"""Commands that write the ledger or show it read declarations in a child that can be killed, and end in time."""

import contextlib
import json
import os
import signal
import sys

import pytest

from runner.ledger.record import Header, salt_check
from tests.cli.commands.test_status import append, delivery, line
from tests.security.test_budget import BIG_TEXTS, EQUAL, declared
from tests.support import supervised
from tests.support.project import Folder
from tests.support.proof import proofs
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a child is watched on Linux alone")

EMAIL = f"email:~{'a' * 8}"


def unknown(key: str = "a", attempt: str = "1") -> str:
    """A claim of the message a for an email address, which only the declarations name."""
    return json.dumps({**json.loads(line(key, attempt, "claimed")), "message": "a", "to": f"email:~{key * 8}"})


@pytest.fixture
def stuck(folder: Folder) -> Folder:
    """A project whose message renders its identifier without an end, and a ledger with an unknown delivery of it."""
    folder.message(declared("Hi", to=json.dumps({"type": "user", "email": EQUAL})), "a")
    append(folder, unknown())
    return folder


@pytest.mark.parametrize("command", ["accept", "adopt"])
def test_a_command_that_plans_one_message_is_rehearsed(stuck: Folder, command: str) -> None:
    before = (stuck.path / "messages.lock").read_bytes()
    ran = supervised.run(stuck.path, command, "a", "--yes")
    assert (ran.code, "messages/a.yaml:1:1: error: this file takes longer" in ran.out) == (1, True), ran
    assert (stuck.path / "messages.lock").read_bytes() == before


@pytest.mark.parametrize("command", ["accept", "adopt"])
def test_it_does_its_work_once(folder: Folder, command: str) -> None:
    folder.message(declared("Hi"), "a")
    append(folder)
    ran = supervised.run(folder.path, command, "a", "--yes")
    done = ran.out.count("nothing to do: ") + ran.out.count("Marked a as sent")
    assert (ran.code, done, ran.err.count("\n") <= 1) == (0, 1, True), ran
    assert folder.run(command, "a", "--yes").out.startswith("nothing to do")


@pytest.mark.parametrize("command", ["accept", "adopt"])
def test_its_errors_are_those_of_the_command(folder: Folder, command: str) -> None:
    folder.message(declared("{{ no }}"), "a")
    for name in ("a", "b"):
        ran, alone = supervised.run(folder.path, command, name), folder.run(command, name)
        assert (ran.code, ran.out, ran.err) == (alone.code, alone.out, alone.err)


@pytest.mark.parametrize(
    "args", [["doctor"], ["forget", "--to", "ann@example.com", "--yes"], ["init", "--github", "--from", "msgrun==9.9"]]
)
def test_what_looks_through_the_files_of_a_project_has_the_limits_of_a_plan(folder: Folder, args: list[str]) -> None:
    folder.write("msgrun.yaml", f"salt: x\nvars: {{a: {'x' * 3_000_000}}}\n")
    folder.message(declared("Hi"), "a")
    ran = supervised.run(folder.path, *args, memory=1024**2)
    assert (ran.code, "error: this file needs too much memory" in ran.out) == (1, True), ran
    assert not (folder.path / ".github").exists()


@pytest.mark.parametrize("args", [["status"], *proofs([["status", "a"], ["--sandbox", "reconcile", "--wait", "0"]])])
def test_what_names_recipients_goes_on_without_names(stuck: Folder, args: list[str]) -> None:
    stuck.write(
        ".msgrun/sandbox/messages.lock",
        Header("", salt_check(""), "01JD0000000000000000000000").to_line().decode() + unknown(),
    )
    ran = supervised.run(stuck.path, *args, "--show-values")
    assert (ran.code, EMAIL in ran.out) == (4 if "reconcile" in args else 0, True), ran
    assert "recipients are not named: messages/a.yaml: this file takes longer than 1.5 seconds" in ran.err, ran


def test_resolve_asks_without_names(stuck: Folder) -> None:
    with contextlib.closing(Terminal(stuck.path, "resolve", program=supervised.program())) as terminal:
        terminal.wait_for("recipients are not named")
        terminal.wait_for(EMAIL)
        terminal.answer("[q]uit, ?:", "n")
        terminal.wait_for("Marked 1 as not sent.")


def test_a_file_that_needs_too_much_memory_names_no_recipients(folder: Folder) -> None:
    folder.message(declared("Hi", to=json.dumps({"type": "user", "email": BIG_TEXTS})), "a")
    append(folder, unknown())
    ran = supervised.run(folder.path, "status", "--show-values", seconds=60)
    assert (ran.code, EMAIL in ran.out) == (0, True), ran
    assert "bug" not in ran.err


def test_names_come_from_the_child(folder: Folder) -> None:
    folder.message(declared("Hi", to="{type: user, email: ann@example.com}"), "a")
    append(folder, delivery("a", "email", "ann@example.com", "claimed"))
    ran = supervised.run(folder.path, "status", "--show-values")
    assert "ann@example.com" in ran.out
    alone = folder.run("status", "--show-values")
    assert (ran.out.replace(f" -C {folder.path}", ""), ran.err) == (alone.out, alone.err)


def test_ctrl_c_ends_the_search_for_names(stuck: Folder) -> None:
    with supervised.start(stuck.path, "status", "--show-values", seconds=600) as process:
        child = supervised.stuck_child(process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out.count("unknown"), err) == (130, 1, "\nInterrupted by Ctrl-C.\n")
        assert not supervised.is_running(child)
