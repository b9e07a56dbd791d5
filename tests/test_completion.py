"""What the shells complete: asked in real ones."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    "msgrun explain yaml-comm": {"yaml-comment"},
    "msgrun validate messages/other": {"messages/other.yaml"},
    "msgrun resolve aaaa": {"aaaaaaaaaaaa"},
    "msgrun render nothing-like-th": set(),
}


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
