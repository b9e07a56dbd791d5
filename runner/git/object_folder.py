"""A folder in which one process makes git objects that need not stay; a later process removes it if this one died."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "objects-"


class ObjectFolder:
    """The folder, below another one. Its lock dies with the process: so nobody removes it before, and anybody after."""

    def __init__(self, around: Path) -> None:
        around.mkdir(parents=True, exist_ok=True)
        for path in around.glob(f"{_PREFIX}*"):
            _remove_abandoned(path)
        while True:
            self.path = Path(tempfile.mkdtemp(dir=around, prefix=_PREFIX))
            self._descriptor = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if self.path.exists():
                return
            os.close(self._descriptor)  # somebody took it for abandoned before it was locked

    def close(self) -> None:
        """Removes it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._descriptor)


def _remove_abandoned(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # removed meanwhile, or somebody else's
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process lives
        return
    finally:
        os.close(descriptor)
