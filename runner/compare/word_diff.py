"""The difference of two texts, word by word."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import Match, SequenceMatcher
from functools import lru_cache
from posixpath import commonprefix
from typing import Literal, NamedTuple

_TOKEN = re.compile(r"\n|[^\S\n]+|\w+(?:[.,'\u2019-]\w+)*|[^\w\s]")  # 12.50, don't and e-mail are words
# Pairs of equal words that are looked at, over all steps: about a second. For two texts in which words repeat, difflib
# would take minutes. Texts that differ so much are easier to read whole.
_MAX_PAIRS = 3_000_000
_KEPT = 10  # characters before and after a difference, of those that two texts share


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
    """Returns the parts of both texts in their order. A removed part comes before the added part that replaces it."""
    return diff_tokens(_TOKEN.findall(before), _TOKEN.findall(now))


def diff_tokens(old: list[str], new: list[str]) -> list[DiffPart]:
    """Returns the differences as `diff_words`, of texts that the caller has split."""
    start = len(commonprefix([old, new]))
    end = len(commonprefix([old[start:][::-1], new[start:][::-1]]))
    middle = _compare_words(old[start : len(old) - end], new[start : len(new) - end])
    head, tail = DiffPart("same", "".join(old[:start])), DiffPart("same", "".join(old[len(old) - end :]))
    return _join_parts([head, *middle, tail])


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
    """Returns the parts without empty ones.

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


def cut_shared_ends(before: str, now: str) -> tuple[str, str]:
    """Returns both texts without what they begin and end with alike, but for some characters."""
    start = max(0, len(commonprefix((before, now))) - _KEPT)
    shared = len(commonprefix((before[start:][::-1], now[start:][::-1])))
    cut = max(0, shared - _KEPT)
    texts = (text[start : len(text) - cut] for text in (before, now))
    first, second = (f"{'…' * (start > 0)}{text}{'…' * (cut > 0)}" for text in texts)
    return first, second
