"""apply and resolve on a real pseudo-terminal, as a person sees them: progress, Ctrl-C, questions."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder, people_message
from tests.support.raw_server import serve
from tests.support.terminal import CTRL_C, Terminal

__all__ = ["serve"]

LIMITS = 'abort_if: {unknown: 1000, refused: "100%", after: 1000}\n'
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `msgrun ARGS` in the project's folder on a terminal."""
    terminals: list[Terminal] = []

    def start(*args: str, **options: object) -> Terminal:
        terminals.append(Terminal(tmp_path, *args, **options))  # type: ignore[arg-type]
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def declare(folder: Folder, people: int, settings: str = LIMITS, more: str = "") -> None:
    folder.write("msgrun.yaml", settings)
    folder.message(people_message("ponies", "email", more))
    folder.write("people.csv", "who\n" + "".join(f"p{number}@example.com\n" for number in range(people)))


def progress_lines(terminal: Terminal) -> list[str]:
    """Every line of progress that sending drew, without colours. Planning and questions to Intercom draw some too."""
    drawn = re.findall(r"\r([^\r\n]*?)\x1b\[J\r", terminal.raw)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in drawn]
    return [line for line in lines if line and not line.startswith(("planning ", "Asking "))]


def answer_429(connection: socket.socket, request: bytes) -> None:
    """What an Intercom answers that puts reads of contacts and subscription types off for five minutes."""
    body, status = b'{"app":{"id_code":"acme","region":"US"},"admins":[{"id":"394051","name":"Ann"}]}', b"200 OK"
    if b"/contacts" in request or b"/subscription" in request:
        body, status = b"{}", b"429 Too Many Requests\r\nRetry-After: 299"
    connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))


@pytest.mark.parametrize(
    ("more", "shown", "end"),
    [
        ("", "waiting 29", "0 sent by this run, 3 left: interrupted by Ctrl-C"),
        ("require_subscription: Digest\n", "Asking Intercom", "Interrupted by Ctrl-C. Nothing was sent."),
    ],
)
def test_what_a_check_waits_for_and_until_when_is_shown_and_ctrl_c_ends_it(
    folder: Folder, start: Start, serve, more: str, shown: str, end: str
) -> None:
    server = serve(answer_429, wants_request=True)
    declare(folder, 3, more=more)
    terminal = start("apply", "--yes", environ={"INTERCOM_BASE_URL": server.url, "INTERCOM_ACCESS_TOKEN": "x"})
    terminal.wait_for(" asks to wait 299 s, until ")
    terminal.wait_for(shown)
    pressed = time.monotonic()
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    assert time.monotonic() - pressed < 20
    assert end in terminal.screen


def counts(folder: Folder) -> dict[str, int]:
    return json.loads(folder.run("status", "--format", "json").out)["counts"]


def test_ctrl_c_is_answered_at_once_and_what_is_in_flight_is_waited_for(
    folder: Folder, intercom: Sandbox, start: Start
) -> None:
    intercom.trouble.replace({"share": {"slow:0.4": 1.0}})
    declare(folder, 2000)
    terminal = start("apply")
    terminal.answer("Type 2000 to send", "2000")
    terminal.wait_for(" of 2,000  ")
    time.sleep(1)
    pressed = time.monotonic()
    terminal.type(CTRL_C)
    terminal.wait_for("Ctrl-C: stopping. ", seconds=3)
    assert time.monotonic() - pressed < 3
    assert terminal.finish() == 130
    screen = terminal.screen
    assert re.search(
        r"Waiting up to 5 s for \d+ requests? in flight; a second Ctrl-C leaves (it|them) unknown\.", screen
    )
    sent = int(re.search(r"^([\d,]+) sent by this run, ([\d,]+) left: interrupted by Ctrl-C$", screen, re.MULTILINE)[1])
    assert sent == len(intercom.messages)
    assert f"  Send the {2000 - sent:,} that are left:\n    msgrun apply" in screen
    assert counts(folder)["unknown"] == 0
    assert any("stopping: " in line for line in progress_lines(terminal))
    assert "━" not in screen, "the line of progress is gone"


