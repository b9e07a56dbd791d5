"""A canary on a terminal: it is sent, and a person decides about the rest."""

import time

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder
from tests.support.terminal import CTRL_C, Terminal

LIST = """\
name: list
message_type: inapp
body: Ponies
from: {type: admin, id: 394051}
to: [{type: user, id: a1}, {type: user, id: b2}, {type: user, id: c3}]
"""


@pytest.mark.parametrize(("answer", "code", "made"), [("y\n", 0, 3), ("n\n", 5, 1), (CTRL_C, 130, 1)])
def test_after_the_canary_a_person_looks_at_it_and_decides(
    answer: str, code: int, made: int, folder: Folder, intercom: Sandbox
) -> None:
    folder.message(LIST)
    terminal = Terminal(folder.path, "apply", "--canary", "1")
    terminal.answer("Send the canary? [y/N]:", "y")
    terminal.wait_for("Send the rest? [y/N]:")
    time.sleep(0.1)  # a signal between the question and the read that waits for the answer ends no read
    terminal.type(answer)
    found, shown = terminal.finish(), terminal.screen
    assert (found, len(intercom.messages)) == (code, made), shown
    assert "\nSend to the first 1 of 3 recipients from workspace acme:\n  1  list  Ponies\n     a1\n" in shown
    link = "https://app.intercom.com/a/apps/acme/users/a1/all-conversations"
    assert f"1 sent as the canary\n  list  id:a1  message 2001\n    {link}\n" in shown
    assert "Look at the canary in Intercom before you send to the other 2." in shown
    if answer == "y\n":
        assert "\n3 sent by this run\n" in shown
    else:
        word = "Cancelled" if code == 5 else "Interrupted by Ctrl-C"
        assert f"\n{word}. Only the canary was sent.\n2 left by --canary 1\n\nNext:\n" in shown
        assert shown.rstrip().endswith("\n  Send the 2 that are left:\n    msgrun apply")


def test_a_canary_with_a_refusal_says_what_is_left_and_how_to_go_on(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    intercom.trouble.replace({"for": {"b2": "422"}})
    ran = folder.run("apply", "--canary=2", "--yes")
    assert (ran.code, len(intercom.messages)) == (3, 1)
    assert (
        "\n1 sent by this run, 1 refused, 1 left by --canary 2\n\n1 refused · list · parameter_not_found: " in ran.out
    )
    assert "  Send the one that is left:\n    msgrun apply --yes\n" in ran.out
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 2


def test_the_warnings_of_a_canary_are_printed_with_it(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    intercom.trouble.replace({"for": {"a1": "other_owner"}})
    ran = folder.run("apply", "--canary=1", "--yes")
    assert ran.code == 0
    assert "warning: list id:a1: sent by admin 394052, not by 394051\n" in ran.out
