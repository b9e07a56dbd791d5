"""What attacks start from: a bare remote, and the clone of whoever made the project."""

from tests.ci.conftest import job, origin
from tests.support.lockfile_project import author

__all__ = ["author", "job", "origin"]
