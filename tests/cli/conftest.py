"""A bare remote and clones of it, for commands that ask one."""

from tests.ci.conftest import clone, job, origin
from tests.support.lockfile_project import author

__all__ = ["author", "clone", "job", "origin"]
