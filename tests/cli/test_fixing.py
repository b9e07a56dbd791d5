"""What --fix mends: the problem is gone, nothing new appears, and no other byte of the file changes."""

import json
import os

import pytest

from tests.support import golden
from tests.support.project import SEED, Folder
from tests.support.terminal import run_on_terminal

MENDED = {
    "key": (SEED.replace("subject:", "subjct:"), SEED),
    "choice": (SEED.replace("message_type: email", "message_type: E-mail"), SEED),
    "quoted choice": (SEED.replace("type: email", 'type: "E-mail"'), SEED.replace("type: email", 'type: "email"')),
    "recipient": (SEED.replace("{type: user, id", "{type: Users, ids"), SEED),
    "hash": (SEED.replace("Hey", "Ticket #12 is solved"), SEED.replace("Hey", '"Ticket #12 is solved"')),
    "several": (
        SEED.replace("Hey", "Ticket #12").replace("body:", "bdoy:").replace("type: user", "type: User"),
        SEED.replace("Hey", '"Ticket #12"'),
    ),
}
LEFT = {
    "a comment": SEED.replace("Hey", "Hey # a greeting"),
    "another word": SEED.replace("message_type: email", "message_type: push"),
    "a key that is there": SEED.replace("subject: Hey", "subject: Hey\nsubjct: Ho"),
}


@pytest.mark.parametrize("command", ["validate", "lint"])
@pytest.mark.parametrize("name", MENDED)
def test_a_problem_is_mended_and_no_other_appears(folder: Folder, name: str, command: str) -> None:
    before, after = MENDED[name]
    quiet = "expires: 2999-12-01\ncreate_conversation_without_contact_reply: true\n"
    file = folder.message(quiet + before)
    result = folder.run(command, "--fix")
    assert file.read_text(encoding="utf-8") == quiet + after
    assert result.out.endswith("1 message to 1 recipient: no problems\n")
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_certain_is_left(folder: Folder, name: str) -> None:
    file = folder.message(LEFT[name])
    result = folder.run("validate", "--fix")
    assert file.read_text(encoding="utf-8") == LEFT[name]
    assert "Fixed" not in result.out
    nothing = "Nothing was fixed: each of these has to be corrected by hand.\n\n"
    assert result.out == nothing + folder.run("validate").out
    assert "--fix mends" not in result.out


def test_line_ends_the_byte_order_mark_and_the_mode_stay(folder: Folder) -> None:
    file = folder.message("")
    text = SEED.replace("subject: Hey", "subjct: Hé").replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"# a comment, and no line end")
    file.chmod(0o640)
    assert folder.run("validate", "--fix").code == 0
    assert (
        file.read_bytes()
        == b"\xef\xbb\xbf" + text.replace("subjct", "subject").encode() + b"# a comment, and no line end"
    )
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_is_not_followed(folder: Folder) -> None:
    real = folder.write("a-2026.yml", SEED.replace("subject:", "subjct:"))
    (folder.path / "messages" / "a.yaml").symlink_to("../a-2026.yml")
    before = real.read_bytes()
    result = folder.run("validate", "--fix")
    assert real.read_bytes() == before
    assert (folder.path / "messages" / "a.yaml").is_symlink()
    assert "not fixed: messages/a.yaml is a link" in result.err
    assert "[unknown-key]" in result.out


def test_the_change_is_shown_and_what_is_left(folder: Folder) -> None:
    folder.message(SEED.replace("subject:", "subjct:").replace("394051", "ann"))
    result = folder.run("validate", "--fix")
    assert result.code == 1
    head, _, rest = result.out.partition("Fixed 1 problem in 1 file.\n")
    assert head == "messages/message.yaml\n  3 - subjct: Hey\n  3 + subject: Hey\n\n"
    assert rest.startswith("\nmessages/message.yaml:6:25: error: an admin's id is digits [sender-id-form]\n")


def test_recipients_values_are_masked_in_the_change(folder: Folder) -> None:
    folder.message(
        SEED.replace("to: {type: user, id: 536e564f316c83104c000020}", "")
        + "to:\n  - type: user\n    emial: ann@example.com\n    vars:\n      ticket: Ann's #12\n"
    )
    result = folder.run("validate", "--fix")
    assert "  10 +     email: ***************\n" in result.out
    assert "  12 +       ticket: ****** ****\n" in result.out
    assert "nn" not in result.out
    folder.message(SEED.replace("{type: user, id: 536e564f316c83104c000020}", "{type: user, emial: ann@example.com}"))
    assert "ann@example.com" in folder.run("validate", "--fix", "--show-values").out


def test_without_fix_nothing_is_written_and_the_summary_says_how_many_can_be_mended(folder: Folder) -> None:
    file = folder.message(MENDED["several"][0])
    result = folder.run("validate")
    assert result.out.endswith("; msgrun validate --fix fixes 3 of them\n")
    assert file.read_text(encoding="utf-8") == MENDED["several"][0]


def test_documents_for_programs_stay_documents(folder: Folder) -> None:
    folder.message(MENDED["key"][0])
    result = folder.run("validate", "--fix", "--format", "json")
    assert json.loads(result.out)["problems"] == []
    assert "  3 + subject: Hey\n" in result.err


def test_it_writes_in_ci_too(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    file = folder.message(MENDED["key"][0])
    assert folder.run("validate", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == SEED


def test_a_file_that_cannot_be_written_stops_the_command(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    folder.message(MENDED["key"][0])
    monkeypatch.setattr(os, "replace", refuse)
    result = folder.run("validate", "--fix")
    assert result.code == 1
    assert "error: messages/message.yaml cannot be written: Permission denied" in result.err
    assert [path.name for path in (folder.path / "messages").iterdir()] == ["message.yaml"]


@pytest.mark.parametrize("columns", [100, 60])
@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_the_change_on_a_terminal(folder: Folder, columns: int, term: str) -> None:
    folder.message(
        MENDED["several"][0].replace("12", "12 about the export of reports to a spreadsheet is solved at last")
    )
    text = run_on_terminal(folder.path, "validate", "--fix", columns=columns, term=term)
    golden.check(f"terminal/fix-{columns}{'' if term == 'dumb' else '-colour'}.txt", text)
