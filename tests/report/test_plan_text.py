"""A plan says what goes out and what needs a decision, and says neither where there is nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from runner.declare.keys_and_digests import delivery_key
from tests.support.project import Folder

OPENS = "create_conversation_without_contact_reply: true\n"
LIST = """\
name: list
message_type: email
subject: Hi {{ name }}, {{ greeting }}
body: <p>Hi {{ name }}</p>
from: {type: admin, id: "394051"}
vars: {greeting: welcome}
to:
"""


def people(*names: str, kind: str = "email") -> str:
    values = {"email": "{}@example.com", "id": "{}1"}[kind]
    return LIST + "".join(
        f"  - {{type: user, {kind}: {values.format(name)}, vars: {{name: {name}}}}}\n" for name in names
    )


def test_the_subject_is_that_of_the_first_recipient_to_send_to(folder: Folder) -> None:
    folder.message(people("ann", "bo", "cy"))
    assert folder.run("--sandbox", "apply", "--yes", "--limit", "1").code == 0
    out = folder.run("--sandbox", "plan", "--show-values").out
    assert "  + list  email  Hi bo, welcome\n" in out
    assert "    + 2 to send: bo@example.com, cy@example.com\n    = 1 already sent\n" in out
    assert "Plan: 2 to send, 1 already sent.\n" in out


def test_off_a_terminal_the_authors_words_are_shown_and_the_recipients_masked(folder: Folder) -> None:
    folder.message(people("ann"))
    out = folder.run("plan").out
    assert "  + list  email  Hi ***, welcome\n" in out
    assert "ann" not in out


def test_what_is_sent_is_counted_and_shown_on_demand(folder: Folder) -> None:
    folder.message(people("ann", "bo", kind="id"))
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    out = folder.run("--sandbox", "plan").out
    assert out.splitlines()[:-1] == [
        "msgrun plan · sandbox",
        "",
        "Plan: nothing to send, 2 already sent.",
        "1 message has nothing to send (--all shows it).",
    ]
    everything = folder.run("--sandbox", "plan", "--all").out
    assert "  = list  email  Hi ***, welcome\n" in everything
    assert "    2 already sent\n" in everything
    assert "(msgrun --sandbox plan --all shows it)" in folder.run("--sandbox", "apply", "--yes").out


def test_a_project_without_messages_and_one_without_recipients(folder: Folder) -> None:
    assert "\nPlan: no message is declared.\n" in folder.run("plan").out
    folder.write("empty.csv", "email\n")
    folder.message(LIST.replace("{{ name }}", "you") + "  {csv: ../empty.csv, type: user, email: '{{ email }}'}\n")
    assert "    no recipient is declared\n" in folder.run("plan", "--all").out


@pytest.mark.parametrize(
    ("body", "beginning"),
    [
        ("<p>Hi <b>you</b>, one &amp; all</p><p>Bye</p>", "Hi you, one & all Bye"),
        ("plain text\\nof two lines", "plain text of two lines"),
        ("word " * 100, "word " * 23 + "word…"),
    ],
)
def test_of_an_in_app_message_the_beginning_of_its_text_is_shown(folder: Folder, body: str, beginning: str) -> None:
    folder.message(
        f'name: tour\nmessage_type: inapp\nbody: "{body}"\nfrom: {{type: admin, id: 1}}\nto: {{type: user, id: "1"}}\n'
    )
    assert f"  + tour  inapp  {beginning}\n" in folder.run("plan").out


def test_a_limit_says_how_many_of_a_message_are_sent_by_this_run(folder: Folder) -> None:
    folder.message(people("ann", "bo", "cy", "di", kind="id"))
    folder.message(people("el").replace("list", "news").replace("Hi", "Yo"), "news")
    out = folder.run("plan", "--limit", "3").out
    assert "    4 to send (3 in this run): ann1, bo1, cy1\n" in out
    assert "    1 to send (0 in this run)\n" in out
    assert "Plan: 5 to send (3 in this run).\n" in out


def test_a_repeat_that_was_allowed_is_still_said(folder: Folder) -> None:
    folder.message(people("ann", "bo"))
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    folder.message(people("ann", "bo", "cy").replace("name: list", "name: other"))
    refused = folder.run("--sandbox", "plan")
    assert (refused.code, "[repeat]" in refused.out, "Nothing is sent: this guard stops" in refused.out) == (
        5,
        True,
        True,
    )
    allowed = folder.run("--sandbox", "plan", "--allow-repeat")
    assert (allowed.code, "    ! 2 recipients already received this text, under the name list\n" in allowed.out) == (
        0,
        True,
    )


def test_the_ways_out_of_edits_are_steps_with_a_command_each(folder: Folder) -> None:
    for number in range(4):
        folder.message(people("ann").replace("name: list", f"name: list{number}"), f"list{number}")
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    for number in range(4):
        folder.message(people("ann").replace("name: list", f"name: list{number}").replace("Hi", "Yo"), f"list{number}")
    folder.message(people("bo").replace("name: list", "name: other").replace("Hi", "Ho"), "other")
    ran = folder.run("--sandbox", "plan")
    head, _, steps = ran.out.partition("Next:\n")
    lines = steps.splitlines()
    assert (ran.code, lines[:5]) == (5, [
        "  Undo the edit of list0, if it is a mistake",
        "  Or keep the edit of list0, without sending:", "    msgrun --sandbox accept list0",
        "  Or send list0 to all again, with this line in messages/list0.yaml:", "    revision: 2",
    ])  # fmt: skip
    shared = "    msgrun --sandbox apply messages/other.yaml\n"
    assert steps.count(shared) == 1, "a step that several have is shown once"
    assert steps.endswith("apply messages/other.yaml\n")
    assert ("accept list2" in steps, "accept list3" in steps) == (True, False)
    assert head.count("  hint: ") == 1, "where there are many, the others have a hint"
    assert "edited after it was sent to 1 recipient [edited]\nNothing is sent" not in head
    assert "\nNothing is sent: 4 guards stop the run.\n\nPlan: " in head


def test_many_reasons_are_cut_and_counted(folder: Folder) -> None:
    names = [f"p{number:02}" for number in range(23)]
    folder.message(people(*names, kind="id"))
    planned = json.loads(folder.run("plan", "--format", "json").out)["deliveries"]
    with (folder.path / "messages.lock").open("a") as lockfile:
        for number, found in enumerate(planned):
            record = {name: found[name] for name in ("key", "message", "revision", "to", "digest")}
            lockfile.write(
                json.dumps({**record, "attempt": "R-1", "status": "refused", "code": f"c{number:02}"}) + "\n"
            )
    out = folder.run("plan", "--all").out
    assert out.count(" refused: c") == 20
    assert "    - and 3 other reasons\n" in out


def test_a_file_that_is_named_after_an_address_is_masked(folder: Folder) -> None:
    folder.message(people("ann"), "ann@example.com")
    assert "ann@example" not in folder.run("plan").out
    assert "messages/ann@example.com.yaml · from" in folder.run("plan", "--show-values").out


def test_a_terminal_without_unicode_gets_other_signs(folder: Folder) -> None:
    folder.message(people("ann"))
    ran = folder.process("plan", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert "msgrun plan - workspace of the token" in ran.out


OTHERS = {
    "{% if name == 'bo' %}evil{% else %}good{% endif %}": 1,
    "{% if name != 'ann' %}evil{% else %}good{% endif %}": 2,
    "{% if name == 'ann' %}evil{% elif name == 'bo' %}good{% else %}other{% endif %}": 2,
    "{{ {'bo': 'evil'}[name] | default('good') }}": 1,
    "{{ 'evil' if name | length == 2 else 'good' }}": 2,
    "{% for _ in range(1 if name == 'cy' else 0) %}evil{% endfor %} good": 1,
    "<p>{{ name }}</p>": 0,
    "good": 0,
    "Hi {{ name | upper }}, all of you": 0,
    "{{ 'good' if name else 'evil' }}": 0,
}


@pytest.mark.parametrize("body", OTHERS)
def test_recipients_of_other_texts_are_counted_beside_the_body(folder: Folder, body: str) -> None:
    folder.message(
        people("ann", "bo", "cy").replace("<p>Hi {{ name }}</p>", json.dumps(body)).replace("Hi {{ name }}", "Hi")
    )
    out = folder.run("plan", "-v").out
    assert "sees it" in out
    count = OTHERS[body]
    expected = f"{count} recipient{'s' * (count > 1)} of list will see other texts: msgrun render list shows them"
    assert (expected in out) is (count > 0)
    assert ("other texts" in out) is (count > 0)


def test_a_body_says_its_template_and_that_it_opens_a_conversation(folder: Folder) -> None:
    folder.message(
        people("ann").replace(
            "name: list", "name: list\ntemplate: personal\ncreate_conversation_without_contact_reply: true"
        )
    )
    assert "sees it, in the template personal, and it opens a conversation:" in folder.run("plan", "-v").out


@pytest.mark.parametrize(
    ("more", "steps"),
    [
        ("", "  Say what became of the unknown delivery:\n    msgrun resolve "),
        (OPENS, "  Look for the unknown delivery in Intercom:\n    msgrun reconcile\n"),
    ],
)
def test_reconcile_is_named_only_where_a_message_opens_a_conversation(more: str, steps: str, folder: Folder) -> None:
    folder.message(f"{more}{people('ann')}")
    record = {"key": delivery_key("", "list", 1, "email", "ann@example.com"), "attempt": "1", "status": "claimed"}
    found = {"opens_conversation": True, "contact": "7", "sender": "1", "text": "x", "at": "2026-01-01T00:00:00Z"}
    record |= found if more else {}
    with (folder.path / "messages.lock").open("a") as lockfile:
        lockfile.write(json.dumps({**record, "message": "list", "revision": 1, "to": "email:~x"}) + "\n")
    assert f"\nNext:\n{steps}" in folder.run("plan").out


def test_what_was_not_sent_of_an_expired_message_is_shown_with_its_reason(folder: Folder) -> None:
    folder.message(f"expires: 2020-01-01T00:00Z\n{people('ann', 'bo')}")
    out = folder.run("plan").out
    assert "- 2 excluded: expired on 2020-01-01T00:00Z: email:~" in out
    assert "\nPlan: nothing to send, 2 excluded.\ndigest" in out


def test_a_message_that_expires_within_a_day_says_so(folder: Folder) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2, minutes=5, seconds=30)
    folder.message(f"expires: {soon:%Y-%m-%dT%H:%MZ}\n{people('ann')}")
    assert f"expires {soon:%Y-%m-%dT%H:%MZ} · that is in 2 h " in folder.run("plan").out
    later = soon + timedelta(days=1)
    folder.message(f"expires: {later:%Y-%m-%dT%H:%MZ}\n{people('ann')}")
    assert "that is in" not in folder.run("plan").out


def test_of_two_edited_messages_the_step_that_sends_the_others_is_last_and_names_their_files(folder: Folder) -> None:
    for name in ("list", "second"):
        folder.message(people("ann", kind="id").replace("name: list", f"name: {name}"), name)
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    for name in ("list", "second"):
        folder.message(people("ann", kind="id").replace("name: list", f"name: {name}").replace("Hi", "Yo"), name)
    names = ("a", "b", "c", "d")
    for name in names:
        folder.message(people("bo", kind="id").replace("name: list", f"name: {name}"), name)
    files = " ".join(f"messages/{name}.yaml" for name in names)
    out = folder.run("--sandbox", "plan").out
    assert out.endswith(f"  Meanwhile, send the other messages:\n    msgrun --sandbox apply {files}\n")
    assert [out.count(text) for text in ("Meanwhile", "Or keep the edit", "Undo the edit")] == [1, 2, 2]
    assert out.index("accept list") < out.index("accept second")
    out = folder.run("--sandbox", "apply", "--canary", "2").out
    assert f"    msgrun --sandbox apply {files} --canary 2\n" in out
