"""What the shells complete: asked in real ones."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runner.cli import msgrun
from runner.cli.help import GlobalOption
from runner.completion import TABLE
from runner.lint.rules import RULES
from tests.support.forked import install
from tests.support.project import SEED, Folder
from tests.support.terminal import Terminal

PROGRAMS = Path(sys.executable).parent
LINES = {
    "msgrun recon": {"reconcile"},
    "msgrun plan --agai": {"--against"},
    "msgrun --sand": {"--sandbox"},
    "msgrun lock ver": {"verify"},
    "msgrun render se": {"seed"},
    "msgrun -e stag": {"staging"},
    "msgrun status --environment prod": {"production"},
    "msgrun lint --ignore unclosed-ta": {"unclosed-tag"},
    "msgrun lint --ignore empty-link,unclosed-ta": {"empty-link,unclosed-tag"},
    "msgrun explain yaml-comm": {"yaml-comment"},
    "msgrun validate messages/other": {"messages/other.yaml"},
    "msgrun resolve aaaa": {"aaaaaaaaaaaa"},
    "msgrun render nothing-like-th": set(),
}


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
    codes = {"select": RULES, "ignore": RULES}
    entry: dict[str, object] = {"param_decls": [*one.opts, one.name] if isinstance(one, click.Option) else [one.name]}
    entry |= (
        {"help": one.help, "multiple": one.multiple, "is_flag": one.is_flag}
        if isinstance(one, click.Option)
        else {"nargs": one.nargs}
    )
    if isinstance(one.type, click.Choice) or one.name in codes:
        entry["values"] = sorted(codes.get(one.name or "", getattr(one.type, "choices", ())))
    elif isinstance(one.type, click.Path):
        entry["values"] = "file"
    return {key: value for key, value in entry.items() if value}


def test_the_table_has_every_command_and_option() -> None:
    described = dict(_describe("", msgrun, click.Context(msgrun)))
    lines = [f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in described.items()]
    fresh = "{\n" + ",\n".join(lines) + "\n}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        TABLE.write_text(fresh, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == fresh


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.message(SEED, "seed")
    folder.write("messages/other.yaml", SEED.replace("name: seed", "name: news/spring"))
    folder.write("msgrun.yaml", "environments:\n  staging: {workspace: a}\n  production: {workspace: b}\n")
    with (folder.path / "messages.lock").open("a") as lock:
        lock.write('{"key":"%s","attempt":"A-1","status":"unknown"}\n' % ("a" * 32))
        lock.write('{"key":"%s","attempt":"A-2","status":"sent"}\n' % ("aaaab" + "c" * 27))
    return folder


def _environ(programs: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def _ask(shell: str, line: str, folder: Path) -> set[str]:
    programs = folder / "bin"
    if not programs.exists():
        install(programs)
    if shell == "fish":
        script = f"msgrun completion fish | source; complete -C '{line}'"
    else:
        words = line.split()
        script = (
            f'eval "$(msgrun completion bash)"; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; '
            f'_msgrun_completion msgrun "{words[-1]}" "{words[-2]}"; '
            f'if ((${{#COMPREPLY[@]}})); then printf "%s\\n" "${{COMPREPLY[@]}}"; else compgen -f -- "{words[-1]}"; fi'
        )
    ran = subprocess.run(
        [shell, "-c", script], cwd=folder, env=_environ(programs), capture_output=True, text=True, check=False
    )
    return {answer.partition("\t")[0] for answer in ran.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes_what_it_is_given(project: Folder, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    # click's script for fish cuts an answer at a comma.
    lines = {line: answers for line, answers in LINES.items() if shell == "bash" or "," not in line}
    assert {line: _ask(shell, line, project.path) for line in lines} == lines


@pytest.fixture
def zsh(project: Folder, tmp_path: Path) -> Iterator[Terminal]:
    if not (program := shutil.which("zsh")):
        pytest.skip("zsh is not installed")
    terminal = Terminal(
        project.path, program=[program, "-f", "-i"], environ={**_environ(PROGRAMS), "HOME": str(tmp_path)}
    )
    terminal.type(
        "PS1='ready$ '; autoload -Uz compinit; compinit -u -D; eval \"$(msgrun completion zsh)\"; echo lo''aded\n"
    )
    terminal.wait_for("loaded")
    yield terminal
    terminal.close()


def test_zsh_completes_a_command_and_the_name_of_a_message(zsh: Terminal) -> None:
    zsh.type("msgrun recon\t")
    zsh.wait_for("reconcile")
    zsh.type("\x15msgrun render se\t")
    zsh.wait_for("render seed")


def test_what_cannot_be_read_is_not_suggested(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments: [\n")
    folder.write("messages/a.yaml", "name: [\n")
    for line in ("msgrun -e x", "msgrun render x", "msgrun resolve a"):
        assert _ask("bash", line, folder.path) == set()
