"""The difference of two texts as the lines of a diff."""

from collections.abc import Sequence
from posixpath import commonprefix

from runner.compare.word_diff import DiffPart

_CONTEXT_LENGTH = 60  # characters shown on either side of a change


def format_diff(parts: Sequence[DiffPart]) -> str:
    """Returns the parts as lines of a diff, which GitHub and GitLab colour: a changed line before and after.

    Of what stays, only the text next to a change is kept. Blank lines are left out.
    """
    lines: list[str] = []
    pieces: list[DiffPart] = []  # of the line that is being read
    for number, part in enumerate(parts):
        if part.kind != "same":
            pieces.append(part)
            continue
        text = _shorten(part.text, first=number == 0, last=number == len(parts) - 1)
        first, *others = text.split("\n")
        pieces.append(DiffPart("same", first))
        for line in others:
            lines += _format_line(pieces)
            pieces = [DiffPart("same", line)]
    return "\n".join([*lines, *_format_line(pieces)])


def _format_line(pieces: Sequence[DiffPart]) -> list[str]:
    """Returns one line of both texts as lines of a diff: several, if a change has line breaks."""
    before, now = (
        [" ".join(line.split()) for line in "".join(piece.text for piece in pieces if piece.kind != kind).split("\n")]
        for kind in ("added", "removed")
    )
    changed = [piece.kind for piece in pieces if piece.kind != "same"]
    if before == now:
        marks = ["- (white space)" if kind == "removed" else "+ (white space)" for kind in changed]
        return [*(f"  {line}" for line in before if line), *marks]
    head = len(commonprefix([before, now]))
    tail = len(commonprefix([before[head:][::-1], now[head:][::-1]]))
    lines = [
        *(f"  {line}".rstrip() for line in before[:head]),
        *(f"- {line}".rstrip() for line in before[head : len(before) - tail]),
        *(f"+ {line}".rstrip() for line in now[head : len(now) - tail]),
        *(f"  {line}".rstrip() for line in before[len(before) - tail :]),
    ]
    return [line for line in lines if len(line) > 1]


def _shorten(text: str, *, first: bool, last: bool) -> str:
    """Returns an unchanged text, of which only the ends next to a change are kept.

    If the text is all there is, it is kept whole.
    """
    if first and last:
        return text
    head = "" if first else text[:_CONTEXT_LENGTH]
    tail = "" if last else text[-_CONTEXT_LENGTH:]
    if len(text) <= len(head) + len(tail):
        return text
    if " " in head.strip():
        head = head[: head.rstrip().rindex(" ") + 1]
    if " " in tail.strip():
        tail = tail[tail.index(" ", len(tail) - len(tail.lstrip())) :]
    return f"{head}…{tail}"
