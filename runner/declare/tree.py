"""The project's files. The author of a pull request chooses them, so each is checked and opened here.

Nothing outside the root and nothing hidden is read, neither by `..` nor through a link. What msgrun itself keeps is
never a link: a merge would move it to another place.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from posixpath import join
from typing import BinaryIO

_PATTERN = re.compile(r"[*?\[]")


_LARGEST = 32 * 1024 * 1024  # bytes of a file that is held in memory: YAML, templates, queries


_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not be waited for


_BELOW = "only files below its root are read"


class NotReadable(Exception):
    """A file that a declaration names cannot be used: a code, a message and a hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Tree:
    """The folder of a project. Paths inside it are relative to the root, with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = root.resolve()

    def locate(self, named: str, beside: str) -> str:
        """The path, from the root, of a file named in the file `beside`. Raises NotReadable."""
        path = _joined(named, beside)
        self.real_path(path)
        return path

    def glob(self, named: str, beside: str) -> list[str]:
        """`locate` for each file that a name with `*`, `?`, `[…]` or `**` stands for, sorted. Raises NotReadable."""
        if not _PATTERN.search(named):
            return [self.locate(named, beside)]
        found = sorted(set(self._expanded("", PurePosixPath(_joined(named, beside)).parts)))
        if not found:
            raise NotReadable("file-missing", f"no file fits {named}", "it is relative to the file that it stands in")
        for path in found:
            self.real_path(path)
        return found

    def real_path(self, path: str) -> Path:
        """The real path of a file, from the root, whose links were followed. Raises NotReadable."""
        real = self._target(path)
        if not real.exists():
            raise NotReadable("file-missing", f"there is no file {path}", self._near(path))
        if real.is_dir() and (self.root / path).is_symlink():
            raise NotReadable("file-outside", f"{path} is a link to a folder, which is not followed")
        if not real.is_file():
            raise NotReadable("file-missing", f"{path} is not a file")
        return real

    def open(self, path: str) -> BinaryIO:
        """The file at a path from the root, to be read. Raises NotReadable."""
        try:
            descriptor = os.open(self.real_path(path), _OPEN)
        except OSError as error:
            raise _unreadable(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotReadable("file-missing", f"{path} is not a file")
        return os.fdopen(descriptor, "rb")

    def read(self, path: str) -> bytes:
        """All bytes of the file at a path from the root. Raises NotReadable, also of one that is larger than 32 MiB."""
        try:
            with self.open(path) as handle:
                data = handle.read(_LARGEST + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
        if len(data) > _LARGEST:
            hint = "recipients belong into a CSV, JSON Lines or Parquet file, which may have any size"
            raise NotReadable("file-large", f"{path} is larger than {_LARGEST >> 20} MiB", hint)
        return data

    def declaration_files(self) -> Iterator[str]:
        """Every messages/**/*.yaml and .yml, sorted, so that no order depends on the file system."""
        if (self.root / "messages").is_symlink():
            return iter(("messages",))
        found: list[str] = []
        for folder, folders, files in os.walk(self.root / "messages"):
            here = Path(folder).relative_to(self.root)
            found.extend((here / name).as_posix() for name in files if name.endswith((".yaml", ".yml")))
            # A link to a folder is not walked into; saying so is better than leaving its messages out in silence.
            found.extend((here / name).as_posix() for name in folders if (Path(folder) / name).is_symlink())
        return iter(sorted(found))

    def _target(self, path: str) -> Path:
        """Where a path leads, whether or not there is something. Raises NotReadable if it is outside, or hidden."""
        try:
            real = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: what Python before 3.13 raises for a circle of links
            raise NotReadable("file-missing", f"{path} is a link that leads nowhere") from error
        if not real.is_relative_to(self._real_root):
            raise NotReadable("file-outside", f"{path} leads outside the project", _BELOW)
        if any(part.startswith(".") for part in real.relative_to(self._real_root).parts):
            raise NotReadable("file-hidden", f"{path} leads to a hidden file", "hidden files are not read")
        return real

    def _expanded(self, folder: str, parts: Sequence[str]) -> Iterator[str]:
        """The visible files below a folder that parts of a pattern fit. `**` enters no link. Raises NotReadable."""
        first, rest = parts[0], parts[1:]
        if not _PATTERN.search(first):
            names = [first]
        else:
            real = self._target(folder)
            names = _visible(real) if real.is_dir() else []
        if first == "**":
            yield from self._expanded(folder, rest or ("*",))
        for name in names:
            path = join(folder, name)
            if first == "**":
                if (self.root / path).is_dir() and not (self.root / path).is_symlink():
                    yield from self._expanded(path, parts)
            elif name == first or fnmatchcase(name, first):
                real = self._target(path)
                if rest and real.is_dir():
                    yield from self._expanded(path, rest)
                elif not rest and real.exists():
                    yield path

    def _near(self, path: str) -> str:
        """What a missing file may have been meant to be."""
        folder = self._target(str(PurePosixPath(path).parent))
        if not folder.is_dir():
            return f"there is no folder {PurePosixPath(path).parent.name} either"
        import difflib  # noqa: PLC0415  # imported where used

        near = difflib.get_close_matches(PurePosixPath(path).name, _visible(folder), n=1)
        return f"did you mean {near[0]}?" if near else ""


def _joined(named: str, beside: str) -> str:
    """The path, from the root, that a name in the file `beside` means. Raises NotReadable."""
    if "\0" in named:
        raise NotReadable("file-missing", "a path holds no NUL character")
    path = PurePosixPath(os.path.normpath(PurePosixPath(beside).parent / named))
    if path.is_absolute() or ".." in path.parts:
        raise NotReadable("file-outside", f"{named} is outside the project", _BELOW)
    if any(part.startswith(".") for part in path.parts):
        hint = "hidden files are not read: .git and .env hold secrets"
        raise NotReadable("file-hidden", f"{path} is hidden", hint)
    return str(path)


def _visible(folder: Path) -> list[str]:
    """The names in a folder that are not hidden, sorted."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def _unreadable(path: str, error: OSError) -> NotReadable:
    if error.errno == errno.ELOOP:  # it became a link since it was checked
        return NotReadable("file-outside", f"{path} leads outside the project", _BELOW)
    return NotReadable("file-unreadable", f"{path} cannot be read: {error.strerror}")
