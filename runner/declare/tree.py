"""Opens the files of a project, after checking their paths.

The author of a pull request chooses these paths, so no file outside the root and no hidden file is read, neither by
`..` nor through a link. The files that msgrun itself keeps are checked elsewhere: `managed_path` refuses every link.
"""

import errno
import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath
from posixpath import dirname, join
from typing import BinaryIO
from unicodedata import is_normalized, normalize

from runner.declare.pointers_and_conflicts import LINK, START_SIZE, find_lone_name, find_stand_in
from runner.declare.similar_names import closest_match
from runner.privacy import AnyText

_PATTERN = re.compile(r"[*?\[]")
# Bytes of a file that is read as a whole: YAML, bodies, includes. A rendered text has at most 1 MiB, and parsed YAML
# takes up to 300 times its size in memory.
MAX_FILE_SIZE = 4 * 1024 * 1024
MAX_PATH = 1024  # bytes of a path; macOS opens no longer one, and each problem of a file repeats it
MAX_NAME = 255  # bytes of one name in a path; no common file system has a longer one
MAX_FOLDERS = 20_000  # that one pattern lists; a folder of audiences has some hundred, a large repository some thousand
MAX_LEVELS = 64  # of folders that one pattern enters; to resolve a path takes quadratic time in them
MAX_MATCHES = 10_000  # files of one pattern: one a day of 27 years
_OPEN_FLAGS = (
    os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
)  # without O_NONBLOCK, opening a pipe would wait for a writer
_MAX_STEPS = 10_000  # folders and links of a path
_BELOW_ROOT_HINT = "only files below its root are read"


class NotReadable(Exception):
    """Raised if a file that a declaration names cannot be used. It has the code, message and hint of the problem."""

    def __init__(self, code: str, message: AnyText, hint: str = "") -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.hint = hint


