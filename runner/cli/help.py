"""The help of the command line: commands in groups, examples, and the global options in a section of their own.

An example is a command line, and what it does.
"""

import re
from collections.abc import Iterable

import click

# In the order in which a user needs them. Each command is in the module of `commands` that has its name.
COMMAND_GROUPS = {
    "Begin": ("init", "new", "sandbox", "completion"),
    "Write": ("validate", "lint", "explain", "render", "preview", "schema"),
    "Send": ("plan", "test-send", "apply", "status"),
    "Settle": ("reconcile", "resolve", "accept", "adopt"),
    "Check": ("doctor", "admins"),
    "Remember": ("lock", "audit", "forget"),
}
# What other tools call a command or an option.
_OTHER_COMMANDS = {
    "send": "apply", "resume": "apply", "retry": "apply --retry-refused", "check": "validate",
    "diff": "plan --against REF", "list": "status", "who": "status", "show": "render",
    "history": "audit", "log": "audit", "logs": "audit", "ledger": "lock", "version": "--version",
}  # fmt: skip
OTHER_OPTIONS = {
    "--dry-run": "msgrun plan", "--dryrun": "msgrun plan", "--auto-approve": "--yes", "-y": "--yes",
    "--json": "--format json", "--env": "-e", "--type": "--in-app", "-o": "--out", "--output": "--out",
}  # fmt: skip
_RANGE = re.compile(r"  \[(\d+<=)?x[<>]=?\d+\]$")  # click's words for the numbers that an option takes
_MIN_DESCRIPTION = 40  # columns for what an example does; with less, it stands below the command
_UNLIMITED = 1_000  # characters of a command's one line: longer than any of them
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("msgrun init", "begin a project in this folder"),
        ("msgrun plan", "what would be sent, and to whom"),
        ("msgrun apply", "send it"),
    ),
    "init": (
        ("msgrun init", "begin a project in this folder"),
        ("msgrun init --github", "add the workflow for GitHub Actions"),
    ),
    "new": (
        ("msgrun new spring/news", "an email to a list of people"),
        ("msgrun new tip --in-app --audience", "an in-app message to the rows of a CSV file"),
    ),
    "sandbox": (
        ("msgrun sandbox --port 8765", "an Intercom on this machine, for other programs too"),
        ("msgrun sandbox --reset", "forget what was sent to it"),
    ),
    "completion": (
        ("msgrun completion bash", "print the script"),
        ('eval "$(msgrun completion bash)"', "for this shell; write it into ~/.bashrc to keep it"),
        ("msgrun completion fish | source", "in fish, in its config.fish"),
    ),
    "validate": (
        ("msgrun validate", "every message"),
        ("msgrun validate messages/news.yaml", "one file"),
        ("msgrun validate --fix", "fix what has only one possible fix, and show the changes"),
    ),
    "lint": (
        ("msgrun lint", "every message"),
        ("msgrun lint --format sarif > lint.sarif", "for a code scanner"),
    ),
    "explain": (
        ("msgrun explain undefined-variable", "what the code of a problem means, with an example"),
        ("msgrun explain", "all codes, in groups"),
    ),
    "render": (
        ("msgrun render welcome", "for every recipient, a line each"),
        ("msgrun render welcome --to ann@example.com", "for one of them"),
    ),
    "preview": (
        ("msgrun preview", "write the pages, and print where to open them"),
        ("msgrun preview welcome --serve", "one message, in a browser that follows each change"),
        ("msgrun preview --against origin/main", "old and new side by side"),
    ),
    "schema": (
        ("msgrun schema message", "the rules of a declaration"),
        ("msgrun schema project > project.schema.json", "the rules of msgrun.yaml, for an editor"),
    ),
    "plan": (
        ("msgrun plan", "what apply would send"),
        ("msgrun plan messages/news.yaml --recipients", "and to whom, all of them"),
        ("msgrun plan --against origin/main", "and what changed since that commit"),
        ("msgrun plan --online --out plan.json", "save it, for apply --plan"),
    ),
    "test-send": (
        ("msgrun test-send news --to me@acme.example", "the first delivery, to yourself"),
        ("msgrun test-send news --to me@acme.example --as user_id:25", "as this recipient would get it"),
    ),
    "apply": (
        ("msgrun apply", "plan, ask, send"),
        ("msgrun apply messages/news.yaml --canary 10", "ten of one message first, then ask again"),
    ),
    "status": (
        ("msgrun status", "each message: how many got it, and when"),
        ("msgrun status --to ann@example.com", "what one person got"),
        ("msgrun status --online", "who replied, and what Intercom dropped"),
    ),
    "reconcile": (
        ("msgrun reconcile", "look up in Intercom what is unknown"),
        ("msgrun reconcile --sandbox", "in the sandbox"),
    ),
    "resolve": (
        ("msgrun resolve", "ask about each delivery that is unknown"),
        ("msgrun resolve 5c2f19a0 --not-sent", "this one did not arrive: the next apply sends it"),
    ),
    "accept": (
        ("msgrun accept news", "people who got the old text do not get the new one"),
        ("msgrun plan && msgrun accept news", "look at it first"),
    ),
    "adopt": (
        ("msgrun adopt welcome", "another tool sent it; it is not sent again"),
        ("msgrun plan && msgrun adopt welcome", "see first who that is"),
    ),
    "lock": (
        ("msgrun lock begin", "start the ledger of a new project"),
        ("msgrun lock move git+origin", "from a file to a branch of the git remote, for CI"),
    ),
    "lock begin": (
        ("msgrun lock begin", "start the ledger that lock: names"),
        ("msgrun lock begin --abandon-previous", "the old one is lost, and may be forgotten"),
    ),
    "lock move": (
        ("msgrun lock move git+origin", "to the branch msgrun-ledger of the git remote"),
        ("msgrun lock move messages.lock", "back to a file"),
    ),
    "lock verify": (
        ("msgrun lock verify", "can every record be read?"),
        ("msgrun lock verify --against origin/main", "in a pull request: does it change the ledger?"),
    ),
    "lock compact": (
        ("msgrun lock compact", "one line for each delivery"),
        ("msgrun lock stats && msgrun lock compact", "see first how large it is"),
    ),
    "lock stats": (
        ("msgrun lock stats", "how many records, how many bytes"),
        ("msgrun -e staging lock stats", "of another environment"),
    ),
    "lock show": (
        ("msgrun lock show", "the newest records"),
        ("msgrun lock show 5c2f19a0", "the records of one key"),
    ),
    "lock export": (
        ("msgrun lock export > backup.lock", "a copy of every record"),
        ("msgrun -e staging lock export", "of another environment"),
    ),
    "doctor": (
        ("msgrun doctor", "is everything in place?"),
        ("msgrun -e staging doctor --format json", "another environment, for a program"),
    ),
    "admins": (
        ("msgrun admins", "id, name, email and seat of each"),
        ("msgrun admins --format json", "for a program"),
    ),
    "audit": (
        ("msgrun audit", "who applied what, and when"),
        ("msgrun audit --format csv > audit.csv", "for a spreadsheet"),
    ),
    "forget": (
        ("msgrun forget --to ann@example.com", "what an erasure request needs"),
        ("msgrun -e staging forget --to user_id:25 --yes", "in another environment, without a question"),
    ),
    "lock import": (
        ("msgrun lock import backup.lock", "add its records"),
        ("msgrun lock import ID.rescue", "what a CI job could not write, from its artifact"),
    ),
}


class GlobalOption(click.Option):
    """An option that every command takes, before or after its name."""


class Command(click.Command):
    """A command whose help begins with examples, and lists the global options after its own."""

    allow_extra_args = True  # parse_args refuses them, in the words of the other mistakes

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments into the context. Raises click.UsageError if some are left."""
        if (rest := super().parse_args(ctx, args)) and not ctx.resilient_parsing:
            raise click.UsageError(f"unexpected argument: {' '.join(rest)}; see {ctx.command_path} --help", ctx)
        return rest

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

            other = _OTHER_COMMANDS.get(name, "") if ctx.parent is None else ""
            groups = ((group, self.get_command(ctx, group)) for group in ([] if other else self.list_commands(ctx)))
            for group, command in groups:
                if isinstance(command, click.Group) and name in command.list_commands(ctx):
                    other = f"{group} {name}"
            hint = f"did you mean {other}?" if other else did_you_mean(name, self.list_commands(ctx))
            hint = hint or f"{ctx.command_path} --help lists them"
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
