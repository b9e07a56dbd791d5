"""Problems as text: on the first line alone enough to act on, then the line they are about, and a hint."""

from collections import Counter
from collections.abc import Iterable, Mapping

import click

from runner.errors import Problem, Severity
from runner.privacy import reveal_or_mask_same_width

_LEFT_OUT = {
    "where": "by where",
    "exclude": "by exclude",
    "unique_by": "by unique_by",
    "split": "in other parts of the split",
    "duplicates": "as duplicates",
}


def problem(found: Problem, *, show_values: bool) -> str:
    """A problem with the line it is about and a caret. `show`: recipients' values in clear."""
    colour = "red" if found.severity is Severity.ERROR else "yellow"
    who = f" ({found.recipient})" if found.recipient else ""
    head = f"{click.style(str(found.place), bold=True)}: {click.style(found.severity, fg=colour)}"
    lines = [f"{head}: {found.message}{who} {click.style(f'[{found.code}]', dim=True)}"]
    excerpt = reveal_or_mask_same_width(found.excerpt, show_values=show_values)
    if excerpt.strip("* "):
        number = str(found.place.line)
        lines.append(f"  {number} | {excerpt}")
        indent = "".join("\t" if sign == "\t" else " " for sign in excerpt[: found.place.column - 1])
        lines.append(f"  {' ' * len(number)} | {indent}{click.style('^', fg=colour)}")
    if found.hint:
        lines.append(f"  hint: {found.hint}")
    return "\n".join(lines)


def severity_counts(problems: Iterable[Problem]) -> str:
    """How many errors and warnings there are."""
    counts = Counter(found.severity for found in problems)
    told = [pluralize(counts[severity], severity) for severity in Severity if counts[severity]]
    return " and ".join(told) or "no problems"


def left_out(counts: Mapping[str, int]) -> str:
    """How many recipients each filter left out, in one line."""
    return ", ".join(f"{number:,} {_LEFT_OUT.get(reason, reason)}" for reason, number in counts.items() if number)


def pluralize(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
