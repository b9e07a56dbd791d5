"""What commands print of the ledger when they open it, and what they write of it to msgrun.yaml."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner.cli import other_runs, planning
from runner.clock import format_timestamp, parse_timestamp
from runner.declare.keys_and_digests import delivery_key
from runner.git.repository import find_repository
from runner.ledger.known_hosts import own_remote_url
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.clones import Clone
from tests.support.ledger_files import read_settings
from tests.support.project import Folder

BLOCK = """\
# Ours.
salt: rehearsal   # keep
lock: messages.lock   # here
from: {type: admin, id: "394051"}

environments:
  eu:
    lock: eu.lock   # there
    region: eu
  # the end
"""


@pytest.mark.parametrize("command", [["status"], ["plan"], ["lock", "verify"], ["apply", "--yes"]])
def test_torn_lines_and_duplicates_are_warned_of(folder: Folder, command: list[str], intercom: Sandbox) -> None:
    append(folder, line("a", "1", "sent", id="1"), line("a", "2", "sent", id="2"), '{"key":"aaaa\n')
    ran = folder.run(*command)
    assert ran.code == 5
    assert "warning: messages.lock:4 is torn" in ran.err
    assert "duplicate: list went twice to id:a" in ran.err
    assert not intercom.messages


@pytest.mark.parametrize("command", [["status"], ["plan"], ["plan", "--format", "markdown"], ["lock", "verify"]])
@pytest.mark.parametrize("number", [25, 300])
def test_many_duplicates_are_counted(folder: Folder, command: list[str], number: int) -> None:
    keys = [f"{key:032x}" for key in range(number)]
    append(
        folder,
        *(line("b", attempt, "sent", id=attempt).replace("b" * 32, key) for key in keys for attempt in ("1", "2")),
    )
    ran = folder.run(*command)
    assert ran.code == 5
    assert ran.err.count("went twice to") == 1
    assert f" and {number - 3:,} more\n" in ran.err
    command = "msgrun resolve --message list --all --duplicate"
    hint = f"to see all of them: msgrun status list --all; to report them no more: {command}"
    assert f"\n  hint: {hint}\n" in ran.err


@pytest.mark.parametrize("number", [1, 5])
def test_the_name_of_a_message_that_went_twice_begins_no_line(folder: Folder, number: int) -> None:
    keys = [f"{key:032x}" for key in range(number)]
    name = "list\n::error::evil"
    append(
        folder,
        *(line("b", one, "sent", id=one, message=name).replace("b" * 32, key) for key in keys for one in ("1", "2")),
    )
    for command in (["status"], ["plan", "--format", "markdown"]):
        ran = folder.run(*command)
        assert "went twice" in ran.out + ran.err
        assert not re.search(r"^\s*(> )?: ?:error", ran.out + ran.err, re.MULTILINE)


def test_the_id_stands_beside_lock_and_nothing_else_changes(folder: Folder) -> None:
    folder.write("msgrun.yaml", BLOCK)
    (folder.path / "messages.lock").unlink()
    assert folder.run("lock", "begin").code == 0
    text = (folder.path / "msgrun.yaml").read_text()
    ledger_id = read_settings(folder.path)["ledger"]
    assert text == BLOCK.replace("   # here\n", f"   # here\nledger: {ledger_id}\n")


def test_the_id_of_an_environment_stands_beside_its_own_lock(folder: Folder) -> None:
    folder.write("msgrun.yaml", BLOCK)
    assert folder.run("-e", "eu", "lock", "begin").code == 0
    text = (folder.path / "msgrun.yaml").read_text()
    ledger_id = read_settings(folder.path)["environments"]["eu"]["ledger"]
    assert text == BLOCK.replace("   # there\n", f"   # there\n    ledger: {ledger_id}\n")


def test_a_move_replaces_the_address_and_leaves_its_comment(folder: Folder) -> None:
    folder.write("msgrun.yaml", BLOCK.replace("salt: rehearsal   # keep\n", ""))
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    assert "lock: other.lock   # here\nledger: " in (folder.path / "msgrun.yaml").read_text()


def test_nothing_is_written_if_the_settings_say_so_already(folder: Folder) -> None:
    assert folder.run("lock", "begin").code == 0
    path = folder.path / "msgrun.yaml"
    path.chmod(0o444)
    before = path.stat()
    for args in (["lock", "begin"], ["lock", "move", "--yes", "messages.lock"]):
        assert "wrote" not in folder.run(*args).out
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://ann:secret-word@host.example/acme/mail.git", "https://host.example/acme/mail.git"),
        ("https://secret-word@host.example:8443/acme/mail", "https://host.example:8443/acme/mail"),
        ("https://host.example/acme/mail?token=secret-word", "https://host.example/acme/mail"),
        ("ssh://git@host.example/acme/mail.git", "ssh://git@host.example/acme/mail.git"),
        ("git@host.example:acme/mail.git", "git@host.example:acme/mail.git"),
        ("ssh://git:secret-word@host.example/acme/mail.git", ""),
        ("git:secret-word@host.example:acme/mail.git", ""),
        ("/srv/mail.git", "file:///srv/mail.git"),
        ("../mail.git", ""),
    ],
)
def test_the_remote_is_written_without_credentials(author: Clone, url: str, written: str) -> None:
    author.git("config", "remote.origin.url", url)
    context: Any = SimpleNamespace(repository=find_repository(author.path))
    assert own_remote_url(context) == written
    author.write("msgrun.yaml", f"remote: {written}\n" if written else "")
    assert author.msgrun("validate").code == 1  # no sender; but the settings can be read
    assert "credentials" not in author.msgrun("validate").out


def test_the_remote_of_an_environment_stands_at_the_top(author: Clone, origin: Path) -> None:
    author.write("msgrun.yaml", (author.path / "msgrun.yaml").read_text() + "environments:\n  eu: {lock: eu.lock}\n")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-e", "eu", "lock", "begin").code == 0
    settings = read_settings(author.path)
    assert (settings["remote"], "ledger" in settings) == (origin.as_uri(), False)
    assert set(settings["environments"]["eu"]) == {"lock", "ledger"}


def test_a_remote_that_is_written_already_stays(author: Clone) -> None:
    author.write(
        "msgrun.yaml", (author.path / "msgrun.yaml").read_text() + "remote: git@host.example:acme/origin.git\n"
    )
    ran = author.msgrun("lock", "begin")
    assert (ran.code, read_settings(author.path)["remote"]) == (0, "git@host.example:acme/origin.git")


def test_an_apply_with_a_lockfile_writes_the_only_remote_of_the_clone(author: Clone, origin: Path) -> None:
    author.git("remote", "add", "fork", origin.as_uri())
    assert "wrote" not in author.msgrun("apply", "--yes", "--limit", "1").out
    author.git("remote", "remove", "fork")
    author.env["CI"] = "true"
    assert "wrote" not in author.msgrun("apply", "--yes", "--limit", "1", "--lockfile-in-ci").out
    author.env["CI"] = ""
    assert "wrote" not in author.msgrun("--sandbox", "apply", "--yes", "--limit", "1").out
    out = author.msgrun("apply", "--yes").out
    assert f"wrote remote: {origin.as_uri()} to msgrun.yaml; apply asks there, in every clone and fork" in out
    assert "git commit -m 'Record what was sent' msgrun.yaml messages.lock && git push\n" in out
    assert read_settings(author.path)["remote"] == origin.as_uri()


def test_settings_that_cannot_be_edited_are_left_alone_and_the_lines_are_printed(folder: Folder) -> None:
    folder.write("msgrun.yaml", "lock: &a messages.lock\nvars: {b: *a}\n")
    ran = folder.run("lock", "move", "--yes", "other.lock")
    assert ran.code == 64
    assert "write these lines to msgrun.yaml: lock: other.lock, ledger: " in ran.err
    assert (folder.path / "msgrun.yaml").read_text() == "lock: &a messages.lock\nvars: {b: *a}\n"


def test_a_ledger_that_apply_started_has_an_id_to_add(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    (folder.path / "messages.lock").unlink()
    ran = folder.run("apply", "--yes", "--new-lock")
    assert (ran.code, "add to msgrun.yaml, so that no other ledger is used by accident: ledger: " in ran.err) == (
        0,
        True,
    )
    assert len(intercom.messages) == 3


def test_what_another_run_is_sending_is_named_with_the_run_and_nothing_settles_it(author: Clone) -> None:
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    author.git("commit", "-qam", "Move the ledger")
    author.git("push", "-q", "origin", "HEAD")
    now = format_timestamp(datetime.now(UTC))
    new = delivery_key("rehearsal", "first", 1, "id", "aaa1")
    old = delivery_key("rehearsal", "second", 1, "id", "bbb1")
    claim = line("a", "RUN-1", "claimed", message="first", at=now).replace("a" * 32, new)
    author.write("late.lock", claim)
    assert author.msgrun("lock", "import", "--yes", "late.lock").code == 0
    time, end = (
        format_timestamp(parse_timestamp(now) + timedelta(seconds=seconds))[:16].replace("T", " ")
        for seconds in (0, 120 + 59)
    )
    step = (
        f"\nNext:\n  1 delivery is being sent by run RUN, since {time} (UTC). See at {end} (UTC) what became of it:\n"
        "    msgrun status\n"
    )
    refused = author.msgrun("resolve", "--message", "first", "--all", "--not-sent", "--yes")
    assert (refused.code, "1 delivery is being sent by run RUN" in refused.err) == (5, True)
    for which in [], ["--message", "first"], ["--sent", "-"]:
        refused = author.msgrun("resolve", *which)
        assert (refused.code, "1 delivery is being sent by run RUN" in refused.err) == (5, True), refused
        assert "--not-sent" not in refused.err
    for command in (["plan"], ["status"], ["apply", "--yes", "messages/first.yaml", "--limit", "1"]):
        ran = author.msgrun(*command)
        assert (step in ran.out, "1 being sent" in ran.out) == (True, True)
        assert not re.search(r"msgrun (resolve|reconcile)|may have arrived", ran.out)
    (delivery,) = (
        one for one in json.loads(author.msgrun("plan", "--format", "json").out)["deliveries"] if one["key"] == new
    )
    assert (delivery["action"], delivery["reason"]) == ("unknown", "being sent by another run")
    assert "> - 1 being sent by another run\n" in author.msgrun("plan", "--format", "markdown").out
    author.write("late.lock", line("b", "OLD-2", "claimed", message="second").replace("b" * 32, old))
    assert author.msgrun("lock", "import", "--yes", "late.lock").code == 0
    ran = author.msgrun("status")
    assert step.partition(":\n")[0] in ran.out
    assert ran.out.count(f"msgrun resolve {old[:12]}") == 2, "of the old one alone a person decides now"
    ran = author.msgrun("resolve")
    assert "1 delivery is being sent, and not asked about" in ran.err
    assert (ran.code, "1 delivery is unknown, and there is no terminal" in ran.err, " first " in ran.err) == (
        64,
        True,
        False,
    )
    author.write("late.lock", line("a", "OLD-3", "claimed", message="first").replace("a" * 32, new))
    assert author.msgrun("lock", "import", "--yes", "late.lock").code == 0
    refused = author.msgrun("resolve", new, "--not-sent", "--yes")
    assert (refused.code, "is being sent by" in refused.err) == (5, True), "one of its two open attempts may be live"


def test_an_apply_that_loses_claims_waits_also_for_what_was_being_sent_when_it_began(
    author: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    author.git("commit", "-qam", "Move the ledger")
    author.git("push", "-q", "origin", "HEAD")
    keys = [delivery_key("rehearsal", "first", 1, "id", contact) for contact in ("aaa1", "aaa2")]
    now = format_timestamp(datetime.now(UTC))

    def record(status: str, *numbers: int) -> None:
        lines = (line("a", f"RUN-{number}", status, message="first", at=now, id=f"9{number}") for number in numbers)
        lines = (each.replace("a" * 32, keys[number]) for number, each in zip(numbers, lines, strict=True))
        author.write("late.lock", "".join(lines))
        assert author.msgrun("lock", "import", "--yes", "late.lock").code == 0

    record("claimed", 0)
    print_plan = planning.print_plan
    monkeypatch.setattr(planning, "print_plan", lambda *args: (print_plan(*args), record("claimed", 1)))
    pauses = iter([lambda: record("sent", 0, 1)])
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: next(pauses)())
    monkeypatch.setattr(other_runs, "time", clock)
    ran = author.msgrun("apply", "--yes")
    assert (ran.code, next(pauses, None)) == (0, None), ran.out + ran.err
    assert "1 claimed by other runs" in ran.out
    assert not re.search("RUN|msgrun resolve", ran.out.partition("claimed by other runs")[2])


def test_what_changes_a_lockfile_ends_with_the_command_that_commits_it(author: Clone) -> None:
    commits = []
    for status in ("claimed", "sent"):
        author.write("late.lock", line("b", "2", status, id="7"))
        commits.append(("Record what was sent", author.msgrun("lock", "import", "--yes", "late.lock")))
    commits.append(("Compact the ledger", author.msgrun("lock", "compact")))
    for subject, ran in commits:
        assert f"\n    git commit -m '{subject}' messages.lock && git push\n" in ran.out


def test_a_clone_that_is_behind_pulls_before_it_pushes_the_ledger(author: Clone) -> None:
    author.write("a-note", "x")
    author.git("add", "a-note")
    author.git("commit", "-qm", "A note")
    author.git("push", "-q", "origin", "HEAD")
    author.git("reset", "-q", "--hard", "HEAD~1")
    ran = author.msgrun("apply", "--yes", "--limit", "1")
    assert "HEAD lacks commits of origin/main" in ran.err
    (step,) = (line.strip() for line in ran.out.splitlines() if "git push" in line)
    subprocess.run(step, shell=True, cwd=author.path, check=True, capture_output=True)  # as a person does
    assert author.git("rev-parse", "HEAD") == author.git("rev-parse", "origin/main")
