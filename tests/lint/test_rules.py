from __future__ import annotations

import json

import pytest

from runner.declare.yaml.document import SourceFile, parse_documents
from runner.lint.rules import RULES
from tests.lint.conftest import QUIET
from tests.support.project import ROOT

MISSING = {"no-expires": "expires", "no-conversation": "create_conversation_without_contact_reply"}


def as_written(example):
    """YAML as msgrun reads it: None is a text, a day is one too."""
    return next(parse_documents(SourceFile("a.yaml", example))).value


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_finds_its_bad_example_alone_and_nothing_in_its_good_one(rule, codes):
    above = 0 if rule.code == "no-unsubscribe" else 100
    missing = {MISSING[rule.code]: None} if rule.code in MISSING else {}
    for example, expected in ((rule.bad_example, [rule.code]), (rule.good_example, [])):
        keys = {"name": "m", **missing, **as_written(example)}
        assert codes(unsubscribe_above=above, **keys) == expected


def test_a_rule_says_what_why_and_how():
    for code, rule in RULES.items():
        assert code == rule.code
        assert rule.title
        assert rule.reason.endswith(".")
        assert rule.fix
        assert len(rule.title) < 100


def test_the_schema_of_msgrun_yaml_knows_the_rules():
    schema = json.loads((ROOT / "schema/project.schema.json").read_text(encoding="utf-8"))
    assert schema["$defs"]["rule"]["enum"] == list(RULES)


def test_a_quiet_message_has_no_findings(codes):
    assert codes() == []
    assert QUIET["expires"]
