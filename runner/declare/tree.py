"""The project's files: nothing outside the root is ever read, not through `..` and not through a symlink."""

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_PATTERN = re.compile(r"[*?\[]")


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
        if "\0" in named:
            raise NotReadable("file-missing", "a path holds no NUL character")
        joined = os.path.normpath(PurePosixPath(beside).parent / named)
        path = PurePosixPath(joined.replace(os.sep, "/"))
        if path.is_absolute() or ".." in path.parts:
            raise NotReadable("file-outside", f"{named} is outside the project", "only files below its root are read")
        if any(part.startswith(".") for part in path.parts):
            hint = "hidden files are not read: .git and .env hold secrets"
            raise NotReadable("file-hidden", f"{path} is hidden", hint)
        full = self.root / path
        if not full.exists():
            raise NotReadable("file-missing", f"there is no file {path}", self._near(full))
        if not full.resolve().is_relative_to(self._real_root):
            raise NotReadable(
                "file-outside", f"{named} leads outside the project", "only files below its root are read"
            )
        if not full.is_file():
            raise NotReadable("file-missing", f"{path} is not a file")
        real = full.resolve().relative_to(self._real_root)
        if any(part.startswith(".") for part in real.parts):
            raise NotReadable("file-hidden", f"{path} leads to a hidden file", "hidden files are not read")
        return str(path)

    def find(self, named: str, beside: str) -> list[str]:
        """`locate` for each file that a name with `*`, `?`, `[…]` or `**` stands for, sorted. Raises NotReadable."""
        if not _PATTERN.search(named):
            return [self.locate(named, beside)]
        folder = os.path.normpath(PurePosixPath(beside).parent / named)
        if PurePosixPath(folder).is_absolute() or folder.startswith(".."):
            raise NotReadable("file-outside", f"{named} is outside the project", "only files below its root are read")
        found = sorted(glob.glob(folder, root_dir=self.root, recursive=True))  # noqa: PTH207  # no hidden files
        if not found:
            raise NotReadable("file-missing", f"no file fits {named}", "it is relative to the file that it stands in")
        return [self.locate(path, "_") for path in found]

    def read(self, path: str) -> bytes:
        """The bytes of a file that `locate` or `declarations` gave. Raises NotReadable."""
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise NotReadable("file-unreadable", f"{path} cannot be read: {error.strerror}") from error

    def declarations(self) -> Iterator[str]:
        """Every messages/**/*.yaml and .yml, sorted, so that no order depends on the file system."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root / "messages"):
            here = Path(folder).relative_to(self.root)
            found.extend((here / name).as_posix() for name in files if name.endswith((".yaml", ".yml")))
            # A link to a folder is not walked into; saying so is better than leaving its messages out in silence.
            found.extend((here / name).as_posix() for name in folders if (Path(folder) / name).is_symlink())
        return iter(sorted(found))

    def _near(self, full: Path) -> str:
        if not full.parent.is_dir():
            return f"there is no folder {full.parent.name} either"
        names = sorted(entry.name for entry in full.parent.iterdir())
        import difflib  # noqa: PLC0415  # imported where used

        near = difflib.get_close_matches(full.name, names, n=1)
        return f"did you mean {near[0]}?" if near else ""
