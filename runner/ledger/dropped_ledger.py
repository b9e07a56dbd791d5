"""Finds a ledger that a commit took out of the project: no msgrun.yaml names its id any more.

If msgrun.yaml moves to another folder without its `ledger:`, the file at its new path never named one.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.git.repository import Repository

_SETTINGS = ("--", ":(top,glob)**/msgrun.yaml")
_DIFF_OPTIONS = (  # plain text, against .gitattributes and git's configuration
    *("--unified=0", "--text", "--no-prefix", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv"),
    *("-m", "--format=commit %h"),  # -m: also what a merge itself changes
)
# A line of the changes: a commit, a file, or an id that it lost. Where another id takes the place of an id, a person
# gave a lost ledger up.
_LINE = re.compile(
    r"^(?:commit (?P<commit>\w+)|--- (?P<path>.+)|- *ledger: *[\"']?(?P<id>\w{26})\b.*\n(?!\+ *ledger:))", re.MULTILINE
)
_MAX_HISTORY = 64 << 20  # bytes of changes of lines with `ledger:`, which are a handful


@dataclass(frozen=True, slots=True)
class DroppedLedger:
    """The id of a ledger, and the file that named it up to a commit."""

    ledger_id: str
    path: str
    commit: str


def find_dropped_ledger(repository: Repository, tips: Sequence[str]) -> DroppedLedger | None:
    """Returns the last ledger that a msgrun.yaml in the history of the tips named, and none at the tips names.

    Raises LedgerUnavailable. Of a shallow clone it sees only a part.
    """
    log = repository.git("log", *_DIFF_OPTIONS, "-Gledger", *tips, *_SETTINGS, max_output=_MAX_HISTORY)
    commit = path = ""
    for match in _LINE.finditer(os.fsdecode(log)):
        commit, path = match["commit"] or commit, match["path"] or path
        is_named = match["id"] is None or repository.try_git("grep", "-qF", match["id"], *tips, *_SETTINGS) is not None
        if not is_named:
            return DroppedLedger(match["id"], path, commit)
    return None
