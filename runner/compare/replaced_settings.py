"""Finds a project that commits replace by another one, without a change in its settings.

The root of a project is the nearest parent folder with msgrun.yaml, else with messages/. So one of these that moves, or
that is added elsewhere, brings other rules and another ledger. A comparison of the files at one path would find none of
them changed.
"""

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from runner.declare.project_root import MARKERS, SETTINGS_FILE, find_marker, is_marker
from runner.git.repository import Repository

_MAX_STEPS = 1_000  # names and links of one path
_LINK_MODE = "120000"
_BELOW_FOLDER = re.compile(r"(?:(?<=/messages)|(?<=\Amessages))/.*", re.DOTALL)
_PATHSPECS = tuple(f":(top,glob)**/{name}" for name in (*MARKERS, "messages/**"))


def find_replaced_settings(repository: Repository, base: str, root: Path, start: Path) -> list[str]:
    """Returns each msgrun.yaml or messages/ that made a folder the project's root at `base`, and does not for HEAD.

    `base` is a commit that HEAD is based on. `root` is the project's root now, and `start` the folder in which the
    search for it began.
    """
    own, before = find_own_marker(repository, root), _find_marker_at(repository, base, start)
    found = [before] if before and before.parent != (own and own.parent) else []
    if own and not _has(repository, base, own):
        options = ("-r", "--no-renames", "--diff-filter=D", "--name-only", "-z")
        removed = repository.try_git("diff-tree", *options, base, "HEAD", "--", *_PATHSPECS) or ""
        markers = dict.fromkeys(_BELOW_FOLDER.sub("", path) for path in removed.split("\0") if path)
        found += [path for path in map(PurePosixPath, markers) if not _has(repository, "HEAD", path)]
    for folder in _list_folders(repository.toplevel, start):
        was, now = (_find_link(repository, commit, folder) for commit in (base, "HEAD"))
        if was != now:
            found.append(PurePosixPath(folder) / (own.name if own else SETTINGS_FILE))
    # Of one folder the msgrun.yaml is enough.
    folders = {path.parent: str(path) for path in sorted(found, key=lambda path: path.name)}
    return [*folders.values()]


def _find_link(repository: Repository, commit: str, path: str) -> str:
    """Returns the entry of a link of a commit: its mode and hash. Empty if there is no link."""
    entry = repository.try_git("ls-tree", "--full-tree", commit, "--", f":(top,literal){path}") or ""
    return entry if entry.startswith(_LINK_MODE) else ""


def _list_folders(top: Path, start: Path) -> Iterator[str]:
    """Yields each folder and link, by its path from the top of a repository, that leads to a folder as it was named."""
    named = start if start.is_relative_to(top) else start.parent.resolve() / start.name
    folder, parts = top, deque(named.relative_to(top).parts if named.is_relative_to(top) else ())
    for _ in range(_MAX_STEPS):
        if not parts:
            return
        part = parts.popleft()
        folder = folder.parent if part == ".." else folder / part
        if folder.is_relative_to(top) and folder != top:
            yield folder.relative_to(top).as_posix()
        if folder.is_symlink() and folder.is_relative_to(top):
            parts.extendleft(reversed(folder.readlink().parts))
            folder = folder.parent


def find_own_marker(repository: Repository, root: Path) -> PurePosixPath | None:
    """Returns the path, from the top, of what makes a folder the project's root now; None outside of the repository."""
    folder, marker = repository.relative_path(root), find_marker([root], is_marker)
    return PurePosixPath(folder) / marker.name if folder is not None and marker else None


def _has(repository: Repository, commit: str, path: PurePosixPath) -> bool:
    return repository.try_git("cat-file", "-e", f"{commit}:{path}") is not None


def _find_marker_at(repository: Repository, commit: str, start: Path) -> PurePosixPath | None:
    """Returns what made a folder the root at a commit, for a command in a folder; None if there was no project."""
    folder = repository.relative_path(start)
    if folder is None:
        return None
    kinds = dict[str, str]()
    listing = repository.try_git("ls-tree", "-r", "-t", "--full-tree", "-z", commit) or ""
    for entry in listing.split("\0"):
        fields, _, path = entry.partition("\t")
        if path.rpartition("/")[2] in MARKERS:
            mode, kind, _ = fields.split(" ")
            kinds[path] = _LINK_MODE if mode == _LINK_MODE else kind

    def is_there(path: PurePosixPath) -> bool:
        return kinds.get(path.as_posix()) in {_LINK_MODE, "blob" if path.name == SETTINGS_FILE else "tree"}

    return find_marker([PurePosixPath(folder), *PurePosixPath(folder).parents], is_there)
