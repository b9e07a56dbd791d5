"""Options that every command takes, before or after its name, and the exit codes."""

import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from runner.cli.help import COMMAND_GROUPS, Command, CommandGroup, GlobalOption, write_command_groups
from runner.cli.supervisor import Supervisor
from runner.errors import GuardRefused, LedgerUnavailable, MsgrunError, RateExhausted, UsageMistake
from runner.shown_command import ShownOptions, show_options


class EXIT:
    """The exit codes, a contract with scripts."""

    done: Final = 0
    problems: Final = 1
    changes: Final = 2
    refused: Final = 3
    unknown: Final = 4
    guard: Final = 5
    ledger: Final = 6
    usage: Final = 64
    later: Final = 75
    interrupted: Final = 130


@dataclass(slots=True, eq=False)  # generating __eq__, which is never used, slows every command's start
class GlobalOptions:
    """The values of the global options, whether they come before or after the command's name.

    `yes`, `new_lock` and `no_fetch` are those of commands that write the ledger; false for all others.
    These are not options: the entry point sets `supervisor` where a command's work may run in a child. `arguments` are
    the command line as it was typed, without the program's name. `may_have_sent` is set before the first message is
    sent. `step_results` is what `github_step` keeps until the end of the command. `path_prefix` is that of the project
    in GITHUB_WORKSPACE, with a slash at its end; it is set when the root is known.
    """

    directory: Path | None = None
    sandbox: bool = False
    environment: str | None = None
    no_color: bool = False
    show_values: bool = False
    quiet: bool = False
    verbose: bool = False
    output_format: str = "text"
    jobs: int | None = None
    yes: bool = False
    new_lock: bool = False
    no_fetch: bool = False
    supervisor: Supervisor | None = None
    arguments: tuple[str, ...] = ()
    may_have_sent: bool = False
    step_results: object = None
    path_prefix: str = ""

    @property
    def start_folder(self) -> Path:
        """The full path of the folder where the command starts: that of -C, else the working directory.

        Links in it stay links, so that paths are printed as the user typed them.
        """
        return Path(os.path.normpath(Path.cwd() / (self.directory or Path())))


def current_options() -> GlobalOptions:
    """Returns the options of the running command."""
    return click.get_current_context().ensure_object(GlobalOptions)


COMMANDS = tuple(name for names in COMMAND_GROUPS.values() for name in names)
# All commands that read the project's files (see `supervisor`).
_RUN_IN_CHILD = frozenset({"validate", "lint", "render", "preview", "plan", "init", "doctor"})
_CHECKED_IN_CHILD = frozenset({"apply", "accept", "adopt", "test-send", "forget"})


class LazyGroup(CommandGroup):
    """The root of the command line. It imports a command's module only when the command is used.

    `invoked_command` is the command of the running command line. It is set even if the options are wrong.
    """

    invoked_command = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the commands."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands in groups."""
        write_command_groups(self, ctx, formatter)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command with a name; None if there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        self.invoked_command = cmd_name
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"runner.cli.commands.{name}")
        found_command: click.Command = getattr(module, name)
        return found_command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command of the arguments. If it is supervised, a child runs or checks it from here on."""
        self.invoked_command = args[0]  # before a fork: the first process too may have to report its end
        supervisor = ctx.ensure_object(GlobalOptions).supervisor
        if ctx.resilient_parsing or not supervisor:
            return super().resolve_command(ctx, args)
        if args[0] in _RUN_IN_CHILD:
            supervisor.start()  # nothing of the command is imported yet, so that the fork is cheap
        resolved = super().resolve_command(ctx, args)
        if args[0] in _CHECKED_IN_CHILD:
            supervisor.start()  # both processes need the command: one import for both saves apply a fifth of its start
        return resolved


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """The type of an option that takes a duration: 90, 90s, 20m or 1h. Its value is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the seconds that a text means. Raises click.BadParameter."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", str(value))
        if not match:
            self.fail(f"{value} is not a duration: write 90s, 20m or 1h", param, ctx)
        return float(match[1]) * {"h": 3600, "m": 60}.get(match[2], 1)


def exit_code_of_error(error: MsgrunError) -> int:
    """Returns the exit code for an error that ended the command."""
    match error:
        case GuardRefused():
            return EXIT.guard
        case LedgerUnavailable():
            return EXIT.ledger
        case UsageMistake():
            return EXIT.usage
        case RateExhausted():
            return EXIT.later
        case _:
            return EXIT.problems


def global_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds the global options to a command."""

    def option(*names: str, **settings: Any) -> Any:
        return click.option(*names, cls=GlobalOption, expose_value=False, callback=_store, **settings)

    options = [
        option("-C", "directory", type=click.Path(path_type=Path), metavar="DIR", help="Run as if in DIR."),
        option(
            "--sandbox", is_flag=True, help="Use an Intercom that is embedded in msgrun; nothing leaves the machine."
        ),
        option(
            "-e",
            "--environment",
            metavar="NAME",
            help="Use an environment of msgrun.yaml.",
        ),
        option(
            "--jobs",
            type=click.IntRange(1),
            metavar="N",
            help="Use N processes for large audiences; by default one for each core.",
        ),
        option("--no-color", is_flag=True, help="No colours."),
        option(
            "--show-values",
            is_flag=True,
            help="Do not mask recipients' addresses and variables in pipes, files and CI.",
        ),
        option("-q", "--quiet", is_flag=True, help="Only results and errors."),
        option("-v", "--verbose", is_flag=True, help="Say more."),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for add_option in reversed(options):
            function = add_option(function)
        return function

    return decorate


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Makes a function a command, as click.command does, and adds the global options."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        with_options = global_options()(function)
        return click.command(name, Command, **settings)(with_options)

    return decorate


def writes_ledger(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of commands that write the ledger."""
    for add_option in (
        stored_flag("--no-fetch", "Do not read the lockfile of the git remote first."),
        stored_flag("--new-lock", "Create the ledger if it does not exist."),
        stored_flag("--yes", "Do not ask."),
    ):
        function = add_option(function)
    return function


def stored_flag(name: str, text: str, *, hidden: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds a flag whose value is in the GlobalOptions, and no parameter of the command. `text` is its help."""
    return click.option(name, is_flag=True, help=text, hidden=hidden, expose_value=False, callback=_store)


def format_option(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --format. It decides how results and problems are printed, wherever in the command they occur."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        callback=_store,
        expose_value=False,
        metavar="FORM",  # without it the list of choices would widen the first column of the help
        help=f"How to print: {', '.join(forms[:-1])} or {forms[-1]}.",
    )


def _store(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Stores an option's value in the context's GlobalOptions. An option that is not given keeps the earlier value."""
    options = ctx.ensure_object(GlobalOptions)
    if value and parameter.name:
        setattr(options, parameter.name, value)
        show_options(ShownOptions(str(options.directory or ""), options.sandbox, options.environment or ""))
