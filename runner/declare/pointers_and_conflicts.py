"""Files without the text that is meant: pointers to the real file, and texts with the marks of a merge conflict.

Sources: Git LFS's specification of pointer files; git-annex's page on them; git's documentation of merge, "How
conflicts are presented".
"""

import re
from typing import NamedTuple

from runner.errors import Place, Problem

START_SIZE = 512  # bytes of a file that are enough for find_stand_in


class StandIn(NamedTuple):
    """A kind of file that stands in for another one: the code of its problem, what it is, and how to get the other."""

    code: str
    kind: str
    hint: str


_LFS = StandIn(
    "lfs-pointer", "a pointer of Git LFS, not the file itself", "git lfs pull; in CI check out with lfs: true"
)
_ANNEX = StandIn("file-kind", "a pointer of git-annex, not the file itself", "git annex get, and commit from there")
_CRYPT = StandIn("file-kind", "encrypted by git-crypt", "git-crypt unlock; in CI with a key of its own")
LINK = StandIn(
    "file-kind", "a link that git wrote as a text file", "git config core.symlinks true, and check it out again"
)
_STAND_INS = {
    # Older versions of Git LFS wrote other addresses, and it still reads them.
    re.compile(rb"(?:\xef\xbb\xbf)?\s*version https?://\S+\s*\n(?:ext-[^\n]*\n)*oid \w+:\w"): _LFS,
    re.compile(rb"\s*/annex/objects/\S+\s*(?:\n|\Z)"): _ANNEX,
    re.compile(rb"\0GITCRYPT\0"): _CRYPT,
}
_LONE_NAME = re.compile(rb"[^\s\0]{1,255}\n?")  # longer names do not exist

CONFLICT_MESSAGE = "merge conflict marker: both sides are still in the file"
CONFLICT_HINT = "keep one side, and remove the lines <<<<<<<, ======= and >>>>>>>"
# In YAML a text is indented, and an editor may indent the marks with it.
# It is compiled at first use: few files hold such a mark.
_CONFLICT_MARK = r"(?m)^[ \t]*(?P<sign><{7}|={7}|>{7})(?P<label> [^\n]*)?\r?$"


def find_stand_in(start: bytes) -> StandIn | None:
    """Returns what a file is, by its first START_SIZE bytes; None if it may hold what its author wrote."""
    return next((stand_in for pattern, stand_in in _STAND_INS.items() if pattern.match(start)), None)


def find_lone_name(start: bytes) -> str:
    """Returns the only word of a file, which may be the target of a link; empty if it holds more, or no UTF-8."""
    return start.decode(errors="ignore").strip() if _LONE_NAME.fullmatch(start) else ""


def find_conflict(path: str, text: str) -> Problem | None:
    """Returns the problem that a text has the marks of a merge conflict; None if it has none.

    Two marks in their order are enough, because the third may have been removed. One mark alone is not enough: a nested
    quotation also begins with `>`, and a headline may stand above `=======`.
    """
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return None
    begin = middle = None
    for mark in re.finditer(_CONFLICT_MARK, text):
        has_label, start = bool(mark["label"]), None
        match mark["sign"][0]:
            case "<":
                begin = begin or mark
            case "=" if not has_label:
                start, middle = begin, middle or mark
            case ">" if has_label:
                start = middle or (begin if begin and begin["label"] else None)
        if start:
            line, column = text.count("\n", 0, start.start()) + 1, start.start("sign") - start.start() + 1
            return Problem("merge-conflict", Place(path, line, column), CONFLICT_MESSAGE, CONFLICT_HINT)
    return None


def begins_conflict(line: str) -> bool:
    """Returns whether a line of a table begins the two sides of a merge."""
    return line.startswith("<<<<<<< ") or line.rstrip("\r\n") == "<<<<<<<"


def continues_conflict(cell: str) -> bool:
    """Returns whether the first cell of a row is a mark inside or at the end of the two sides of a merge."""
    return cell.startswith(">>>>>>> ") or cell == "======="
