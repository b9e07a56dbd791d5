"""Problems as text: a first line that is enough to act on, then the source line with a caret, and a hint."""

from collections import Counter
from collections.abc import Iterable, Mapping

from runner.errors import Problem, Severity
from runner.privacy import reveal_or_mask, reveal_or_mask_same_width
from runner.report.terminal_text import one_line, style

_MAX_EXCERPT = 100  # characters of a line that are shown
_MAX_CUT_WORD = 20  # characters; a longer word may be cut
_LEFT_OUT = {
    "where": "by where",
    "exclude": "by exclude",
    "unique_by": "by unique_by",
    "split": "in other parts of the split",
    "duplicates": "as duplicates",
}


def problem(item: Problem, *, show_values: bool) -> str:
    """A problem with the source line that it is about and a caret.

    `show_values`: recipients' values are shown instead of masked.
    """
    colour = "red" if item.severity is Severity.ERROR else "yellow"
    recipient = f" ({reveal_or_mask(item.recipient, show_values=show_values)})" if item.recipient else ""
    message = reveal_or_mask(item.message, show_values=show_values)
    head = f"{style(str(item.place), 'bold')}: {style(item.severity, colour)}"
    lines = [one_line(f"{head}: {message}{recipient} {style(f'[{item.code}]', 'dim')}")]
    excerpt = reveal_or_mask_same_width(item.excerpt, show_values=show_values)
    if excerpt.strip("* "):
        number = str(item.place.line)
        excerpt, before_caret = _clip(excerpt, item.place.column - 1)
        lines.append(f"  {number} | {excerpt}")
        indent = "".join("\t" if character == "\t" else " " for character in excerpt[:before_caret])
        lines.append(f"  {' ' * len(number)} | {indent}{style('^', colour)}")
    if item.hint:
        lines.append(one_line(f"  hint: {item.hint}"))
    return "\n".join(lines)


def _clip(line: str, caret: int) -> tuple[str, int]:
    """The line, cut to what stands around the caret if it is long, and where the caret is now (from 0)."""
    if len(line) <= _MAX_EXCERPT:
        return line, caret
    start = max(0, min(caret - _MAX_EXCERPT // 2, len(line) - _MAX_EXCERPT))
    space = line.find(" ", start, caret)
    start = start if start == 0 or not 0 <= space - start < _MAX_CUT_WORD else space + 1
    end = start + _MAX_EXCERPT
    space = line.rfind(" ", caret, end)
    end = end if end >= len(line) or not 0 <= end - space < _MAX_CUT_WORD else space
    head, tail = "… " if start else "", " …" if end < len(line) else ""
    return f"{head}{line[start:end]}{tail}", caret - start + len(head)


def severity_counts(problems: Iterable[Problem]) -> str:
    """The number of errors and of warnings."""
    counts = Counter(problem.severity for problem in problems)
    parts = [pluralize(counts[severity], severity) for severity in Severity if counts[severity]]
    return " and ".join(parts) or "no problems"


def left_out(counts: Mapping[str, int]) -> str:
    """The number of recipients that each filter left out, in one line."""
    return ", ".join(f"{number:,} {_LEFT_OUT.get(reason, reason)}" for reason, number in counts.items() if number)


def pluralize(number: int, word: str, plural: str = "") -> str:
    """A number with its noun, in the plural unless the number is 1. The plural has an s unless it is given."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {plural or word + 's'}"
