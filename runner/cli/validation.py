"""Checks declarations and their recipients, in several processes where there are many: what is told is the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from runner.cli.context import RENDER_WATCH
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.project_reader import ProjectReader
from runner.declare.recipient_problems import check_recipients
from runner.errors import Place, Problem

_BLOCK = 25  # files: few enough that a crew ends together


_MANY = 4 * _BLOCK  # files: reading them takes longer than starting processes


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """How many messages are sound and how many recipients they have, and what is wrong anywhere."""

    message_count: int
    recipient_count: int
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class _Part:
    """What some files show: problems of the files, of each sound message's recipients by its name, and of the rest."""

    names: Mapping[str, Place]
    recipients: int
    problems: list[Problem]
    sound: list[tuple[str, list[Problem]]]
    unsound: list[Problem]


def validate_project(loading: ProjectReader, salt: str, jobs: int | None) -> ValidationResult:
    """Reads every declaration and renders every recipient, in so many processes (None: as many as there are cores)."""
    parts = _shared(loading, salt, jobs) if len(loading.files) >= _MANY else []
    parts = parts or [_part(loading, salt, loading.files)]
    sound = sorted((each for part in parts for each in part.sound), key=lambda each: each[0])
    problems = [
        *loading.problems,
        *(problem for part in parts for problem in part.problems),
        *(problem for _, found in sound for problem in found),
        *(problem for part in parts for problem in part.unsound),
    ]
    return ValidationResult(len(sound), sum(part.recipients for part in parts), problems)


def _shared(loading: ProjectReader, salt: str, jobs: int | None) -> list[_Part]:
    """What a crew finds; nothing if one process has to do it all."""
    from runner.cli.worker_pool import create_worker_pool  # noqa: PLC0415  # imported where used

    crew = create_worker_pool(jobs, RENDER_WATCH)
    parts = list(crew(partial(_parts, loading, salt))) if crew else []
    # One name in two parts: only who reads all of them can say where else it is.
    is_unique = len({name for part in parts for name in part.names}) == sum(len(part.names) for part in parts)
    return parts if is_unique else []


def _parts(loading: ProjectReader, salt: str, turn: int, turns: int) -> Iterator[_Part]:
    """What falls to one of a crew, block by block."""
    for start in range(turn * _BLOCK, len(loading.files), turns * _BLOCK):
        yield _part(loading, salt, loading.files[start : start + _BLOCK])


def _part(loading: ProjectReader, salt: str, files: Sequence[str]) -> _Part:
    found = loading.read(files)
    count = 0

    def take(_: Delivery) -> None:
        nonlocal count
        count += 1

    def looked_at(declaration: Declaration) -> list[Problem]:
        return check_recipients(declaration, salt, take)

    sound = [(declaration.name, looked_at(declaration)) for declaration in found.declarations]
    recipients = count
    unsound = [problem for declaration in found.invalid_declarations for problem in looked_at(declaration)]
    return _Part(found.places_by_name, recipients, found.problems, sound, unsound)
