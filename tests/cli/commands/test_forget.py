"""forget: what an erasure request needs, and nothing of it sent again."""

import io
import subprocess
import sys

import pytest

from runner.cli.commands import forget
from runner.declare.keys_and_digests import delivery_key
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import records
from tests.support.project import Folder

PEOPLE = """\
name: list
message_type: inapp
body: Hi
from: {type: admin, id: "394051"}
create_conversation_without_contact_reply: true
to: {csv: ../people.csv, type: user, email: "{{ email }}"}
"""


@pytest.fixture
def sent(folder: Folder, intercom: Sandbox) -> Folder:
    """A project in git that sent a message to Ann and Bo, and committed the ledger."""
    folder.message(PEOPLE)
    folder.write("people.csv", "email\nann@example.com\nBO@example.com\n")
    subprocess.run(["git", "init", "-q"], cwd=folder.path, check=True)
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 2
    for args in (["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", *args], cwd=folder.path, check=True)
    return folder


def contacts_of_bo(folder: Folder) -> set[object]:
    key = delivery_key("", "list", 1, "email", "bo@example.com")
    return {record["contact"] for record in records(folder) if record["key"] == key and "contact" in record}


def test_contact_text_and_conversation_go_and_nothing_is_sent_again(sent: Folder, intercom: Sandbox) -> None:
    (contact,) = contacts_of_bo(sent)
    ran = sent.run("forget", "--to", "bo@example.com", "--yes", "--show-values")
    assert ran.code == 0
    head = "Removed contact, text and conversation of bo@example.com from 1 delivery, in messages.lock."
    assert ran.out.startswith(head)
    assert not contacts_of_bo(sent)
    assert [record for record in records(sent) if record.get("forgotten")]
    assert str(contact) not in (sent.path / ".git/msgrun/messages.lock.journal").read_text()
    assert "1 sent" not in sent.run("apply", "--yes").out
    assert len(intercom.messages) == 2
    assert "sent " in sent.run("status", "--to", "bo@example.com").out, "that it was sent is still known"
    again = sent.run("forget", "--to", "bo@example.com", "--yes", "--show-values").out
    assert again.startswith("Nothing was left to remove of bo@example.com: its 1 delivery had been forgotten before.")


def test_it_lists_the_files_and_commits_that_still_name_the_recipient(sent: Folder) -> None:
    sent.write("audiences/other.csv", "who\nrobo@example.com\nbo@example.com.au\nx,bo@example.com\n")
    out = sent.run("forget", "--to", "bo@example.com", "--yes").out
    assert "Still named in files of the project:\n  people.csv:3\n  audiences/other.csv:4\n" in out.replace(
        "  audiences/other.csv:4\n  people.csv:3\n", "  people.csv:3\n  audiences/other.csv:4\n"
    )
    commit = subprocess.run(["git", "log", "-1", "--format=%h"], cwd=sent.path, check=True, capture_output=True).stdout
    assert f"Still named in git's history of these files and of the lockfile:\n  {commit.decode().strip()} 20" in out
    assert "bo@example.com" not in out, "masked off a terminal"
    assert "Commit the ledger, so that each clone loses what was removed:\n" in out
    assert "    git commit -m 'Forget a recipient' messages.lock\n" in out
    assert "\n    msgrun lock compact\n" in out
    for args in (["branch", "other"], ["rm", "-q", "people.csv"], ["commit", "-qam", "Forget"]):
        subprocess.run(["git", *args], cwd=sent.path, check=True)
    again = sent.run("forget", "--to", "bo@example.com", "--yes").out
    assert f"\n  {commit.decode().strip()} 20" in again, "found by its key, which stays"
    assert "write a line VALUE==> for the address and for each id of the contact into FILE, rewrite" in again
    assert (
        "write the lines bo@example.com==> into FILE"
        in sent.run("forget", "--to", "bo@example.com", "--yes", "--show-values").out
    )


def test_a_history_that_cannot_be_searched_is_not_called_free_of_the_recipient(
    sent: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "_MAX_HISTORY", 10)
    ran = sent.run("forget", "--to", "bo@example.com", "--yes")
    assert "the history of git was not searched, and may name the recipient: " in ran.err


