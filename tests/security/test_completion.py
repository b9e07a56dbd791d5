"""A project in which a user presses TAB runs nothing, prints nothing odd, and does not hold the shell."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.forked import install, run_forked
from tests.support.project import SEED, Folder, Ran
from tests.support.proof import one_of
from tests.support.terminal import Terminal

# What runs a command, breaks a line or a word, or writes to a terminal, where a shell or click's script takes it so.
HOSTILE = (
    "$(touch RAN)", "`touch RAN`", "a; touch RAN", "a' ; touch RAN '", 'a" ; touch RAN "', "a\ntouch RAN",
    "a | touch RAN", "a && touch RAN", "<(touch RAN)", "${IFS}touch${IFS}RAN", "*", "a\tb", "dir,a", "a\nfile,a",
    "\x1b]0;title\x07", "\x1b[2J", "-rf", "~root", "a:b(touch RAN)", "(e:'touch RAN':)", "a\u202eb", "a\rb", "\x9b2J",
    "::error::a",
)  # fmt: skip
LINES = (
    "msgrun render ", "msgrun -e ", "msgrun resolve ", "msgrun status ", "msgrun validate messages/",
    "msgrun explain ", "msgrun lock show ", "msgrun plan -e ", "msgrun apply ",
)  # fmt: skip
SAFE = re.compile(r"(plain,[A-Za-z0-9][A-Za-z0-9._/-]*|file,(messages/)?)?")


@pytest.fixture
def hostile(folder: Folder) -> Folder:
    """A project whose names are commands: of messages, files, environments and keys. One message has a good name."""
    folder.message(SEED, "seed")
    for number, name in enumerate(HOSTILE):
        folder.message(SEED.replace("name: seed", f"name: {json.dumps(name)}"), f"quoted{number}")
        folder.message(SEED.replace("name: seed", f"name: {name}"), f"plain{number}")
        if "/" not in name:
            folder.message(SEED.replace("name: seed", f"name: file{number}"), name)
    environments = "".join(f"  {json.dumps(name)}: {{}}\n" for name in HOSTILE)
    folder.write("msgrun.yaml", f"environments:\n{environments}")
    keys = "".join(json.dumps({"key": name, "attempt": "A-1", "status": "unknown"}) + "\n" for name in HOSTILE)
    folder.write("messages.lock", keys)
    return folder


@pytest.fixture
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which a shell finds msgrun."""
    programs = install(tmp_path_factory.mktemp("programs") / "bin")
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def complete(folder: Path, line: str, shell: str = "bash") -> Ran:
    """What msgrun answers to a shell's script."""
    number = str(len(line.split()) - (not line.endswith(" ")))
    variables = {**os.environ, "_MSGRUN_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": number}
    return Ran(*run_forked([], folder, variables, timeout=30))


@pytest.mark.parametrize("line", [LINES[0], *one_of(*LINES[1:])])
def test_answers_hold_nothing_but_names_of_our_form(hostile: Folder, line: str) -> None:
    ran = complete(hostile.path, line)
    assert (ran.code, ran.err) == (0, "")
    assert all(SAFE.fullmatch(answer) for answer in ran.out.splitlines()), ran.out


def test_good_names_beside_hostile_ones_are_suggested(hostile: Folder) -> None:
    assert "plain,seed\n" in complete(hostile.path, "msgrun render ").out


def test_no_environment_of_a_wrong_form_is_suggested(folder: Folder) -> None:
    for name in HOSTILE:
        folder.write("msgrun.yaml", f"environments:\n  {json.dumps(name)}: {{}}\n")
        assert complete(folder.path, "msgrun -e ").out.strip() == "", name


def test_bash_runs_nothing(hostile: Folder, environ: dict[str, str]) -> None:
    terminal = Terminal(
        hostile.path, program=[shutil.which("bash") or "", "--norc", "-i"], environ={**environ, "PS1": "ready$ "}
    )
    with contextlib.closing(terminal):
        # A long list is printed at once, without a question and without pages.
        terminal.type("bind 'set completion-query-items 0'; bind 'set page-completions off'\n")
        terminal.type("eval \"$(msgrun completion bash)\"; echo lo''aded\n")
        terminal.wait_for("loaded")
        for line in LINES:
            terminal.type(f"{line}\t\t\x15echo do''ne\n")
            terminal.wait_for("done")
    assert_nothing_ran(hostile, terminal)


def test_zsh_runs_nothing(hostile: Folder, tmp_path: Path, environ: dict[str, str]) -> None:
    if not (program := shutil.which("zsh")):
        pytest.skip("zsh is not installed")
    terminal = Terminal(
        hostile.path, program=[program, "-f", "-i"], environ={**environ, "HOME": str(tmp_path), "PS1": "ready$ "}
    )
    terminal.type("autoload -Uz compinit; compinit -u -D; eval \"$(msgrun completion zsh)\"; echo lo''aded\n")
    terminal.wait_for("loaded")
    for line in LINES:
        terminal.type(f"{line}\t\t\x15\x15echo do''ne\n")
        terminal.wait_for("done")
    terminal.close()
    assert_nothing_ran(hostile, terminal)


