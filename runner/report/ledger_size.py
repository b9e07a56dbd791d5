"""How large a lockfile is, how it grows, and from which size on it is the wrong ledger.

GitHub warns of a pushed file of more than 50 MiB and refuses one of more than 100 MiB.
Source: GitHub's documentation, "About large files on GitHub".
"""

from collections import Counter
from dataclasses import dataclass

from runner.ledger.facts import MessageStatus
from runner.report.plain_text import message_counts
from runner.report.problem_text import pluralize

WARNING_SIZE = 50 * 1024 * 1024  # bytes


MAX_SIZE = 100 * 1024 * 1024


_LINES = 2  # that apply writes for a delivery: its claim and its outcome


_USUAL = 440  # bytes of a line, where there is none to measure


@dataclass(frozen=True, slots=True)
class LockfileSize:
    """A lockfile: `size` in bytes, `lines` with its header, how many of them are `torn`, and the keys in it."""

    display_name: str
    size: int
    lines: int
    torn: int
    keys: int

    @property
    def bytes_per_delivery(self) -> int:
        """Bytes that apply adds for a delivery."""
        return _LINES * (self.size // self.lines if self.lines > 1 else _USUAL)


def stats(weight: LockfileSize, known: Counter[MessageStatus]) -> str:
    """All there is to tell: size, lines, deliveries by status and message, growth, and how much room is left."""
    each = f", {weight.size // weight.keys:,} bytes each" if weight.keys else ""
    return "\n".join(
        [
            f"{weight.display_name}: {_mib(weight.size)}, {pluralize(weight.lines, 'line')}, {weight.torn:,} torn",
            *_held(weight.keys, each, known),
            (
                f"apply adds about {weight.bytes_per_delivery:,} bytes a delivery, a claim and its outcome; "
                "lock compact leaves one"
            ),
            size_warning(weight.display_name, weight.size) or _room(weight),
        ]
    )


def shared_ledger_stats(shown: str, keys: int, known: Counter[MessageStatus]) -> str:
    """What there is to tell of a ledger that is no file: deliveries by status and message."""
    first, *others = _held(keys, "", known)
    return "\n".join([f"{shown}: {first}", *others])


def size_warning(shown: str, size: int) -> str:
    """That a lockfile is about to outgrow GitHub, or has; empty for one that is small enough."""
    if size <= WARNING_SIZE:
        return ""
    does = "refuses it" if size > MAX_SIZE else "warns of it, and refuses it over 100 MiB"
    return f"{shown} has {_mib(size)}: GitHub {does}. Try msgrun lock compact; docs/ledger.md, At size, says what else"


def _held(keys: int, each: str, known: Counter[MessageStatus]) -> list[str]:
    statuses: Counter[str] = Counter()
    for found, number in known.items():
        statuses[found.status] += number
    told = ", ".join(f"{number:,} {status}" for status, number in sorted(statuses.items()))
    first = f"{keys:,} {'delivery' if keys == 1 else 'deliveries'}{each}{': ' * bool(told)}{told}"
    return [first, *(f"  {line}" for line in message_counts(known))]


def _room(weight: LockfileSize) -> str:
    rooms = [f"{(most - weight.size) // weight.bytes_per_delivery:,}" for most in (WARNING_SIZE, MAX_SIZE)]
    return (
        f"room for about {rooms[0]} more deliveries until GitHub warns (50 MiB), {rooms[1]} until it refuses (100 MiB)"
    )


def _mib(size: int) -> str:
    return f"{size / (1024 * 1024):,.1f} MiB"
