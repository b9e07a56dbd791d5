"""Warnings about files stand where a person decides: in the block of the message, and in the question."""

from tests.support.project import Folder
from tests.support.terminal import Terminal

CUT = """\
name: ticket
message_type: email
subject: Your ticket #12 is closed
body: Hi
from: {type: admin, id: "394051"}
to: {type: user, id: a1}
---
name: other
message_type: email
subject: Another one
body: Hi
from: {type: admin, id: "394051"}
to: {type: user, id: a1}
"""


def test_a_subject_that_is_cut_stands_in_the_block_of_its_message_alone(folder: Folder) -> None:
    folder.message(CUT)
    out = folder.run("plan").out
    other, ticket = sorted(block for block in out.split("\n\n") if block.startswith("  + "))
    assert "    ! " in ticket
    assert "[yaml-comment]" in ticket
    assert "! " not in other


def test_the_question_has_subjects_and_the_warnings_of_files(folder: Folder) -> None:
    folder.message(CUT)
    terminal = Terminal(folder.path, "--sandbox", "apply")
    terminal.answer("Send? [y/N]:", "n")
    assert terminal.finish() == 5
    question = terminal.screen.partition("Send to 2 recipients")[2]
    assert "1  ticket  Your ticket\n" in question
    assert "! ticket: " in question


def test_a_moment_that_excludes_recipients_is_said_once(folder: Folder) -> None:
    message = CUT.partition("---\n")[2]
    folder.message(message + "not_before: 2099-01-02T10:00:00Z\nexpires: 2099-03-01\n")
    later = folder.run("plan").out.partition("\nPlan: ")[0]
    assert (later.count("2099-01-02"), later.count("not before"), "expires 2099-03-01" in later) == (1, 1, True)
    folder.message(message + "not_before: 2020-01-02T10:00:00Z\nexpires: 2099-03-01\n")
    assert "not before 2020-01-02" in folder.run("plan").out
    folder.message(message + "expires: 2020-03-01\n")
    expired = folder.run("plan", "--all").out.partition("\nPlan: ")[0]
    assert expired.count("2020-03-01") == 1
