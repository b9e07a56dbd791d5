"""The project as a commit has it, apart from the work tree. Files are written to a temporary folder when needed.

Neither the work tree nor the index is changed. No filter, hook or attribute of the repository is applied.
"""

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import normpath, split

from runner.compare.commit import Commit
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.tree import MAX_FILE_SIZE, MAX_PATH, NotReadable, Tree, is_too_long
from runner.errors import UsageMistake
from runner.git.repository import Repository

MAX_LISTING = 64 * 1024 * 1024  # bytes of the list of a commit's files: half a million of them
MAX_WRITTEN = 4 << 30  # bytes of all files that are written: the base of a review has them on the disk of a CI job
MAX_LINKS = 20_000  # of a commit
_BATCH_COUNT = 200  # blobs that one git process reads
_LINK_BATCH_COUNT = 10_000  # links that one git process reads, of MAX_PATH bytes each
_MAX_BATCHED_BLOB = 64 * 1024  # bytes; a larger blob goes to its file without being read into memory
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
            tree.write_links()
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


class CommitTree(Tree):
    """The files of a commit, in a temporary folder: all its links, and each file once it is needed.

    Links are written as the commit has them, so that one code follows them here and in a work tree. Declarations and
    templates are written at once, because they are many and small.
    """

    def __init__(self, repository: Repository, entries: dict[str, _Entry], folder: Path, room: int) -> None:
        super().__init__(folder)
        self.room = room  # bytes of files that may still be written
        self._repository = repository
        self._entries = entries

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """The names in each folder of the commit."""
        names: dict[str, set[str]] = {"": set()}
        for path in self._entries:
            folder, name = split(path)
            while name not in names.setdefault(folder, set()):
                names[folder].add(name)
                folder, name = split(folder)
                if not name:
                    break
        return names

    def write_links(self) -> None:
        """Writes all links. Raises NotReadable, LedgerUnavailable.

        One that would lead out of the temporary folder leads to itself: reading it is refused as in the work tree.
        """
        links = [path for path, entry in self._entries.items() if entry.mode == _LINK_MODE]
        if len(links) > MAX_LINKS:
            raise NotReadable("file-large", f"the commit has more than {MAX_LINKS:,} links", "leave out --against")
        targets: dict[str, str] = {}
        blobs = list({entry.blob for link in links if (entry := self._entries[link]).size <= MAX_PATH})
        for start in range(0, len(blobs), _LINK_BATCH_COUNT):
            objects = self._repository.read_objects(blobs[start : start + _LINK_BATCH_COUNT])
            targets |= {blob: os.fsdecode(content) for blob, _, content in objects}
        for link in links:
            target = targets.get(self._entries[link].blob, "/")
            is_plain = target and "\0" not in target and not target.startswith("/") and not is_too_long(target)
            if link not in self._names:  # else a crafted tree has a folder of this name, too
                self._prepare_path(link).symlink_to(target if is_plain else link.rpartition("/")[2])

    def write_declarations(self, paths: Collection[str] | None = None) -> None:
        """Writes the settings, and all of messages/ or only these paths. Raises NotReadable, LedgerUnavailable."""
        entries = self._entries
        declared = [
            path
            for path, entry in entries.items()
            if (path == SETTINGS_FILE or (path.startswith("messages/") if paths is None else path in paths))
            and entry.mode != _LINK_MODE
        ]
        small = [path for path in declared if entries[path].size <= _MAX_BATCHED_BLOB]
        for start in range(0, len(small), _BATCH_COUNT):
            self._write_batch(small[start : start + _BATCH_COUNT])
        for path in declared:
            if entries[path].size <= MAX_FILE_SIZE:
                self._ensure_written(path)
            elif path.endswith((".yaml", ".yml")):
                # Reading it is refused for its size, as in the work tree. A hole has the size, and takes no disk.
                with self._prepare_path(path).open("xb") as handle:
                    handle.truncate(MAX_FILE_SIZE + 1)

    def _resolve(self, path: str) -> Path:
        real = super()._resolve(path)
        self._ensure_written(self._relative(real))
        return real

    def _is_folder(self, real: Path) -> bool:
        return self._relative(real) in self._names

    def _list_names(self, real: Path) -> list[str]:
        return sorted(name for name in self._names.get(self._relative(real), ()) if not name.startswith("."))

    def _relative(self, real: Path) -> str:
        path = real.relative_to(self._real_root).as_posix()
        return "" if path == "." else path

    def _write_batch(self, paths: Sequence[str]) -> None:
        """Writes small files, all read by one git process."""
        self._take(sum(self._entries[path].size for path in paths))
        blobs = self._repository.read_objects(self._entries[path].blob for path in paths)
        for path, (_, _, content) in zip(paths, blobs, strict=True):
            self._prepare_path(path).write_bytes(content)

    def _ensure_written(self, path: str) -> None:
        """Writes a file, if the commit has it and it is not written yet. Raises NotReadable if there is no room."""
        entry = self._entries.get(path)
        if entry and entry.mode != _LINK_MODE and not os.path.lexists(self.root / path):
            self._take(entry.size)
            self._repository.save_blob(entry.blob, self._prepare_path(path))

    def _take(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            message = "the files of the commit that are compared are too large"
            raise NotReadable("file-large", message, "leave out --against")

    def _prepare_path(self, path: str) -> Path:
        """Creates the folder of a file, and returns the path of the file. Raises NotReadable if it is behind a link."""
        target = self._real_root / path
        if os.path.realpath(target.parent) != str(target.parent):
            raise NotReadable("file-outside", f"{path} is behind a link of the commit")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
