"""How large a lockfile is, and from which size on another ledger is needed.

GitHub warns about a pushed file of more than 50 MiB, and refuses one of more than 100 MiB. Source: GitHub's
documentation, "About large files on GitHub".
"""

from collections import Counter

from runner.ledger.facts import MessageStatus
from runner.report.plain_text import count_by_status, format_message_counts, list_counts
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

WARNING_SIZE = 50 * 1024 * 1024  # bytes
MAX_SIZE = 100 * 1024 * 1024  # bytes
_LINES_PER_DELIVERY = 2  # a claim and its outcome
_USUAL_LINE_SIZE = 440  # bytes; used if the lockfile has no line to measure


def format_stats(display_name: str, keys: int, message_statuses: Counter[MessageStatus]) -> str:
    """Returns the deliveries of a ledger by status and message. `keys` is the number of deliveries."""
    by_status = list_counts(count_by_status(message_statuses))
    first = f"{display_name}: {pluralize(keys, 'delivery', 'deliveries')}{': ' * bool(by_status)}{by_status}"
    return "\n".join([first, *(f"  {line}" for line in format_message_counts(message_statuses))])


def format_size(display_name: str, size: int, lines: int, torn: int) -> str:
    """Returns the size of a lockfile, and how many more deliveries fit in.

    `size` is in bytes. `lines` counts all lines with the header, `torn` those that are torn.
    """
    bytes_each = _LINES_PER_DELIVERY * (size // lines if lines > 1 else _USUAL_LINE_SIZE)
    exact = [(limit - size) // bytes_each for limit in (WARNING_SIZE, MAX_SIZE)]
    numbers = [f"{round(number, 2 - len(str(number))):,}" for number in exact]  # two digits: it is an estimate
    room = (
        f"room for about {numbers[0]} more deliveries until GitHub warns of the file (50 MiB), "
        f"{numbers[1]} until it refuses it (100 MiB)"
    )
    counts = f"{_in_units(size)}, {pluralize(lines, 'line')}" + (f", {torn:,} torn" if torn else "")
    return f"{counts}\n{format_size_warning(display_name, size) or room}"


def format_size_warning(display_name: str, size: int) -> str:
    """Returns a warning that a lockfile is over GitHub's limits; empty for a lockfile that is small enough."""
    if size <= WARNING_SIZE:
        return ""
    does = "refuses it" if size > MAX_SIZE else "warns of it, and refuses it over 100 MiB"
    return (
        f"{display_name} has {_in_units(size)}: GitHub {does}. "
        f"Try {shown_command('lock', 'compact')}; docs/ledger.md, At size, says what else"
    )


def _in_units(size: int) -> str:
    return f"{size / 1024**2:,.1f} MiB" if size >= 1024**2 else f"{size / 1024:.1f} KiB"
