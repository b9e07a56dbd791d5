"""The project as a commit has it, apart from the work tree. Files are written to a temporary folder when needed.

Neither the work tree nor the index is changed. No filter, hook or attribute of the repository is applied. A link to a
file of the project is written as a copy of that file, and any other link is left out. A settings file that is a link
is written as a link to itself, so that reading it is refused. So no path leads out of the folder.
"""

import contextlib
import fnmatch
import os
import tempfile
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import BinaryIO

from runner.compare.commit import Commit
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.tree import MAX_FILE_SIZE, MAX_PATH, NotReadable, Tree, is_too_long
from runner.errors import UsageMistake
from runner.git.repository import Repository

MAX_LISTING = 64 * 1024 * 1024  # bytes of the list of a commit's files: half a million of them
MAX_WRITTEN = 4 << 30  # bytes of all files that are written: the base of a review has them on the disk of a CI job
MAX_LINKED = 1_000  # links below messages/, or to folders that a pattern enters: what they lead to is written
_BATCH_COUNT = 200  # blobs that one git process reads
_LINK_BATCH_COUNT = 10_000  # links that one git process reads, of MAX_PATH bytes each
_MAX_BATCHED_BLOB = 64 * 1024  # bytes; a larger blob goes to its file without being read into memory
_MAX_STEPS = 4_096  # names and links of one path
_MAX_LINKS = 40  # that are followed for one path, as on Linux: links may form a circle
_LINK_MODE = "120000"
_FILE_MODES = frozenset({"100644", "100755", _LINK_MODE})


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit: its mode, the hash of its blob, and its size in bytes."""

    mode: str
    blob: str
    size: int


@contextlib.contextmanager
def tree_at(
    repository: Repository, commit: Commit, root: Path, paths: Collection[str] | None = None, room: int = MAX_WRITTEN
) -> Iterator["CommitTree"]:
    """Yields the project with this root as the commit has it; empty if the commit does not have it.

    If `paths` are given, it has the settings and these of its declarations alone, and what is located or opened. What
    is read after `room` bytes raises NotReadable.
    Raises LedgerUnavailable if git fails.
    """
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        entries = _list_entries(repository, commit, repository.relative_path(root) or ".")
        tree = CommitTree(repository, entries, Path(folder), room)
        try:
            tree.write_declarations(paths)
        except NotReadable as error:
            raise UsageMistake(str(error.message), error.hint) from error
        yield tree


def _list_entries(repository: Repository, commit: Commit, folder: str) -> dict[str, _Entry]:
    """Returns the files of a folder of the commit, by their paths from that folder."""
    tree = f"{commit.hash}:{'' if folder == '.' else folder}"
    if repository.try_git("cat-file", "-t", tree) != "tree":
        return {}
    entries = {}
    listing = repository.git("ls-tree", "-r", "-l", "-z", "--full-tree", tree, max_output=MAX_LISTING)
    for line in listing.split(b"\0"):
        fields, tab, path = os.fsdecode(line).partition("\t")
        if tab:
            mode, _, blob, size = fields.split()
            # A crafted tree may have paths that git would never check out, such as ../x or .git/config, and those that
            # are not read from a work tree either.
            is_plain = normpath(path) == path and not {"..", ".git"} & set(path.split("/"))
            if mode in _FILE_MODES and is_plain and not is_too_long(path):
                entries[path] = _Entry(mode, blob, int(size))
    return entries


def _list_folders(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path


class CommitTree(Tree):
    """The files of a commit. They are written to a temporary folder.

    Declarations and templates are written at once, because they are many and small. Other files are written when
    they are located.
    """

    def __init__(self, repository: Repository, entries: dict[str, _Entry], folder: Path, room: int) -> None:
        super().__init__(folder)
        self.room = room  # bytes of files that may still be written
        self._repository = repository
        self._entries = entries
        self._links = [path for path in entries if self._is_link(path)]
        self._folders = {parent for path in entries for parent in _list_folders(path)} if self._links else set[str]()
        self._targets: dict[str, str] = {}  # of links, by their blobs; all are read with the first one

    def write_declarations(self, paths: Collection[str] | None = None) -> None:
        """Writes the settings, and all of messages/ or only these paths. Raises LedgerUnavailable if git fails."""
        entries = self._entries
        declared = [
            path
            for path in entries
            if path == SETTINGS_FILE or (path.startswith("messages/") if paths is None else path in paths)
        ]
        small = [
            path for path in declared if entries[path].size <= _MAX_BATCHED_BLOB and entries[path].mode != _LINK_MODE
        ]
        links = [path for path in declared if entries[path].mode == _LINK_MODE]
        unread = set(links[MAX_LINKED:])  # what they lead to counts as new: to write each takes a git process
        for start in range(0, len(small), _BATCH_COUNT):
            self._write_batch(small[start : start + _BATCH_COUNT])
        for path in declared:
            if path in unread:
                continue
            if entries[path].size <= MAX_FILE_SIZE:
                self._ensure_written(path)
            elif path.endswith((".yaml", ".yml")):
                # Reading it is refused for its size, as in the work tree. A hole has the size, and takes no disk.
                with self._prepare_path(path).open("xb") as handle:
                    handle.truncate(MAX_FILE_SIZE + 1)

    def locate(self, named: str, beside: str) -> str:
        """Returns the path, from the root, of a file named in the file `beside`. Raises NotReadable."""
        self._ensure_written(normpath(join(dirname(beside), named)))
        return super().locate(named, beside)

    def glob(self, named: str, beside: str) -> list[str]:
        """Returns the files that a name with `*` matches, from the root, sorted. Raises NotReadable."""
        pattern = normpath(join(dirname(beside), named))
        if len(pattern) <= MAX_PATH:
            # These are too many, because `*` matches a slash too: super().glob() selects. `**/` may be no folder.
            for path in fnmatch.filter(self._list_paths(pattern), pattern.replace("**/", "*")):
                self._ensure_written(path)
        return super().glob(named, beside)

    def open(self, path: str) -> BinaryIO:
        """Opens the file at a path for reading. Raises NotReadable."""
        self._ensure_written(path)
        return super().open(path)

    def _write_batch(self, paths: Sequence[str]) -> None:
        """Writes small files, all read by one git process."""
        self._take(sum(self._entries[path].size for path in paths))
        blobs = self._repository.read_objects(self._entries[path].blob for path in paths)
        for path, (_, _, content) in zip(paths, blobs, strict=True):
            self._prepare_path(path).write_bytes(content)

    def _ensure_written(self, path: str) -> None:
        """Writes a file, if the commit has it and it is not written yet. Raises NotReadable after MAX_WRITTEN bytes.

        Settings that are a link are written as a link, so that reading them is refused as in the work tree.
        """
        self._write_folder_links(path)
        if os.path.lexists(self.root / path):
            return
        if path == SETTINGS_FILE and path in self._entries and self._entries[path].mode == _LINK_MODE:
            self._prepare_path(path).symlink_to(path)
        elif entry := self._entries.get(self._resolve_links(path)):
            self._take(entry.size)
            self._repository.save_blob(entry.blob, self._prepare_path(path))

    def _take(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise NotReadable(
                "file-large", "the files of the commit that are compared are too large", "leave out --against"
            )

    def _list_paths(self, pattern: str) -> Iterator[str]:
        """Yields the paths of all files, and of those behind links to folders that a pattern may enter.

        These links are written. Raises NotReadable if there are too many.
        """
        yield from self._entries
        parts, count = pattern.split("/"), 0
        pending = [("", "")]  # folders: the name that the pattern has for them, and the real one
        while pending:
            name, real = pending.pop()
            for link in [path for path in self._links if path.startswith(real)]:
                path = name + link.removeprefix(real)
                depth = path.count("/") + 1
                if depth >= len(parts) or not fnmatch.fnmatch(path, "/".join(parts[:depth])):
                    continue
                target = self._resolve_links(link)
                if target in self._folders:
                    count += 1
                    if count > MAX_LINKED:
                        message = f"more than {MAX_LINKED:,} links to folders fit {pattern}"
                        raise NotReadable("pattern-wide", message, "name a folder in it")
                    self._write_folder_links(f"{link}/")
                    pending.append((f"{path}/", f"{target}/"))
                    yield from (
                        path + each.removeprefix(target) for each in self._entries if each.startswith(f"{target}/")
                    )

    def _write_folder_links(self, path: str) -> None:
        """Writes the links among the folders of a path, so that it leads to the same file as in the work tree.

        Each leads to the real folder, which is one of the commit.
        """
        for _ in range(_MAX_LINKS):
            link = self._find_link(dirname(path))
            real = self._resolve_links(link) if link else ""
            if not link or real not in self._folders:
                return
            (self.root / real).mkdir(parents=True, exist_ok=True)
            written = self._prepare_path(link)
            if not os.path.lexists(written):
                written.symlink_to(os.path.relpath(self.root / real, written.parent))
            path = real + path.removeprefix(link)

    def _resolve_links(self, path: str) -> str:
        """Returns a path after links were followed, as the file system does: each before the `..` behind it.

        Empty if it leads outside, or there are too many links.
        """
        folder, parts = "", deque(path.split("/"))
        for _ in range(_MAX_STEPS):
            if not parts:
                return folder
            part = parts.popleft()
            if part == ".." and not folder:
                return ""
            folder = dirname(folder) if part == ".." else normpath(join(folder, part))
            if self._is_link(folder):
                target = self._read_link(folder)
                if target.startswith("/"):
                    return ""
                parts.extendleft(reversed(target.split("/")))
                folder = dirname(folder)
        return ""

    def _find_link(self, path: str) -> str:
        """Returns the first folder of a path that is a link, or the path itself; empty if none is."""
        parts = path.split("/")
        heads = ("/".join(parts[:number]) for number in range(1, len(parts) + 1))
        return next(filter(self._is_link, heads), "")

    def _is_link(self, path: str) -> bool:
        return path in self._entries and self._entries[path].mode == _LINK_MODE

    def _read_link(self, path: str) -> str:
        if not self._targets:
            links = (self._entries[link] for link in self._links)
            blobs = list(dict.fromkeys(entry.blob for entry in links if entry.size <= MAX_PATH))
            for start in range(0, len(blobs), _LINK_BATCH_COUNT):
                objects = self._repository.read_objects(blobs[start : start + _LINK_BATCH_COUNT])
                self._targets |= {blob: os.fsdecode(content) for blob, _, content in objects}
        return self._targets.get(self._entries[path].blob) or "/"  # outside, as each absolute path

    def _prepare_path(self, path: str) -> Path:
        """Creates the folder of a file, and returns the path of the file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
