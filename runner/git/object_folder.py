"""A folder for git objects that one process needs for a while. If it dies, a later process removes the folder."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

from runner.git.pushing import author_env
from runner.git.repository import Repository

_PREFIX = "objects-"


class ObjectFolder:
    """A folder beside the objects of a repository, and a lock on it that ends with the process.

    So no other process removes the folder while this one is alive, and the next one that makes a folder removes it
    afterwards. `environment` are variables that make git write objects to it, and name the author of commits.
    """

    def __init__(self, path: Path, descriptor: int, environment: dict[str, str]) -> None:
        self._path = path
        self._descriptor = descriptor
        self.environment = environment

    @classmethod
    def create(cls, repository: Repository) -> Self:
        """Creates and locks a folder, and removes those of processes that died."""
        author = author_env(repository)
        parent = repository.common_dir / "msgrun"
        parent.mkdir(parents=True, exist_ok=True)
        for path in parent.glob(f"{_PREFIX}*"):
            _remove_abandoned(path)
        while True:
            path = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX))
            descriptor = os.open(path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():
                return cls(path, descriptor, _object_env(repository, path) | author)
            os.close(descriptor)  # another process removed it as abandoned before it was locked

    def remove(self, ids: set[str]) -> None:
        """Removes objects that are needed no more."""
        for name in ids:
            (self._path / name[:2] / name[2:]).unlink(missing_ok=True)

    def close(self) -> None:
        """Removes the folder and ends the lock."""
        shutil.rmtree(self._path, ignore_errors=True)
        os.close(self._descriptor)


def _object_env(repository: Repository, folder: Path) -> dict[str, str]:
    clone_objects = str(repository.common_dir / "objects").replace("\\", "\\\\").replace('"', '\\"')
    count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    return {
        # Not compressed: git packs the objects for the push, and they are soon removed.
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": "core.looseCompression",
        f"GIT_CONFIG_VALUE_{count}": "0",
        "GIT_OBJECT_DIRECTORY": str(folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{clone_objects}"',
    }


def _remove_abandoned(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # removed meanwhile, or another user's
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process is alive
        return
    finally:
        os.close(descriptor)
