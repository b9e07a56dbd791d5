"""The help of the command line: commands in groups, examples, and the global options in a section of their own."""

import re
from collections.abc import Iterable

import click

from runner.cli.examples import EXAMPLES

# In the order in which a user needs them. Each command is in the module of `commands` that has its name.
COMMAND_GROUPS = {
    "Begin": ("init", "new", "sandbox", "completion"),
    "Write": ("validate", "lint", "explain", "render", "preview", "schema"),
    "Send": ("plan", "test-send", "apply", "status"),
    "Settle": ("reconcile", "resolve", "accept", "adopt"),
    "Check": ("doctor", "admins"),
    "Remember": ("lock", "audit", "forget"),
}
_RANGE = re.compile(r"  \[(\d+<=)?x[<>]=?\d+\]$")  # click's words for the numbers that an option takes
_MIN_DESCRIPTION = 40  # columns for what an example does; with less, it stands below the command
_UNLIMITED = 1_000  # characters of a command's one line: longer than any of them


class GlobalOption(click.Option):
    """An option that every command takes, before or after its name."""


class Command(click.Command):
    """A command whose help begins with examples, and lists the global options after its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples and the options."""
        _write_examples(ctx, formatter)
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        common = [one for one in options if isinstance(one, GlobalOption)]
        _write_options(ctx, formatter, "Options", [one for one in options if one not in common])
        _write_options(ctx, formatter, "Global options", common)


class CommandGroup(click.Group):
    """A command with subcommands, whose help begins with examples."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, the options and the subcommands."""
        _write_examples(ctx, formatter)
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        _write_options(ctx, formatter, "Options", options)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the subcommands. Their texts wrap; click would cut them."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(_UNLIMITED)) for name, command in commands if command]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command of the arguments. Raises click.UsageError, with the name that may be meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            from runner.declare.similar_names import did_you_mean  # noqa: PLC0415  # saves 1 ms in every command with a name that exists

            hint = did_you_mean(name, self.list_commands(ctx)) or f"{ctx.command_path} --help lists them"
            raise click.UsageError(f"there is no command {name}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def write_command_groups(group: click.Group, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Writes the commands of the root, each group in a section of its own, all with one width of the first column."""
    width = max(len(name) for names in COMMAND_GROUPS.values() for name in names)
    for title, names in COMMAND_GROUPS.items():
        records = []
        for name in names:
            command = group.get_command(ctx, name)
            if command and not command.hidden:
                records.append((name.ljust(width), command.get_short_help_str(_UNLIMITED)))
        with formatter.section(title):
            formatter.write_dl(records)


def _write_options(
    ctx: click.Context, formatter: click.HelpFormatter, title: str, options: Iterable[click.Option]
) -> None:
    """Writes a section of options, without the numbers that they take: an error names these."""
    records = [
        (names, _RANGE.sub("", text)) for names, text in filter(None, (one.get_help_record(ctx) for one in options))
    ]
    if records:
        with formatter.section(title):
            formatter.write_dl(records)


def _write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    name = ctx.command_path.partition(" ")[2]
    examples = EXAMPLES.get(name, ())
    if not examples:
        return
    longest = max(len(line) for line, _ in examples)
    with formatter.section("Examples"):
        if formatter.width - longest >= _MIN_DESCRIPTION:
            formatter.write_dl(list(examples), col_max=longest)
            return
        margin = " " * formatter.current_indent
        for line, description in examples:
            formatter.write(f"{margin}{line}\n{margin}    {description}\n")