def test_fish_runs_nothing(hostile: Folder, environ: dict[str, str]) -> None:
    if not (program := shutil.which("fish")):
        pytest.skip("fish is not installed")
    asked = "".join(f"complete -C '{line}'; " for line in LINES)
    command = [program, "-c", f"msgrun completion fish | source; {asked}"]
    ran = subprocess.run(command, cwd=hostile.path, env=environ, capture_output=True, text=True, check=False)
    assert (ran.returncode, "seed" in ran.stdout, ran.stderr) == (0, True, "")
    assert not list(hostile.path.rglob("RAN"))


def assert_nothing_ran(folder: Folder, terminal: Terminal) -> None:
    assert not list(folder.path.rglob("RAN")), terminal.screen
    # The shell writes names of files itself, and escapes them.
    assert "\x1b]0;title" not in terminal.raw
    assert "a bug in msgrun" not in terminal.raw


def fifo(folder: Folder) -> None:
    os.mkfifo(folder.path / "messages/a.yaml")
    os.mkfifo(folder.path / "messages/b.yaml")


def unix_socket(folder: Folder) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder.path)
        server.bind("messages/a.yaml")


def sparse(path: str, size: int) -> Callable[[Folder], None]:
    def write(folder: Folder) -> None:
        with (folder.path / path).open("ab") as file:
            file.truncate(size)

    return write


def written(path: str, text: str) -> Callable[[Folder], None]:
    return lambda folder: folder.write(path, text) and None


def linked(path: str, target: str) -> Callable[[Folder], None]:
    def link(folder: Folder) -> None:
        (folder.path / path).unlink(missing_ok=True)
        (folder.path / path).symlink_to(target)

    return link


BROKEN: dict[str, Callable[[Folder], None]] = {
    "a pipe": fifo,
    "a socket": unix_socket,
    "a device": linked("messages/a.yaml", "/dev/zero"),
    "a link out of the project": linked("messages/a.yaml", "/etc/passwd"),
    "a link to itself": linked("messages/a.yaml", "a.yaml"),
    "a declaration of 5 GB": sparse("messages/a.yaml", 5 << 30),
    "a ledger of 5 GB": sparse("messages.lock", 5 << 30),
    "a ledger that is a device": linked("messages.lock", "/dev/zero"),
    "a ledger that is missing": lambda folder: (folder.path / "messages.lock").unlink(),
    'a ledger of {"': written("messages.lock", '{"' * 300_000),
    "a ledger of deep JSON": written("messages.lock", '{"a":' * 300_000),
    "a ledger of 4 MiB of text": written("messages.lock", "x\n" * (1 << 21)),
    "settings that are a device": linked("msgrun.yaml", "/dev/zero"),
    "settings of 5 GB": sparse("msgrun.yaml", 5 << 30),
    "settings of deep YAML": written("msgrun.yaml", "a: " + "[" * 1_000_000),
    "settings of many aliases": written(
        "msgrun.yaml", "x-0: &l0 [1]\n" + "".join(f"x-{n}: &l{n} [{f'*l{n - 1},' * 10}]\n" for n in range(1, 12))
    ),
    "settings of a million keys": written("msgrun.yaml", "".join(f"x-{n}: 1\n" for n in range(250_000))),
    "the start of many names": written("messages/a.yaml", "name: a" * (1 << 14)),
    "quotes": written("messages/a.yaml", "- \"'name:" + " " * (1 << 16)),
    "names without an end": written("messages/a.yaml", "name" * (1 << 14)),
}


@pytest.mark.parametrize("name", one_of(*BROKEN))
def test_what_cannot_be_read_holds_no_shell(folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(folder.path)
    folder.message(SEED, "seed")
    BROKEN[name](folder)
    for line in ("msgrun render ", "msgrun -e ", "msgrun resolve "):
        ran = complete(folder.path, line)

        assert ran.err == "", (line, ran)
        assert line != "msgrun render " or "plain,seed" in ran.out, ran


@pytest.mark.skipif(sys.platform != "linux", reason="a pipe without a writer")
def test_a_completion_that_does_not_end_is_ended(tmp_path: Path) -> None:
    script = """
import os, sys
sys.argv = ["msgrun"]
os.environ |= {"_MSGRUN_COMPLETE": "bash_complete", "COMP_WORDS": "msgrun render ", "COMP_CWORD": "2"}
from runner import completion
completion._MAX_SECONDS = 0.5
completion.find_root = lambda _: list(iter(int, 1))
completion._MAX_MEMORY = 1 << 40
from runner.__main__ import main
main()
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGPROF, b"", b"")
