"""Questions to a person on a terminal: asked again after a wrong answer, which is explained, at most three times."""

import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from runner.cli.output import Output
from runner.report.layout import wrap_lines
from runner.report.terminal_text import one_line

_MAX_TRIES = 3
_MAX_QUOTED = 40  # characters of a wrong answer that are repeated
MAX_WITHOUT_COUNT = 20  # recipients; above this a habitual y could do harm, so their number is typed
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """Why an answer is none of those that were asked for."""

    reason: str


def ask(output: Output, question: str, parse: Callable[[str], Value | WrongAnswer]) -> Value | None:
    """Asks on stderr. Returns what `parse` makes of the answer; None at the end of the input or after three tries."""
    for tries_left in reversed(range(_MAX_TRIES)):
        answer = _read_answer(output, question)
        if answer is None:
            return None
        value = parse(answer)
        if not isinstance(value, WrongAnswer):
            return value
        rest = "" if tries_left else "\nThat was the third wrong answer."
        output.message(f"{value.reason}{rest}")
    return None


def confirm(output: Output, question: str) -> bool:
    """Asks a question that is answered by y or n. Returns whether the answer is y."""
    return bool(ask(output, f"{question} [y/N]:", _parse_yes_or_no))


def confirm_count(output: Output, count: int) -> bool:
    """Asks for the number of recipients. Returns whether it was typed."""

    def parse(answer: str) -> bool | WrongAnswer:
        digits = answer.translate({ord(mark): None for mark in ",._' "})
        if digits == str(count):
            return True
        if answer.lower() in {"", "n", "no", "q", "quit"}:
            return False
        if answer.lower() in {"y", "yes"}:
            return WrongAnswer(f"For more than {MAX_WITHOUT_COUNT} recipients, type their number instead of y.")
        return WrongAnswer(f"{quote(answer)} is not {count}, the number of recipients.")

    return bool(ask(output, f"Type {count} to send, or Enter to cancel:", parse))


def quote(answer: str) -> str:
    """Returns an answer in quotation marks, cut if it is long."""
    return one_line(f'"{answer if len(answer) <= _MAX_QUOTED else answer[:_MAX_QUOTED] + "…"}"')


def _parse_yes_or_no(answer: str) -> bool | WrongAnswer:
    if answer.lower() in {"y", "yes"}:
        return True
    return False if answer.lower() in {"", "n", "no"} else WrongAnswer(f"{quote(answer)} is neither y nor n.")


def _read_answer(output: Output, question: str) -> str | None:
    """Returns the line that was typed, without blanks around it; None at the end of the input.

    What was typed before the question was not meant for it, and is discarded.
    """
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    output.error(f"{wrap_lines(one_line(question), output.width)} ", nl=False)
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:  # bytes that are not of the terminal's encoding: a wrong answer
        return "?"
    if not line:
        output.error("")  # Ctrl-D leaves the cursor behind the question
        return None
    return line.strip()
