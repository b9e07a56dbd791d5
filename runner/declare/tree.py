"""Opens the files of a project, after checking their paths.

The author of a pull request chooses these paths, so no file outside the root and no hidden file is read, neither by
`..` nor through a link. The files that msgrun itself keeps are checked elsewhere: `managed_path` refuses every link.
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

from runner.privacy import AnyText

_PATTERN = re.compile(r"[*?\[]")
_MAX_FILE_SIZE = 32 * 1024 * 1024  # bytes of a file that is read as a whole: YAML, templates, queries
_OPEN_FLAGS = (
    os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
)  # without O_NONBLOCK, opening a pipe would wait for a writer
_BELOW_ROOT_HINT = "only files below its root are read"


class NotReadable(Exception):
    """Raised if a file that a declaration names cannot be used. It has the code, message and hint of the problem."""

    def __init__(self, code: str, message: AnyText, hint: str = "") -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.hint = hint


class Tree:
    """The folder of a project. A path that is a text is relative to its root, with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
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
        paths = sorted(set(self._expand("", PurePosixPath(_join_path(named, beside)).parts)))
        if not paths:
            raise NotReadable("file-missing", f"no file fits {named}", "it is relative to the file that it stands in")
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
        """Opens the file at a path for reading. Raises NotReadable."""
        try:
            descriptor = os.open(self.real_path(path), _OPEN_FLAGS)
        except OSError as error:
            raise _unreadable_error(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotReadable("file-missing", f"{path} is not a file")
        return os.fdopen(descriptor, "rb")

    def read(self, path: str) -> bytes:
        """Returns all bytes of the file at a path. Raises NotReadable, also for a file larger than 32 MiB."""
        try:
            with self.open(path) as handle:
                data = handle.read(_MAX_FILE_SIZE + 1)
        except OSError as error:
            raise _unreadable_error(path, error) from error
        if len(data) > _MAX_FILE_SIZE:
            hint = "recipients belong into a CSV, JSON Lines or Parquet file, which may have any size"
            raise NotReadable("file-large", f"{path} is larger than {_MAX_FILE_SIZE >> 20} MiB", hint)
        return data

    def declaration_files(self) -> Iterator[str]:
        """Returns the paths of all messages/**/*.yaml and .yml, sorted: no order depends on the file system.

        The suffix may be in capitals. Hidden files and folders are skipped, such as macOS's `._a.yaml`.
        A link to a folder is returned as well; reading it raises NotReadable. If messages/ itself is a link, it is the
        only path.
        """
        if (self.root / "messages").is_symlink():
            return iter(("messages",))
        paths: list[str] = []
        for folder, folders, files in os.walk(self.root / "messages"):
            folders[:] = [name for name in folders if not name.startswith(".")]
            relative_folder = Path(folder).relative_to(self.root)
            paths.extend((relative_folder / name).as_posix() for name in files if _is_declaration(name))
            # os.walk does not enter a link to a folder. Returned as a path, the link is reported when it is read. If it
            # were left out, the messages in it would be ignored without an error.
            paths.extend((relative_folder / name).as_posix() for name in folders if (Path(folder) / name).is_symlink())
        return iter(sorted(paths))

    def _resolve(self, path: str) -> Path:
        """Returns the absolute path with all links resolved, of a file that need not exist.

        Raises NotReadable if it is outside the project, or hidden.
        """
        try:
            real = (self.root / path).resolve()
        except (
            OSError,
            RuntimeError,
        ) as error:  # RuntimeError: Python before 3.13 raises it for links that form a circle
            raise NotReadable("file-missing", f"{path} is a link that leads nowhere") from error
        if not real.is_relative_to(self._real_root):
            raise NotReadable("file-outside", f"{path} leads outside the project", _BELOW_ROOT_HINT)
        if any(part.startswith(".") for part in real.relative_to(self._real_root).parts):
            raise NotReadable("file-hidden", f"{path} leads to a hidden file", "hidden files are not read")
        return real

    def _expand(self, folder: str, parts: Sequence[str]) -> Iterator[str]:
        """Yields the visible files below a folder that match a pattern. `parts` are the pattern split at `/`.

        `**` does not enter a link. Raises NotReadable.
        """
        first, rest = parts[0], parts[1:]
        if not _PATTERN.search(first):
            names = [first]
        else:
            real = self._resolve(folder)
            names = _list_visible(real) if real.is_dir() else []
        if first == "**":
            yield from self._expand(folder, rest or ("*",))
        for name in names:
            path = join(folder, name)
            if first == "**":
                if (self.root / path).is_dir() and not (self.root / path).is_symlink():
                    yield from self._expand(path, parts)
            elif name == first or fnmatchcase(name, first):
                real = self._resolve(path)
                if rest and real.is_dir():
                    yield from self._expand(path, rest)
                elif not rest and real.exists():
                    yield path

    def _suggest_name(self, path: str) -> str:
        """Returns a hint that names the file most similar to a missing one, or says that its folder is missing too.

        The hint is empty if no name is similar. Raises NotReadable if the folder is outside the project, or hidden.
        """
        folder = self._resolve(str(PurePosixPath(path).parent))
        if not folder.is_dir():
            return f"there is no folder {PurePosixPath(path).parent.name} either"
        import difflib  # noqa: PLC0415  # saves 1 ms in every command without a missing file

        matches = difflib.get_close_matches(PurePosixPath(path).name, _list_visible(folder), n=1)
        return f"did you mean {matches[0]}?" if matches else ""


def _join_path(named: str, beside: str) -> str:
    """Returns the path of a file that the file `beside` names. Raises NotReadable if it is outside or hidden."""
    if "\0" in named:
        raise NotReadable("file-missing", "a path holds no NUL character")
    path = PurePosixPath(os.path.normpath(PurePosixPath(beside).parent / named))
    if path.is_absolute() or ".." in path.parts:
        raise NotReadable("file-outside", f"{named} is outside the project", _BELOW_ROOT_HINT)
    if any(part.startswith(".") for part in path.parts):
        hint = "hidden files are not read: .git and .env hold secrets"
        raise NotReadable("file-hidden", f"{path} is hidden", hint)
    return str(path)


def _is_declaration(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith((".yaml", ".yml"))


def _list_visible(folder: Path) -> list[str]:
    """Returns the names in a folder that are not hidden, sorted."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def _unreadable_error(path: str, error: OSError) -> NotReadable:
    if error.errno == errno.ELOOP:  # another process replaced the file by a link after it was checked
        return NotReadable("file-outside", f"{path} leads outside the project", _BELOW_ROOT_HINT)
    return NotReadable("file-unreadable", f"{path} cannot be read: {error.strerror}")
