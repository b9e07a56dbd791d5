"""Finds lockfiles that git no longer merges line by line, so that a merge forgets what one of its sides sent."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.declare.settings import Settings
from runner.errors import LedgerUnavailable
from runner.git.repository import Repository
from runner.ledger.lock_address import LockfileAddress

ATTRIBUTES_FILE = ".gitattributes"


def find_lost_unions(repository: Repository, base: str, root: Path, settings: Iterable[Settings]) -> list[str]:
    """Returns the lockfiles of environments, from the top, that have `merge=union` at `base` and not in HEAD.

    `base` is a commit that HEAD is based on.
    """
    if repository.try_git("diff-tree", "--quiet", "-r", base, "HEAD", "--", f":(top,glob)**/{ATTRIBUTES_FILE}") == "":
        return []
    addresses = dict.fromkeys(own.lock for own in settings)
    files = (repository.relative_path(root / own.path) for own in addresses if isinstance(own, LockfileAddress))
    paths = [path for path in files if path]
    before, now = (_find_unions(repository, commit, paths) for commit in (base, "HEAD"))
    return [path for path in paths if path in before and path not in now]


def _find_unions(repository: Repository, commit: str, paths: list[str]) -> set[str]:
    """Returns which paths have `merge=union` at a commit, as git itself reads its attributes; none if it cannot."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder, suppress(LedgerUnavailable):
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        repository.git("read-tree", commit, extra_env=index)
        output = repository.git("check-attr", "--cached", "-z", "merge", "--", *paths, extra_env=index)
        fields = os.fsdecode(output).split("\0")
        return {path for path, value in zip(fields[::3], fields[2::3], strict=False) if value == "union"}
    return set()
