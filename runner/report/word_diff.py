"""The difference of two texts, word by word: as parts, with marks in one line, and as the lines of a diff."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import Match, SequenceMatcher
from functools import lru_cache
from itertools import takewhile
from typing import Literal, NamedTuple

from runner.report.terminal_text import style

_TOKEN = re.compile(r"\n|[^\S\n]+|\w+(?:[.,'\u2019-]\w+)*|[^\w\s]")  # 12.50, don't and e-mail are words
# Pairs of equal words that are looked at, over all steps: about a second. For two texts in which words repeat, difflib
# would take minutes. Texts that differ so much are easier to read whole.
_MAX_PAIRS = 3_000_000
_CONTEXT_LENGTH = 60  # characters shown on either side of a change


class _TooDifferentError(Exception):
    pass


class _BoundedMatcher(SequenceMatcher[str]):
    """Compares two lists of words. Raises _TooDifferentError when it would look at more than _MAX_PAIRS pairs."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new, autojunk=False)
        self._old, self._new_counts, self._pairs = old, Counter(new), 0

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        self._pairs += sum(self._new_counts[word] for word in self._old[alo:ahi])
        if self._pairs > _MAX_PAIRS:
            raise _TooDifferentError
        return super().find_longest_match(alo, ahi, blo, bhi)


class DiffPart(NamedTuple):
    """A part of a text: in both texts (same), only in the old one (removed), or only in the new one (added)."""

    kind: Literal["same", "removed", "added"]
    text: str


@lru_cache(maxsize=8)  # a text is compared once for its diff, and once for its notes
def diff_words(before: str, now: str) -> list[DiffPart]:
    """The parts of both texts in their order. A removed part comes before the added part that replaces it."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(now)
    start = next(
        (index for index, (old_word, new_word) in enumerate(zip(old, new, strict=False)) if old_word != new_word),
        min(len(old), len(new)),
    )
    ends = zip(reversed(old[start:]), reversed(new[start:]), strict=False)
    end = next(
        (index for index, (old_word, new_word) in enumerate(ends) if old_word != new_word),
        min(len(old), len(new)) - start,
    )
    middle = _compare_words(old[start : len(old) - end], new[start : len(new) - end])
    head, tail = DiffPart("same", "".join(old[:start])), DiffPart("same", "".join(old[len(old) - end :]))
    return _join_parts([head, *middle, tail])


def inline_diff(parts: Sequence[DiffPart]) -> str:
    """The parts on one line, as git marks words: `[-removed-]{+added+}`.

    They have terminal colours, which the caller may strip.
    """
    pieces: list[str] = []
    for number, part in enumerate(parts):
        text = re.sub(r"\n+", " ", part.text)
        if part.kind == "same":
            pieces.append(_shorten(text, first=number == 0, last=number == len(parts) - 1))
        elif part.kind == "removed":
            pieces.append(style(f"[-{text}-]", "red"))
        else:
            pieces.append(style(f"{{+{text}+}}", "green"))
    return "".join(pieces)


def diff_lines(parts: Sequence[DiffPart]) -> str:
    """The parts as lines of a diff, which GitHub and GitLab colour: a changed line is there as it was and as it is.

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
    """One line of both texts as lines of a diff: several, if a change has line breaks."""
    before, now = (
        [" ".join(line.split()) for line in "".join(piece.text for piece in pieces if piece.kind != kind).split("\n")]
        for kind in ("added", "removed")
    )
    changed = [piece.kind for piece in pieces if piece.kind != "same"]
    if before == now:
        marks = ["- (white space)" if kind == "removed" else "+ (white space)" for kind in changed]
        return [*(f"  {line}" for line in before if line), *marks]
    head = _count_equal(before, now)
    tail = _count_equal(before[head:][::-1], now[head:][::-1])
    lines = [
        *(f"  {line}".rstrip() for line in before[:head]),
        *(f"- {line}".rstrip() for line in before[head : len(before) - tail]),
        *(f"+ {line}".rstrip() for line in now[head : len(now) - tail]),
        *(f"  {line}".rstrip() for line in before[len(before) - tail :]),
    ]
    return [line for line in lines if len(line) > 1]


def _count_equal(left: Sequence[str], right: Sequence[str]) -> int:
    """The number of lines that are the same at the beginning of both."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _compare_words(old: list[str], new: list[str]) -> Iterable[DiffPart]:
    parts = []
    try:
        changes = _BoundedMatcher(old, new).get_opcodes()
    except _TooDifferentError:
        return [DiffPart("removed", "".join(old)), DiffPart("added", "".join(new))]
    for kind, old_start, old_end, new_start, new_end in changes:
        if kind == "equal":
            parts.append(DiffPart("same", "".join(old[old_start:old_end])))
        else:
            parts += [
                DiffPart("removed", "".join(old[old_start:old_end])),
                DiffPart("added", "".join(new[new_start:new_end])),
            ]
    return parts


def _join_parts(parts: Iterable[DiffPart]) -> list[DiffPart]:
    """The parts without empty ones.

    Changes with only a space between them are joined, because they read as one change.
    """
    kept = [part for part in parts if part.text]
    joined: list[DiffPart] = []
    removed = added = ""
    for number, part in enumerate(kept):
        is_gap = part.kind == "same" and not part.text.strip() and "\n" not in part.text
        if part.kind != "same" or (is_gap and (removed or added) and number < len(kept) - 1):
            removed += part.text if part.kind in {"same", "removed"} else ""
            added += part.text if part.kind in {"same", "added"} else ""
            continue
        joined += [*_build_changes(removed, added), part]
        removed = added = ""
    return [*joined, *_build_changes(removed, added)]


def _build_changes(removed: str, added: str) -> list[DiffPart]:
    return [part for part in (DiffPart("removed", removed), DiffPart("added", added)) if part.text]


def _shorten(text: str, *, first: bool, last: bool) -> str:
    """An unchanged text, of which only the ends next to a change are kept.

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
