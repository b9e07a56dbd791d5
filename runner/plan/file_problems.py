"""Assigns the problems in files to messages."""

from collections.abc import Iterable, Sequence

from runner.declare.audience.audience import TableAudience
from runner.errors import Problem
from runner.plan.deliveries import PlannedMessage


def assign_problems(messages: Iterable[PlannedMessage], problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    """Returns the problems in the files of each message, by its name: its declaration, its body and its audience.

    In a file with several declarations, a problem belongs to the declaration that contains its line.
    """
    by_path: dict[str, list[tuple[int, str]]] = {}
    for message in messages:
        declaration = message.declaration
        first = declaration.document.place().line
        by_path.setdefault(declaration.document.source.path, []).append((first, message.name))
        if declaration.body_origin.file:
            by_path.setdefault(declaration.body_origin.file.path, []).append((0, message.name))
        if isinstance(declaration.audience, TableAudience):
            by_path.setdefault(declaration.audience.source.title, []).append((0, message.name))
    by_name: dict[str, list[Problem]] = {}
    for problem in problems:
        for name in _find_names(by_path.get(problem.place.path, ()), problem.place.line):
            by_name.setdefault(name, []).append(problem)
    return by_name


def _find_names(firsts: Sequence[tuple[int, str]], line: int) -> list[str]:
    """Returns the messages that a line belongs to. `firsts` are the first lines of declarations; 0 is a whole file."""
    start = max((first for first, _ in firsts if first <= line), default=0)
    return [name for first, name in firsts if first == start]
