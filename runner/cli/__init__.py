"""The command line: takes arguments and returns an exit code.

Only this package builds the real clock, output and HTTP client, and only it decides how the process ends.
"""

import errno
import io
import os
import re
import sys

import click

from runner import __version__
from runner.cli.help import EXAMPLES, OTHER_OPTIONS
from runner.cli.options import COMMANDS, EXIT, GlobalOptions, LazyGroup, exit_code_of_error, global_options
from runner.cli.output import Output
from runner.cli.problem_summary import print_summary
from runner.cli.supervisor import Supervisor, out_of_memory_error
from runner.current_work import CURRENT_WORK
from runner.errors import Cancelled, MsgrunError, ProblemsFound, UsageMistake
from runner.shown_command import ShownOptions, show_options, shown_command

_COMMANDS_FOR_STEP = frozenset({"plan", "apply"})  # their results are also written to the files of GitHub's step


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@global_options()
@click.version_option(__version__, message="msgrun %(version)s")
def msgrun() -> None:
    """Messages as code for Intercom: declare who gets what in git, review the plan, send each message at most once."""


def run(argv: list[str], supervisor: Supervisor | None = None) -> int:
    """Runs a command line and returns its exit code. No error ends in a traceback on the terminal.

    With a `supervisor`, a child reads the project. This process ends once the child has run the command.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 shows ? for what it lacks
            stream.reconfigure(errors="replace")
    options = GlobalOptions(supervisor=supervisor, arguments=tuple(argv))
    msgrun.invoked_command = ""
    code, error = _run_command(options)
    if msgrun.invoked_command in _COMMANDS_FOR_STEP:
        from runner.cli.github_step import write_step_files  # noqa: PLC0415  # saves other commands 58 ms

        try:
            write_step_files(options, code, error, os.environ)
        except Exception as step_error:  # noqa: BLE001  # the command is over: its exit code stays
            _report_error(step_error, options)
    show_options(ShownOptions())  # a later command of this process shows its own
    return code


def _run_command(options: GlobalOptions) -> tuple[int, BaseException | None]:
    """Runs a command line. Returns its exit code and the error that ended it, or None. Reports the error."""
    arguments = list(options.arguments)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        code = msgrun.main(arguments, prog_name="msgrun", standalone_mode=False, obj=options)
    except BrokenPipeError:
        # The reader of stdout (head, a pager) has exited. Python would print a second error when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT.problems, None
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  # the only handler: no error ends in a traceback
        is_unsent = msgrun.invoked_command in _COMMANDS_FOR_STEP and not options.may_have_sent
        return _report_error(error, options, is_unsent=is_unsent), error
    return (code if isinstance(code, int) else EXIT.done), None


def _describe_usage(error: click.UsageError, *, show_values: bool) -> str:
    """Returns the message of a wrong usage: with the option that may be meant, or an example of what is missing."""
    if isinstance(error, click.NoSuchOption):
        is_known = error.option_name in OTHER_OPTIONS
        meant = _find_other_option(error) if is_known else next(iter(error.possibilities or ()), "")
        path = error.ctx.command_path if error.ctx else "msgrun"
        return f"there is no option {error.option_name}; {f'did you mean {meant}?' if meant else f'see {path} --help'}"
    message = error.format_message()
    examples = EXAMPLES.get(error.ctx.command_path.partition(" ")[2], ()) if error.ctx else ()
    if isinstance(error, click.MissingParameter) and error.ctx and examples:
        name = error.ctx.params.get("name") or "news"
        arguments = error.ctx.ensure_object(GlobalOptions).arguments
        typed = next((word for word in arguments if "@" in word or re.match("(id|user_id):", word)), "")
        address = (typed if show_values else "KIND:VALUE") if typed else ""
        words = [
            name if word == "news" else address if address and "@" in word else word
            for word in examples[0][0].split()[1:]
        ]
        return f"{message}\n  hint: for example: {shown_command(*words)}"
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in message:
        path = " ".join(["msgrun", *msgrun.invoked_command.split()])
        return f"{error.option_name}: its value is missing; see {path} --help"
    if message == "Missing command." and error.ctx:
        name = error.ctx.ensure_object(GlobalOptions).environment or ""
        if name in COMMANDS:
            example = f"msgrun -e staging {name}"
            return (
                f"a command is missing; -e takes {name} as the name of an environment\n  hint: for example: {example}"
            )
        return "a command is missing\n  hint: msgrun --help lists them"
    if isinstance(error, click.BadParameter) and error.param:
        return _describe_value(error, error.param) or message
    return message


def _find_other_option(error: click.NoSuchOption) -> str:
    """Returns what an option of other tools is called here; empty if the command does not have it.

    With one before the command, it returns the whole command.
    """
    name, context = OTHER_OPTIONS[error.option_name], error.ctx
    if context is None or name.startswith("msgrun"):
        return name
    arguments = context.ensure_object(GlobalOptions).arguments
    typed = next((word for word in arguments if word in COMMANDS), "") if context.parent is None else ""
    for prefix, command in (("", context.command), (f"msgrun {typed} ", msgrun.get_command(context, typed))):
        options = [option for parameter in (command.params if command else ()) for option in parameter.opts]
        if name.partition(" ")[0] in options:
            return prefix + name
    return ""


def _describe_value(error: click.BadParameter, parameter: click.Parameter) -> str:
    """Returns that a value is not of the numbers or words that a parameter takes; empty if that is not why."""
    value, kind = error.message.partition(" is not ")[0].strip("'"), parameter.type
    name = f"{parameter.opts[0]}: " if isinstance(parameter, click.Option) else ""
    if isinstance(kind, click.IntRange):
        limits = f"of at least {kind.min}" if kind.max is None else f"from {kind.min} to {kind.max}"
        return f"{name}{value} is no whole number {limits}"
    if isinstance(kind, click.Choice):
        from runner.declare.similar_names import did_you_mean  # noqa: PLC0415  # saves 1 ms in every other command

        choices = [str(choice) for choice in kind.choices]
        hint = did_you_mean(value, choices)
        return f"{name}{value} is none of {', '.join(choices)}{f'; {hint}' if hint else ''}"
    return ""


def _report_error(error: BaseException, options: GlobalOptions, *, is_unsent: bool = False) -> int:
    """Prints the error that ended the command. Returns the exit code for it.

    `is_unsent`: the command is one that plans what is sent, and nothing was sent.
    """
    output = Output.from_options(options, os.environ)
    output.clear_progress()
    match error:
        case click.exceptions.NoArgsIsHelpError():
            output.error(error.format_message())
            return EXIT.usage
        case click.UsageError():
            usage = f"{error.ctx.get_usage()}\n" if error.ctx else ""
            output.message(f"{usage}error: {_describe_usage(error, show_values=output.show_values)}")
            return EXIT.usage
        case click.Abort() | KeyboardInterrupt():
            output.error(f"Interrupted by Ctrl-C.{' Nothing was sent.' if is_unsent else ''}")
            return EXIT.interrupted
        case ProblemsFound():
            output.problems(error.problems)
            if output.output_format == "text" and output.width_for_reading:
                fixing_command = "lint" if msgrun.invoked_command == "lint" else "validate"
                print_summary(output, error.problems, fixing_command)
            return EXIT.problems
        case MemoryError():
            return _report_error(out_of_memory_error(CURRENT_WORK.status()), options)
        case MsgrunError():
            output.failure(error)
            says_it = isinstance(error, (Cancelled, UsageMistake))
            if is_unsent and msgrun.invoked_command == "apply" and not says_it:
                output.error("Nothing was sent.")
            return exit_code_of_error(error)
        case OSError() if error.errno in {errno.ENOSPC, errno.EIO, errno.EBADF} and error.filename is None:
            output.error(f"the output cannot be written: {error.strerror}")
            return EXIT.problems
        case _:
            output.error(f"a bug in msgrun: {type(error).__name__}. Please report it with {_write_bug_log(error)}")
            return EXIT.problems


def _write_bug_log(error: BaseException) -> str:
    """Writes the versions and the traceback to a new temporary file. Returns its path."""
    import tempfile  # noqa: PLC0415  # saves 4 ms in every command without a bug
    import traceback  # noqa: PLC0415  # saves 6 ms likewise

    with tempfile.NamedTemporaryFile("w", prefix="msgrun-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(f"msgrun {__version__}, Python {sys.version}\n")
        traceback.print_exception(error, file=file)
    return file.name
