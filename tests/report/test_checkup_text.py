"""The worst stands last, above one line that sums it up; nothing is wider than the terminal."""

import json

from runner.report.checkup_text import Check, format_checkup, format_checkup_json
from runner.report.terminal_text import remove_styles

CHECKS = [
    Check("ledger", "fail", "it moved", "msgrun lock move"),
    Check("version", "ok", "msgrun 1"),
    Check("token", "warn", "there is none", "set INTERCOM_ACCESS_TOKEN"),
    Check("clock", "skip", "no token"),
    Check("region", "skip", "no token"),
]


def shown(checks: list[Check], width: int = 0) -> list[str]:
    return remove_styles(format_checkup("acme", checks, width)).splitlines()


def test_the_worst_stands_last_and_what_was_not_looked_at_for_one_reason_on_one_line():
    assert shown(CHECKS) == [
        "msgrun doctor · acme",
        "",
        "  ok    version  msgrun 1",
        "  skip  clock, region: no token",
        "  warn  token    there is none",
        "                 fix: set INTERCOM_ACCESS_TOKEN",
        "  fail  ledger   it moved",
        "                 fix: msgrun lock move",
        "",
        "1 ok, 2 not looked at, 1 warning, 1 failure.",
    ]


def test_where_all_is_well_one_line_says_so():
    assert shown([Check("version", "ok", "1"), Check("git", "ok", "2")])[-1] == "All 2 checks are ok."


def test_lines_fit_the_width():
    assert max(map(len, shown([Check("git", "warn", "many words " * 9, "more words " * 9)], 40))) <= 40


def test_a_command_is_never_broken():
    command = "msgrun schema project > schema/project.schema.json"
    assert shown([Check("schemas", "warn", "not those", command)], 60)[-3].strip() == command


def test_a_line_break_in_a_value_makes_no_line():
    assert len(shown([Check("token", "ok", "of Ann\nfail  ledger")])) == 5


def test_json_has_every_check_in_the_order_of_looking():
    value = json.loads(format_checkup_json(CHECKS))
    assert value["counts"] == {"ok": 1, "skip": 2, "warn": 1, "fail": 1}
    assert [row["check"] for row in value["checks"]] == ["ledger", "version", "token", "clock", "region"]
    assert value["checks"][0] == {"check": "ledger", "status": "fail", "detail": "it moved", "fix": "msgrun lock move"}