def test_what_was_typed_before_a_question_does_not_answer_it(folder: Folder, intercom: Sandbox, start: Start) -> None:
    declare(folder, 2)
    terminal = start("apply")
    terminal.type("y\n")
    terminal.answer("Send? [y/N]:", "n")
    terminal.finish()
    assert "Cancelled. Nothing was sent." in terminal.screen
    assert not intercom.messages


def test_a_second_ctrl_c_ends_at_once_and_names_the_next_steps(folder: Folder, intercom: Sandbox, start: Start) -> None:
    intercom.trouble.replace({"share": {"slow:20": 1.0}})
    for args in ["init", "-q"], ["remote", "add", "origin", str(folder.path)]:
        subprocess.run(["git", *args], cwd=folder.path, check=True)
    declare(folder, 5)
    terminal = start("apply")
    terminal.answer("Send? [y/N]:", "y")
    deadline = time.monotonic() + 30
    while '"claimed"' not in (folder.path / "messages.lock").read_text():
        assert time.monotonic() < deadline
        terminal._read(0.1)
    time.sleep(0.5)  # the requests have begun by then
    terminal.type(CTRL_C)
    terminal.wait_for("Ctrl-C: stopping. Waiting up to 5 s for ", seconds=5)
    time.sleep(0.5)  # the run releases what it has not sent
    pressed = time.monotonic()
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    assert time.monotonic() - pressed < 4, "it waits for nothing"
    assert "Stopped by a second Ctrl-C. 0 sent by this run; what was in flight is unknown.\n" in terminal.screen
    assert counts(folder)["unknown"] > 0
    assert "  See what is unknown:\n    msgrun status\n" in terminal.screen
    assert "  Say what became of what is unknown:\n    msgrun resolve" in terminal.screen, "it opens no conversation"
    files = "messages msgrun.yaml messages.lock"
    commit = f"    git add {files} && git commit -m 'Record what was sent' {files} && git push"
    assert "".join(commit.split()) in "".join(terminal.screen.split()), "the terminal breaks it"
    assert ("  Send the rest:\n    msgrun apply" in terminal.screen) == (counts(folder)["unknown"] < 5)


@pytest.mark.parametrize("columns", [100, 60, 30])
def test_the_progress_fits_the_terminal_and_leaves_nothing_behind(
    columns: int, folder: Folder, intercom: Sandbox, start: Start
) -> None:
    intercom.trouble.replace({"share": {"slow:0.2": 0.9, "422": 0.02, "429_bare": 0.002}})
    declare(folder, 600)
    terminal = start("apply", "--yes", columns=columns)
    terminal.wait_for("Next:")
    assert terminal.finish() in {0, 3}
    lines = progress_lines(terminal)
    assert len(lines) > 3
    assert max(map(len, lines)) < columns
    assert [line for line in lines if not re.search(r"[\d,]+( of |/)600", line)] == []
    after_plan = terminal.screen.split("sha256:")[1].split("\n", 1)[1]  # a narrow terminal breaks before the digest
    assert not re.search(r"━|─|\d/s|/600| of 600", after_plan), after_plan


def test_a_terminal_may_be_resized_and_lines_above_the_progress_stay_whole(
    folder: Folder, intercom: Sandbox, start: Start
) -> None:
    intercom.trouble.replace({"share": {"slow:0.2": 1.0}})
    declare(folder, 400)
    terminal = start("-v", "apply", "--yes", columns=120)
    terminal.wait_for(" of 400  ")
    terminal.resize(60)
    terminal.wait_for("400 sent by this run")
    assert terminal.finish() == 0
    assert max(map(len, progress_lines(terminal)[-10:])) < 60  # the first ones after it may be drawn for the old width
    notes = [line for line in terminal.screen.splitlines() if line.startswith("sent ponies ")]
    assert len(notes) == 400
    assert not any("━" in line or " of 400" in line for line in notes)


def test_a_terminal_that_cannot_redraw_gets_plain_lines(folder: Folder, intercom: Sandbox, start: Start) -> None:
    intercom.trouble.replace({"share": {"slow:0.3": 1.0}})
    declare(folder, 300)
    terminal = start("apply", "--yes", environ={"TERM": "dumb"})
    assert terminal.finish() == 0
    assert "\x1b" not in terminal.raw
    assert "300 sent by this run" in terminal.screen


