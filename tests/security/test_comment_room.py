"""Nothing in the comment is pushed out of sight, and nothing takes the room of something else."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone
from tests.support.project import run_in_process

HEAD = {"message_type": "email", "subject": "News", "from": {"type": "admin", "id": "1"}}
UNREAD = {"intercom": {"segment": "Trial"}, "type": "user"}
TO_ONE = {"type": "user", "id": "a1"}
FAR, BELOW = " " * 5000 + "EVIL", "\n" * 5000 + "EVIL"


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it has no sandbox
    clone.write("msgrun.yaml", "")
    clone.write("messages.lock", HEADER % salt_check(""))
    return clone


def declare(project: Clone, *messages: dict[str, Any]) -> None:
    project.write("messages/a.yaml", "\n---\n".join(json.dumps({**HEAD, **message}) for message in messages))


def review(project: Clone, *options: str) -> str:
    """The comment on the pull request."""
    environ = {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"}
    comment = run_in_process(("plan", "--format", "markdown", *options), project.path, environ).out
    assert len(comment) <= 60_000
    return comment


@pytest.mark.parametrize(
    "message",
    [
        {"body": f"<p>Hi{FAR}</p>", "to": UNREAD}, {"body": f"<p>Hi{BELOW}</p>", "to": UNREAD},
        {"body": "<p>{% include 'i.html' %}</p>", "to": UNREAD}, {"body": "{{ v }}", "vars": {"v": FAR}, "to": UNREAD},
        {"body": f"Hi{BELOW}", "to": TO_ONE}, {"body": "Hi", "subject": f"Hi{FAR}", "to": TO_ONE},
        {"body": "Hi", "subject": f"Hi{FAR}", "to": UNREAD}, {"body": f"<p>{'x' * 5000}EVIL</p>", "to": UNREAD},
        {"body": "Hi" + "\u00a0" * 5000 + "EVIL", "to": TO_ONE},
    ],
)  # fmt: skip
def test_no_text_is_far_to_the_right_or_far_below(project: Clone, message: dict[str, Any]) -> None:
    project.write("messages/i.html", f"Hi{FAR}")
    declare(project, {"name": "a", **message})
    lines = review(project).split("\n")
    assert any("EVIL" in line for line in lines)
    assert len(lines) < 150
    assert max(line.find("EVIL") for line in lines) < 120


def to_many(number: int, start: int = 0, **fields: Any) -> list[dict[str, Any]]:
    return [{"type": "user", "id": f"c{start + each}", **fields} for each in range(number)]


def commit(project: Clone) -> None:
    for arguments in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm x"):
        subprocess.run(["git", *arguments.split()], cwd=project.path, check=True)


def test_of_many_messages_the_changed_and_the_unread_ones_are_shown_and_the_others_counted(project: Clone) -> None:
    waiting = [{"name": f"m{number:03}", "body": "Hi " * 60, "to": to_many(2, 2 * number)} for number in range(140)]
    declare(project, *waiting, {"name": "changed", "body": "Hi", "to": TO_ONE})
    commit(project)
    changed = [
        {"name": "changed", "body": "EVIL1", "to": TO_ONE}, {"name": "unread", "body": "EVIL2", "to": UNREAD},
        {"name": "later", "body": "EVIL3", "not_before": "2099-12-24", "to": to_many(3)},
    ]  # fmt: skip
    declare(project, *waiting, *changed)
    comment = review(project, "--against", "HEAD")
    assert {"EVIL1", "EVIL2", "EVIL3"} <= set(comment.split())
    names = ["unread", "changed", "later", "m000", "m001"]
    assert re.findall(r"^\| `(.*?)`<br>", comment, re.MULTILINE)[:5] == names
    cut = len(waiting) + len(changed) - comment.count("<details><summary><code>")
    assert f"\nand {cut} more messages, whose texts there is no room for, to {2 * cut} recipients: `m" in comment


def test_audiences_that_were_not_read_are_counted_among_what_is_cut(project: Clone) -> None:
    declare(project, *({"name": f"m{number:03}", "body": "Hi", "to": UNREAD} for number in range(140)))
    cut = re.search(r"\nand (\d+) more messages, whose texts there is no room for, to (.*): `m", review(project))
    assert cut
    assert cut[2] == f"0 recipients and {cut[1]} audiences in the workspace"


PARTS = "".join(f"{{% if k == '{each}' %}}<b>part {each}</b>{{% endif %}}" for each in range(30))
FAT: dict[str, dict[str, Any]] = {
    "a sender": {"from": {"type": "admin", "name": "Ann " + "x" * 60_000}},
    "words of a template": {"body": PARTS + "".join(f"{{{{ ('{'w ' * 99}{n}' ~ n)[-9:] }}}} " for n in range(25))},
    "many long texts": {"body": PARTS + "long " * 4_000}, "a long text": {"body": "long " * 100_000},
    "long texts as written": {"body": "long " * 100_000, "to": UNREAD}, "a long subject": {"subject": "long " * 50_000},
    "a variable": {"body": "{{ v }}", "vars": {"v": "long " * 50_000}, "to": UNREAD},
    "an audience": {"to": {"intercom": {"segment": "x" * 60_000}, "type": "user"}},
}  # fmt: skip


@pytest.mark.parametrize("name", FAT)
def test_no_message_takes_the_room_of_another_one(project: Clone, name: str) -> None:
    project.write("messages/b.yaml", json.dumps({**HEAD, "name": "first", "body": "Hi", "to": TO_ONE}))
    commit(project)
    recipients = [{**each, "vars": {"k": str(number), "n": "Ann"}} for number, each in enumerate(to_many(30))]
    evil = {"name": "evil", "body": "EVIL", "to": to_many(20, 50)}
    declare(project, {"name": "fat", "body": "fine", "to": recipients, **FAT[name]}, evil)
    comment = review(project, "--against", "HEAD")
    assert comment.count("<code>fat</code>") == comment.count("<code>evil</code>") == 1
    assert "\nEVIL\n" in comment
    assert "more messages" not in comment


SOURCES = {
    "<style>.x{color:red}</style><p class=x>EVIL</p>": False, "<!--%s--><style>.x{display:none}</style>EVIL": True,
    "<style>/*%s*/.x{display:none}</style>EVIL": True,
    "EVIL<style>/*%s*/.x{display:none}": True, "<!--%s--><dialog>EVIL": True, "<!--%s--><p>EVIL</p>": False,
    "<style>.x{color:red}</style><!--%s--><p>EVIL</p>": False,
}  # fmt: skip


@pytest.mark.parametrize("body", SOURCES)
def test_a_text_that_leads_to_a_cut_source_is_named_on_top(project: Clone, body: str) -> None:
    declare(project, {"name": "a", "body": "Hi", "to": TO_ONE})
    commit(project)
    declare(project, {"name": "a", "body": body.replace("%s", "long " * 5_000), "to": TO_ONE})
    comment = review(project, "--against", "HEAD")
    assert "EVIL" in comment
    assert ("not all is shown" in comment) == SOURCES[body]


@pytest.mark.parametrize("to", [UNREAD, TO_ONE])
@pytest.mark.parametrize("filler", ["{# %s #}", "<a href='https://a.example/%s'>x</a>", "%s"])
def test_a_changed_text_that_no_comment_can_hold_is_named_on_top(project: Clone, filler: str, to: Any) -> None:
    comments = []
    for count in (1, 12_000):
        for text, words in (("old", "Bye"), ("new", "EVIL")):
            long = "".join(f"{text}{number}" for number in range(count))
            declare(project, {"name": "a", "body": f"<p>{filler % long}{words}</p>", "to": to})
            if text == "old":
                commit(project)
        comments.append(review(project, "--against", "HEAD"))
    named = "not all is shown, so their files have to be read:** `a` in `messages/a.yaml`"
    assert ("EVIL" in comments[0], named in comments[0]) == (True, False)
    assert ("EVIL" in comments[1]) != (named in comments[1].partition("to send")[0])
