"""What a shell completes besides commands and options: names of messages, environments, files, rules and keys.

It runs while the user types. So it reads files only, never the network, and ends after a few seconds also if a file is
hostile. What cannot be read is not suggested.
"""

import contextlib
import re
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.declare.message_files import list_message_files
from runner.declare.project import find_root
from runner.declare.settings import environment_names, load_chosen_settings
from runner.declare.tree import NotReadable, Tree
from runner.errors import MsgrunError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Compiled at first use: only a shell that completes needs it.
_NAME = rb"(?m)^(?:- )?[\"']?name[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z0-9][A-Za-z0-9._/-]{0,99})"
_MAX_READ = 1 << 16  # bytes of a declaration: its name is among the first
_MAX_SECONDS = 3.0  # of processor time, for which the shell waits
_MAX_MEMORY = 1 << 30  # bytes of address space
_UNREADABLE = (MsgrunError, NotReadable, OSError, MemoryError)
_KEY_LENGTH = 12  # digits of a key that are suggested, as status shows them


def limit_completion() -> None:
    """Makes the system end this process after _MAX_SECONDS of processor time, and bounds its memory."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _MAX_SECONDS)
    if sys.platform == "linux":  # macOS reserves more address space than it uses
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = _MAX_MEMORY if hard == resource.RLIM_INFINITY else min(hard, _MAX_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def suggest_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the names of the project's messages."""
    names: set[str] = set()
    with contextlib.suppress(*_UNREADABLE):
        tree = _find_tree(context)
        for path in list_message_files(tree.root).declarations:
            with contextlib.suppress(*_UNREADABLE), tree.open(path) as file:
                names.update(name.decode() for name in re.findall(_NAME, file.read(_MAX_READ)))
    return sorted(name for name in names if name.startswith(incomplete))


def suggest_environments(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the named environments of msgrun.yaml."""
    with contextlib.suppress(*_UNREADABLE):
        return [name for name in environment_names(_find_tree(context)) if name and name.startswith(incomplete)]
    return []


def suggest_files(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Leaves it to the shell to complete the path of a file."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # saves 1 ms in every command

    return [CompletionItem(incomplete, type="file")]


def suggest_rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the codes of lint rules. In a list with commas it completes the last one, but not in fish."""
    from runner.lint.rules import RULES  # noqa: PLC0415  # saves 1 ms in every command but lint

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{code}" for code in sorted(RULES) if code.startswith(last)]


def suggest_codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the codes that are explained."""
    from runner.report.explanations import load_explanations  # noqa: PLC0415  # saves 5 ms in every command but explain

    return [code for code in sorted(load_explanations()) if code.startswith(incomplete)]


def suggest_unknown_keys(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the keys of unknown deliveries, if the ledger is a lockfile: no other ledger is on this machine."""
    from runner.ledger.facts import Facts  # noqa: PLC0415  # saves 11 ms in every command but resolve and lock show
    from runner.ledger.lock_address import LockfileAddress  # noqa: PLC0415  # likewise

    with contextlib.suppress(*_UNREADABLE):
        tree = _find_tree(context)
        address = load_chosen_settings(tree, getattr(context.obj, "environment", None)).lock
        if isinstance(address, LockfileAddress) and not address.is_outside:
            facts = Facts()
            facts.read_file(tree.real_path(address.path), address.path)
            return sorted(
                key[:_KEY_LENGTH]
                for key in facts
                if key.startswith(incomplete) and (state := facts.state(key)) and state.status == "unknown"
            )
    return []


def _find_tree(context: click.Context) -> Tree:
    directory = getattr(context.obj, "directory", None) or Path()  # -C, if it stands on the line already
    return Tree(find_root(directory.resolve()))
