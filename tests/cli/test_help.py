"""The help: commands in groups, two examples each, and the name that was meant."""

import json
import os
import shlex
from collections.abc import Iterator

import click
import pytest

from runner.cli import msgrun
from runner.cli.help import COMMAND_GROUPS, EXAMPLES, GlobalOption
from runner.completion import TABLE
from tests.support.project import ROOT, Folder, people_message, run_in_process


def _find_command(names: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = msgrun
    while isinstance(command, click.Group) and names and not names[0].startswith("-"):
        found = command.get_command(click.Context(command), names[0])
        assert found is not None, names
        command, names = found, names[1:]
    return command, names


def _all_commands() -> list[str]:
    names = [name for group in COMMAND_GROUPS.values() for name in group]
    lock, _ = _find_command(["lock"])
    assert isinstance(lock, click.Group)
    return ["", *names, *(f"lock {name}" for name in lock.commands)]


def test_every_command_has_examples() -> None:
    assert sorted(EXAMPLES) == sorted(_all_commands())
    assert all(len(examples) >= 2 for examples in EXAMPLES.values())
    lines = [line for examples in EXAMPLES.values() for line, _ in examples]
    assert max(map(len, lines)) <= 58, "one breaks in a terminal of 60 columns"


@pytest.mark.parametrize("line", [line for examples in EXAMPLES.values() for line, _ in examples])
def test_every_example_is_a_command_line_that_msgrun_understands(line: str) -> None:
    for part in line.removeprefix('eval "$(').removesuffix(')"').split("&&"):
        words = shlex.split(part.partition("|")[0].partition(">")[0])
        assert words[0] == "msgrun"
        while words[1:2] == ["-e"]:
            del words[1:3]
        command, args = _find_command(words[1:])
        # The names are remembered by the command, which other tests print. Raises click.UsageError.
        command.make_context(words[-1], args, help_option_names=["-h", "--help"])


@pytest.mark.parametrize("name", _all_commands())
def test_the_help_shows_the_examples_and_fits_the_terminal(
    folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    printed = folder.run(*name.split(), "--help").out
    for line, meaning in EXAMPLES[name]:
        assert line in printed
        assert meaning.split()[0] in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_the_root_shows_every_command_in_its_group(folder: Folder) -> None:
    printed = folder.run("--help").out
    positions = [printed.index(f"\n{title}:\n") for title in COMMAND_GROUPS]
    assert positions == sorted(positions)
    for name in _all_commands():
        assert " " in name or not name or f"\n  {name} " in printed


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (["plna"], "there is no command plna; did you mean plan?"),
        (["lock", "vrify"], "there is no command vrify; did you mean verify?"),
        (["plan", "--aganst", "x"], "--against"),
        (["import"], "there is no command import; did you mean lock import?"),
        (["quux"], "there is no command quux; msgrun --help lists them"),
        (["send"], "there is no command send; did you mean apply?"),
        (["resume"], "there is no command resume; did you mean apply?"),
        (["retry"], "there is no command retry; did you mean apply --retry-refused?"),
        (["version"], "there is no command version; did you mean --version?"),
        (["-e", "plan"], "-e takes plan as the name of an environment\n  hint: for example: msgrun -e staging plan"),
        (["-e", "staging"], "a command is missing\n  hint: msgrun --help lists them"),
        (["apply", "--dry-run"], "there is no option --dry-run; did you mean msgrun plan?"),
        (["apply", "--canary"], "error: --canary: its value is missing; see msgrun apply --help\n"),
        (["completion"], "for example: msgrun completion bash"),
        (["plan", "-o", "p.json"], "there is no option -o; did you mean --out?"),
        (["apply", "-y"], "there is no option -y; did you mean --yes?"),
        (["plan", "--json"], "there is no option --json; did you mean --format json?"),
        (["--json", "plan"], "there is no option --json; did you mean msgrun plan --format json?"),
        (["apply", "--json"], "there is no option --json; see msgrun apply --help\n"),
        (["--json", "apply"], "there is no option --json; see msgrun --help\n"),
        (["--env", "staging", "plan"], "there is no option --env; did you mean -e?"),
        (["plan", "-y"], "there is no option -y; see msgrun plan --help\n"),
        (["apply", "--limit", "0"], "error: --limit: 0 is no whole number of at least 1\n"),
        (["preview", "--recipients", "x"], "error: --recipients: x is no whole number from 1 to 1000\n"),
        (["preview", "--port", "99999"], "error: --port: 99999 is no whole number from 0 to 65535\n"),
        (["status", "seed", "outage"], "error: unexpected argument: outage; see msgrun status --help\n"),
        (["plan", "--format", "jsn"], "--format: jsn is none of text, json, markdown, github; did you mean json?"),
        (["completion", "fishy"], "error: fishy is none of bash, zsh, fish; did you mean fish?"),
        (["plan", "messages/inciednt.yaml"], "  hint: did you mean messages/incident.yaml?"),
        (["plan", "messages/nope.yaml"], "  hint: declarations are messages/**/*.yaml and .yml"),
        (["plan", "seed"], "no declaration at seed\n  hint: a path is wanted: messages/seed.yaml"),
        (["plan", "outage"], "no declaration at outage\n  hint: a path is wanted: messages/incident.yaml"),
        (["status", "messages/seed.yaml"], "the ledger knows none\n  hint: a name is wanted: seed"),
        (["render", "messages/seed.yaml"], "no message is named messages/seed.yaml\n  hint: a name is wanted: seed"),
    ],
)
def test_a_misspelt_name_is_corrected(folder: Folder, args: list[str], meant: str) -> None:
    folder.message(people_message("seed", "email"), "seed")
    folder.message(people_message("outage", "email"), "incident")
    folder.write("people.csv", "who\n")
    ran = folder.run(*args)
    assert ran.code == 64
    assert meant in ran.err


