"""How large a lockfile is, how it grows, and from which size on another ledger is needed.

GitHub warns about a pushed file of more than 50 MiB, and refuses one of more than 100 MiB. Source: GitHub's
documentation, "About large files on GitHub".
"""

from collections import Counter
from dataclasses import dataclass

from runner.ledger.facts import MessageStatus
from runner.report.plain_text import count_by_status, format_message_counts, list_counts
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

WARNING_SIZE = 50 * 1024 * 1024  # bytes
MAX_SIZE = 100 * 1024 * 1024  # bytes
_LINES_PER_DELIVERY = 2  # a claim and its outcome
_USUAL_LINE_SIZE = 440  # bytes; used if the lockfile has no line to measure


@dataclass(frozen=True, slots=True)
class LockfileSize:
    """The size of a lockfile.

    `size` is in bytes. `lines` counts all lines with the header, `torn` those that are torn, and `keys` the keys of
    deliveries.
    """

    display_name: str
    size: int
    lines: int
    torn: int
    keys: int

    @property
    def bytes_per_delivery(self) -> int:
        """The bytes that apply adds for a delivery, by the average line so far."""
        return _LINES_PER_DELIVERY * (self.size // self.lines if self.lines > 1 else _USUAL_LINE_SIZE)


def format_stats(lockfile: LockfileSize, message_statuses: Counter[MessageStatus]) -> str:
    """Returns size, lines, deliveries by status and message, growth, and how many more deliveries fit in."""
    bytes_each = f", {lockfile.size // lockfile.keys:,} bytes each" if lockfile.keys else ""
    return "\n".join(
        [
            (
                f"{lockfile.display_name}: {_format_size(lockfile.size)}, {pluralize(lockfile.lines, 'line')}"
                + (f", {lockfile.torn:,} torn" if lockfile.torn else "")
            ),
            *_format_deliveries(lockfile.keys, bytes_each, message_statuses),
            (
                f"apply adds about {lockfile.bytes_per_delivery:,} bytes for each delivery: a claim and an outcome. "
                f"{shown_command('lock', 'compact')} then removes the claims"
            ),
            format_size_warning(lockfile.display_name, lockfile.size) or _format_space_left(lockfile),
        ]
    )


def format_shared_ledger_stats(display_name: str, keys: int, message_statuses: Counter[MessageStatus]) -> str:
    """Returns the deliveries by status and message, for a ledger that is not a file."""
    first, *others = _format_deliveries(keys, "", message_statuses)
    return "\n".join([f"{display_name}: {first}", *others])


def format_size_warning(display_name: str, size: int) -> str:
    """Returns a warning that a lockfile is over GitHub's limits; empty for a lockfile that is small enough."""
    if size <= WARNING_SIZE:
        return ""
    does = "refuses it" if size > MAX_SIZE else "warns of it, and refuses it over 100 MiB"
    return (
        f"{display_name} has {_format_size(size)}: GitHub {does}. "
        f"Try {shown_command('lock', 'compact')}; docs/ledger.md, At size, says what else"
    )


def _format_deliveries(keys: int, bytes_each: str, message_statuses: Counter[MessageStatus]) -> list[str]:
    by_status = list_counts(count_by_status(message_statuses))
    first = f"{keys:,} {'delivery' if keys == 1 else 'deliveries'}{bytes_each}{': ' * bool(by_status)}{by_status}"
    return [first, *(f"  {line}" for line in format_message_counts(message_statuses))]


def _format_space_left(lockfile: LockfileSize) -> str:
    exact = [(limit - lockfile.size) // lockfile.bytes_per_delivery for limit in (WARNING_SIZE, MAX_SIZE)]
    numbers = [f"{round(number, 2 - len(str(number))):,}" for number in exact]  # two digits: it is an estimate
    return (
        f"room for about {numbers[0]} more deliveries until GitHub warns of the file (50 MiB), "
        f"{numbers[1]} until it refuses it (100 MiB)"
    )


def _format_size(size: int) -> str:
    return f"{size / 1024**2:,.1f} MiB" if size >= 1024**2 else f"{size / 1024:.1f} KiB"
