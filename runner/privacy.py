"""Texts that hold recipients' values, and how they are displayed: in clear, or masked.

A value stands beside the text, as a part of its own. No character of a file or of an answer begins or ends it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

MASK = "***"
# An email address. Texts such as Intercom's responses quote one without saying whose it is. What a template language
# writes before a name is none: {@first_name}, %@, $@name; nor is @FIRST_NAME@ at the end of a sentence. A match begins
# where the run of characters does: begun at each of them, the search takes quadratic time in a long text without an @.
_ADDRESS = re.compile(r"(?<![^\s@<>()\"',;:])[^\s@<>()\"',;:]+(?<![{\[$#%*~|>])@(?=[\w\[])[^\s@<>()\"',;:]+")
# A word of a text or of HTML; "O&#39;Brien" is one word.
_WORD = re.compile(r"(?:\w|&#?\w+;)+")


@dataclass(frozen=True, slots=True)
class Private:
    """A recipient's value. Masked, it is displayed as `instead`.

    `name` is the variable whose value it is; empty if it is computed, or that of several variables.
    """

    value: str
    instead: str = MASK
    name: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text with recipients' values in it. `+` joins it with other texts.

    `str(text)` is masked, so a place that forgets to ask for `reveal_or_mask` shows nothing private.
    """

    parts: tuple[str | Private, ...]

    def __add__(self, other: "AnyText") -> "Text":
        return Text((*self.parts, *_parts(other)))

    def __radd__(self, other: str) -> "Text":
        return Text((other, *self.parts))

    def __str__(self) -> str:
        return reveal_or_mask(self, show_values=False)


AnyText: TypeAlias = str | Text


def mark_private(value: object, instead: str = MASK) -> Text:
    """Returns the value as a text that is a recipient's. Masked, it is displayed as `instead`."""
    return Text((Private(str(value), instead),))


def find_email_spans(text: str) -> Iterator[tuple[int, int]]:
    """Returns the start and end of each email address in a text."""
    return (match.span() for match in _ADDRESS.finditer(text))


def reveal_or_mask(text: AnyText, *, show_values: bool) -> str:
    """Returns the text for printing, with recipients' values in clear (`show_values`) or masked."""
    return "".join(
        part if isinstance(part, str) else part.value if show_values else part.instead for part in _parts(text)
    )


def reveal_or_mask_same_width(text: AnyText, *, show_values: bool) -> str:
    """Returns the text as `reveal_or_mask`, with each column unchanged, for a line with a caret below it."""
    return "".join(
        part if isinstance(part, str) else part.value if show_values else "*" * len(part.value) for part in _parts(text)
    )


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> AnyText:
    """Returns the text with the spans marked as private. `spans` are (start, end), in order, and do not overlap."""
    parts: list[str | Private] = []
    position = 0
    for start, end in spans:
        parts += [text[position:start], Private(text[start:end])]
        position = end
    return Text((*parts, text[position:])) if parts else text


def mark_private_values(text: AnyText, values: Iterable[object], *, emails: bool = True) -> AnyText:
    """Returns the text with every whole-word occurrence of the values marked as private.

    With `emails`, email addresses are marked too. A value is also found where it was HTML-escaped. Long values are
    matched first, so that `Ann` does not split `Ann Lee`.
    """
    forms = {form for value in values for form in _spellings(str(value))}
    patterns = [rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms, key=len, reverse=True)]
    pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def find_spans(part: str) -> Iterable[tuple[int, int]]:
        addresses = find_email_spans(part) if emails else ()
        return _join_spans([*addresses, *(match.span() for match in (pattern.finditer(part) if pattern else ()))])

    return _mark_in_parts(text, find_spans)


def find_words(texts: Iterable[str]) -> frozenset[str]:
    """Returns the words of some texts, without regard to case."""
    return frozenset({word for text in texts for word in _WORD.findall(text.casefold())})


@lru_cache(maxsize=1024)  # a variable of the project may be large, and in the texts of a thousand messages
def find_words_of(text: str) -> frozenset[str]:
    """Returns the words of a text, without regard to case."""
    return find_words([text])


def mark_unwritten_words(text: AnyText, written_words: AbstractSet[str]) -> AnyText:
    """Returns the text with every word marked as private that is not one of the author's words, of `find_words`."""
    return _mark_in_parts(
        text,
        lambda part: (match.span() for match in _WORD.finditer(part) if match[0].casefold() not in written_words),
    )


def _mark_in_parts(text: AnyText, find_spans: Callable[[str], Iterable[tuple[int, int]]]) -> AnyText:
    """Returns the text with spans of its plain parts marked as private, and its private parts as they are."""
    if isinstance(text, str):
        return mark_spans(text, find_spans(text))
    parts: list[str | Private] = []
    for part in text.parts:
        parts.extend([part] if isinstance(part, Private) else _parts(mark_spans(part, find_spans(part))))
    return Text(tuple(parts))


def _join_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the spans in order, those that overlap as one: a value may end or begin within an address."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _parts(text: AnyText) -> tuple[str | Private, ...]:
    return (text,) if isinstance(text, str) else text.parts


def _spellings(value: str) -> set[str]:
    import html  # noqa: PLC0415  # saves 2 ms where no value is marked

    return {form for form in (value.strip(), html.escape(value.strip())) if form}
