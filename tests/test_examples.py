"""Every folder below examples/ is a small project: what `msgrun validate` says of it stands in its expected.txt.

A line of expected.txt is `path:line:column code`, with `warning` after it where it is one, and optionally
` :: text` that the message or the hint holds. Nothing else may be found; without the file, nothing at all.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from runner import cli

EXAMPLES = Path(__file__).parent / "examples"
FIRST_LINE = re.compile(r"\S+:\d+:\d+: (error|warning): \S.* \[[a-z0-9-]+\]")


def _folders(kind):
    return [pytest.param(folder, id=folder.name) for folder in sorted((EXAMPLES / kind).iterdir())]


def _expected(folder):
    file = folder / "expected.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [tuple(line.partition(" :: ")[::2]) for line in lines]


@pytest.fixture
def validate(tmp_path, capsys, monkeypatch):
    for name in ("MSGRUN_SALT", "MSGRUN_LOCK", "CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def validate(folder, *options):
        project = tmp_path / "project"
        shutil.copytree(folder, project, symlinks=True, dirs_exist_ok=True)
        code = cli.run(["-C", str(project), *options])
        told = capsys.readouterr()
        assert not told.err
        return code, told.out

    return validate


def _problems(validate, folder):
    code, out = validate(folder, "--show-values", "validate", "--format", "json")
    if out.startswith("{"):
        return code, json.loads(out)["problems"]
    # Faults of msgrun.yaml end the command before it knows its format.
    pattern = re.compile(r"(\S+):(\d+):(\d+): (\w+): (.*) \[([a-z0-9-]+)\]((?:\n .*)*)")
    keys = ("path", "line", "column", "severity", "message", "code", "hint")
    return code, [dict(zip(keys, found.groups(), strict=True)) for found in pattern.finditer(out)]


def _check(found, expected):
    told = [
        f"{each['path']}:{each['line']}:{each['column']} {each['code']}"
        + (" warning" if each["severity"] == "warning" else "")
        for each in found
    ]
    assert told == [place for place, _ in expected]
    for each, (_, text) in zip(found, expected, strict=True):
        assert text in f"{each['message']}\n{each['hint']}"


@pytest.mark.parametrize("folder", _folders("invalid"))
def test_every_fault_is_told_at_its_place(folder, validate):
    code, found = _problems(validate, folder)
    assert code == 1
    _check(found, _expected(folder))


@pytest.mark.parametrize("folder", _folders("valid"))
def test_what_looks_odd_but_is_right_is_accepted(folder, validate):
    code, found = _problems(validate, folder)
    assert code == 0
    _check(found, _expected(folder))


@pytest.mark.parametrize("folder", [*_folders("invalid"), *_folders("valid")])
def test_no_address_is_told_off_a_terminal(folder, validate):
    _, out = validate(folder, "validate")
    assert "example.com" not in out.replace("hint: for example {type: user, email: bo@example.com}", "")
    assert not re.search("[\ue0f0\ue0f1\x00-\x08\x0b-\x1f]", out)
    heads = [line for line in out.splitlines() if not line.startswith("  ")]
    assert all(FIRST_LINE.fullmatch(line) or re.match(r"\d+ message", line) for line in heads)
