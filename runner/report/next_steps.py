"""What a person can do next: each step says what it does, with the command on a line of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.report.layout import wrap
from runner.report.terminal_text import one_line, style


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step: what it does, and the commands that do it, if any. Any one of several commands is enough."""

    purpose: str
    commands: tuple[str, ...]


def format_next_steps(steps: Iterable[NextStep], width: int = 0) -> str:
    """Returns the steps as text, after an empty line; empty if there are none.

    `width` is in columns, 0 for no limit. A command is never broken, so that it can be copied.
    """
    lines = []
    for step in steps:
        lines.append(wrap(one_line(f"  {step.purpose}{':' if step.commands else ''}"), width, indent="  "))
        lines += [one_line(f"    {style(command, 'bold')}") for command in step.commands]
    return "\n".join(["", "Next:", *lines]) if lines else ""
