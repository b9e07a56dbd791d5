"""Every folder below examples/ is a small project: what `msgrun validate` says of it stands in its expected.txt.

A line of expected.txt is `path:line:column code`, with `warning` after it where it is one, and optionally
` :: text` that the message or the hint holds. Nothing else may be found; without the file, nothing at all.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner import cli
from runner.cli.context import Context
from runner.cli.output import Output
from runner.report import json_output

EXAMPLES = Path(__file__).parent / "examples"
FIRST_LINE = re.compile(r"\S+:\d+:\d+: (error|warning): \S.* \[[a-z0-9-]+\]")
HINT = "hint: for example {type: user, email: bo@example.com}"  # ours


def _names(kind):
    return sorted(f"{kind}/{folder.name}" for folder in (EXAMPLES / kind).iterdir())


def _expected(name):
    file = EXAMPLES / name / "expected.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [tuple(line.partition(" :: ")[::2]) for line in lines]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """The examples outside of this repository, whose own msgrun.yaml would be their project."""
    return shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("examples"), symlinks=True, dirs_exist_ok=True)


@pytest.fixture
def validate(examples, capsys, monkeypatch):
    """Runs `msgrun validate` in a folder: its exit code, the problems of its JSON, and its text off a terminal."""
    shown, problems = [], Output.problems

    def both(screen, found):
        shown.extend(found)
        problems(screen, found)

    monkeypatch.setattr(Output, "problems", both)
    monkeypatch.setattr(Context, "now", datetime(2026, 11, 22, tzinfo=UTC))

    def validate(name):
        code = cli.run(["-C", str(examples / name), "validate"])
        printed = capsys.readouterr()
        assert not printed.err
        ordered = sorted(shown, key=lambda problem: problem.place.sort_key)
        return code, json.loads(json_output.format_problems(ordered, show_values=True))["problems"], printed.out

    return validate


def _check(name, found, text):
    places = [
        f"{each['path']}:{each['line']}:{each['column']} {each['code']}"
        + (" warning" if each["severity"] == "warning" else "")
        for each in found
    ]
    expected = _expected(name)
    assert places == [place for place, _ in expected]
    for each, (_, words) in zip(found, expected, strict=True):
        assert words in f"{each['message']}\n{each['hint']}"
    # No address is printed off a terminal, and no mark of a private value.
    assert "example.com" not in text.replace(HINT, "")
    assert not re.search("[\ue0f0\ue0f1\x00-\x08\x0b-\x1f]", text)
    heads = [line for line in text.splitlines() if not line.startswith("  ")]
    assert all(FIRST_LINE.fullmatch(line) or re.match(r"\d+ message|no (valid )?message", line) for line in heads)


@pytest.mark.parametrize("name", _names("invalid"))
def test_every_problem_is_reported_at_its_place_and_without_addresses(name, validate):
    code, found, text = validate(name)
    assert code == 1
    _check(name, found, text)


@pytest.mark.parametrize("name", _names("valid"))
def test_what_looks_odd_but_is_right_is_accepted(name, validate):
    code, found, text = validate(name)
    assert code == 0
    _check(name, found, text)
