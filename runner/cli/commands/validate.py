"""The command validate: checks declarations, templates and audiences, without ledger and network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import click

from runner.cli.context import open_context
from runner.cli.options import command, format_option
from runner.cli.problem_summary import fix_and_report
from runner.cli.worker_pool import create_worker_pool
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.project_reader import ProjectReader
from runner.declare.recipient_problems import find_recipient_problems
from runner.declare.similar_names import find_look_alike_names
from runner.errors import Place, Problem
from runner.report import problem_text

_BLOCK = 25  # files; small blocks let the processes of a pool end at about the same time
_MIN_FILES_FOR_POOL = 4 * _BLOCK  # files; reading so many takes longer than starting processes


@command("validate")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "github", "sarif")
@click.option("--fix", is_flag=True, help="Fix what has only one possible fix, show the changes, and write the files.")
def validate(paths: tuple[str, ...], *, fix: bool) -> int:
    """Check declarations, templates and audiences, offline.

    PATHS are files or folders below messages/; without any, all are checked.
    """
    with open_context() as context:

        def check() -> tuple[list[Problem], str]:
            return _validate(context.project_reader(paths), context.settings.salt, context.now, context.options.jobs)

        return fix_and_report(context.tree.root, context.output, check, "validate", fix=fix)


class _PartResult(NamedTuple):
    """The result for some of the files.

    `messages`, `recipients` and `unread` count the messages without errors. `problems` are those of the files.
    `valid_messages` are the names of messages whose file has no error, each with the problems of its recipients.
    `other_problems` are those of the other messages' recipients.
    """

    names: Mapping[str, Place]
    messages: int
    recipients: int
    unread: int
    problems: list[Problem]
    valid_messages: list[tuple[str, list[Problem]]]
    other_problems: list[Problem]


_Check = Callable[[Sequence[str]], _PartResult]


def _validate(reader: ProjectReader, salt: str, now: datetime, jobs: int | None) -> tuple[list[Problem], str]:
    """Reads every declaration and renders every recipient, in `jobs` processes. None means one process a core.

    Returns the problems, and what was checked. A message that has expired at `now` is a warning.
    """
    check = partial(_check_files, reader, salt, now)
    parts = _check_in_pool(check, reader.files, jobs) if len(reader.files) >= _MIN_FILES_FOR_POOL else []
    parts = parts or [check(reader.files)]
    valid_messages = sorted(
        (message for part in parts for message in part.valid_messages), key=lambda message: message[0]
    )
    problems = [
        *reader.problems,
        *(problem for part in parts for problem in part.problems),
        *(problem for _, recipient_problems in valid_messages for problem in recipient_problems),
        *(problem for part in parts for problem in part.other_problems),
        *find_look_alike_names({name: place for part in parts for name, place in part.names.items()}),
    ]
    messages, recipients = sum(part.messages for part in parts), sum(part.recipients for part in parts)
    return problems, problem_text.format_checked(messages, recipients, sum(part.unread for part in parts), problems)


def _check_in_pool(check: _Check, files: Sequence[str], jobs: int | None) -> list[_PartResult]:
    """Checks the files in a pool of processes. Returns an empty list if one process has to check all of them."""
    pool = create_worker_pool(jobs)
    parts = list(pool(partial(_check_blocks, check, files))) if pool else []
    # If a name is in two parts, only a process that reads all files can report where its other place is.
    is_unique = len({name for part in parts for name in part.names}) == sum(len(part.names) for part in parts)
    return parts if is_unique else []


def _check_blocks(check: _Check, files: Sequence[str], index: int, jobs: int) -> Iterator[_PartResult]:
    """Yields the results of one process of a pool: of every block whose turn is `index`, of `jobs` processes."""
    for start in range(index * _BLOCK, len(files), jobs * _BLOCK):
        yield check(files[start : start + _BLOCK])


def _check_files(reader: ProjectReader, salt: str, now: datetime, files: Sequence[str]) -> _PartResult:
    """Reads some of the files and renders their recipients."""
    result = reader.read(files)
    count = messages = recipients = unread = 0

    def add(_: Delivery) -> None:
        nonlocal count
        count += 1

    def check(declaration: Declaration) -> list[Problem]:
        expiry = declaration.find_expiry_problem(now)
        return [*find_recipient_problems(declaration, salt, add), *([expiry] if expiry else [])]

    valid_messages = []
    for declaration in result.declarations:
        count = 0
        problems = check(declaration)
        valid_messages.append((declaration.name, problems))
        if not any(problem.is_error for problem in problems):
            messages, recipients, unread = messages + 1, recipients + count, unread + declaration.audience.is_unread
    other_problems = [problem for declaration in result.invalid_declarations for problem in check(declaration)]
    counts = (messages, recipients, unread)
    return _PartResult(result.places_by_name, *counts, result.problems, valid_messages, other_problems)
