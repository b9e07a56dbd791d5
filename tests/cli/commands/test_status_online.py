"""status --online: what became of what was sent, by the conversations that Intercom shows."""

import json

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder

FLAG = "create_conversation_without_contact_reply: true\n"
MAIL = """\
name: outage
message_type: email
subject: Hey
body: Hello
from: {type: admin, id: "394051"}
to:
  - {type: user, email: ann@example.com}
  - {type: user, email: replies-bo@example.com}
  - {type: user, email: bounced-cy@example.com}
"""
SEND_TO_BOUNCED = "recipients: {bounced: warn}\n"
SEARCH = "POST /conversations/search"


@pytest.fixture
def sent(folder: Folder, intercom: Sandbox) -> Folder:
    """A project that sent an email that opens conversations: not answered, answered, and bounced."""
    folder.write("msgrun.yaml", SEND_TO_BOUNCED)
    folder.message(MAIL + FLAG)
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3
    return folder


def online(folder: Folder, *args: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(folder.run("status", "--online", "--format", "json", *args).out)
    return document


def test_replied_dropped_and_not_answered_are_counted_and_named(sent: Folder, intercom: Sandbox) -> None:
    before = len(intercom.log)
    out = sent.run("status", "--online", "--show-values").out
    head, counts = out.partition("In Intercom:\n")[2].splitlines()[:2]
    assert head.split() == ["message", "revision", "sent", "replied", "dropped", "no", "reply"]
    assert counts.split() == ["outage", "1", "3", "1", "1", "1"]
    assert "\n1 dropped · outage · user_bounced\n  bounced-cy@example.com\n" in out
    assert "\n1 replied · outage\n  replies-bo@example.com  20" in out
    assert "ann@example.com" not in out
    asked = [entry for entry in intercom.log[before:] if entry["path"] == "/conversations/search"]
    assert [entry["version"] for entry in asked] == ["2.16"], "one request for all three"
    assert "  conversation " not in out
    assert "  conversation " in sent.run("status", "--online", "-v").out


def test_as_json_each_conversation_stands_beside_its_record(sent: Folder) -> None:
    document = online(sent)
    assert document["online"] == {"replied": 1, "dropped": 1, "no_reply": 1, "no_conversation": 0, "unknown": 0}
    statuses = {row["online"]["status"]: row["online"] for row in document["deliveries"]}  # type: ignore[attr-defined]
    assert statuses["dropped"]["drop_reason"] == "user_bounced"
    assert statuses["replied"]["replied_at"].endswith("Z")
    assert statuses["no_reply"].keys() == {"status", "conversation"}


def test_of_one_recipient_only_its_conversations_are_read(sent: Folder) -> None:
    assert online(sent, "--to", "replies-bo@example.com")["online"]["replied"] == 1  # type: ignore[index]
    assert "replied" in sent.run("status", "--online", "replies-bo@example.com").out


def test_what_was_found_is_kept_for_the_preview_without_an_address(sent: Folder) -> None:
    kept = sent.path / ".msgrun/online-messages.json"
    online(sent, "--to", "replies-bo@example.com")
    assert json.loads(kept.read_text())["messages"] == [], "a part of the recipients is no count of the message"
    online(sent)
    message = json.loads(kept.read_text())["messages"][0]
    assert {status: count for status, count in message["counts"].items() if count} == {
        "replied": 1,
        "dropped": 1,
        "no reply": 1,
    }
    assert [status for _, status, _ in message["listed"]] == ["dropped", "replied"]
    assert "@" not in kept.read_text()
    assert sent.run("preview").code == 0
    page = (sent.path / ".msgrun/preview/pages/outage.html").read_text("utf-8")
    assert "<b>1</b> replied" in page
    assert "example.com" not in page.partition("What became of it")[2].partition("</section>")[0]


def test_without_the_flag_it_says_what_cannot_be_known(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", SEND_TO_BOUNCED)
    folder.message(MAIL)
    folder.run("apply", "--yes")
    out = folder.run("status", "--online").out
    assert "2 without a conversation: no reply so far, and Intercom does not show whether it was delivered." in out
    assert out.partition("In Intercom:\n")[2].splitlines()[1].split() == ["outage", "1", "3", "1", "2"]
    assert intercom.messages


def test_what_was_adopted_has_no_message_to_look_for(folder: Folder, intercom: Sandbox) -> None:
    folder.message(MAIL)
    assert folder.run("adopt", "outage", "--yes").code == 0
    assert "3 not known: the ledger has no message id to look for." in folder.run("status", "--online").out
    assert not any(entry["path"] == "/conversations/search" for entry in intercom.log)


def test_up_to_version_2_5_the_contacts_conversations_are_read(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", f'api_version: "2.5"\n{SEND_TO_BOUNCED}')
    folder.message(MAIL.replace("email: ann@example.com", "id: 536e564f316c83104c000020"))
    folder.run("apply", "--yes")
    folder.message(MAIL.replace("email: ann@example.com", "id: replies-21"), "message")
    folder.run("apply", "--yes")
    out = folder.run("status", "--online").out
    assert out.partition("In Intercom:\n")[2].splitlines()[1].split() == ["outage", "1", "4", "2", "2"]
    assert "2 without a conversation" in out
    asked = [entry for entry in intercom.log if str(entry["path"]).startswith("/conversations")]
    assert {entry["version"] for entry in asked} == {"2.5"}
    assert all("conversations/search" not in str(entry["path"]) for entry in asked)


def test_a_token_of_another_workspace_reads_nothing(sent: Folder, intercom: Sandbox) -> None:
    sent.write("msgrun.yaml", "workspace: other\n")
    before = len(intercom.log)
    ran = sent.run("status", "--online")
    assert (ran.code, "msgrun.yaml names other" in ran.err) == (5, True)
    assert [entry["path"] for entry in intercom.log[before:]] == ["/me"]
