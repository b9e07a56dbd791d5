"""What the linter says of small messages."""

from __future__ import annotations

import pytest
import yaml

from runner.declare.project_reader import load_project
from runner.declare.recipient_problems import find_recipient_problems
from runner.declare.settings import LintSettings, Settings, load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter
from runner.lint.rules import RULES

QUIET = {
    "name": "m",
    "message_type": "email",
    "subject": "News about your account",
    "body": "<p>Hello</p>",
    "from": {"type": "admin", "id": "1"},
    "to": {"type": "user", "id": "u1"},
    "vars": {"product": "Ponies"},
    "expires": "2999-12-01",
    "create_conversation_without_contact_reply": True,
}


@pytest.fixture
def lint(tmp_path):
    """The findings of a message: QUIET with other keys, or a YAML text; `files` beside it, `unsubscribe_above` it."""

    def lint(text=None, files=None, unsubscribe_above=100, **keys):
        text = text or yaml.safe_dump({key: value for key, value in {**QUIET, **keys}.items() if value is not None})
        for path, content in {"messages/m.yaml": text, **(files or {})}.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        tree = Tree(tmp_path)
        project = load_project(tree, load_settings(tree, None), RenderMonitor())
        findings = Findings(RULES)
        for declaration in project.declarations:
            linted = MessageLinter(
                declaration, Settings(lint=LintSettings(unsubscribe_above=unsubscribe_above)), findings
            )
            assert not any(
                problem.is_error for problem in find_recipient_problems(declaration, "", linted.check_delivery)
            )
            linted.finish()
        assert [problem for problem in project.problems if problem.is_error] == []
        return findings.to_problems()

    return lint


@pytest.fixture
def codes(lint):
    """The codes of the findings."""
    return lambda *args, **kwargs: sorted(problem.code for problem in lint(*args, **kwargs))
