"""What people got stays as it was, and is no edit any more."""

import io
import json
import re
import sys

import pytest

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.clones import Clone
from tests.support.project import Folder


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


def test_after_accept_status_still_says_when_the_message_was_sent(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("apply", "--yes")
    lock = folder.path / "messages.lock"
    times = re.compile(r'"at":"[^"]*"')
    lock.write_text(times.sub('"at":"2026-01-02T03:04:05Z"', lock.read_text(encoding="utf-8")), encoding="utf-8")
    folder.message(LIST.replace("Hi", "Hello"))
    assert folder.run("accept", "list", "--yes").code == 0
    for arguments in (["status"], ["status", "list"], ["status", "--to", "id:a1"]):
        assert "2026-01-02 03:04" in folder.run(*arguments).out
    assert "older text, edit accepted" in folder.run("status", "--to", "id:a1").out
    found = json.loads(folder.run("status", "--format", "json").out)["deliveries"][0]
    assert found["at"] == "2026-01-02T03:04:05Z"
    assert found["accepted_at"] > found["at"]
    assert folder.run("plan", "--detailed-exitcode").code == 0
    assert len(intercom.messages) == 3


@pytest.mark.usefixtures("intercom")
def test_a_raised_revision_is_no_edit_and_accept_says_so(folder: Folder) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes").code == 0
    folder.message(f"revision: 2\n{LIST.replace('Hi', 'Hello')}")
    ran = folder.run("accept", "list", "--yes")
    assert ran.out == (
        "nothing to do: revision 2 of list was not sent yet, says the ledger messages.lock\n\nNext:\n"
        "  Send it:\n    msgrun apply messages/message.yaml\n"
        "  Or keep the edit without sending: write revision: 1 again into messages/message.yaml, then:\n"
        "    msgrun accept list\n"
        "  Or count it as sent, without sending:\n    msgrun adopt list\n"
    )
    folder.message(f"revision: 1\n{LIST.replace('Hi', 'Hello')}")
    assert folder.run("accept", "list", "--yes").out.startswith("Accepted the edit of list. ")


def test_the_question_says_what_follows_and_fits_the_terminal(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes").code == 0
    folder.message(LIST.replace("Hi", "Hello"))
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    ran = folder.run("accept", "list")
    assert ran.err == (
        "No commit has the text that was sent. In\n"
        "  messages/message.yaml it is now: Hello Ann\n"
        "id:a1, id:b2, id:c3 got list before the edit. They keep the\n"
        "  old text, and nothing is sent now.\n"
        "Accept the edit of list for 3 recipients? [y/N]: "
    )
    assert ran.out == ("Accepted the edit of list. 3 recipients stay counted as\n  sent; nothing was sent.\n")
    assert len(intercom.messages) == 3


def test_the_edit_stands_above_the_question_as_git_has_it(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST.replace("body: Hi", "body_file: body.html #"))
    folder.write("messages/body.html", "Hi {{ name }}, here is\nthe news{% include 'end.html' %}")
    folder.write("messages/end.html", "Bye")
    assert folder.run("apply", "--yes").code == 0
    repository = Clone(folder.path, intercom)
    repository.git("init", "--quiet")
    repository.commit()
    folder.write("messages/body.html", "Hi {{ name }}, here are\nthe news{% include 'end.html' %}")
    folder.write("messages/end.html", "Good bye")
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    before = repository.git("rev-parse", "--short", "HEAD").strip()
    for since in ("since the last commit", f"since commit {before}"):
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        ran = folder.run("accept", "list")
        assert ran.err.startswith(
            f"messages/body.html {since}:\n  -Hi {{{{ name }}}}, here is\n  +Hi {{{{ name }}}}, here are\n"
            f"messages/end.html {since}:\n  -Bye\n"
        )
        repository.git("commit", "--all", "--quiet", "--allow-empty", "--message", "edited")


def test_a_message_that_is_in_one_commit_alone_is_shown_as_it_is_now(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes").code == 0
    folder.message(LIST.replace("Hi", "Hello"))
    repository = Clone(folder.path, intercom)
    repository.git("init", "--quiet")
    repository.commit()
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    ran = folder.run("accept", "list")
    assert ran.err.startswith("No commit has the text that was sent. In messages/message.yaml it is now: Hello Ann\n")
