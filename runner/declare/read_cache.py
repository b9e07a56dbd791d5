"""Caches what was read of a project, as long as all files that it was read from are as they were."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from runner.declare.tree import Tree

T = TypeVar("T")
_Stamp = tuple[int, ...] | None


class _CachedRead(NamedTuple):
    stamps: Mapping[str, _Stamp]  # of each path that was looked at, before it was
    basis: object
    value: Any


class ReadCache:
    """Cached values, by a name that the caller chooses."""

    def __init__(self) -> None:
        self._reads: dict[str, _CachedRead] = {}

    def read(self, tree: Tree, name: str, read: Callable[[], T], basis: object = None) -> T:
        """Returns the cached value of a name, or what `read` returns now.

        The cached value is valid if each path that it made the tree look at, a missing file or a folder too, is as it
        was then, and if the `basis`, which is what else it depends on, is the same object.
        """
        cached = self._reads.get(name)
        if (
            cached
            and cached.basis is basis
            and all(_stamp(tree.root / path) == old for path, old in cached.stamps.items())
        ):
            value: T = cached.value
            return value
        stamps: dict[str, _Stamp] = {}
        earlier, tree.on_look = tree.on_look, lambda path: stamps.setdefault(path, _stamp(tree.root / path))
        try:
            value = read()
        finally:
            tree.on_look = earlier
        self._reads[name] = _CachedRead(stamps, basis, value)
        return value


def _stamp(path: Path) -> _Stamp:
    """Returns what changes with the content of a file or the names in a folder; None if there is neither."""
    with suppress(OSError, ValueError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
    return None
