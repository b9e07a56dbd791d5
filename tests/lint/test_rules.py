from __future__ import annotations

import json

from runner.lint.rules import RULES
from tests.lint.conftest import QUIET
from tests.support.project import ROOT


def test_a_rule_says_how_to_fix_it():
    for code, rule in RULES.items():
        assert code == rule.code
        assert rule.fix


def test_the_schema_of_msgrun_yaml_knows_the_rules():
    schema = json.loads((ROOT / "schema/project.schema.json").read_text(encoding="utf-8"))
    assert schema["$defs"]["rule"]["enum"] == list(RULES)


def test_a_quiet_message_has_no_findings(codes):
    assert codes() == []
    assert QUIET["expires"]
