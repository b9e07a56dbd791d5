"""A bare remote and clones of it, for commands that ask one."""

from tests.ci.conftest import author, clone, job, ledger, origin

__all__ = ["author", "clone", "job", "ledger", "origin"]
