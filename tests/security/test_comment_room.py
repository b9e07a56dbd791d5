"""Nothing in the comment is pushed out of sight, and nothing takes the room of something else."""

import json
import os
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
