"""An audience in the workspace: never 0 where it is not read, and sent with a saved plan only."""

import dataclasses
import json
import re
import subprocess
import time
import urllib.request

import pytest

from runner.deliver.contact_cache import ContactCache
from runner.intercom.client import HttpTransport
from runner.intercom.contact import Contact as IntercomContact
from runner.sandbox import Sandbox
from runner.sandbox.contact import Contact
from tests.support.project import SEED, Folder

MESSAGE = """\
name: news
message_type: email
subject: "Hi {{ first_name | default('there') }}"
body: "<p>Hello {{ first_name | default('there') }}</p>"
from: {type: admin, id: "394051"}
to:
  intercom: GROUP
  vars: {first_name: "{{ contact.name | first_word }}"}
"""
ACTIVE = MESSAGE.replace("GROUP", "{segment: Active}")
PRO = '{search: {field: custom_attributes.plan, operator: "=", value: vip}}'
_NEVER = '{field: last_contacted_at, operator: "=", value: null}'
SILENT = f"{{search: {{operator: AND, value: [{_NEVER}, {PRO.removeprefix('{search: ').removesuffix('}')}]}}}}"


def post(intercom: Sandbox, path: str, body: dict[str, object]) -> dict[str, object]:
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json", "Intercom-Version": "2.14"}
    request = urllib.request.Request(intercom.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        created: dict[str, object] = json.loads(answer.read())
        return created


def create(intercom: Sandbox, name: str | None, **fields: object) -> str:
    number = len(intercom.contacts.list_existing())
    unnamed = Contact(f"{number:024}", email=f"{number}@example.com", attributes=(("plan", "vip"),))
    intercom.contacts.add(dataclasses.replace(unnamed, name=name, **fields))  # type: ignore[arg-type]
    return unnamed.id


def write_to(intercom: Sandbox, contact: str) -> None:
    message = {"message_type": "inapp", "body": "Hey", "from": {"type": "admin", "id": 394051}}
    post(intercom, "/messages", {**message, "to": {"type": "user", "id": contact}})


def plan(folder: Folder, *options: str) -> dict[str, object]:
    ran = folder.run("plan", "--format", "json", *options)
    assert ran.code == 0, ran.out + ran.err
    value: dict[str, object] = json.loads(ran.out)
    return value


def test_offline_the_number_of_recipients_is_not_known_and_never_0(folder: Folder) -> None:
    folder.message(ACTIVE)
    ran = folder.run("plan")
    assert "not known who gets it" in ran.out
    assert "msgrun plan --online reads them" in ran.out
    assert "digest not known" in ran.out
    assert not re.search(r"\b0\b|nothing to send|no recipient", ran.out)
    assert (ran.code, folder.run("plan", "--detailed-exitcode").code) == (0, 2)
    planned = plan(folder)
    assert (planned["digest"], planned["unread"]) == (None, ["news"])
    assert planned["messages"] == [
        {
            "name": "news", "revision": 1, "digest": None, "counts": None, "left_out": {},
            "audience": {"intercom": {"segment": "Active"}, "read": False},
        }
    ]  # fmt: skip
    markdown = folder.run("plan", "--format", "markdown").out
    assert "| not read | not known |" in markdown
    assert "Hello {{ first_name" in markdown  # the reviewer sees the text
    for command in ("validate", "lint"):
        assert "1 message to 1 audience in the workspace, which is not read here" in folder.run(command).out
    render = folder.run("render", "news")
    assert (render.code, "does not read them" in render.err) == (5, True)


def test_without_a_token_plan_online_says_so(folder: Folder) -> None:
    folder.message(ACTIVE)
    ran = folder.run("plan", "--online")
    assert (ran.code, "there is no access token" in ran.err) == (1, True)


def test_lint_checks_the_texts_of_an_audience_that_is_not_read(folder: Folder) -> None:
    folder.message(ACTIVE.replace("<p>Hello", "<p><a href='http://localhost/x'>Hello</a>"))
    out = folder.run("lint").out
    assert "localhost" in out
    assert "[no-unsubscribe]" in out
    assert "this goes to an audience in the workspace" in out


@pytest.mark.parametrize("group", ["{segment: Active}", "{tag: beta}", "{company: acme}", PRO])
def test_each_kind_of_group_is_read_and_sent_to_by_id(group: str, folder: Folder, intercom: Sandbox) -> None:
    create(intercom, "Ann Lee")
    folder.message(MESSAGE.replace("GROUP", group))
    planned = plan(folder, "--online", "--out", "p.json")
    count = planned["counts"]["send"]  # type: ignore[index]
    assert count
    assert all(item["to"].startswith("id:") for item in planned["deliveries"])  # type: ignore[attr-defined]
    assert folder.run("apply", "--plan", "p.json", "--yes").code == 0
    assert len(intercom.messages) == count
    assert {tuple(message["payload"]["to"]) for message in intercom.messages} == {("type", "id")}
    again = folder.run("apply", "--plan", "p.json", "--yes")
    assert (again.code, len(intercom.messages)) == (0, count)
    lockfile = (folder.path / "messages.lock").read_text() + (folder.path / "p.json").read_text()
    assert not re.search("Ann|Lee|Resident|@sandbox", lockfile)


def test_values_of_contacts_are_never_code_and_are_escaped(folder: Folder, intercom: Sandbox) -> None:
    create(intercom, "<script>alert(1)</script> Lee")
    create(intercom, None)
    folder.message(MESSAGE.replace("GROUP", PRO))
    plan(folder, "--online", "--out", "p.json")
    assert folder.run("apply", "--plan", "p.json", "--yes").code == 0
    bodies = sorted(message["payload"]["body"] for message in intercom.messages)
    assert bodies == ["<p>Hello &lt;script&gt;alert(1)&lt;/script&gt;</p>", "<p>Hello there</p>"]
    contact = create(intercom, "{{ 7*7 }} Lee")
    folder.message(MESSAGE.replace("GROUP", PRO).replace("| first_word", ""))
    ran = folder.run("plan", "--online")
    assert ran.code == 1
    assert "[leftover-template]" in ran.out
    assert f"contact {contact}" in ran.out
    assert "49" not in ran.out.replace(contact, "")


def test_apply_sends_what_was_planned_and_reports_who_came_left_or_changed(folder: Folder, intercom: Sandbox) -> None:
    stays, leaves, changes = (create(intercom, name) for name in ("Stays", "Leaves", "Changes"))
    seen = "seen: \"{{ contact.last_contacted_at | default('never') }}\""
    folder.message(
        MESSAGE.replace("GROUP", PRO).replace("vars: {", f"vars: {{{seen}, ").replace("<p>Hello", "<p>{{ seen }}")
    )
    plan(folder, "--online", "--out", "p.json")
    comes = create(intercom, "Comes")
    write_to(intercom, changes)
    ran = folder.run("apply", "--plan", "p.json", "--yes")
    assert ran.code == 0
    assert "2 to send" in ran.out
    assert "1 excluded: came into the audience since the plan was saved" in ran.out
    assert "1 excluded: changed in Intercom since the plan was saved" in ran.out
    sent = [message["payload"]["to"]["id"] for message in intercom.messages[1:]]
    assert sorted(sent) == sorted([stays, leaves])
    assert comes not in sent


def test_who_unsubscribed_since_the_plan_gets_no_email(folder: Folder, intercom: Sandbox) -> None:
    """The plan keeps contacts for an hour, but apply reads the audience again, and then knows it."""
    contact = create(intercom, "Ann", unsubscribed_from_emails=True)
    folder.message(MESSAGE.replace("GROUP", PRO))
    folder.write("msgrun.yaml", "recipients: {unsubscribed: warn}\n")
    plan(folder, "--online", "--out", "p.json")
    folder.write("msgrun.yaml", "{}\n")
    secret = HttpTransport(intercom.url, "secret-token").token_hash
    kept = ContactCache(secret, folder.path / ".msgrun/contacts-messages", int(time.time()))
    kept.add("id", contact, [IntercomContact(contact, "user")])
    kept.save()
    ran = folder.run("apply", "--plan", "p.json", "--yes")
    assert "1 excluded: unsubscribed from emails" in ran.out
    assert not intercom.messages


def test_who_left_the_audience_gets_nothing_and_is_counted(folder: Folder, intercom: Sandbox) -> None:
    stays, leaves = create(intercom, "Stays"), create(intercom, "Leaves")
    folder.message(MESSAGE.replace("GROUP", SILENT))
    plan(folder, "--online", "--out", "p.json")
    write_to(intercom, leaves)
    ran = folder.run("apply", "--plan", "p.json", "--yes")
    assert "news: 1 recipient of the saved plan left the audience" in ran.out
    assert [message["payload"]["to"]["id"] for message in intercom.messages[1:]] == [stays]


def test_where_all_left_the_plan_is_stale(folder: Folder, intercom: Sandbox) -> None:
    only = create(intercom, "Leaves")
    folder.message(MESSAGE.replace("GROUP", SILENT))
    plan(folder, "--online", "--out", "p.json")
    write_to(intercom, only)
    ran = folder.run("apply", "--plan", "p.json", "--yes")
    assert (ran.code, "[stale-plan]" in ran.out, len(intercom.messages)) == (5, True, 1)
    assert "msgrun plan --online --out p.json" in ran.out


@pytest.mark.usefixtures("intercom")
def test_a_group_of_0_contacts_is_0_then(folder: Folder) -> None:
    folder.message(MESSAGE.replace("GROUP", PRO))
    ran = folder.run("plan", "--online")
    assert (ran.code, "0 contacts read from Intercom" in ran.out) == (0, True)
    assert "[no-recipients]" in ran.out
    assert "nothing to send" in ran.out


@pytest.mark.usefixtures("intercom")
def test_a_segment_that_was_deleted_is_named_at_its_place(folder: Folder) -> None:
    folder.message(MESSAGE.replace("GROUP", "{segment: Actve}"))
    ran = folder.run("plan", "--online")
    assert ran.code == 1
    assert "messages/message.yaml:7:23: error: the workspace has no segment named Actve [audience-unknown]" in ran.out
    assert "did you mean Active?" in ran.out


def test_apply_without_a_saved_plan_names_the_two_commands(folder: Folder, intercom: Sandbox) -> None:
    folder.message(ACTIVE)
    folder.message(SEED, "seed")
    ran = folder.run("apply", "--yes")
    assert (ran.code, intercom.messages) == (5, [])
    assert "msgrun plan --online --out FILE" in ran.err
    assert "msgrun apply --plan FILE" in ran.err
    assert folder.run("apply", "messages/seed.yaml", "--yes").code == 0


def test_an_offline_plan_can_be_saved_and_sends_the_rest(folder: Folder, intercom: Sandbox) -> None:
    folder.message(ACTIVE)
    folder.message(SEED, "seed")
    saved = folder.run("plan", "--out", "p.json")
    assert "p.json does not send news: the audience was not read" in saved.err
    ran = folder.run("apply", "--plan", "p.json", "--yes")
    assert (ran.code, len(intercom.messages)) == (0, 1)
    assert "p.json sends nothing of news, whose audience is not read" in ran.err
    assert not [entry for entry in intercom.log if "segments" in entry["path"]]


def test_limits_and_filters_hold(folder: Folder, intercom: Sandbox) -> None:
    emails = [f"p{number}@example.com" for number in range(3)]
    for email in emails:
        create(intercom, "Ann", email=email)
    lead = create(intercom, "Lead", role="lead")
    text = MESSAGE.replace("GROUP", PRO)
    folder.message(text + "max_recipients: 3\n")
    assert "[too-many-recipients]" in folder.run("plan", "--online").out
    folder.message(text.replace("  vars:", "  type: user\n  vars:"))
    out = folder.run("plan", "--online").out
    assert "3 to send" in out
    assert "3 contacts read from Intercom; 1 lead left out by type" in out
    folder.write("audiences/no.csv", f"email\n{emails[0].upper()}\n")
    folder.write("msgrun.yaml", "suppress: [audiences/no.csv]\nlimits: {recipients_per_message: 1}\n")
    ran = folder.run("plan", "--online")
    assert (ran.code, "[limit-message]" in ran.out, "2 to send" in ran.out) == (5, True, True)
    assert "1 by suppress in msgrun.yaml" in ran.out
    folder.message(text.replace("  vars:", "  where: \"{{ contact.role == 'lead' }}\"\n  vars:"))
    assert plan(folder, "--online")["deliveries"][0]["to"] == f"id:{lead}"  # type: ignore[index]


def test_a_plan_file_has_no_line_for_an_audience_that_moves(folder: Folder, intercom: Sandbox) -> None:
    folder.message(ACTIVE)
    folder.message(SEED, "seed")
    folder.run("plan", "--write")
    assert [json.loads(line)["name"] for line in (folder.path / "messages.plan").read_text().splitlines()] == ["seed"]
    assert folder.run("plan", "--check").code == 0
    plan(folder, "--online", "--out", "p.json")
    assert folder.run("apply", "--plan", "p.json", "--yes").code == 0
    assert len(intercom.messages) == 7


@pytest.mark.usefixtures("intercom")
def test_dates_are_said_in_the_days_that_intercom_compares(folder: Folder) -> None:
    folder.message(MESSAGE.replace("GROUP", '{search: {field: created_at, operator: ">", value: 1767261600}}'))
    ran = folder.run("plan", "--online")
    assert "created_at > 1767261600 means from 2026-01-02 on (in Etc/UTC): Intercom compares dates by day" in ran.err


def test_the_sandbox_has_every_group_that_is_named(folder: Folder) -> None:
    for number, group in enumerate(("segment: Pro users", "tag: pilots", "company: our-3")):
        folder.message(MESSAGE.replace("GROUP", f"{{{group}}}").replace("name: news", f"name: n{number}"), f"n{number}")
    planned = plan(folder, "--sandbox", "--online")
    assert planned["counts"]["send"] == 36  # type: ignore[index]


def test_accept_and_adopt_read_the_audience(folder: Folder, intercom: Sandbox) -> None:
    folder.message(ACTIVE)
    ran = folder.run("adopt", "news", "--yes")
    assert (ran.code, "Marked news as sent to 6 recipients" in ran.out) == (0, True)
    assert not intercom.messages


def test_a_name_that_looks_like_code_can_be_left_out(folder: Folder, intercom: Sandbox) -> None:
    ann = create(intercom, "Ann {{ x }}")
    bo = create(intercom, "Bo")
    where = "  where: \"{{ '{' not in (contact.name | default('')) }}\"\n  vars:"  # as docs/declarations.md says
    folder.message(MESSAGE.replace("GROUP", PRO).replace("| first_word", "").replace("  vars:", where))
    assert [item["to"] for item in plan(folder, "--online")["deliveries"]] == [f"id:{bo}"]  # type: ignore[attr-defined]
    assert ann


def commit(folder: Folder) -> None:
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run(["git", *words], cwd=folder.path, check=True, capture_output=True)


def test_a_review_shows_what_changes_in_who_gets_it(folder: Folder, intercom: Sandbox) -> None:
    folder.message(ACTIVE)
    commit(folder)
    filtered = ACTIVE.replace("  vars:", "  type: user\n  where: \"{{ contact.name != 'Resident 02' }}\"\n  vars:")
    folder.message(filtered.replace("segment: Active", "tag: beta"))
    (change,) = plan(folder, "--against", "main")["changes"]["messages"]  # type: ignore[index]
    assert (change["change"], change["audience"]) == ("changed", None)
    fields = {field["name"]: (field["before"], field["now"]) for field in change["fields"]}
    assert fields["to.intercom"] == ('{"segment":"Active"}', '{"tag":"beta"}')
    assert fields["to.type"] == ("", "user")
    assert "Resident 02" in fields["to.where"][1]
    (change,) = plan(folder, "--against", "main", "--online")["changes"]["messages"]  # type: ignore[index]
    assert change["audience"] == {"added": 2, "removed": 4, "same": 2, "altered": 0}
    folder.message(ACTIVE)
    (change,) = plan(folder, "--against", "main", "--online")["changes"]["messages"]  # type: ignore[index]
    assert change["change"] == "unchanged"
    searches = [json.dumps(entry["payload"]) for entry in intercom.log if "search" in entry["path"]]
    assert sum("segment_id" in query or "tag_id" in query for query in searches) == 3
