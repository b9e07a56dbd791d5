"""The command line: arguments in, exit code out. The one place that builds the real things and ends the process."""

import errno
import os
import sys

import click

from runner import __version__
from runner.cli.options import EXIT, GlobalOptions, LazyGroup, exit_code_of, global_options
from runner.cli.output import Output, remember_options
from runner.errors import MsgrunError, ProblemsFound

_REVIEWED = frozenset({"plan", "apply"})  # what they show, GitHub's workflow gets too


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@global_options(hidden=False)
@click.version_option(__version__, message="msgrun %(version)s")
def msgrun() -> None:
    """Messages as code for Intercom: declare who gets what in git, review the plan, send each message at most once."""


def run(argv: list[str]) -> int:
    """Runs a command line and returns its exit code; every foreseen error is told without a traceback."""
    remember_options(GlobalOptions())
    msgrun.invoked_command = ""
    code, error = _ran(argv)
    if msgrun.invoked_command in _REVIEWED:
        from runner.cli.github_step import write_step_files  # noqa: PLC0415  # imported where used

        try:
            write_step_files(code, error, os.environ)
        except Exception as failed:  # noqa: BLE001  # what was done keeps its exit code
            _told(failed)
    return code


def _ran(argv: list[str]) -> tuple[int, BaseException | None]:
    """The exit code of a command line, and the error that ended it."""
    try:
        code = msgrun.main(argv, prog_name="msgrun", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT.problems, None
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  # the one handler: nothing ends in a traceback
        return _told(error), error
    return (code if isinstance(code, int) else EXIT.done), None


def _told(error: BaseException) -> int:
    """Tells of the error that ended the command, and returns its exit code."""
    screen = Output.of_last_command()
    match error:
        case click.UsageError():
            error.show()
            return EXIT.usage
        case click.Abort() | KeyboardInterrupt():
            screen.error("stopped")
            return EXIT.interrupted
        case ProblemsFound():
            screen.problems(error.problems)
            return EXIT.problems
        case MsgrunError():
            screen.failure(error)
            return exit_code_of(error)
        case OSError() if error.errno in {errno.ENOSPC, errno.EIO, errno.EBADF} and error.filename is None:
            screen.error(f"the output cannot be written: {error.strerror}")
            return EXIT.problems
        case _:
            screen.error(f"a bug in msgrun: {type(error).__name__}. Please report it with {_bug_log(error)}")
            return EXIT.problems


def _bug_log(error: BaseException) -> str:
    import tempfile  # noqa: PLC0415  # only here
    import traceback  # noqa: PLC0415  # only here

    with tempfile.NamedTemporaryFile("w", prefix="msgrun-", suffix=".log", delete=False, encoding="utf-8") as handle:
        handle.write(f"msgrun {__version__}, Python {sys.version}\n")
        traceback.print_exception(error, file=handle)
    return handle.name