class Tree:
    """The folder of a project. A path that is a text is relative to its root, with `/`.

    `on_look` is called with each path before it is looked at: of a file to read, of one that may be missing, and of a
    folder whose names are matched with a pattern.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.on_look: Callable[[str], object] = lambda _: None
        self._real_root = root.resolve()

    def locate(self, named: str, beside: str) -> str:
        """Returns the path of the file that the file `beside` names; `named` is relative to it. Raises NotReadable."""
        path = _join_path(named, beside)
        self.real_path(path)
        return path

    def glob(self, named: str, beside: str) -> list[str]:
        """Returns the paths of the files that match a pattern with `*`, `?`, `[…]` or `**`, sorted.

        The pattern is relative to the file `beside`. Raises NotReadable if no file matches, or one cannot be used.
        """
        if not _PATTERN.search(named):
            return [self.locate(named, beside)]
        pattern = PurePosixPath(_join_path(named, beside)).parts
        paths = sorted(set(islice(self._expand(pattern), MAX_MATCHES + 1)))
        if not paths:
            raise NotReadable("file-missing", f"no file fits {named}", "it is relative to the file that it stands in")
        if len(paths) > MAX_MATCHES:
            hint = f"name a folder in it: {MAX_MATCHES:,} files at most are read as one"
            raise NotReadable("pattern-wide", f"more than {MAX_MATCHES:,} files fit {named}", hint)
        for path in paths:
            self.real_path(path)
        return paths

    def real_path(self, path: str) -> Path:
        """Returns the absolute path of the file at a path, with all links resolved. Raises NotReadable."""
        real = self._resolve(path)
        if not real.exists():
            raise NotReadable("file-missing", f"there is no file {path}", self._suggest_name(path))
        if real.is_dir() and (self.root / path).is_symlink():
            raise NotReadable("file-outside", f"{path} is a link to a folder, which is not followed")
        if not real.is_file():
            raise NotReadable("file-missing", f"{path} is not a file")
        return real

    def open(self, path: str) -> BinaryIO:
        """Opens the file at a path for reading.

        Raises NotReadable, also if the file only stands in for the one that is meant, as a pointer of Git LFS does.
        """
        if is_too_long(path):
            raise NotReadable("file-missing", f"its path has more than {MAX_PATH:,} bytes", "move it to another folder")
        try:
            descriptor = os.open(self.real_path(path), _OPEN_FLAGS)
        except OSError as error:
            raise _unreadable_error(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotReadable("file-missing", f"{path} is not a file")
        handle = os.fdopen(descriptor, "rb")
        start = os.pread(descriptor, START_SIZE, 0)
        if stand_in := find_stand_in(start) or (LINK if self._is_link_text(path, find_lone_name(start)) else None):
            handle.close()
            raise NotReadable(stand_in.code, f"{path} is {stand_in.kind}", stand_in.hint)
        return handle

    def read(self, path: str) -> bytes:
        """Returns all bytes of the file at a path. Raises NotReadable, also if it is larger than MAX_FILE_SIZE."""
        try:
            with self.open(path) as handle:
                data = handle.read(MAX_FILE_SIZE + 1)
        except OSError as error:
            raise _unreadable_error(path, error) from error
        if len(data) > MAX_FILE_SIZE:
            hint = "recipients belong into a CSV, JSON Lines or Parquet file, which is read row by row"
            raise NotReadable("file-large", f"{path} is larger than {MAX_FILE_SIZE >> 20} MiB", hint)
        return data

    def peek(self, path: str, size: int) -> bytes:
        """Returns the first bytes of a file; none if it is a link, or no file that can be read."""
        with suppress(OSError):
            descriptor = os.open(self.root / path, _OPEN_FLAGS)
            with os.fdopen(descriptor, "rb") as handle:
                return handle.read(size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        return b""

    def _resolve(self, path: str) -> Path:
        """Returns the absolute path with all links resolved, of a file that need not exist.

        Raises NotReadable if it is outside the project, or hidden.
        """
        self.on_look(path)
        nowhere = NotReadable("file-missing", f"{path} is a link that leads nowhere")
        try:
            real = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: Python before 3.13 raises it for a circle of links
            raise nowhere from error
        if real.is_symlink():  # of a circle of links, Python from 3.13 on returns one
            raise nowhere
        if not real.is_relative_to(self._real_root):
            raise NotReadable("file-outside", f"{path} leads outside the project", _BELOW_ROOT_HINT)
        if is_too_long(str(real.relative_to(self._real_root))):
            raise NotReadable("file-missing", f"{path} leads to a path that is too long for a file")
        if any(part.startswith(".") for part in real.relative_to(self._real_root).parts):
            raise NotReadable("file-hidden", f"{path} leads to a hidden file", "hidden files are not read")
        if real != self._real_root / path and self._leaves_root(path):
            raise NotReadable("file-outside", f"{path} leads outside the project, and back", _BELOW_ROOT_HINT)
        return real

    def _leaves_root(self, path: str) -> bool:
        """Returns whether a link of a path is absolute, or leaves the root: git has nothing there, so no review has."""
        folder, parts = self._real_root, deque(path.split("/"))
        for _ in range(_MAX_STEPS):
            if not parts:
                return False
            part = parts.popleft()
            folder = folder.parent if part == ".." else folder / part
            if not folder.is_relative_to(self._real_root):
                return True
            if folder.is_symlink():
                target = str(folder.readlink())
                if target.startswith("/") or is_too_long(target):
                    return True
                parts.extendleft(reversed(target.split("/")))
                folder = folder.parent
        return True

    def _expand(self, pattern: Sequence[str]) -> Iterator[str]:
        """Yields the visible files that match a pattern, which is split at `/`. Raises NotReadable.

        `**` does not enter a link. A real folder is listed once for each part of the pattern: links that lead to one
        folder, and several `**`, would make the same paths again and again.
        """
        listed: set[tuple[Path, int]] = set()
        pending: list[tuple[str, Sequence[str]]] = [("", pattern)]
        while pending:
            folder, parts = pending.pop()
            first, rest = parts[0], parts[1:]
            names = [first]
            if _PATTERN.search(first):
                real = self._resolve(folder)
                if (real, len(parts)) in listed:
                    continue
                listed.add((real, len(parts)))
                if len(listed) > MAX_FOLDERS or folder.count("/") > MAX_LEVELS:
                    excess = f"more than {MAX_FOLDERS:,} folders, or more than {MAX_LEVELS} levels down"
                    hint = "begin it with the folder that the files are in"
                    raise NotReadable("pattern-wide", f"the pattern looks into {excess}", hint)
                names = self._list_names(real)
            if first == "**":
                pending.append((folder, rest or ("*",)))
                real = self._resolve(folder)
                below = (name for name in names if self._is_folder(real / name) and not (real / name).is_symlink())
                pending.extend((join(folder, name), parts) for name in below)
                continue
            for path in (join(folder, name) for name in names if name == first or fnmatchcase(name, first)):
                real = self._resolve(path)
                if rest and self._is_folder(real):
                    pending.append((path, rest))
                elif not rest and (real.exists() or self._is_folder(real)):
                    yield path

    def _is_folder(self, real: Path) -> bool:
        """Returns whether there is a folder at an absolute path without links."""
        return real.is_dir()

    def _list_names(self, real: Path) -> list[str]:
        """Returns the names in a folder that are not hidden, sorted; none if there is no folder at the path."""
        return sorted(path.name for path in real.iterdir() if path.name[:1] != ".") if real.is_dir() else []

    def _is_link_text(self, path: str, name: str) -> bool:
        """Returns whether a file that holds only this name is a link: the name leads upwards, or to another file."""
        if name.startswith("../"):
            return True
        with suppress(NotReadable):
            return bool(name) and self._resolve(join(dirname(path), name)).is_file()
        return False

    def _suggest_name(self, path: str) -> str:
        """Returns a hint that names the file most similar to a missing one, or says that its folder is missing too.

        The hint is empty if no name is similar. Raises NotReadable if the folder is outside the project, or hidden.
        """
        folder = self._resolve(str(PurePosixPath(path).parent))
        if not self._is_folder(folder):
            return f"there is no folder {PurePosixPath(path).parent.name} either"
        name = PurePosixPath(path).name
        match = closest_match(name, self._list_names(folder))
        if normalize("NFC", match) == normalize("NFC", name):
            form = "NFD" if is_normalized("NFC", name) else "NFC"  # what macOS, and what everything else writes
            return f"the file has the same name in another form of Unicode, {form}: rename it to the name here"
        return f"did you mean {match}?" if match else ""


def is_too_long(path: str) -> bool:
    """Returns whether no file is read at a path for its length, or that of a name in it."""
    return len(os.fsencode(path)) > MAX_PATH or any(len(os.fsencode(name)) > MAX_NAME for name in path.split("/"))


def _join_path(named: str, beside: str) -> str:
    """Returns the path of a file that the file `beside` names. Raises NotReadable if it is outside or hidden."""
    if "\0" in named:
        raise NotReadable("file-missing", "a path holds no NUL character")
    if is_too_long(named):
        message = f"a path has at most {MAX_PATH:,} bytes, and a name in it {MAX_NAME}"
        raise NotReadable("file-missing", message, "is it a text? A path is relative to the file that it stands in")
    path = PurePosixPath(os.path.normpath(PurePosixPath(beside).parent / named))
    if path.is_absolute() or ".." in path.parts:
        raise NotReadable("file-outside", f"{named} is outside the project", _BELOW_ROOT_HINT)
    if any(part.startswith(".") for part in path.parts):
        hint = "hidden files are not read: .git and .env hold secrets"
        raise NotReadable("file-hidden", f"{path} is hidden", hint)
    return str(path)


def _unreadable_error(path: str, error: OSError) -> NotReadable:
    if error.errno == errno.ELOOP:  # another process replaced the file by a link after it was checked
        return NotReadable("file-outside", f"{path} leads outside the project", _BELOW_ROOT_HINT)
    return NotReadable("file-unreadable", f"{path} cannot be read: {error.strerror}")
