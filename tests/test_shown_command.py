"""Every command that a person is shown has the options of this run, so that it acts on the same project and ledger."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import runner
from runner.cli.options import COMMANDS
from runner.shown_command import ShownOptions, show_options, shown_command
from tests.support.project import SEED, Folder

_WITHOUT_PROJECT = {"explain", "schema", "completion"}  # they read no project and no ledger
_NAMED = re.compile(rf"msgrun (?:-\S+ )*(?:{'|'.join(set(COMMANDS) - _WITHOUT_PROJECT)})\b")
# Titles, and texts that say what another command did. No person types them.
_NOT_COMMANDS = (
    "by msgrun adopt, which sends nothing", "merge it only if the person who ran msgrun lock move",
    "msgrun doctor", "msgrun plan", "<!-- msgrun plan", "-->\n## msgrun plan",
)  # fmt: skip
# Help and the files of a new project: what they show is not about this run.
_WITHOUT_RUN = frozenset({"cli/help.py", "cli/ci_packages.py", "cli/scaffold.py"})


@pytest.fixture(autouse=True)
def _options_of_no_run() -> Iterator[None]:
    show_options(ShownOptions())
    yield
    show_options(ShownOptions())


def _literals(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and _is_text(node.body[0])
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_no_text_of_the_program_spells_a_command_without_its_options() -> None:
    root = Path(runner.__file__).parent
    spelt = [
        f"{path.relative_to(root)}:{line}: {text}"
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).as_posix() not in _WITHOUT_RUN
        for line, text in _literals(path)
        if _NAMED.search(text) and not text.strip().startswith(_NOT_COMMANDS)
    ]
    assert spelt == []


def test_a_command_is_shown_with_the_options_of_the_run() -> None:
    show_options(ShownOptions("my messages", is_sandbox=True, environment="staging"))
    assert shown_command("accept", "a b") == "msgrun -C 'my messages' --sandbox -e staging accept 'a b'"
    assert shown_command("plan", environment="", sandbox=False) == "msgrun -C 'my messages' plan"
    assert shown_command("explain", "refused") == "msgrun explain refused"  # it reads no project


def test_a_guard_s_hint_acts_on_the_ledger_of_the_run(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments: {staging: {}}\n")
    folder.message(SEED)
    assert folder.run("--sandbox", "-e", "staging", "apply", "--yes").code == 0
    folder.message(SEED.replace("Hey", "Hello"))
    planned = folder.run("plan", "--sandbox", "-e", "staging")
    assert "msgrun --sandbox -e staging accept seed" in planned.out


def test_accept_without_an_edit_names_the_ledger(folder: Folder) -> None:
    folder.write("msgrun.yaml", "")
    folder.message(SEED)
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    folder.message(SEED.replace("Hey", "Hello"))
    accepted = folder.run("accept", "seed", "--new-lock", "--yes")
    assert accepted.out == (
        "nothing to do: seed was not sent yet, says the ledger messages.lock\n\nNext:\n"
        "  Send it:\n    msgrun apply messages/message.yaml\n"
        "  Or count it as sent, without sending:\n    msgrun adopt seed\n"
    )
    assert folder.run("--sandbox", "accept", "seed", "--yes").code == 0
    again = folder.run("--sandbox", "accept", "seed", "--yes")
    assert again.out.endswith("  See what it knows of the message:\n    msgrun --sandbox status seed\n")


def test_a_path_in_a_hint_is_right_where_the_user_is(folder: Folder) -> None:
    folder.message(SEED, "first")
    folder.message(SEED.replace("seed", "other").replace("Hey", "Ahoy"), "second")
    below = replace(folder, path=folder.path / "messages")
    assert "hint: a path is wanted: first.yaml" in below.run("plan", "seed").err
    assert "hint: did you mean first.yaml?" in below.run("plan", "sede").err
    assert "hint: did you mean first.yaml?" in below.run("plan", "messages/first.yaml").err
    assert "hint: a path is wanted: messages/first.yaml" in below.run("-C", "..", "plan", "seed").err
    assert "hint: a name is wanted: seed" in below.run("accept", "first.yaml").err
    assert below.run("--sandbox", "apply", "first.yaml", "--yes").code == 0
    folder.message(SEED.replace("Hey", "Hello"), "first")
    assert "    msgrun --sandbox apply second.yaml\n" in below.run("--sandbox", "plan").out
    assert below.run("--sandbox", "apply", "second.yaml", "--yes").code == 0
