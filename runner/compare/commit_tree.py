"""The project as a commit has it, read beside the work tree: files appear in a folder of their own when asked for.

Neither the work tree nor the index is touched, and no filter, hook or attribute of the repository is obeyed. Links are
never made: a link to a file of the project appears as that file, any other not at all, so no path leads out.
"""

import contextlib
import fnmatch
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath

from runner.declare.settings import SETTINGS_FILE
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.git.repository import Repository

_AT_ONCE = 200  # blobs that one git reads


_SMALL = 1024 * 1024  # bytes; larger blobs are not held in memory


_MOST_LINKS = 8  # from one to the next


_LINK = "120000"


_FILES = frozenset({"100644", "100755", _LINK})


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, by the name that a person gave it and by its hash."""

    ref: str
    hash: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit: its mode, the hash of its blob, and its size in bytes."""

    mode: str
    blob: str
    size: int


def find_commit(repository: Repository | None, ref: str) -> Commit:
    """The commit that a ref names. Raises UsageMistake, with the way to get it where it is not here."""
    if repository is None:
        raise UsageMistake(f"there is no {ref} to compare with: this is no git repository", "leave out --against")
    found = repository.try_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not found:
        raise UsageMistake(f"{ref} is no commit of this repository", _way_to_get(repository, ref))
    return Commit(ref, found)


@contextlib.contextmanager
def tree_at(repository: Repository, commit: Commit, root: Path) -> Iterator[Tree]:
    """The project with this root as the commit has it, empty if it has none. Raises LedgerUnavailable (git failed)."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        yield _CommitTree(repository, _entries(repository, commit, repository.relative_path(root) or "."), Path(folder))


def _way_to_get(repository: Repository, ref: str) -> str:
    """A CI job often has one commit alone: what to fetch, so that the ref is there under the name that was given."""
    remote, slash, branch = ref.partition("/")
    if slash and remote in (repository.try_git("remote") or "").split():
        return f"a shallow or single-branch clone lacks it: git fetch --depth=1 {remote} +{branch}:refs/remotes/{ref}"
    return "is it spelt right? A shallow clone lacks it: git fetch --depth=1 origin REF, then --against FETCH_HEAD"


def _entries(repository: Repository, commit: Commit, below: str) -> dict[str, _Entry]:
    """The files of a folder by their paths from there."""
    tree = f"{commit.hash}:{'' if below == '.' else below}"
    if repository.try_git("cat-file", "-t", tree) != "tree":
        return {}
    found = {}
    for line in repository.git("ls-tree", "-r", "-l", "-z", "--full-tree", tree).split(b"\0"):
        facts, tab, path = os.fsdecode(line).partition("\t")
        if tab:
            mode, _, blob, size = facts.split()
            # A crafted tree may hold what git itself would never check out.
            if mode in _FILES and normpath(path) == path and not {"..", ".git"} & set(path.split("/")):
                found[path] = _Entry(mode, blob, int(size))
    return found


class _CommitTree(Tree):
    """Declarations and their templates appear at once, for they are many and small; all else when it is located."""

    def __init__(self, repository: Repository, entries: dict[str, _Entry], folder: Path) -> None:
        super().__init__(folder)
        self._repository = repository
        self._entries = entries
        wanted = [path for path in entries if path == SETTINGS_FILE or path.startswith("messages/")]
        small = [path for path in wanted if entries[path].size <= _SMALL and entries[path].mode != _LINK]
        for first in range(0, len(small), _AT_ONCE):
            self._write(small[first : first + _AT_ONCE])
        for path in wanted:
            self._appear(path)

    def locate(self, named: str, beside: str) -> str:
        """The path, from the root, of a file named in the file `beside`. Raises NotReadable."""
        self._appear(normpath(join(dirname(beside), named)))
        return super().locate(named, beside)

    def glob(self, named: str, beside: str) -> list[str]:
        """The files that a name with `*` stands for, from the root, sorted. Raises NotReadable."""
        wanted = normpath(join(dirname(beside), named))
        for path in fnmatch.filter(self._entries, wanted):  # more than it stands for, for here `*` is also a slash
            self._appear(path)
        return super().glob(named, beside)

    def _write(self, paths: Sequence[str]) -> None:
        """Writes small files, read by one git: `HASH blob SIZE`, the bytes, and a line's end for each."""
        asked = "".join(f"{self._entries[path].blob}\n" for path in paths)
        answer, at = self._repository.git("cat-file", "--batch", stdin=asked.encode()), 0
        for path in paths:
            start = answer.index(b"\n", at) + 1
            at = start + self._entries[path].size
            self._place(path).write_bytes(answer[start:at])
            at += 1

    def _appear(self, path: str) -> None:
        """Makes a file appear, if the commit has it. Settings that are a link are one here too, and refused."""
        if os.path.lexists(self.root / path):
            return
        if path == SETTINGS_FILE and path in self._entries and self._entries[path].mode == _LINK:
            self._place(path).symlink_to(path)
        elif entry := self._resolved(path):
            self._repository.save_blob(entry.blob, self._place(path))

    def _resolved(self, path: str) -> _Entry | None:
        """What stands at a path, or where its links lead."""
        for _ in range(_MOST_LINKS):
            entry = self._entries.get(path)
            if entry is None or entry.mode != _LINK:
                return entry
            path = normpath(join(dirname(path), os.fsdecode(self._repository.git("cat-file", "blob", entry.blob))))
        return None

    def _place(self, path: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place