def test_a_wrong_number_is_explained_and_asked_for_again_three_times(
    folder: Folder, intercom: Sandbox, start: Start
) -> None:
    declare(folder, 25)
    terminal = start("apply")
    for answer in ("y", "24", "x" * 60):
        terminal.answer("Type 25 to send, or Enter to cancel:", answer)
    assert terminal.finish() == 5
    assert "For more than 20 recipients, type their number instead of y." in terminal.screen
    assert '"24" is not 25, the number of recipients.' in terminal.screen
    assert "That was the third wrong answer.\nCancelled. Nothing was sent." in terminal.screen
    assert not intercom.messages
    terminal = start("apply")
    terminal.answer("Type 25 to send, or Enter to cancel:", "")
    assert (terminal.finish(), "Cancelled. Nothing was sent." in terminal.screen) == (5, True)
    terminal = start("apply")
    terminal.answer("Type 25 to send, or Enter to cancel:", "2,5")
    assert (terminal.finish(), len(intercom.messages)) == (0, 25)


def test_the_end_of_the_input_and_a_ctrl_c_at_a_question_send_nothing(
    folder: Folder, intercom: Sandbox, start: Start
) -> None:
    declare(folder, 2)
    for key, code, told in (
        ("\x04", 5, "Cancelled. Nothing was sent."),
        (CTRL_C, 130, "Interrupted by Ctrl-C. Nothing was sent."),
    ):
        terminal = start("apply")
        terminal.wait_for("Send? [y/N]:")
        terminal.type(key)
        assert terminal.finish() == code
        assert terminal.screen.rstrip().endswith(f"\n{told}")
    assert not intercom.messages


@pytest.mark.usefixtures("intercom")
def test_warnings_of_the_plan_stand_in_the_question(folder: Folder, start: Start) -> None:
    declare(folder, 2)
    assert folder.run("apply", "--yes").code == 0
    declare(folder, 2, more="revision: 2\n")
    terminal = start("apply")
    terminal.answer("Send? [y/N]:", "n")
    assert terminal.finish() == 5
    question = terminal.screen[terminal.screen.index("Send to 2 recipients from workspace acme:") :]
    people = "     p0@example.com, p1@example.com\n"
    assert f"  2  ponies  Ponies for p0@example.com\n{people}  ! ponies: all 2 got revision 1 already" in question


@pytest.mark.usefixtures("intercom")
def test_the_question_names_who_is_left_and_shows_their_text(folder: Folder, start: Start) -> None:
    declare(folder, 3)
    folder.write("people.csv", "who\nmissing-p0@example.com\np1@example.com\np2@example.com\n")
    terminal = start("apply")
    terminal.answer("Send? [y/N]:", "n")
    assert terminal.finish() == 5
    question = terminal.screen[terminal.screen.index("Send to 2 recipients from workspace acme:") :]
    assert "  2  ponies  Ponies for p1@example.com\n     p1@example.com, p2@example.com\nSend?" in question


@pytest.mark.usefixtures("intercom")
def test_plan_ends_with_the_command_that_sends(folder: Folder, start: Start) -> None:
    declare(folder, 2)
    terminal = start("plan", "messages/message.yaml")
    assert terminal.finish() == 0
    assert terminal.screen.rstrip().endswith("Next:\n  Send 2 messages:\n    msgrun apply messages/message.yaml")
    assert "msgrun apply" not in folder.run("plan").out


