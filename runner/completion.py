"""Answers a shell that completes a command line.

It runs while the user types. So it imports no command: `completion.json` has their options, and a test holds it to
them. It reads files only, never the network, and ends after a few seconds also if a file is hostile. What cannot be
read is not suggested.
"""

import contextlib
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import shell_complete

from runner.declare.message_files import find_names
from runner.declare.project_root import SETTINGS_FILE, find_root
from runner.declare.tree import NotReadable, Tree
from runner.errors import MsgrunError

VARIABLE = "_MSGRUN_COMPLETE"
TABLE = Path(__file__).with_name("completion.json")
_EXPLANATIONS = Path(__file__).parent / "report" / "explanations"
_ENVIRONMENT = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MAX_READ = 1 << 16  # bytes of msgrun.yaml
_MAX_SECONDS = 3.0  # of processor time, for which the shell waits
_MAX_MEMORY = 1 << 30  # bytes of address space
_UNREADABLE = (MsgrunError, NotReadable, OSError, MemoryError)
_HELP = {"help_option_names": ["-h", "--help"]}
_KEY_LENGTH = 12  # digits of a key that are suggested, as status shows them


def complete(words: list[str]) -> int:
    """Prints what completes the command line in the shell's variables. `words` are those of the line.

    The system ends this process after _MAX_SECONDS of processor time, and bounds its memory.
    """
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _MAX_SECONDS)
    if sys.platform == "linux":  # macOS reserves more address space than it uses
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = _MAX_MEMORY if hard == resource.RLIM_INFINITY else min(hard, _MAX_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return shell_complete(_make_root(words), {}, "msgrun", VARIABLE, os.environ[VARIABLE])


def list_names(folder: Path) -> list[str]:
    """Returns the names of the messages of the project that a folder is in, without reading whole declarations."""
    with contextlib.suppress(*_UNREADABLE):
        return sorted(find_names(Tree(find_root(folder.resolve()))))
    return []


def _make_root(words: list[str]) -> click.Group:
    """Returns the commands. Only those among the words have options, because making all of them takes long."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    common = [one for one in table[""]["params"] if one["param_decls"][0] != "--version"]
    groups: dict[str, click.Group] = {}
    for path, entry in table.items():
        parent, _, name = path.rpartition(" ")
        make = click.Group if entry["is_group"] else click.Command
        entries = [*entry["params"], *(common if make is click.Command else ())]
        params = [_make_parameter(one) for one in entries] if name in ("", *words) else []
        command = make(name, params=params, short_help=entry["help"], context_settings=_HELP)
        if isinstance(command, click.Group):
            groups[path] = command
        if path:
            groups[parent].add_command(command)
    return groups[""]


def _make_parameter(entry: Mapping[str, Any]) -> click.Parameter:
    """Returns an option or an argument. `values` are what it may be: a list; or "file" or "dir", for the shell."""
    values = entry.get("values")
    is_path = values in ("file", "dir")
    kind = click.Path(file_okay=values != "dir") if is_path else click.Choice(values) if values else None
    settings = {key: value for key, value in entry.items() if key != "values"}
    is_option = entry["param_decls"][0].startswith("-")
    name = entry["param_decls"][-1]
    return (click.Option if is_option else click.Argument)(**settings, type=kind, shell_complete=_SUGGEST.get(name))


def _suggest_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in list_names(_start_folder(context)) if name.startswith(incomplete)]


def _suggest_environments(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    import yaml  # noqa: PLC0415  # saves 30 ms in every other completion

    names: list[str] = []
    with contextlib.suppress(*_UNREADABLE, yaml.YAMLError, UnicodeError):
        with Tree(find_root(_start_folder(context))).open(SETTINGS_FILE) as file:
            settings = yaml.compose(file.read(_MAX_READ), Loader=yaml.CSafeLoader)
        for key, value in settings.value if isinstance(settings, yaml.MappingNode) else ():
            if key.value == "environments" and isinstance(value, yaml.MappingNode):
                names += [name.value for name, _ in value.value if isinstance(name, yaml.ScalarNode)]
    return [name for name in names if name.startswith(incomplete) and re.fullmatch(_ENVIRONMENT, name)]


def _suggest_codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the codes that are explained. They are the headings of the explanations."""
    texts = [path.read_text(encoding="utf-8") for path in _EXPLANATIONS.glob("*.md")]
    return [code for text in texts for code in re.findall(r"(?m)^## (\S+) \(", text) if code.startswith(incomplete)]


def _suggest_unknown_keys(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Suggests the keys of unknown deliveries, if the ledger is a lockfile: no other ledger is on this machine."""
    from runner.declare.settings import load_chosen_settings  # noqa: PLC0415  # saves 150 ms in every other completion
    from runner.ledger.facts import Facts  # noqa: PLC0415  # saves 11 ms likewise
    from runner.ledger.lock_address import LockfileAddress  # noqa: PLC0415  # likewise

    with contextlib.suppress(*_UNREADABLE):
        tree = Tree(find_root(_start_folder(context)))
        address = load_chosen_settings(tree, _chosen(context, "environment")).lock
        if isinstance(address, LockfileAddress) and not address.is_outside:
            facts = Facts()
            facts.read_file(tree.real_path(address.path), address.path)
            return sorted(
                key[:_KEY_LENGTH]
                for key in facts
                if key.startswith(incomplete) and (state := facts.state(key)) and state.status == "unknown"
            )
    return []


def _start_folder(context: click.Context) -> Path:
    return Path(_chosen(context, "directory") or ".").resolve()  # -C, if it stands on the line already


def _chosen(context: click.Context, option: str) -> str | None:
    """Returns the value of a global option, which may stand before or after the command; None if it is not given."""
    value: str | None = context.params.get(option)
    return _chosen(context.parent, option) if value is None and context.parent else value


# By the name of the parameter, which is the same in all commands.
_SUGGEST: Mapping[str, Callable[[click.Context, click.Parameter, str], list[str]]] = {
    "name": _suggest_names,
    "names": _suggest_names,
    "message": _suggest_names,
    "code": _suggest_codes,
    "environment": _suggest_environments,
    "key": _suggest_unknown_keys,
}
