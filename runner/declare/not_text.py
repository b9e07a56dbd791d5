"""What stands in a file in place of its text: a pointer of Git LFS, or the marks of a merge that nobody resolved.

Sources: Git LFS's specification of pointer files; git's documentation of merge, "How conflicts are presented".
"""

import re

from runner.errors import Place, Problem

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
LFS_KIND = ("a pointer of Git LFS, not the file itself", "git lfs pull; in CI check out with lfs: true")
CONFLICT_MESSAGE = "a merge left its two sides here, and nobody chose between them"
CONFLICT_HINT = "keep one side, and remove the lines <<<<<<<, ======= and >>>>>>>"
_CONFLICT_BEGINS = re.compile(r"^<{7} ", re.MULTILINE)
_CONFLICT_ENDS = re.compile(r"^>{7} ", re.MULTILINE)


def find_not_text(path: str, text: str) -> Problem | None:
    """Returns the problem that a file does not hold what its author wrote; None if it may."""
    if text.startswith(LFS_POINTER.decode()):
        kind, hint = LFS_KIND
        return Problem("lfs-pointer", Place(path), f"{path} is {kind}", hint)
    begin = _CONFLICT_BEGINS.search(text) if "<<<<<<< " in text else None
    if begin and _CONFLICT_ENDS.search(text, begin.end()):
        return Problem(
            "merge-conflict", Place(path, text.count("\n", 0, begin.start()) + 1), CONFLICT_MESSAGE, CONFLICT_HINT
        )
    return None


def is_conflict_mark(line: str) -> bool:
    """Returns whether a line of a table is a mark of a merge conflict."""
    return line.startswith(("<<<<<<< ", ">>>>>>> ")) or line == "======="