def test_the_schemas_that_init_wrote_name_nobody(sent: Folder) -> None:
    sent.write("schema/message.schema.json", '"bo@example.com"\n')
    assert "schema/" not in sent.run("forget", "--to", "bo@example.com", "--yes").out


def test_the_question_says_what_goes_and_what_stays(sent: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    ran = sent.run("forget", "--to", "bo@example.com")
    assert ran.err == (
        "\nbo@example.com has 1 delivery in the ledger messages.lock:\n"
        "  list  revision 1  1 sent\n"
        "Goes:  contact, text and conversation, also from the copies\n"
        "  in this clone. This cannot be undone.\n"
        "Stays: key, status and time, so nothing is sent again.\n"
        "Forget bo@example.com? [y/N]: Cancelled. Nothing was changed.\n"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\ny\n"))
    assert sent.run("forget", "--to", "bo@example.com").code == 0
    again = " ".join(sent.run("forget", "--to", "bo@example.com").err.split())
    assert "bo@example.com has 1 delivery in the ledger messages.lock, forgotten before:" in again


def test_a_recipient_by_id_is_not_named_by_the_ledger_any_more(folder: Folder, intercom: Sandbox) -> None:
    folder.message(PEOPLE.replace('email: "{{ email }}"', 'id: "{{ email }}"'))
    folder.write("people.csv", "email\na1\n")
    folder.run("apply", "--yes")
    assert folder.run("forget", "--to", "id:a1", "--yes").code == 0
    assert {str(record["to"])[:4] for record in records(folder)} == {"id:~"}
    folder.run("status", "list")
    assert "id:a1" not in folder.run("status", "list", "--format", "json").out
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(intercom.messages) == 1


def test_without_a_terminal_it_needs_yes_and_whom_it_knows_nothing_of_is_said(sent: Folder) -> None:
    before = records(sent)
    ran = sent.run("forget", "--to", "bo@example.com")
    assert (ran.code, "pass --yes" in ran.err) == (5, True)
    assert records(sent) == before
    ran = sent.run("forget", "--to", "cy@example.com", "--show-values")
    assert (ran.code, ran.out.splitlines()[0]) == (
        0,
        "Nothing was forgotten: the ledger has no records of cy@example.com.",
    )
    assert sent.run("forget", "--to", "nobody").code == 64
    mistyped = sent.run("forget", "--to", "bo@exampel.com", "--show-values").out
    assert "\n  If BO@example.com is meant:\n    msgrun forget --to BO@example.com\n" in mistyped
    assert "is meant" not in sent.run("forget", "--to", "bo@exampel.com").out, "masked off a terminal"


def test_an_address_without_its_option_is_that_of_the_command_to_type(folder: Folder) -> None:
    for address in ("bo@example.com", "user_id:25"):
        err = folder.run("forget", address, "--show-values").err
        assert err.endswith(f"  hint: for example: msgrun forget --to {address}\n")
        assert folder.run("forget", address).err.endswith("  hint: for example: msgrun forget --to KIND:VALUE\n")
    assert folder.run("forget").err.endswith("  hint: for example: msgrun forget --to ann@example.com\n")


def test_other_environments_are_named(sent: Folder) -> None:
    sent.write("msgrun.yaml", "environments: {staging: {workspace: other}}\n")
    assert "-e staging" not in sent.run("forget", "--to", "bo@example.com", "--yes").out  # it has no ledger
    sent.write("messages.staging.lock", "")
    out = sent.run("forget", "--to", "bo@example.com", "--yes").out
    assert "\n    msgrun -e staging forget --to KIND:VALUE\n" in out


def test_where_no_ledger_was_begun_the_files_are_searched_all_the_same(sent: Folder) -> None:
    sent.write("msgrun.yaml", "environments: {staging: {vars: {a: b}}}\n")
    ran = sent.run("-e", "staging", "forget", "--to", "bo@example.com")
    assert ran.code == 0
    assert "There is no ledger messages.staging.lock: nothing to forget in it." in ran.out
    assert "people.csv:3" in ran.out
    assert "lock begin" not in ran.out + ran.err
