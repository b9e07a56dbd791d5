"""The files that msgrun itself keeps in a project: never a link, because a merge would move it to another place."""

import os
from pathlib import Path, PurePosixPath

from runner.errors import GuardRefused


def managed_path(root: Path, path: str) -> Path:
    """A file or folder that msgrun keeps below the root. Raises GuardRefused if it, or a folder on the way, is a link.

    A `path` that leaves the root is the user's own, from the command line or the environment, and is returned as it is.
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
    return full
