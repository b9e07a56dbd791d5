"""Replaces a file at once: a reader finds the old content or the new one, also after a crash."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """Replaces a file by one with these parts, durably. A link stays a link, and the file keeps its mode.

    What is not a regular file, as a pipe or /dev/null, is written to. Raises OSError; the old file stays as it is then.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as handle:
            handle.writelines(parts)
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as handle:  # a link of this name, which a commit brought, is not followed
            handle.writelines(parts)
            handle.flush()
            if target.exists():
                os.fchmod(handle.fileno(), target.stat().st_mode)
            os.fsync(handle.fileno())
        os.replace(temporary, target)  # noqa: PTH105  # the name says what matters here: it is atomic
        sync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Makes the names of the files in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
