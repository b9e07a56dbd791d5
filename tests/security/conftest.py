"""What attacks start from: a bare remote, and the clone of whoever made the project."""

from tests.ci.conftest import author, job, ledger, origin

__all__ = ["author", "job", "ledger", "origin"]
