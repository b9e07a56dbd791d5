"""Files that git writes into a work tree with another text than the commit has: a review would read two texts."""

import os
from collections.abc import Iterator
from pathlib import Path

from runner.declare.project_root import SETTINGS_FILE
from runner.git.repository import Repository

_ATTRIBUTES = ("working-tree-encoding", "ident", "filter")  # of gitattributes(5); ends of lines change no message
_USUAL = {"unspecified", "unset", "lfs"}  # a pointer of Git LFS is refused where it is read
# Of the files that a project reads, besides all below messages/.
_SUFFIXES = (".csv", ".gz", ".json", ".jsonl", ".lock", ".ndjson", ".parquet", ".plan", ".sql", ".tsv", ".txt")


def find_rewritten_files(repository: Repository, root: Path) -> Iterator[tuple[str, str]]:
    """Yields the files of the project, from the root, each with the attribute by which git writes it in another form.

    Raises LedgerUnavailable.
    """
    paths = [path for path in repository.tracked_files(root) if _is_read(path)]
    names = {os.path.relpath(root / path, repository.toplevel): path for path in paths}
    asked = os.fsencode("".join(f"{name}\0" for name in names))
    output = os.fsdecode(repository.git("check-attr", "-z", "--stdin", *_ATTRIBUTES, stdin=asked)).split("\0")
    for name, attribute, value in zip(output[::3], output[1::3], output[2::3], strict=False):
        if value not in _USUAL:
            yield names[name], attribute


def _is_read(path: str) -> bool:
    return path.startswith("messages/") or path == SETTINGS_FILE or path.lower().endswith(_SUFFIXES)
