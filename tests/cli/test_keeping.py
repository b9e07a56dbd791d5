import json

import pytest

from runner.sandbox import Sandbox
from tests.cli.test_sending import LIST, records
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


def test_compact_keeps_what_holds(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("apply", "--yes")
    before = folder.run("status", "--format", "json").out
    assert folder.run("lock", "compact").out == "8 lines, now 4\n"
    assert folder.run("status", "--format", "json").out == before
    assert [record["status"] for record in records(folder)] == ["sent"] * 3
    assert len(intercom.messages) == 3


def test_show_prints_the_facts_of_a_key(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "claimed"), line("a", "1", "sent", id="7"))
    assert [json.loads(found)["status"] for found in folder.run("lock", "show", "aaaa").out.splitlines()] == [
        "claimed",
        "sent",
    ]
    assert len(folder.run("lock", "show").out.splitlines()) == 3
    assert folder.run("lock", "show", "dddd").code == 64


@pytest.mark.parametrize(
    "args",
    [[], ["aa"], ["aa", "--sent", "1", "--not-sent"], ["aa", "--message", "list", "--all", "--not-sent"],
     ["--message", "list", "--not-sent"], ["--all", "--not-sent"], ["aa", "--sent", ""]],
)  # fmt: skip
def test_resolve_wants_to_know_which_and_what(folder: Folder, args: list[str]) -> None:
    assert folder.run("resolve", *args).code == 64


def test_resolve_of_a_key_that_is_not_unknown_says_what_it_is(folder: Folder) -> None:
    append(
        folder,
        line("a", "1", "sent", id="7"),
        line("b", "2", "claimed"),
        line("b", "3", "claimed").replace("b" * 32, "b" * 8 + "c" * 24),
    )
    assert "that delivery is sent" in folder.run("resolve", "aaaa", "--not-sent").err
    assert folder.run("resolve", "dddd", "--not-sent").code == 64
    assert "2 unknown deliveries have a key" in folder.run("resolve", "bbbb", "--not-sent").err


def test_resolve_all_of_a_message(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "unknown"))
    assert folder.run("resolve", "--message", "list", "--all", "--sent", "9", "--yes").code == 64
    ran = folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes")
    assert ran.code == 0
    counts = json.loads(folder.run("status", "--format", "json").out)["counts"]
    assert counts == {"sent": 0, "unknown": 0, "refused": 0, "free": 2}
    assert folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes").out == "nothing to do\n"


def test_resolve_as_sent_keeps_the_id(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"))
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009").code == 5
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009", "--yes").code == 0
    held = json.loads(folder.run("status", "--format", "json").out)["deliveries"][0]
    assert (held["status"], held["id"], held["by"], held["attempt"]) == ("sent", "2009", "person", "1")


@pytest.mark.parametrize("command", ["accept", "adopt"])
def test_accept_and_adopt_of_what_is_not_declared(folder: Folder, command: str) -> None:
    folder.message(LIST)
    ran = folder.run(command, "lits", "--yes")
    assert ran.code == 64
    assert "did you mean list?" in ran.err
    folder.message(LIST.replace("inapp", "in-app"))
    assert folder.run(command, "list", "--yes").code == 1
    folder.message(LIST.replace("Bo", "null"))
    assert folder.run(command, "list", "--yes").code == 1
