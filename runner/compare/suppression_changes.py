"""Compares the contacts on suppression lists with those at another commit, within bounds: both sides are hostile.

Lines would say too little: an added line can make the lines after it a part of a note.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from runner.compare.comparison import FieldChange
from runner.compare.declared_fields import describe_list_change
from runner.current_work import CURRENT_WORK
from runner.declare.audience.sources import read_suppression_files
from runner.declare.audience.suppression import SuppressionList
from runner.declare.contact_files import ContactFiles
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place

_MAX_NAMED = 500  # lists that are named by a path
_MAX_PATTERNS = 20  # lists that are named by a pattern, which looks into thousands of folders
_MAX_SIZE = 1024**3  # bytes of all lists on both sides
_MAX_LINES = 2_000_000  # lines of one list
_MAX_LINE = 1024 * 1024  # bytes; a longer line counts as several
_NOT_COMPARED = "not compared: "


@dataclass(slots=True)
class _Content:
    """The number of lines of a list, and a digest of its bytes. `is_whole`: no limit was reached."""

    lines: int = 0
    digest: bytes = b""
    is_whole: bool = True


def compare_suppression_lists(before: Tree, now: Tree, lists: Iterable[ContactFiles]) -> Iterator[FieldChange]:
    """Yields the changes of suppression lists, as their numbers of identifiers. What is beyond the limits is named.

    The first lists come first, so these have to be those of the commit.
    """
    distinct = {str(files): files for files in lists}.values()
    named = [files for files in distinct if not _is_wild(files.pattern)]
    wild = [files for files in distinct if _is_wild(files.pattern)]
    left_out = len(named[_MAX_NAMED:]) + len(wild[_MAX_PATTERNS:])
    reader = _Reader()
    for files in (*named[:_MAX_NAMED], *wild[:_MAX_PATTERNS]):
        with CURRENT_WORK.on_file(f"the suppression list {files.pattern}"):
            old, new = reader.read(before, files.pattern), reader.read(now, files.pattern)
            if old != new or not old.is_whole:
                change = _compare((before, old), (now, new), files)
                yield from [FieldChange(f"suppress {files.pattern}", *change)] if change else []
    if left_out:
        limit = f"at most {_MAX_NAMED} lists, and {_MAX_PATTERNS} patterns, of all environments are compared"
        yield FieldChange("suppress", "", f"{_NOT_COMPARED}{left_out:,} more; {limit}")


def _is_wild(pattern: str) -> bool:
    return not {*"*?["}.isdisjoint(pattern)


def _compare(before: tuple[Tree, _Content], now: tuple[Tree, _Content], files: ContactFiles) -> tuple[str, str] | None:
    """Returns a list before and now, in words; None if it was empty, or has the same contacts."""
    if not (before[1].is_whole and now[1].is_whole):
        return "", f"{_NOT_COMPARED}more than {_MAX_LINES:,} lines of a list, {_MAX_SIZE >> 30} GiB of all"
    old, new = (_read_contacts(tree, content, files) for tree, content in (before, now))
    if old is None or new is None:
        return (f"{before[1].lines:,} lines", f"{_NOT_COMPARED}it cannot be read") if before[1].lines else None
    return describe_list_change(old, new)


def _read_contacts(tree: Tree, content: _Content, files: ContactFiles) -> SuppressionList | None:
    """Returns the contacts of a list; None if it cannot be read."""
    if not content.lines:
        return SuppressionList("")
    with suppress(NotReadable, OSError):
        return read_suppression_files(tree, "", [files], "_", Place(""))[0]
    return None


class _Reader:
    """Reads the bytes of lists, `_room` of all of them."""

    def __init__(self) -> None:
        self._room = _MAX_SIZE

    def read(self, tree: Tree, pattern: str) -> _Content:
        """Returns what is in a list's files.

        Stops at the first file that cannot be read: reading the project reports that file as a problem.
        """
        content, digest = _Content(), blake2b()
        with suppress(NotReadable, OSError):
            for path in tree.glob(pattern, "_"):
                CURRENT_WORK.step()
                with tree.open(path) as handle:
                    for line in iter(lambda: handle.readline(_MAX_LINE), b""):  # called before the next
                        self._room -= len(line)
                        digest.update(line)
                        content.lines += 1
                        if self._room < 0 or content.lines > _MAX_LINES:
                            return _Content(is_whole=False)
        content.digest = digest.digest()
        return content