def test_resolve_asks_about_each_unknown_delivery_and_records_each_answer(
    folder: Folder, intercom: Sandbox, start: Start
) -> None:
    intercom.trouble.replace({"next": ["500_after"] * 5})
    declare(folder, 5, more="create_conversation_without_contact_reply: true\n")
    assert folder.run("apply", "--yes").code == 4
    terminal = start("resolve")
    for answer in ("what", "?", "s", "n", "", CTRL_C):
        terminal.wait_for("[q]uit, ?: ")
        terminal.type(answer if answer == CTRL_C else f"{answer}\n")
    assert terminal.finish() == 130
    screen = terminal.screen
    assert "Intercom may know, if it was not asked yet:\n  msgrun reconcile\n" in screen
    assert re.search(
        r"1 of 5  (p\d@example\.com)  ponies, revision 1\n  subject  Ponies for \1\n  tried    20\S+ \S+ UTC, less",
        screen,
    )
    assert screen.count("  https://app.intercom.com/a/apps/acme/users/") == 4
    assert '"what" is none of:\n  s  it was sent' in screen
    assert "[q]uit, ?: ?\n  s  it was sent" in screen
    assert "Marked 1 as sent. It is not sent again.\n" in screen
    assert "Marked 1 as not sent. The next apply sends it.\n" in screen
    assert "Interrupted by Ctrl-C.\n\n1 marked as sent, 1 marked as not sent, 3 still unknown\n" in screen
    assert "  Send what was not sent:\n    msgrun apply messages/" in screen
    assert "  Look for the 3 unknown deliveries in Intercom:\n    msgrun reconcile\n" in screen
    assert counts(folder) == {"sent": 1, "unknown": 3, "refused": 0, "free": 1}


@pytest.mark.parametrize("args", [["ponies"], ["--message", "ponies"]])
def test_resolve_decides_all_that_follow_at_once(
    args: list[str], folder: Folder, intercom: Sandbox, start: Start
) -> None:
    intercom.trouble.replace({"next": ["500_before"] * 4})
    declare(folder, 4)
    folder.run("apply", "--yes")
    status = start("status", "ponies")
    status.finish()
    assert "  Say what became of the 4 unknown deliveries:\n    msgrun resolve ponies\n" in status.screen
    terminal = start("resolve", *args)
    terminal.answer("[q]uit, ?:", "s")
    terminal.answer("[q]uit, ?:", "sa")
    terminal.answer("Mark this and 2 others as sent, so that no apply sends them again? [y/N]:", "n")
    terminal.answer("[q]uit, ?:", "na")
    terminal.answer("Mark this and 2 others as not sent, so that the next apply sends them? [y/N]:", "y")
    assert terminal.finish() == 0
    assert "1 marked as sent, 3 marked as not sent\n" in terminal.screen
    assert counts(folder) == {"sent": 1, "unknown": 0, "refused": 0, "free": 3}


def test_resolve_with_a_key_asks_about_that_one(folder: Folder, intercom: Sandbox, start: Start) -> None:
    intercom.trouble.replace({"next": ["500_before"] * 2})
    declare(folder, 2)
    folder.run("apply", "--yes")
    key = json.loads(folder.run("status", "--format", "json").out)["deliveries"][0]["key"]
    terminal = start("resolve", key)
    terminal.answer("[q]uit, ?:", "n")
    assert terminal.finish() == 0
    assert "1 of 1  " in terminal.screen
    assert "Intercom can be asked" not in terminal.screen
    assert (start_finish := start("resolve", key)).finish() == 64, start_finish.screen
    assert "known to be not sent" in start_finish.screen


def test_a_token_of_another_workspace_is_refused_before_the_question(
    folder: Folder, intercom: Sandbox, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(folder, 2)
    assert folder.run("apply", "--yes", "--limit", "1").code == 0
    assert len(intercom.messages) == 1
    with Sandbox(workspace="beta") as beta:
        monkeypatch.setenv("INTERCOM_BASE_URL", beta.url)
        terminal = start("apply")
        assert terminal.finish() == 5
        assert "the token is of workspace beta, and the ledger belongs to acme" in terminal.screen
        assert "Send?" not in terminal.screen
        assert not beta.messages


def test_a_person_who_saw_a_message_arrive_needs_no_id(folder: Folder, intercom: Sandbox, start: Start) -> None:
    intercom.trouble.replace({"next": ["500_after"] * 2})
    declare(folder, 2)
    assert folder.run("apply", "--yes").code == 4
    terminal = start("resolve")
    terminal.answer("[q]uit, ?:", "https://app.intercom.com/a/inbox/acme/inbox/conversation/9")
    terminal.answer("[q]uit, ?:", "s")
    terminal.answer("[q]uit, ?:", "q")
    assert terminal.finish() == 0
    assert "Marked 1 as sent. It is not sent again.\n" in terminal.screen
    assert counts(folder) == {"sent": 1, "unknown": 1, "refused": 0, "free": 0}
