"""Compares the lines of suppression lists with those at another commit, within bounds: both sides are hostile."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b

from runner.compare.comparison import FieldChange
from runner.current_work import CURRENT_WORK
from runner.declare.tree import NotReadable, Tree

_MAX_NAMED = 500  # lists that are named by a path
_MAX_PATTERNS = 20  # lists that are named by a pattern, which looks into thousands of folders
_MAX_SIZE = 1024**3  # bytes of all lists on both sides
_MAX_LINES = 2_000_000  # distinct lines of one list, which take 200 MB
_MAX_LINE = 1024 * 1024  # bytes; a longer line counts as several
_NOT_COMPARED = "not compared: "


@dataclass(slots=True)
class _Lines:
    """The distinct lines of a list, as hashes, and a digest of its bytes. `is_whole`: no limit was reached."""

    hashes: set[int] = field(default_factory=set)
    digest: bytes = b""
    is_whole: bool = True


def compare_suppression_lists(before: Tree, now: Tree, patterns: Iterable[str]) -> Iterator[FieldChange]:
    """Yields the changes of suppression lists, as their numbers of lines. What is beyond the limits is named."""
    named = sorted(pattern for pattern in set(patterns) if not _is_wild(pattern))
    wild = sorted(pattern for pattern in set(patterns) if _is_wild(pattern))
    left_out = len(named[_MAX_NAMED:]) + len(wild[_MAX_PATTERNS:])
    reader = _Reader()
    for pattern in (*named[:_MAX_NAMED], *wild[:_MAX_PATTERNS]):
        with CURRENT_WORK.on_file(f"the suppression list {pattern}"):
            old, new = reader.read(before, pattern), reader.read(now, pattern)
        yield from _compare(pattern, old, new)
    if left_out:
        limit = f"at most {_MAX_NAMED} lists, and {_MAX_PATTERNS} patterns, of all environments are compared"
        yield FieldChange("suppress", "", f"{_NOT_COMPARED}{left_out:,} more; {limit}")


def _is_wild(pattern: str) -> bool:
    return not {*"*?["}.isdisjoint(pattern)


def _compare(pattern: str, old: _Lines, new: _Lines) -> Iterator[FieldChange]:
    if old.digest == new.digest and old.is_whole and new.is_whole:
        return
    name, count = f"suppress {pattern}", len(old.hashes)
    if not (old.is_whole and new.is_whole):
        limits = f"{_MAX_LINES:,} lines of a list, {_MAX_SIZE >> 30} GiB of all"
        yield FieldChange(name, "", f"{_NOT_COMPARED}more than {limits}")
    elif old.hashes and old.hashes != new.hashes:
        removed = len(old.hashes - new.hashes)
        yield FieldChange(name, f"{count:,} line{'s' * (count != 1)}", f"{len(new.hashes):,}, {removed:,} removed")


class _Reader:
    """Reads the lines of lists, `_room` bytes of all of them."""

    def __init__(self) -> None:
        self._room = _MAX_SIZE

    def read(self, tree: Tree, pattern: str) -> _Lines:
        """Returns the lines of a list's files.

        Stops at the first file that cannot be read: reading the project reports that file as a problem.
        """
        lines, digest = _Lines(), blake2b()
        with suppress(NotReadable, OSError):
            for path in tree.glob(pattern, "_"):
                CURRENT_WORK.step()
                with tree.open(path) as handle:
                    for line in iter(lambda: handle.readline(_MAX_LINE), b""):  # called before the next
                        self._room -= len(line)
                        digest.update(line)
                        lines.hashes.add(hash(line))
                        if self._room < 0 or len(lines.hashes) > _MAX_LINES:
                            return _Lines(is_whole=False)
        lines.digest = digest.digest()
        return lines
