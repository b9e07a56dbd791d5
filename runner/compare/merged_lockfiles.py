"""Finds lockfiles that git no longer merges line by line, or no longer writes as they are.

A merge then forgets what one of its sides sent, or a new clone cannot read the file.
"""

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
UNION = "merge"  # the attribute without which a merge forgets
_NONE = frozenset({"unset", "unspecified"})
# The values that a lockfile needs. The others make git write another content than the commit has: see gitattributes(5).
_NEEDED = {
    UNION: frozenset({"union"}),
    "text": frozenset({"unset"}),
    **dict.fromkeys(("eol", "filter", "ident", "working-tree-encoding"), _NONE),
}


def find_lost_attributes(
    repository: Repository, base: str, root: Path, settings: Iterable[Settings]
) -> list[tuple[str, str]]:
    """Returns the lockfiles of environments, from the top, each with a git attribute that it lost since `base`.

    The attribute has the value that a lockfile needs at `base`, a commit that HEAD is based on, and not in HEAD.
    """
    if repository.try_git("diff-tree", "--quiet", "-r", base, "HEAD", "--", f":(top,glob)**/{ATTRIBUTES_FILE}") == "":
        return []
    addresses = dict.fromkeys(own.lock for own in settings)
    files = (repository.relative_path(root / own.path) for own in addresses if isinstance(own, LockfileAddress))
    paths = [path for path in files if path]
    before, now = (_find_needed(repository, commit, paths) for commit in (base, "HEAD"))
    return [(path, name) for path in paths for name in _NEEDED if (path, name) in before - now]


def _find_needed(repository: Repository, commit: str, paths: list[str]) -> set[tuple[str, str]]:
    """Returns each path with each attribute that has a needed value, as git itself reads them; none if it cannot."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder, suppress(LedgerUnavailable):
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        repository.git("read-tree", commit, extra_env=index)
        listed = repository.git("ls-files", "-s", "-z", "--", f":(top,glob)**/{ATTRIBUTES_FILE}", extra_env=index)
        files = (os.fsdecode(line).split("\t", 1) for line in listed.split(b"\0") if line)
        if links := [path for mode, path in files if mode.startswith("120000")]:  # git reads none in a work tree
            removed = os.fsencode("".join(f"{link}\0" for link in links))
            repository.git("update-index", "--force-remove", "-z", "--stdin", stdin=removed, extra_env=index)
        asked = os.fsencode("".join(f"{path}\0" for path in paths))
        output = repository.git("check-attr", "--cached", "-z", "--stdin", *_NEEDED, stdin=asked, extra_env=index)
        fields = os.fsdecode(output).split("\0")
        answers = zip(fields[::3], fields[1::3], fields[2::3], strict=False)
        return {(path, name) for path, name, value in answers if value in _NEEDED[name]}
    return set()
