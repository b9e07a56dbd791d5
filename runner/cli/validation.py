"""Checks declarations and their recipients. Many files are checked in several processes, with the same result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from runner.cli.context import RENDER_MONITOR
from runner.cli.worker_pool import create_worker_pool
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.project_reader import ProjectReader
from runner.declare.recipient_problems import check_recipients
from runner.declare.similar_names import find_look_alike_names
from runner.errors import Place, Problem

_BLOCK = 25  # files; small blocks let the processes of a pool end at about the same time
_MIN_FILES_FOR_POOL = 4 * _BLOCK  # files; reading so many takes longer than starting processes


class ValidationResult(NamedTuple):
    """The number of messages without errors, the number of their recipients, and all problems.

    `unread_count` is the number of their audiences that are in the workspace, so that their recipients are not counted.
    """

    message_count: int
    recipient_count: int
    unread_count: int
    problems: list[Problem]


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


def validate_project(reader: ProjectReader, salt: str, now: datetime, jobs: int | None) -> ValidationResult:
    """Reads every declaration and renders every recipient, in `jobs` processes. None means one process a core.

    A message that has expired at `now` is a warning.
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
    return ValidationResult(messages, recipients, sum(part.unread for part in parts), problems)


def _check_in_pool(check: _Check, files: Sequence[str], jobs: int | None) -> list[_PartResult]:
    """Checks the files in a pool of processes. Returns an empty list if one process has to check all of them."""
    pool = create_worker_pool(jobs, RENDER_MONITOR)
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
        return [*check_recipients(declaration, salt, add), *([expiry] if expiry else [])]

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
