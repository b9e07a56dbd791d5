"""Commands as they are shown to a person: with the options of this run, so that they act on the same ledger.

Every text that names a command to type takes it from here. `cli` sets the options once, before a command does
anything; nothing else of the process depends on them.
"""

import os
import shlex
from typing import NamedTuple


class ShownOptions(NamedTuple):
    """The global options that decide which project, ledger and workspace a command acts on.

    `default_environment` is not an option: it is the environment of a command without -e; empty for the unnamed one.
    Nor is `folder`: that of the project in what CI checked out, ending in /; empty if it is the top of it. `start` is
    the folder where the command starts, relative to the project's root: paths on its command line are relative to it.
    """

    directory: str = ""
    is_sandbox: bool = False
    environment: str = ""
    default_environment: str = ""
    folder: str = ""
    start: str = "."


_options = [ShownOptions()]


def show_options(options: ShownOptions) -> None:
    """Sets the options with which all commands are shown from here on."""
    _options[:] = [options]


def show_default_environment(name: str) -> None:
    """Sets the environment of a command without -e. If there is one, a command for the unnamed one needs an option."""
    _options[:] = [_options[0]._replace(default_environment=name)]


def show_folder(folder: str, start: str) -> None:
    """Sets the folder of the project, by which a comment says whose it is, and the one where the command starts."""
    _options[:] = [_options[0]._replace(folder=folder, start=start)]


def shown_folder() -> str:
    """Returns the folder of the project, which tells the comments of two projects apart."""
    return _options[0].folder


def shown_path(path: str) -> str:
    """Returns a path from the project's root as the user has to type it: from the folder where the command starts."""
    return os.path.relpath(path, _options[0].start)


def shown_git(*words: str) -> str:
    """Returns a git command line for the project's repository; paths in it are those of `shown_path`."""
    directory = _options[0].directory
    return shlex.join(["git", *(["-C", directory] if directory else []), *words])


def shown_command(*words: str, environment: str | None = None, sandbox: bool | None = None) -> str:
    """Returns a command line, as `msgrun -e staging accept welcome`. `words` are what stands after the global options.

    `environment` and `sandbox` replace those of this run; an empty environment is the unnamed one.
    """
    options = _options[0] if words[:1] != ("explain",) else ShownOptions()  # it reads no project
    name = options.environment if environment is None else environment
    if environment is not None and options.default_environment:
        name = environment or "default"
    global_words = ["-C", options.directory] if options.directory else []
    global_words += ["--sandbox"] if (options.is_sandbox if sandbox is None else sandbox) else []
    global_words += ["-e", name] if name else []
    return shlex.join(["msgrun", *global_words, *words])
