"""The difference of two texts, word by word: as parts, on one line, and as lines that a reader of Markdown knows."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import click

_TOKEN = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


_MOST_COMPARED = (
    4_000_000  # pairs of words; more would take seconds, and a text that differs so much reads better whole
)


_AROUND = 60  # characters shown on either side of a change


class DiffPart(NamedTuple):
    """A stretch of text and what happened to it."""

    kind: Literal["same", "removed", "added"]
    text: str


def diff_words(before: str, now: str) -> list[DiffPart]:
    """The parts of both texts in their order, a removed one before the one that took its place."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(now)
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    ends = zip(reversed(old[start:]), reversed(new[start:]), strict=False)
    end = next((at for at, (a, b) in enumerate(ends) if a != b), min(len(old), len(new)) - start)
    middle = _middle(old[start : len(old) - end], new[start : len(new) - end])
    head, tail = DiffPart("same", "".join(old[:start])), DiffPart("same", "".join(old[len(old) - end :]))
    return _joined([head, *middle, tail])


def inline_diff(parts: Sequence[DiffPart]) -> str:
    """On one line, as git marks words: `[-removed-]{+added+}`, in colours where there are any."""
    told: list[str] = []
    for number, part in enumerate(parts):
        text = re.sub(r"\n+", " ", part.text)
        if part.kind == "same":
            told.append(_shortened(text, first=number == 0, last=number == len(parts) - 1))
        elif part.kind == "removed":
            told.append(click.style(f"[-{text}-]", fg="red"))
        else:
            told.append(click.style(f"{{+{text}+}}", fg="green"))
    return "".join(told)


def diff_lines(parts: Sequence[DiffPart]) -> str:
    """As lines of a diff, which both hosts colour: what stays is broken off where something changed."""
    told: list[str] = []
    for number, part in enumerate(parts):
        text = part.text
        if part.kind == "same":
            text = _shortened(text, first=number == 0, last=number == len(parts) - 1)
        sign = {"same": " ", "removed": "-", "added": "+"}[part.kind]
        told.extend(f"{sign} {line.strip()}" for line in text.split("\n") if line.strip())
        if part.kind != "same" and not part.text.strip():
            told.append(f"{sign} (white space)")
    return "\n".join(told)


def _middle(old: list[str], new: list[str]) -> Iterable[DiffPart]:
    if len(old) * len(new) > _MOST_COMPARED:
        return [DiffPart("removed", "".join(old)), DiffPart("added", "".join(new))]
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(DiffPart("same", "".join(old[a:b])))
        else:
            found += [DiffPart("removed", "".join(old[a:b])), DiffPart("added", "".join(new[c:d]))]
    return found


def _joined(parts: Iterable[DiffPart]) -> list[DiffPart]:
    """Without empty parts, and with changes that only a space keeps apart taken together: they read as one."""
    kept = [part for part in parts if part.text]
    joined: list[DiffPart] = []
    removed = added = ""
    for number, part in enumerate(kept):
        is_gap = part.kind == "same" and not part.text.strip() and "\n" not in part.text
        if part.kind != "same" or (is_gap and (removed or added) and number < len(kept) - 1):
            removed += part.text if part.kind in {"same", "removed"} else ""
            added += part.text if part.kind in {"same", "added"} else ""
            continue
        joined += [*_both(removed, added), part]
        removed = added = ""
    return [*joined, *_both(removed, added)]


def _both(removed: str, added: str) -> list[DiffPart]:
    return [part for part in (DiffPart("removed", removed), DiffPart("added", added)) if part.text]


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """The ends of a text that stays; all of it says nothing new."""
    if first and last:
        return text
    head = "" if first else text[:_AROUND]
    tail = "" if last else text[-_AROUND:]
    return text if len(text) <= len(head) + len(tail) else f"{head}…{tail}"
