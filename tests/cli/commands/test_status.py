"""?"""

import json

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.project import Folder


def line(key: str, attempt: str, status: str, **more: object) -> str:
    value = {"key": key * 32, "attempt": attempt, "status": status, "message": "list", "revision": 1, "to": f"id:{key}"}
    return json.dumps({**value, "at": "2026-01-01T00:00:00Z", **more}) + "\n"


def append(folder: Folder, *lines: str) -> None:
    with (folder.path / "messages.lock").open("a") as handle:
        handle.writelines(lines)


def test_status_counts_by_message_and_lists_what_needs_a_look(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="2001"), line("b", "2", "claimed"), line("c", "3", "refused", code="x"))
    ran = folder.run("status")
    assert ran.code == 0
    assert "list  revision 1  1 refused, 1 sent, 1 unknown" in ran.out
    assert "unknown  list id:b  key bbbbbbbbbbbb" in ran.out
    assert "refused  list id:c  key cccccccccccc  2026-01-01T00:00:00Z  x" in ran.out


def test_status_as_json_gives_the_records_that_hold(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("a", "1", "sent", id="2001"), line("b", "2", "claimed"))
    status = json.loads(folder.run("status", "--format", "json").out)
    assert status["counts"] == {"sent": 1, "unknown": 1, "refused": 0, "free": 0}
    assert status["messages"] == [{"name": "list", "revision": 1, "counts": status["counts"]}]
    assert [(found["status"], found.get("id")) for found in status["deliveries"]] == [
        ("sent", "2001"),
        ("unknown", None),
    ]


def test_status_of_nothing_and_of_an_unknown_name(folder: Folder) -> None:
    assert folder.run("status").out == "nothing was sent yet\n"
    append(folder, line("a", "1", "sent", id="2001"))
    assert folder.run("status", "list").code == 0
    ran = folder.run("status", "lits")
    assert ran.code == 64
    assert "did you mean list?" in ran.err


def test_a_duplicate_is_told_by_everything_that_loads_the_ledger(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, line("a", "1", "sent", id="2001"), line("a", "2", "sent", id="2002"))
    for args in (["status"], ["plan"], ["lock", "verify"], ["lock", "show"], ["apply", "--yes"]):
        ran = folder.run(*args)
        assert ran.code == 5, args
        assert "duplicate: list went twice to id:a (key aaaaaaaaaaaa), as 2001 and 2002" in ran.err
    assert len(intercom.messages) == 3


def test_torn_lines_are_told_and_survived(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, '{"key":"aaaa', "\n", "<<<<<<< HEAD\n")
    ran = folder.run("lock", "verify")
    assert (ran.code, "messages.lock:2 is torn" in ran.err) == (1, True)
    assert folder.run("apply", "--yes").code == 0
    assert folder.run("lock", "compact").code == 0
    assert folder.run("lock", "verify").code == 0
    assert len(intercom.messages) == 3


def test_a_lockfile_of_a_newer_version_is_unreadable(folder: Folder) -> None:
    append(folder, '{"msgrun_lock":2}\n')
    ran = folder.run("plan")
    assert ran.code == 6
    assert "update msgrun" in ran.err
