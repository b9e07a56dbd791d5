"""Realistic mails in the styles of the common frameworks and in many languages: no rule has anything to say of them."""

from __future__ import annotations

import json
import re

from runner.declare.project_reader import load_project
from runner.declare.recipient_problems import find_recipient_problems
from runner.declare.settings import Settings, load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter
from runner.lint.rules import RULES
from tests.lint.corpus import build_mails

# Findings that a layout has by design: the preheader of Foundation stands beside the blocks.
DECLARED = {"foundation": {"text-outside-block"}}


def _check(folder, mails):
    """Returns the problems of validate and lint, as name of the mail and code."""
    (folder / "messages").mkdir()
    for name, keys in mails.items():
        (folder / f"messages/{name}.yaml").write_text(json.dumps(keys), encoding="utf-8")
    tree = Tree(folder)
    project = load_project(tree, load_settings(tree, None), RenderMonitor())
    findings = Findings(RULES)
    problems = list(project.problems)
    for declaration in project.declarations:
        linter = MessageLinter(declaration, Settings(), findings)
        problems += find_recipient_problems(declaration, "", linter.check_delivery)
        linter.finish()
        assert linter.delivery_count == 3, declaration.name
    return {(problem.place.path[9:-5], problem.code) for problem in (*problems, *findings.to_problems())}


def test_no_rule_has_anything_to_say_of_realistic_mails(tmp_path):
    mails = dict(build_mails())
    assert len(mails) >= 60
    assert not [name for name, keys in mails.items() if re.search(r"@[a-z]+@", str(keys["body"]))]
    expected = {(name, code) for name in mails for code in DECLARED.get(name.partition("-")[0], ())}
    assert _check(tmp_path, mails) == expected


def test_a_mistake_in_one_of_them_is_found(tmp_path):
    mistakes = {
        "single-brace": ("</p>", " [FIRST_NAME]</p>"),
        "malformed-link": ('href="https://example.com', 'href="htps://example.com'),
        "unclosed-quote": ('="https://example.com/en/pay"', '="https://example.com/en/pay'),
        "misspelt-attribute": ("<a href=", "<a herf="),
        "mojibake": ("</p>", " JosÃ©</p>"),
    }
    mails = {
        f"{name}-{code}": {**keys, "name": f"{name}/{code}", "body": keys["body"].replace(old, new, 1)}
        for name, keys in build_mails()
        for code, (old, new) in mistakes.items()
        if name.endswith("-en") and old in keys["body"]
    }
    found = _check(tmp_path, mails)
    assert len(mails) > 30
    assert {name for name in mails if (name, name.split("-en-")[1]) not in found} == set()
