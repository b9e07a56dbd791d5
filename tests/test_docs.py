"""What the documents say is what the program does."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from runner import __version__
from runner.cli.options import COMMANDS
from tests.support.golden import GOLDEN
from tests.support.project import ROOT, Folder, run_in_process

README = (ROOT / "README.md").read_text(encoding="utf-8")
HELP_PAGE = ROOT / "docs" / "help.md"
LOCK = ("begin", "move", "verify", "compact", "stats", "show", "export", "import")
INVENTED = re.compile(r"NAME")  # files of examples in docs/architecture.md
HELP_PAGE_HEAD = """\
# The help of every command

What `msgrun COMMAND --help` prints, to look up without an installation. [Commands](commands.md) says more about those
that need it. Global options stand before or after the command's name; they are printed here once.
"""


def helped(command: str) -> str:
    ran = run_in_process([*command.split(), "--help"], ROOT, {**os.environ, "COLUMNS": "100"})
    assert ran.code == 0
    own, _, common = ran.out.partition("\nGlobal options:\n")
    assert not command or command == "lock" or "--show-values" in common
    return own


def test_the_docs_have_the_help_of_every_command_as_it_is_printed() -> None:
    commands = ["", *(name for command in COMMANDS for name in _with_below(command))]
    fresh = HELP_PAGE_HEAD + "".join(
        f"\n## {f'msgrun {command}'.strip()}\n\n```text\n{helped(command)}```\n" for command in commands
    )
    if os.environ.get("UPDATE_GOLDEN"):
        HELP_PAGE.write_text(fresh, encoding="utf-8")
    assert HELP_PAGE.read_text(encoding="utf-8") == fresh


GOLDEN_TEXT = re.compile(r"(<!-- golden: (.*?) -->\n```text\n)(.*?)(```\n)", re.DOTALL)


def test_output_in_the_docs_is_that_of_a_golden_file() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        fresh = GOLDEN_TEXT.sub(lambda found: f"{found[1]}{(GOLDEN / found[2]).read_text('utf-8')}{found[4]}", text)
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(fresh, encoding="utf-8")
            text = fresh
        assert text == fresh, path


def test_the_readme_has_two_set_up_commands_each_of_one_line() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert [block.count("\n") for block in blocks] == [1, 1]
    for block in blocks:
        assert block.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
    assert blocks[1].endswith("&& .venv/bin/python -m pytest -n auto\n")


def test_the_readmes_first_command_sends_the_repositorys_messages_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    command = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)[0].split("&&")[-1]
    program, *args = shlex.split(command)
    assert program == ".venv/bin/msgrun"
    for name in ("messages", "audiences"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("msgrun.yaml", "messages.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    for ending in ("11 sent by this run", "nothing to do"):
        done = subprocess.run(
            [sys.executable, "-m", "runner", *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert ending in done.stdout.splitlines()
        assert done.stderr.count("warning") == 0


def test_the_readmes_example_is_a_valid_declaration(folder: Folder) -> None:
    example = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0]
    folder.message(example.replace("2026-12-01", "2999-12-01"))
    folder.write("messages/outage-apology.html.j2", "Hi {{ first_name }}, {{ product }} is back.")
    folder.write("audiences/outage.csv", "email,first_name\nann@example.com,Ann\n")
    folder.write("msgrun.yaml", "from: {type: admin, id: 1}\nvars: {product: Ponies}\n")
    assert folder.run("validate").out == "1 message to 1 recipient: no problems\n"


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / name).parent / target).exists(), target


def test_commands_that_the_docs_call_exist() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        called = re.findall(
            r"(?:^\$ |`)msgrun (?:--sandbox |-e \w+ )?([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert set(called) <= set(COMMANDS), path


def test_the_version_is_said_without_importing_the_command() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; from runner.__main__ import main; main()"
    code += "; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"msgrun {__version__}\nFalse\n"


def test_validate_imports_nothing_that_sends_or_that_only_problems_and_terminals_need() -> None:
    names = {"requests", "jsonschema", "runner.plan.plan", "runner.ledger.facts", "runner.cli.fixing"}
    names |= {
        "runner.declare.misspelling_edits",
        "runner.report.explanations",
        "runner.report.layout",
    }
    code = "import sys; from runner.cli import run; run(['validate'])"
    code += f"; print({names!r} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_the_map_of_the_code_names_files_that_exist_and_every_package_in_its_layer() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`((?:[\w.]+/)*[\w.]+(?:\.\w+|/))`", text) if not INVENTED.search(path)}
    assert len(named) > 80
    assert {path for path in named if not any((folder / path).exists() for folder in (ROOT, ROOT / "runner"))} == set()
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    layers = [layer.split(" | ") for layer in _runner_layers()]
    assert rows == [(str(number), name) for number, layer in enumerate(layers, 1) for name in layer]


def test_files_of_the_code_that_the_docs_name_exist() -> None:
    documents = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {
        path for file in documents for path in re.findall(r"\b(?:runner|tests)/[\w/]+\.py\b", file.read_text("utf-8"))
    }
    assert len(named) > 20
    assert [path for path in sorted(named) if not INVENTED.search(path) and not (ROOT / path).exists()] == []


def _runner_layers() -> list[str]:
    """The layers of the package, from the top, as import-linter holds them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return next(contract["layers"] for contract in contracts if contract.get("containers") == ["runner"])


