"""Notices that a file of the project has changed, by looking at its size and time."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_FILES = 20_000  # that are looked at: at each look takes about 50 ms
_OTHER_FOLDERS = frozenset({"node_modules", "venv", "__pycache__"})

FileStates = dict[str, tuple[int, int]]


def look_at_files(root: Path, *others: Path) -> FileStates:
    """Returns time and size of each visible file below the root, links not followed, at most MAX_FILES of them.

    `others` are hidden files and folders that are looked at too.
    """
    states: FileStates = {}
    for path in _walk(root, others):
        try:
            status = os.lstat(path)
        except OSError:  # it was removed again
            continue
        states[path] = (status.st_mtime_ns, status.st_size)
        if len(states) >= MAX_FILES:
            break
    return states


def _walk(root: Path, others: Iterable[Path]) -> Iterator[str]:
    # The settings and the messages come first, however large the rest is.
    pending = [str(root), *map(str, others), str(root / "messages")]
    seen = set()
    while pending:
        folder = pending.pop()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except NotADirectoryError:
            yield folder
            continue
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _OTHER_FOLDERS:
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                yield entry.path
