"""A rehearsal: every kind of contact in a workspace, and exactly those are sent to whom the rules allow."""

import json
from collections import Counter
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder

PEOPLE = 800
MESSAGE = """\
name: {name}
message_type: email
subject: "Dear {{{{ first_name }}}}"
body: "<p>Dear {{{{ first_name }}}}, this is about your account, number {{{{ number }}}}.</p>"
from: {{type: admin, id: "394051"}}
to: {{csv: ../{name}.csv, type: {role}, {kind}: "{{{{ who }}}}"}}
"""
# The message, the kind of its addresses, the first number and how many, and what it ends with.
MESSAGES = {
    "spring": ("user", "email", 0, PEOPLE - 400, ""),
    "autumn": ("user", "id", 10_000, 200, "require_subscription: Announcements\n"),
    "winter": ("contact", "user_id", 20_000, 176, ""),
}
# 12 residents of the sandbox, whom one message addresses by email and by user_id.
RESIDENTS = 12
# The beginning of an address by its last two digits; others are users without a fault. None: sent to.
EMAILS = {
    0: ("missing", "contact_not_found"), 1: ("twin", "contact_ambiguous"), 2: ("lead", None), 3: ("pair", None),
    4: ("unsubscribed", "contact_unsubscribed"), 5: ("bounced", "contact_bounced"), 6: ("spam", "contact_spam"),
}  # fmt: skip
IDS = {
    0: ("missing", "contact_not_found"), 1: ("merged", None), 2: ("noemail", "contact_no_email"), 3: ("lead", None),
    4: ("left", "contact_not_subscribed"),
}  # fmt: skip
LEADS = {0: ("missing", "contact_not_found"), 1: ("person", None)}  # others are leads


def people(message: str) -> list[tuple[str, str, str, str | None]]:
    """Address, first name, number, and the code of those who are not sent to."""
    _, kind, offset, count, _ = MESSAGES[message]
    kinds, usual = {"email": (EMAILS, "person"), "id": (IDS, "person"), "user_id": (LEADS, "lead")}[kind]
    rows = []
    for number in range(offset, offset + count):
        word, code = kinds.get(number % 20, (usual, None))
        name = f"Zyx{number}q"
        address = f"{word}-{name.lower()}" + ("@example.com" if kind == "email" else "")
        rows.append((address, name, str(number), code))
    return rows


def twins() -> list[tuple[str, str, str, str | None]]:
    """The residents by email, then the same ones by user_id; the second address of a contact is not sent to."""
    rows = [
        (f"email: resident-{n:02}@sandbox.example", f"Zyx{n}q", str(30_000 + n), None) for n in range(1, RESIDENTS + 1)
    ]
    return rows + [
        (f"user_id: resident-{n:02}", f"Zyx{n}q", str(31_000 + n), "same_contact") for n in range(1, RESIDENTS + 1)
    ]


@pytest.mark.proof
def test_eight_hundred_contacts_of_every_kind(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everyone = {name: people(name) for name in MESSAGES}
    for name, rows in everyone.items():
        role, kind, *_, more = MESSAGES[name]
        folder.message(MESSAGE.format(name=name, role=role, kind=kind) + more, name)
        folder.write(f"{name}.csv", "who,first_name,number\n" + "".join(f"{a},{n},{i}\n" for a, n, i, _ in rows))
    everyone["summer"] = twins()
    items = "".join(
        f"\n  - {{type: user, {address}, vars: {{first_name: {name}, number: '{number}'}}}}"
        for address, name, number, _ in everyone["summer"]
    )
    folder.message(MESSAGE.format(name="summer", role="", kind="").partition("to: ")[0] + f"to:{items}\n", "summer")
    left = [address for address, *_ in everyone["autumn"] if address.startswith("left-")]
    intercom.subscriptions.choices = {address: ["Announcements"] for address in left}
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    monkeypatch.setenv("CI", "true")
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(variable, str(outputs / variable))
    planned = folder.run("plan", "--online", "--format", "json", "--out", "plan.json", "--comment", "comment.md")
    assert planned.code == 0
    actions = Counter((row["message"], row["action"], row.get("code")) for row in json.loads(planned.out)["deliveries"])
    expected: Counter[str | None] = Counter(code for rows in everyone.values() for *_, code in rows)
    for code, count in expected.items():
        action = "refused" if code in {"contact_not_found", "contact_ambiguous"} else "excluded"
        if code:
            assert sum(actions[name, action, code] for name in everyone) == count, code
    assert sum(count for (_, action, _), count in actions.items() if action == "send") == expected[None]
    assert all(row["reason"] for row in json.loads(planned.out)["deliveries"] if row["action"] != "send")

    searches = len([entry for entry in intercom.log if entry["path"] == "/contacts/search"])
    printed = [planned, *(folder.run("plan", "--online", "--format", form) for form in ("text", "markdown", "github"))]
    ran = folder.run("apply", "--yes", "--new-lock", "--lockfile-in-ci", "--log-file", "run.log", "--plan", "plan.json")
    printed += [ran, folder.run("status")]
    assert ran.code == 0, ran.err  # the saved plan does not have those that were refused
    bodies = Counter(message["payload"]["body"] for message in intercom.messages)
    assert set(bodies.values()) == {1}
    numbers = {number for rows in everyone.values() for *_, number, code in rows if code is None}
    assert {body.rpartition(" ")[2].removesuffix(".</p>") for body in bodies} == numbers
    again = [entry for entry in intercom.log if entry["path"] == "/contacts/search"][searches:]
    assert len(again) < searches  # those that were found are in the cache

    kept = [path for path in folder.path.rglob("*") if path.is_file() and "messages/" not in str(path)]
    kept = [path for path in kept if path.suffix != ".csv"]
    assert {"messages.lock", "plan.json", "comment.md", "run.log"} <= {path.name for path in kept}
    assert any(path.name.startswith("contacts-") for path in kept)
    texts = [path.read_text("utf-8").lower() for path in (*kept, *outputs.iterdir())]
    texts += [text.lower() for one in printed for text in (one.out, one.err)]
    ids = {address for address, *_ in everyone["autumn"]}  # an id is no personal data: the lockfile shows it
    for text in texts:
        for address in sorted(ids, key=len, reverse=True):
            text = text.replace(address, "")  # noqa: PLW2901
        assert "zyx" not in text
        assert "@example.com" not in text
        assert "resident-" not in text
