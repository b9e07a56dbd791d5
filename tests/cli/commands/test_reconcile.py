"""The reconcile command: what it tells, what it writes, and how it ends."""

import json
import re
import shlex
from dataclasses import replace

import pytest

from runner.cli.connection import CLOCK
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.support.project import Folder

FLAG = "create_conversation_without_contact_reply: true\n"
SEARCH = "POST /conversations/search"
MANY = "abort_if: {unknown: 100}\n"


def applied(folder: Folder, intercom: Sandbox, *kinds: str, flag: str = FLAG) -> None:
    folder.write("msgrun.yaml", MANY)
    folder.message(LIST + flag, "list")
    intercom.trouble.replace({"next": list(kinds)})
    assert folder.run("apply", "--yes").code == 4


def test_apply_and_status_name_it_where_it_can_work(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", MANY)
    folder.message(LIST + FLAG)
    intercom.trouble.replace({"next": ["500_after", "500_before", "ok"]})
    summary = folder.run("apply", "--yes").out
    told = "  Look for the 2 unknown deliveries in Intercom:\n    msgrun reconcile\n"
    assert summary.index(told) < summary.index("msgrun resolve")
    assert told in folder.run("apply", "--yes").out, "also where nothing is left to send"
    assert told in folder.run("status").out
    assert told.replace("reconcile", "reconcile list") in folder.run("status", "list").out


def test_apply_and_status_do_not_name_it_where_it_cannot(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", flag="")
    assert "reconcile" not in folder.run("status").out


def test_after_ctrl_c_it_says_what_was_found(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    applied(folder, intercom, "500_after", "500_before")
    monkeypatch.setattr("runner.cli.connection.CLOCK", replace(CLOCK, sleep=interrupt))
    ran = folder.run("reconcile")
    assert (ran.code, ran.out.startswith("1 found sent, 1 still unknown\n")) == (130, True)
    assert "  Look for the unknown delivery in Intercom:\n    msgrun reconcile\n" in ran.out
    assert ran.err.endswith("Interrupted by Ctrl-C.\n")
    monkeypatch.setattr("runner.deliver.reconcile.Conversations.search", lambda *_: interrupt(0))
    assert "Intercom could not be searched: interrupted" in folder.run("reconcile").out


def test_everything_found_exits_with_0_and_status_knows_it(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "cut_json", "drop_after")
    ran = folder.run("reconcile")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("3 found sent\n\n3 found · list\n  id:a1  message 2")
    assert json.loads(folder.run("status", "--format", "json").out)["counts"]["sent"] == 3
    assert {record["id"] for record in records(folder) if record["status"] == "sent"} == {
        made["id"] for made in intercom.messages
    }
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert folder.run("reconcile").out == "nothing is unknown\n"


def test_what_is_not_found_exits_with_4_and_says_where_to_look_and_what_to_say(
    folder: Folder, intercom: Sandbox
) -> None:
    applied(folder, intercom, "500_before", "ok", "ok")
    ran = folder.run("reconcile", "--wait", "0", "--yes")
    assert ran.code == 4
    (unknown,) = [record for record in records(folder) if record["status"] == "unknown"]
    assert ran.out.startswith(
        "1 still unknown\n\n1 not found · list · no conversation with this text at this time was "
    )
    assert re.search(rf"\n  id:\S+  key {str(unknown['key'])[:12]}\n", ran.out)
    link = f"https://app.intercom.com/a/apps/acme/users/{unknown['contact']}/all-conversations"
    assert f"\n    {link}\n" in folder.run("reconcile", "--wait", "0", "-v").out
    resolve = re.findall(r"\n    (msgrun .*?--not-sent)\n", ran.out)[0]
    program, *args = shlex.split(resolve)
    assert program == "msgrun"
    assert folder.run(*args, "--yes").code == 0
    assert "See what is left to send" in folder.run("status").out


def test_where_no_conversation_can_exist_it_says_so_without_asking(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(folder, intercom, "500_after", flag="")
    monkeypatch.delenv("INTERCOM_ACCESS_TOKEN")
    before = len(intercom.log)
    ran = folder.run("reconcile")
    assert ran.code == 4
    assert "create_conversation_without_contact_reply was not set" in ran.out
    assert "--sent ID" in ran.out
    assert len(intercom.log) == before


def test_a_duplicate_exits_with_5_and_is_told_from_then_on(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    before = (folder.path / "messages.lock").read_bytes()
    (folder.path / "messages.lock").write_bytes(before.split(b"\n")[0] + b"\n")  # a second message by a lost ledger
    folder.run("apply", "--yes")
    (folder.path / "messages.lock").write_bytes(before)
    ran = folder.run("reconcile", "--wait", "0")
    assert ran.code == 5
    assert "1 sent twice\nduplicate: list went twice to id:" in ran.out
    status = folder.run("status")
    assert (status.code, status.err.count("duplicate: list went twice")) == (5, 1)
    assert folder.run("reconcile").code == 5


def test_a_dry_run_tells_and_writes_nothing(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    before = (folder.path / "messages.lock").read_bytes()
    ran = folder.run("reconcile", "--dry-run")
    assert ran.code == 0
    assert ran.out.startswith("1 would count as sent\nNothing was written: this is a dry run.\n")
    assert ran.out.endswith("Next:\n  Count what was found as sent:\n    msgrun reconcile\n")
    assert (folder.path / "messages.lock").read_bytes() == before
    assert folder.run("reconcile", "--dry-run", "list").out.endswith(" reconcile list\n")
    assert folder.run("reconcile").out.startswith("1 found sent\n")
    assert folder.run("reconcile", "--dry-run").out == "nothing is unknown\n"


def test_only_the_message_that_is_named_is_looked_for(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    folder.message(LIST.replace("name: list", "name: news").replace("Hi", "Hello") + FLAG, "news")
    intercom.trouble.replace({"next": ["500_after", "ok", "ok"]})
    folder.run("apply", "--yes")
    assert folder.run("reconcile", "news").out.splitlines()[2] == "1 found · news"
    assert folder.run("reconcile", "news").out == "nothing is unknown\n"
    ran = folder.run("reconcile", "lits")
    assert ran.code == 64
    assert "did you mean list?" in ran.err
    assert folder.run("reconcile").out.splitlines()[2] == "1 found · list"


def test_it_never_looks_in_another_workspace(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    with Sandbox(workspace="other") as other:
        monkeypatch.setenv("INTERCOM_BASE_URL", other.url)
        ran = folder.run("reconcile")
        assert ran.code == 4
        assert "the token is of workspace other, and the ledger belongs to acme" in ran.err
        assert [entry["path"] for entry in other.log] == ["/me"]
    assert "1 still unknown" in ran.out


@pytest.mark.parametrize("extra", [[], ["--dry-run"]])
def test_an_old_api_version_is_wrong_usage(extra: list[str], folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    folder.write("msgrun.yaml", "api_version: '2.5'\n")
    ran = folder.run("reconcile", *extra)
    assert ran.code == 64
    assert "reconcile needs api_version 2.6 or later, and msgrun.yaml says 2.5" in ran.err


def test_trouble_on_the_way_is_told_after_what_was_found(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    intercom.trouble.replace({"routes": {SEARCH: {"next": ["401"]}}})
    ran = folder.run("reconcile")
    assert ran.code == 4
    assert ran.out.startswith("1 still unknown\n")
    assert "token: POST /conversations/search: HTTP status 401" in ran.err


def test_a_429_and_a_500_are_waited_for(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_after", "ok", "ok")
    intercom.trouble.replace({"routes": {SEARCH: {"next": ["500_before", "429"]}}})
    assert folder.run("reconcile", "--wait", "1s").code == 0


def test_it_tells_that_it_looks_again(folder: Folder, intercom: Sandbox) -> None:
    applied(folder, intercom, "500_before", "ok", "ok")
    ran = folder.run("reconcile", "--wait", "0.2")
    assert ran.err == "0 of 1 found; looking again in 0 s, for 0 s more (Ctrl-C keeps what was found)\n"
    assert folder.run("-q", "reconcile", "--wait", "0.1s").err == ""


@pytest.mark.parametrize("wait", ["soon", "-1", "3 m", "1d", ""])
def test_a_time_that_is_none_is_wrong_usage(wait: str, folder: Folder) -> None:
    ran = folder.run("reconcile", "--wait", wait)
    assert ran.code == 64
    assert "is not a duration: write 90s, 20m or 1h" in ran.err


@pytest.mark.parametrize("wait", ["90", "90s", "3m", "1h", "1.5m"])
def test_times_as_people_write_them(wait: str, folder: Folder) -> None:
    assert folder.run("reconcile", "--wait", wait).out == "nothing is unknown\n"


def test_without_a_lockfile_there_is_nothing_to_reconcile(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    assert folder.run("reconcile").code == 5


def test_the_sandbox_has_unknowns_of_its_own(folder: Folder) -> None:
    folder.message(LIST + FLAG)
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    lock = folder.path / ".msgrun/sandbox/messages.lock"
    lock.write_text("".join(line for line in lock.read_text().splitlines(keepends=True) if '"sent"' not in line))
    assert folder.run("--sandbox", "reconcile").out.startswith("3 found sent\n")
    assert folder.run("--sandbox", "status").code == 0
