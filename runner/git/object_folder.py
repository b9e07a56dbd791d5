"""A folder for git objects that one process needs for a while. If it dies, a later process removes the folder."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "objects-"


class ObjectFolder:
    """A new folder below the folder `parent`, and a lock on it that ends with the process.

    So no other process removes the folder while this one is alive, and the next one that makes a folder removes it
    afterwards.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        for path in parent.glob(f"{_PREFIX}*"):
            _remove_abandoned(path)
        while True:
            self.path = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX))
            self._descriptor = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if self.path.exists():
                return
            os.close(self._descriptor)  # another process removed it as abandoned before it was locked

    def close(self) -> None:
        """Removes the folder and ends the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._descriptor)


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
