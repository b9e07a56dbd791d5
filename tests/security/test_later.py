"""Holes that are known and not mended yet: each of these tests is expected to fail, and says so when it does not.

A reviewed sample that differs from what is sent, output that a CI system takes for commands, and templates without end.
"""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone
from tests.support.project import ROOT, run_in_process

FORGED = "x\n::error title=msgrun::forged"
RECORD = {"key": "a" * 32, "attempt": "x", "status": "unknown", "revision": 1, "at": "2026-11-22T10:00:00Z"}


def declared(body: str, subject: str = "S", to: str = "{type: user, id: a1}") -> str:
    return (
        f"name: a\nmessage_type: email\nsubject: {json.dumps(subject)}\nbody: {json.dumps(body)}\n"
        f'from: {{type: admin, id: "1"}}\nto: {to}\n'
    )


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it talks to nobody
    made.write("msgrun.yaml", "")
    made.write("messages.lock", HEADER % salt_check(""))
    made.write("messages/a.yaml", declared("Hi"))
    return made


def printed(project: Clone, *args: str) -> str:
    ran = run_in_process(args, project.path, {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"})
    return ran.out + ran.err


# Texts whose "evil" a reviewer does not see, or that hold what nobody sees.
TEXTS = [
    "Hello \ue0f0evil\ue0f1 there", "\ue0f0evil\ue0f1\ue0f2", '{{ "\\ue0f0" }}evil{{ "\\ue0f1" }}',
    "{{ '\\ue0f0evil\\ue0f1' }}", "pay\u200bpal evil", "ok\u3164evil", "Hi \ufe0fevil", "soft\u00adhyphen evil",
    "a\u2060b evil", "a\u180eb evil", "\u115fevil",
]  # fmt: skip


@pytest.mark.xfail(
    strict=True, reason="privacy is carried inside the text, and what nobody sees is neither shown nor refused"
)
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_the_sample_that_is_reviewed_is_what_is_sent(project: Clone, text: str) -> None:
    project.write("messages/a.yaml", declared(text))
    comment = printed(project, "plan", "--format", "markdown")
    if "[" in comment.partition("error:")[2]:
        return  # refused
    assert "evil" in comment
    assert not [
        found for found in comment if unicodedata.category(found) in {"Cf", "Co"} or found in "\u3164\ufe0f\u115f"
    ]


FILES = {
    "a file's name": {f"messages/{FORGED.replace('/', '')}.yaml": "a: b\n"},
    "a key": {"messages/b.yaml": f"{json.dumps(FORGED)}: 1\n"},
    "an include": {"messages/a.yaml": declared(f'{{% include "{FORGED}" %}}')},
    "a body's file": {"messages/a.yaml": declared("Hi").replace('body: "Hi"', f"body_file: {json.dumps(FORGED)}")},
    "a suppression list": {"msgrun.yaml": f"suppress: [{json.dumps(FORGED)}]\n"},
    "the lockfile": {"msgrun.yaml": f"lock: {json.dumps(FORGED)}\n"},
    "a record's message": {
        "messages.lock": HEADER % salt_check("") + json.dumps({**RECORD, "message": FORGED, "to": "id:1"})
    },
    "a record's recipient": {
        "messages.lock": HEADER % salt_check("") + json.dumps({**RECORD, "message": "a", "to": FORGED})
    },
}


@pytest.mark.xfail(strict=True, reason="output is not cleaned at the one place that prints")
@pytest.mark.parametrize("name", FILES)
def test_no_output_is_taken_for_a_command(project: Clone, name: str) -> None:
    for path, text in FILES[name].items():
        project.write(path, text)
    for command in (("validate",), ("lint",), ("plan",), ("status",), ("lock", "verify"), ("lock", "show")):
        lines = printed(project, *command).splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::")], command


NESTED = "{% set ns = namespace(a=[]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}"
ENDLESS = {
    "==": NESTED + NESTED.replace("ns", "other") + "{{ 'x' if ns.a == other.a else 'y' }}",
    "hash": NESTED.replace("[]", "()").replace("[", "(").replace("]", ")") + "{{ {ns.a: 1} | length }}",
    "tojson": NESTED + "{{ ns.a | tojson | length }}",
    "a long sum": "{{ " + "+".join(["1"] * 50_000) + " }}",
    "open comments": "{#" * 50_000,
}


@pytest.mark.proof
@pytest.mark.xfail(strict=True, raises=subprocess.TimeoutExpired, reason="no limit of time interrupts C code")
@pytest.mark.parametrize("name", ENDLESS)
def test_a_template_ends(project: Clone, name: str) -> None:
    project.write("messages/a.yaml", declared(ENDLESS[name]))
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "validate"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, capture_output=True, timeout=10, check=False)


@pytest.mark.proof
@pytest.mark.xfail(strict=True, raises=subprocess.TimeoutExpired, reason="a torn line is read again from each bracket")
def test_a_lockfile_of_open_brackets_is_read_to_its_end(project: Clone) -> None:
    project.write("messages.lock", HEADER % salt_check("") + '{"a":' * 100_000)
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "status"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, capture_output=True, timeout=10, check=False)
