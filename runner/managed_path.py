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
            raise GuardRefused(
                f"{'/'.join(parts[:number])} is a link, and msgrun follows none to what it keeps",
                "put the file or folder itself there",
            )
    if full.exists() and not (full.is_file() or full.is_dir()):
        raise GuardRefused(f"{'/'.join(parts)} is a pipe or a device, and no file", "put the file itself there")
    return full


def user_path(root: Path, full: Path) -> Path:
    """Returns the full path of a file or folder that the user named.

    Raises GuardRefused if it is below the root and a link, or behind one, because a commit may have created that.
    """
    return managed_path(root, full.relative_to(root).as_posix()) if full.is_relative_to(root) and full != root else full
