"""A rehearsal: every kind of contact in a workspace, and exactly those are sent to whom the rules allow."""

import json
from collections import Counter
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.project import Folder

PEOPLE = 2_000
MESSAGE = """\
name: {name}
message_type: email
subject: "Dear {{{{ first_name }}}}"
body: "<p>Dear {{{{ first_name }}}}, this is about your account, number {{{{ number }}}}.</p>"
from: {{type: admin, id: "394051"}}
to: {{csv: ../{name}.csv, type: user, {kind}: "{{{{ who }}}}"}}
"""
# The beginning of an address by its last two digits; others are users without a fault. None: sent to.
EMAILS = {
    0: ("missing", "contact_not_found"), 1: ("twin", "contact_ambiguous"), 2: ("lead", None), 3: ("pair", None),
    4: ("unsubscribed", "contact_unsubscribed"), 5: ("bounced", "contact_bounced"), 6: ("spam", "contact_spam"),
}  # fmt: skip
IDS = {0: ("missing", "contact_not_found"), 1: ("merged", None), 2: ("noemail", "contact_no_email"), 3: ("lead", None)}


def people(kind: str) -> list[tuple[str, str, str, str | None]]:
    """Address, first name, number, and the code of those who are not sent to."""
    kinds, offset, count = (EMAILS, 0, PEOPLE - 200) if kind == "email" else (IDS, 10_000, 200)
    rows = []
    for number in range(offset, offset + count):
        word, code = kinds.get(number % 20, ("person", None))
        name = f"Zyx{number}q"
        address = f"{word}-{name.lower()}" + ("@example.com" if kind == "email" else "")
        rows.append((address, name, str(number), code))
    return rows


@pytest.mark.proof
def test_two_thousand_contacts_of_every_kind(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everyone = {name: people(kind) for name, kind in (("spring", "email"), ("autumn", "id"))}
    for name, rows in everyone.items():
        folder.message(MESSAGE.format(name=name, kind="email" if name == "spring" else "id"), name)
        folder.write(f"{name}.csv", "who,first_name,number\n" + "".join(f"{a},{n},{i}\n" for a, n, i, _ in rows))
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
            assert actions["spring", action, code] + actions["autumn", action, code] == count
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
