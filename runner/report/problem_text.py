"""Problems as text: a first line that is enough to act on, then the source line underlined, and a hint."""

from collections import Counter
from collections.abc import Iterable, Sequence

from runner.errors import Place, Problem, Severity
from runner.privacy import reveal_or_mask, reveal_or_mask_same_width
from runner.report.terminal_text import one_line, style

_MAX_EXCERPT = 100  # columns of a line that are shown off a terminal
_MIN_EXCERPT = 24  # columns that are shown on a terminal, however narrow it is
_CUT = " …"  # stands for what is cut off
_MAX_CUT_WORD = 20  # characters; a longer word may be cut


def format_problems(items: Iterable[Problem], *, show_values: bool, width: int = 0) -> str:
    """Returns problems as text. On a terminal (`width` > 0) an empty line follows each."""
    texts = [format_problem(item, show_values=show_values, width=width) for item in items]
    return "\n".join(f"{text}\n" for text in texts) if width else "\n".join(texts)


def format_problem(item: Problem, *, show_values: bool, width: int = 0) -> str:
    """Returns a problem with the source line that it is about, the value underlined, and the hint.

    `show_values`: recipients' values are shown instead of masked. `width` is that of the terminal in columns, in which
    sentences wrap and the source line is clipped; with 0 each sentence is one line.
    """
    colour = "red" if item.severity is Severity.ERROR else "yellow"
    recipient = f" ({reveal_or_mask(item.recipient, show_values=show_values)})" if item.recipient else ""
    message = reveal_or_mask(item.message, show_values=show_values)
    head = f"{style(str(item.place), 'bold')}: {style(item.severity, colour)}"
    lines = [_fit(f"{head}: {message}{recipient} {style(f'[{item.code}]', 'dim')}", width, indent="  ")]
    excerpt = reveal_or_mask_same_width(item.excerpt, show_values=show_values)
    if excerpt.strip("* "):
        lines.extend(_underlined_excerpt(excerpt, item.place, colour, width))
    if item.hint:
        lines.append(_fit(f"  hint: {item.hint}", width, indent=" " * 8))
    return "\n".join(lines)


def _fit(text: str, width: int, *, indent: str) -> str:
    """Returns a sentence on one line, or wrapped at the width of a terminal."""
    if not width:
        return one_line(text)
    from runner.report.layout import wrap  # noqa: PLC0415  # saves 3 ms off a terminal

    return wrap(one_line(text), width, indent=indent)


def _underlined_excerpt(excerpt: str, place: Place, colour: str, width: int) -> list[str]:
    """Returns the source line, clipped around the value at its place, and a line that underlines the value."""
    number = str(place.line)
    room = _room(width - len(number) - 5)
    start = place.column - 1
    clipped, start, end = _clip(excerpt, start, max(start + place.length, start + 1), room)
    indent = "".join("\t" if character == "\t" else " " * _columns(character) for character in clipped[:start])
    underline = "^" * max(_columns(clipped[start:end]), 1)
    return [f"  {number} | {clipped}", f"  {' ' * len(number)} | {indent}{style(underline, colour)}"]


def clip(line: str, start: int, room: int) -> str:
    """Returns the line, cut around the index `start` to `room` columns of a terminal; not positive: off a terminal."""
    return _clip(line, start, start + 1, _room(room))[0]


def _room(columns: int) -> int:
    return max(columns, _MIN_EXCERPT) if columns > 0 else _MAX_EXCERPT


def _columns(text: str) -> int:
    """Returns the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from runner.report.layout import display_width  # noqa: PLC0415  # saves 3 ms off a terminal

    return display_width(text)


def _clip(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """Returns the line, cut to `room` columns around a value if it is longer, and where the value is now (from 0).

    The value is from `start` to `end`; its first character is never cut off.
    """
    if _columns(line) <= room:
        return line, start, end
    limit = room - 2 * len(_CUT)
    first = max(0, min(start - max(limit - (end - start), limit // 2) // 2, len(line) - limit))
    space = line.find(" ", first, start)
    first = first if first == 0 or not 0 <= space - first < _MAX_CUT_WORD else space + 1
    while first < start and _columns(line[first : min(end, start + limit // 4)]) > limit:  # wide characters
        first += 1
    last = min(first + limit, len(line))
    while last > start + 1 and _columns(line[first:last]) > limit:
        last -= 1
    space = line.rfind(" ", start, last)
    last = last if last >= len(line) or space < 0 or last - space >= _MAX_CUT_WORD else space
    head, tail = _CUT[::-1] if first else "", _CUT if last < len(line) else ""
    shift = len(head) - first
    return f"{head}{line[first:last]}{tail}", start + shift, min(end, last) + shift


def format_severity_counts(problems: Iterable[Problem]) -> str:
    """Returns the number of errors and of warnings."""
    counts = Counter(problem.severity for problem in problems)
    parts = [pluralize(counts[severity], severity) for severity in Severity if counts[severity]]
    return " and ".join(parts) or "no problems"


def format_checked(messages: int, recipients: int, unread: int, problems: Iterable[Problem]) -> str:
    """Returns what was checked, as "1 message to 2 recipients", and how many files have an error of the declarations.

    `messages` is the number of those without such errors, `unread` the number of audiences that were not read.
    """
    invalid = len({problem.place.path for problem in problems if problem.is_error})
    if not messages:
        return "no valid message" if invalid else "no message is declared"
    parts = [pluralize(recipients, "recipient")] if recipients or not unread else []
    if unread:
        are = "is" if unread == 1 else "are"
        parts.append(f"{pluralize(unread, 'audience')} in the workspace, which {are} not read here")
    text = f"{pluralize(messages, 'message')} to {' and to '.join(parts)}"
    if not invalid:
        return text
    verb = "is" if messages == 1 else "are"
    return f"{text} {verb} valid, {pluralize(invalid, 'file')} {'is' if invalid == 1 else 'are'} not"


def list_first(names: Sequence[str], total: int) -> str:
    """Returns the first of `total` names, and how many more there are."""
    more = f" and {total - len(names):,} more" if total > len(names) else ""
    return f"{', '.join(names)}{more}"


def join_names(names: Sequence[str]) -> str:
    """Returns names as in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def list_sample(names: Sequence[str], total: int) -> str:
    """Returns all names, or three of more: "and 1 more" takes the room of the fourth name."""
    return list_first(names if total <= len(names) else names[:3], total)


def pluralize(number: int, word: str, plural: str = "") -> str:
    """Returns a number with its noun, in the plural unless the number is 1. The plural has an s unless it is given."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {plural or word + 's'}"