@pytest.mark.parametrize("args", [[], ["lock"]])
def test_a_command_without_its_subcommand_prints_the_help_once(args: list[str]) -> None:
    ran = run_in_process(args, ROOT, {})
    assert ran.code == 64
    assert ran.err.count("Usage: ") == 1
    assert "error:" not in ran.err


@pytest.mark.parametrize("name", ["", "lock"])
def test_no_text_of_the_help_is_cut(folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "..." not in folder.run(*name.split(), "--help").out.replace("[ARGS]...", "")


def test_a_misspelt_option_is_reported_as_a_misspelt_command_is(folder: Folder) -> None:
    assert "error: there is no option --canari; did you mean --canary?" in folder.run("apply", "--canari", "3").err
    assert folder.run("apply", "--zzzz").err.endswith("error: there is no option --zzzz; see msgrun apply --help\n")


def test_what_is_missing_is_shown_by_an_example_with_what_is_given(folder: Folder) -> None:
    assert "'--to'.\n  hint: for example: msgrun forget --to ann@example.com\n" in folder.run("forget").err
    ran = folder.run("-e", "staging", "test-send", "outage")
    assert ran.err.endswith("  hint: for example: msgrun -e staging test-send outage --to me@acme.example\n")


def test_help_is_a_command_too(folder: Folder) -> None:
    assert folder.run("help").out == folder.run("--help").out
    assert folder.run("help", "lock", "move").out == folder.run("lock", "move", "--help").out


def test_in_a_narrow_terminal_what_an_example_does_stands_below_its_command(folder: Folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = folder.run("lock", "move", "--help").out
    assert "\n  msgrun lock move git+origin\n      to the branch msgrun-ledger of the git remote\n" in text
    assert "x>=1" not in folder.run("apply", "--help").out


def _describe(path: str, command: click.Command, context: click.Context) -> Iterator[tuple[str, dict[str, object]]]:
    """The entries of a command, and of those below it, in the table of what is completed."""
    own = [one for one in command.params if not path or not isinstance(one, GlobalOption)]
    params = [_describe_parameter(one) for one in own if not getattr(one, "hidden", False)]
    is_group = isinstance(command, click.Group)
    yield path, {"help": command.get_short_help_str(1_000), "is_group": is_group, "params": params}
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        if below := command.get_command(context, name):
            yield from _describe(f"{path} {name}".strip(), below, context)


def _describe_parameter(one: click.Parameter) -> dict[str, object]:
    entry: dict[str, object] = {"param_decls": [*one.opts, one.name] if isinstance(one, click.Option) else [one.name]}
    entry |= (
        {"help": one.help, "multiple": one.multiple, "is_flag": one.is_flag}
        if isinstance(one, click.Option)
        else {"nargs": one.nargs}
    )
    if isinstance(one.type, click.Choice):
        entry["values"] = sorted(one.type.choices)
    elif isinstance(one.type, click.Path) or one.name == "paths":
        entry["values"] = "file" if getattr(one.type, "file_okay", True) else "dir"
    return {key: value for key, value in entry.items() if value}


def test_the_table_of_what_a_shell_completes_has_every_command_and_option() -> None:
    described = dict(_describe("", msgrun, click.Context(msgrun)))
    lines = [f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in described.items()]
    fresh = "{\n" + ",\n".join(lines) + "\n}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        TABLE.write_text(fresh, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == fresh