def _with_below(command: str) -> list[str]:
    return [command, *(f"lock {name}" for name in LOCK)] if command == "lock" else [command]


def test_the_figures_of_the_readme_are_those_that_the_benchmark_printed() -> None:
    printed = (ROOT / "tests/benchmarks/side_by_side.txt").read_text(encoding="utf-8").splitlines()
    rows = [re.findall(r"\d+", line[22:]) for line in printed[2:]]
    table = README.partition("## Under fire")[2].partition("## ")[0]
    shown = [line.replace(",", "").split("|")[2:-1] for line in table.splitlines() if line.startswith("| ")]
    figures = [[cell.strip() or "0" for cell in row] for row in shown if re.search(r"\d", "".join(row))]
    assert figures == [[sent, twice, lost, false, unknown] for twice, _, lost, false, unknown, sent, _ in rows]
    assert printed[0].startswith(f"{re.search(r'2026-[0-9-]+', table)[0]}, 2 cores, ")


def test_the_sandboxs_example_shows_every_outcome_that_it_names(folder: Folder) -> None:
    example = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/sandbox.md").read_text("utf-8"), re.DOTALL)[0]
    folder.message(example)
    folder.write("msgrun.yaml", "from: {type: admin, id: 394051}\n")
    ran = folder.run("--sandbox", "apply", "--yes")
    assert "1 sent by this run, 1 unknown, 1 refused" in ran.out
    assert "1 excluded: unsubscribed from emails" in ran.out
    assert folder.run("--sandbox", "reconcile", "--yes").out.startswith("1 found sent\n")


def test_the_example_of_a_declaration_is_valid(folder: Folder) -> None:
    example = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/declarations.md").read_text("utf-8"), re.DOTALL)[0]
    folder.message(example.replace("2026-12-01", "2999-12-01"))
    assert folder.run("validate").out == "1 message to 2 recipients: no problems\n"


@pytest.mark.usefixtures("intercom")
def test_the_readmes_first_five_minutes_end_with_a_message_sent(folder: Folder) -> None:
    lines = re.findall(r"^\d\. `msgrun (.*?)(?: && cd (\S+))?`", README, re.MULTILINE)
    assert len(lines) == 5
    at, outputs = folder, []
    for arguments, subfolder in lines:
        for message in (at.path / "messages").glob("*.yaml"):
            draft = message.read_text("utf-8").splitlines(keepends=True)
            message.write_text("".join(line for line in draft if not line.startswith("not_before:")), "utf-8")
        confirmed = ["--yes"] if arguments.endswith("apply") else []
        ran = at.run(*shlex.split(arguments), *confirmed)
        assert ran.code == 0, (arguments, ran.out, ran.err)
        outputs.append(ran.out)
        at = Folder(at.path / subfolder, folder.capture) if subfolder else at
    assert ["3 sent by this run" in output for output in outputs] == [False, False, False, True, True]
