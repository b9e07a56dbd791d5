"""Runs git: no file of a project makes it run a program, it gets no secret, and its memory and output are limited."""

import contextlib
import os
import re
import resource
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from runner.errors import LedgerUnavailable

TIMEOUT = 120  # seconds for one git command; a fetch over a slow connection takes long
# What git and the programs that it starts may use: bytes of memory that is no file, and of a file that they write.
_MAX_MEMORY = _MAX_FILE = 4 << 30
MAX_OUTPUT = 256 << 20  # bytes of what git prints; a list of a million files or refs has a third of that
_POLL_MILLISECONDS = 200  # between two looks at how much git has printed
_MAX_ERRORS = 64 << 10  # bytes of its messages, of which a remote may send any number; the last ones say what failed
# Git sets these while it runs a hook. They would make our git commands use another folder than the one they run in.
_FOLDER_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
# Prefixes of variables that git and the programs that it runs (ssh, credential helpers) do not need.
_SECRET_PREFIXES = ("INTERCOM_", "MSGRUN_", "PG")
# With these settings, no file of a work tree makes git run a program or treat a folder as a repository. The clone's own
# config, which a pull request cannot write, still applies: it says how to sign in to the remote.
_SAFE_CONFIG = {
    "safe.bareRepository": "explicit",  # a folder with HEAD, objects/ and refs/ is not a repository; git 2.38
    "protocol.ext.allow": "never",  # the address of a remote cannot be a command
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "maintenance.auto": "false",  # would write all packs of the repository again, beyond the limits
}
# Parts of a URL in git's messages that may contain a token: the user, and the query of a word with a URL.
_URL_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
_WORD = re.compile(r"[^\s'\"]++")
_LOCK_EXISTS = ".lock': File exists."
_HINT = "see which addresses the remotes have: git remote -v; and whether git reaches them: git ls-remote"


class GitFailed(LedgerUnavailable):
    """A git command failed. `output` is all that it printed, but users and queries of URLs are removed."""

    def __init__(self, command: str, printed: bytes) -> None:
        text = _URL_USER.sub("", printed.decode(errors="replace").strip())
        self.output = _WORD.sub(lambda word: _remove_query(word[0]), text)
        lines = self.output.splitlines() or [""]
        detail = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
        # Part of the message, because the commands that catch this error replace the hint by their own.
        advice = (
            " If no git is at work here, one was killed and left that file: remove it" if _LOCK_EXISTS in detail else ""
        )
        super().__init__(f"git {command} failed: {detail}{advice}", _HINT)


def _remove_query(word: str) -> str:
    start, colon, rest = word.partition("://")
    return start + colon + rest[:1] + rest[1:].partition("?")[0] if colon else word


def _git_command(args: tuple[str, ...]) -> list[str]:
    config_options = [word for name, value in _SAFE_CONFIG.items() for word in ("-c", f"{name}={value}")]
    return ["git", *config_options, *args]


def _git_environment(git_dir: Path | None) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET_PREFIXES)}
    environment = {name: value for name, value in variables.items() if name not in _FOLDER_VARIABLES}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return {**environment, "GIT_DIR": str(git_dir)} if git_dir else environment


def run_git(
    folder: Path,
    args: tuple[str, ...],
    stdin: bytes = b"",
    extra_env: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
    git_dir: Path | None = None,
    max_output: int = MAX_OUTPUT,
) -> subprocess.CompletedProcess[bytes]:
    """Runs git. No other module does. What it prints goes to `stdout`, or into the result.

    Without `git_dir`, git searches for a repository in `folder` and its parent folders. Raises LedgerUnavailable if git
    takes too long, or prints more than `max_output` bytes: a few objects of a commit may stand for millions of files.
    """
    environment = {**_git_environment(git_dir), **(extra_env or {})}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(stdin)
        given.seek(0)
        with subprocess.Popen(  # noqa: S603  # a list of arguments, so no shell parses them
            _git_command(args),
            cwd=folder,
            env=environment,
            stdin=given,
            stdout=stdout or output,
            stderr=subprocess.PIPE,
        ) as process:
            _limit(process.pid)
            try:
                errors = _wait_for_end(process, args[0], output.fileno(), max_output)
            except BaseException:
                process.kill()
                raise
        if output.seek(0, os.SEEK_END) > max_output:
            message = f"git {args[0]} prints more than {max_output >> 20:,} MiB"
            raise LedgerUnavailable(message, "a project has some thousand files: is the commit an attack?")
        output.seek(0)
        return subprocess.CompletedProcess(args, process.returncode, output.read(), errors)


def _wait_for_end(process: subprocess.Popen[bytes], command: str, output: int, max_output: int) -> bytes:
    """Waits for the end of git, and returns the end of its messages. Ends it when it has printed too much.

    Raises LedgerUnavailable if it takes too long.
    """
    assert process.stderr
    errors, deadline, poll = b"", time.monotonic() + TIMEOUT, select.poll()
    poll.register(process.stderr, select.POLLIN)
    while time.monotonic() < deadline:
        if os.fstat(output).st_size > max_output:
            process.kill()
        if not poll.poll(_POLL_MILLISECONDS):
            continue
        part = os.read(process.stderr.fileno(), _MAX_ERRORS)
        if not part:
            process.wait(TIMEOUT)
            return errors
        errors = (errors + part)[-_MAX_ERRORS:]
    raise LedgerUnavailable(f"git {command} did not answer in {TIMEOUT} seconds", _HINT)


def _limit(pid: int) -> None:
    """Limits what a process may use. It has not started another one yet, which gets the same limits."""
    if hasattr(resource, "prlimit"):  # Linux
        for kind, size in ((resource.RLIMIT_DATA, _MAX_MEMORY), (resource.RLIMIT_FSIZE, _MAX_FILE)):
            with contextlib.suppress(OSError, ValueError):  # a container that forbids it, or a limit below this one
                resource.prlimit(pid, kind, (size, resource.prlimit(pid, kind)[1]))
