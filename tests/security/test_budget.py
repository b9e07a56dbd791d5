"""No file of a pull request holds a command, or the machine: the work on it is killed, and the file is named."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import supervised
from tests.support.project import ROOT, Folder
from tests.support.proof import one_of, proofs, table

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a child is watched on Linux alone")

NESTED = "{% set ns = namespace(a=[]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}"
EQUAL = NESTED + NESTED.replace("ns", "other") + "{{ 'x' if ns.a == other.a else 'y' }}"
ENDLESS = {
    "==": EQUAL,
    "in": NESTED + NESTED.replace("ns", "other") + "{{ 'x' if ns.a in [other.a] else 'y' }}",
    "sort": NESTED + NESTED.replace("ns", "other") + "{{ [ns.a, other.a] | sort | length }}",
    "hash": NESTED.replace("[]", "()").replace("[", "(").replace("]", ")") + "{{ {ns.a: 1} | length }}",
    "tojson": NESTED + "{{ ns.a | tojson | length }}",
    "a long sum": "{{ " + "+".join(["1"] * 50_000) + " }}",
    "open comments": "{#" * 50_000,
}
BIG_TEXTS = "{{ range(90000) | map('center', 1000000) | list | length }}"
SOON = 0.75  # seconds: for what never ends, however fast the machine is
TABLE = '{csv: ../people.csv, type: user, id: "{{ n }}"%s}'


def declared(body: str, subject: str = "S", to: str = "{type: user, id: a1}") -> str:
    return (
        f"name: a\nmessage_type: email\nsubject: {json.dumps(subject)}\nbody: {json.dumps(body)}\n"
        f'from: {{type: admin, id: "1"}}\nto: {to}\n'
    )


def queried(sql: str) -> str:
    return declared("Hi", to=json.dumps({"sql": sql, "type": "user", "id": "{{ id }}"}))


FORMS = {
    **{f"a body with {name}": declared(text) for name, text in ENDLESS.items()},
    "a subject": declared("Hi", subject=EQUAL),
    "an identifier": declared("Hi", to=json.dumps({"type": "user", "id": EQUAL})),
    "a list": declared("Hi", to=json.dumps([{"type": "user", "id": "a"}, {"type": "user", "id": EQUAL}])),
    "an include": declared('{% include "evil.j2" %}'),
    "a filter": declared("Hi", to=TABLE % (", where: " + json.dumps("+".join(["n"] * 50_000)))),
    "a row": declared("{% if n == '3' %}" + EQUAL + "{% endif %}", to=TABLE % ""),
    "a query that DuckDB does not interrupt": queried("select len(repeat('x', 4000000000)) as id"),
    "another": queried("select levenshtein(repeat(n, 90000), repeat(n || 'x', 90000)) as id from 'people.csv'"),
    "a query that DuckDB interrupts": queried(
        "select sum(a.n::int * b.n::int) as id from 'people.csv' a, 'people.csv' b, 'people.csv' c, 'people.csv' d"
    ),
}


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.write("people.csv", "n\n" + "".join(f"{number}\n" for number in range(2000)))
    folder.write("messages/evil.j2", EQUAL)
    return folder


# One of each kind: Jinja compares, an expression of a list or a filter is read, a row is rendered, DuckDB works.
EVERY_RUN = (
    "a body with ==", "a body with tojson", "a list", "a filter", "a query that DuckDB does not interrupt",
    "a query that DuckDB interrupts",
)  # fmt: skip


# Other parsers.
IN_THE_PROOFS = ("a body with a long sum", "a body with open comments")


@pytest.mark.parametrize(
    "name",
    [
        *EVERY_RUN,
        *proofs(IN_THE_PROOFS),
        *table(name for name in FORMS if name not in {*EVERY_RUN, *IN_THE_PROOFS}),
    ],
)
def test_what_does_not_end_is_killed_and_its_file_is_named(project: Folder, name: str) -> None:
    project.message(FORMS[name], "a")
    ran = supervised.run(project.path, "validate", seconds=SOON)
    assert ran.code == 1, ran
    assert ran.out.startswith("messages/a.yaml:"), ran
    # Some parsers refuse what they cannot end; that depends on the version of the library.
    assert re.search(r"\[(too-slow|sql-too-slow|too-much-memory|sql-failed|template-syntax)\]", ran.out), ran
    assert "bug" not in ran.err


def test_the_row_is_named(project: Folder) -> None:
    project.message(FORMS["a row"], "a")
    out = supervised.run(project.path, "validate").out
    assert "takes longer than 1.5 seconds to read or to render (row 5 of people.csv or the next) [too-slow]" in out
    assert "\n  hint: look for an expression without an end" in out


def test_a_process_of_a_pool_is_killed_too(project: Folder) -> None:
    rows = "".join(f"{number},{'x' * 400}\n" for number in range(3000))
    project.write("people.csv", f"n,more\n{rows}")
    project.message(declared("{% if n == '2600' %}" + EQUAL + "{% endif %}", to=TABLE % ""), "a")
    workers: list[int] = []
    with supervised.start(project.path, "--jobs", "2", "plan") as process:
        while process.poll() is None and len(workers) < 2:
            workers = [worker for child in supervised.children(process.pid) for worker in supervised.children(child)]
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, len(workers)) == (1, 2)
    assert "(row 2602 of people.csv or the next) [too-slow]" in out
    supervised.wait_until(lambda: not any(map(supervised.is_running, workers)), 10)


@pytest.mark.parametrize("command", ["validate", "lint", "render a", "plan", "--sandbox apply --yes"])
def test_every_command_that_renders_is_watched(project: Folder, command: str) -> None:
    project.message(FORMS["a row"], "a")
    ran = supervised.run(project.path, *command.split(), seconds=SOON)
    assert ran.code == 1, ran
    assert "[too-slow]" in ran.out, ran
    assert not list(project.path.glob(".msgrun/sandbox/*")), "nothing was sent, and no ledger begun"


@pytest.mark.parametrize("form", one_of("json", "sarif", "github"))
def test_the_problem_comes_in_the_form_that_was_asked_for(project: Folder, form: str) -> None:
    project.message(declared(EQUAL), "a")
    out = supervised.run(project.path, "validate", "--format", form, seconds=SOON).out
    match form:
        case "json":
            [problem] = json.loads(out)["problems"]
            assert (problem["path"], problem["code"]) == ("messages/a.yaml", "too-slow")
        case "sarif":
            [result] = json.loads(out)["runs"][0]["results"]
            assert result["ruleId"] == "too-slow"
        case _:
            assert out.startswith("::error file=messages/a.yaml,line=1,col=1,title=too-slow::")


def test_a_step_of_github_gets_its_outputs(project: Folder, tmp_path: Path) -> None:
    project.message(declared(EQUAL), "a")
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    env = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
    assert supervised.run(project.path, "plan", "--format", "markdown", env=env).code == 1
    assert outputs.read_text().endswith("exitcode=1\n")
    assert summary.read_text().count("messages/a.yaml") == 1


def test_texts_that_fill_the_memory_are_a_fault_of_their_template(project: Folder) -> None:
    project.message(declared(BIG_TEXTS), "a")
    ran = supervised.run(project.path, "validate", seconds=60, memory=500 * 1024**2)
    assert (ran.code, "a number, a range or a text grows too large [template-error]" in ran.out) == (1, True), ran


def test_a_file_that_fills_the_memory_is_named(project: Folder) -> None:
    project.message(f"{declared('Hi')}x-a: [{'1, ' * 240_000}1]\n", "a")
    ran = supervised.run(project.path, "validate", seconds=60, memory=100 * 1024**2)
    assert ran.code == 1, ran
    assert ran.out.startswith("messages/a.yaml:1:1: error: this file needs too much memory [too-much-memory]\n"), ran


def test_a_process_of_a_pool_without_memory_names_its_file(project: Folder) -> None:
    for number in range(110):
        project.message(declared("Hi").replace("name: a", f"name: a{number}"), f"a{number}")
    project.message(f"{declared('Hi')}x-a: [{'1, ' * 240_000}1]\n", "evil")
    ran = supervised.run(project.path, "--jobs", "2", "validate", seconds=60, memory=100 * 1024**2)
    assert ran.code == 1, ran
    assert ran.out.startswith("messages/evil.yaml:1:1: error: this file needs too much memory"), ran


def test_an_alias_of_aliases_is_an_error(project: Folder) -> None:
    lists = "".join(f"x-{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    project.message(f"x-0: &l0 [1]\n{lists}{declared('Hi')}", "a")
    assert "[yaml-aliases]" in supervised.run(project.path, "validate").out


@pytest.mark.proof
def test_with_the_limits_of_a_user_a_template_ends_too(project: Folder) -> None:
    project.message(declared(EQUAL), "a")
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "validate"]
    ran = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert re.search(rb"messages/a.yaml:\d+:\d+: error: .* 10 seconds .*\[too-slow\]", ran.stdout), ran
