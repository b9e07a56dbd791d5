"""Keeps what was read of a project from one reading to the next, as long as all that it was read from is as it was."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from runner.declare.tree import Tree

T = TypeVar("T")
_Stamp = tuple[int, ...] | None


class _KeptRead(NamedTuple):
    stamps: Mapping[str, _Stamp]  # of each path that was looked at, before it was
    basis: object
    value: Any


class KeptReads:
    """What was read, by a name that the caller chooses."""

    def __init__(self) -> None:
        self._reads: dict[str, _KeptRead] = {}

    def read(self, tree: Tree, name: str, read: Callable[[], T], basis: object = None) -> T:
        """Returns the value that is kept under a name, or what `read` returns now.

        The kept value counts if each path that it made the tree look at, a missing file or a folder too, is as it was
        then, and if the `basis`, which is what else it depends on, is the same object.
        """
        kept = self._reads.get(name)
        if kept and kept.basis is basis and all(_stamp(tree.root / path) == old for path, old in kept.stamps.items()):
            value: T = kept.value
            return value
        stamps: dict[str, _Stamp] = {}
        earlier, tree.on_look = tree.on_look, lambda path: stamps.setdefault(path, _stamp(tree.root / path))
        try:
            value = read()
        finally:
            tree.on_look = earlier
        self._reads[name] = _KeptRead(stamps, basis, value)
        return value


def _stamp(path: Path) -> _Stamp:
    """Returns what changes with the content of a file or the names in a folder; None if there is neither."""
    with suppress(OSError, ValueError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
    return None
