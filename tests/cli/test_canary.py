"""A canary on a terminal: it is sent, and a person decides about the rest."""

import os
import pty
import subprocess
import sys
import time

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder

LIST = """\
name: list
message_type: inapp
body: Ponies
from: {type: admin, id: 394051}
to: [{type: user, id: a1}, {type: user, id: b2}, {type: user, id: c3}]
"""


def on_a_terminal(folder: Folder, answers: list[str], *args: str) -> tuple[int, str]:
    """Exit code and screen of a command that a person answers, one answer a question."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "runner", "-C", str(folder.path), *args]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "dumb"})
    os.close(theirs)
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if answers and shown.rstrip().endswith(b"[y/N]:"):
            os.write(ours, answers.pop(0).encode() + b"\n")
            shown += b"\n"
    os.close(ours)
    return process.wait(timeout=30), shown.decode()


@pytest.mark.parametrize(("answer", "code", "made"), [("y", 0, 3), ("n", 5, 1)])
def test_after_the_canary_a_person_decides_and_a_no_says_what_was_sent(
    answer: str, code: int, made: int, folder: Folder, intercom: Sandbox
) -> None:
    folder.message(LIST)
    found, shown = on_a_terminal(folder, ["y", answer], "apply", "--canary", "1")
    assert (found, len(intercom.messages)) == (code, made), shown
    assert "The canary is sent: look at it in Intercom. Send the other 2?" in shown
    assert ("you said no: the canary is sent and remembered, and nothing else" in shown) == (answer == "n")
    assert "nothing was done" not in shown
