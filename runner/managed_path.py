"""The paths of files that msgrun keeps in a project. None may be a link, because a merge could bring the link."""

import os
from pathlib import Path, PurePosixPath

from runner.errors import GuardRefused


def managed_path(root: Path, path: str) -> Path:
    """Returns the path of a file or folder that msgrun keeps below the root.

    Raises GuardRefused if the file, or a folder between the root and it, is a link: a merge could bring a link, and
    msgrun would then read or write in another place. So too if it is a pipe or a device, whose reading may not end. A
    `path` that is absolute or leaves the root by `..` is the user's own, from the command line or the environment. It
    is not checked.
    """
    parts = PurePosixPath(os.path.normpath(path)).parts
    if parts[0] in {"/", ".."}:
        return root / path
    full = root
    for number, part in enumerate(parts, 1):
        full /= part
        if full.is_symlink():
            raise _is_link("/".join(parts[:number]))
    if full.exists() and not (full.is_file() or full.is_dir()):
        raise _is_no_file("/".join(parts))
    return full


def user_path(folder: Path, full: Path) -> Path:
    """Returns the full path of a file or folder that the user named. `folder` is the project's root, or in the project.

    Raises GuardRefused if it is a link of the repository, or behind one: a commit may have created that. The repository
    may be larger than the project. A link elsewhere is the user's own.
    """
    base = folder.resolve()
    top = next((parent for parent in (base, *base.parents) if (parent / ".git").exists()), base)
    for number, part in enumerate((full, *full.parents)):
        is_own = part.parent.resolve().is_relative_to(top)
        if part.is_symlink() and is_own:
            raise _is_link(os.path.relpath(part.parent.resolve() / part.name, base))
        if not number and is_own and part.exists() and not (part.is_file() or part.is_dir()):
            raise _is_no_file(os.path.relpath(part.parent.resolve() / part.name, base))
    return full


def _is_link(path: str) -> GuardRefused:
    message = f"{path} is a link, and msgrun follows none to what it keeps"
    return GuardRefused(message, "put the file or folder itself there")


def _is_no_file(path: str) -> GuardRefused:
    return GuardRefused(f"{path} is a pipe or a device, and no file", "put the file itself there")
