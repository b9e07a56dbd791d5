"""Files that git writes into a work tree with another text than the commit has: a review would read two texts."""

import os
from collections.abc import Iterator
from pathlib import Path

from runner.git.repository import Repository

_ATTRIBUTES = ("working-tree-encoding", "ident", "filter", "eol")  # of gitattributes(5)
# LF is what a commit has. What git-crypt or Git LFS keeps in a commit is no text: reading it fails, and is named.
_USUAL = {"unspecified", "unset", "lf", "lfs", "git-crypt"}
_SCRIPTS = (".bat", ".cmd", ".ps1")  # of Windows, which needs their CRLF


def find_rewritten_files(repository: Repository, root: Path) -> Iterator[tuple[str, str]]:
    """Yields the files of the project, from the root, each with the attribute by which git writes it in another form.

    Raises LedgerUnavailable.
    """
    names = {os.path.relpath(root / path, repository.toplevel): path for path in repository.tracked_files(root)}
    asked = os.fsencode("".join(f"{name}\0" for name in names))
    output = os.fsdecode(repository.git("check-attr", "-z", "--stdin", *_ATTRIBUTES, stdin=asked)).split("\0")
    for name, attribute, value in zip(output[::3], output[1::3], output[2::3], strict=False):
        if value not in _USUAL and not (attribute == "eol" and name.lower().endswith(_SCRIPTS)):
            yield names[name], attribute
