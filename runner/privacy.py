"""Marks recipients' values inside texts, so that whoever prints can mask them.

A value is wrapped in two private-use characters where the text is made, and the one place that prints
either drops the marks or replaces what stands between them. A text that forgets nothing needs no second copy.
"""

import re
from collections.abc import Iterable, Iterator

_OPEN, _ELSE, _CLOSE = "\ue0f0", "\ue0f2", "\ue0f1"
_MARKED = re.compile(f"{_OPEN}([^{_CLOSE}{_ELSE}]*){_ELSE}?([^{_CLOSE}]*){_CLOSE}")
_MARKED_WHOLE = f"{_OPEN}[^{_CLOSE}]*{_CLOSE}"
_MARKS = str.maketrans("", "", _OPEN + _ELSE + _CLOSE)
MASK = "***"
# Whatever quotes an address without our knowing whose it is (an answer of the API, for one).
_ADDRESS = re.compile(r"[^\s@<>()\"',;:]+@[^\s@<>()\"',;:]+")
# A word of a text or of HTML: "O&#39;Brien" is one.
_WORD = re.compile(r"(?:\w|&#?\w+;)+")


def mark_private(value: object, instead: str = "") -> str:
    """The value as text, marked as a recipient's; masked it is shown as `***`, or as what may stand instead."""
    return f"{_OPEN}{str(value).translate(_MARKS)}{_ELSE if instead else ''}{instead}{_CLOSE}"


def find_email_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the email addresses in a text begin and end."""
    return (found.span() for found in _ADDRESS.finditer(text))


def reveal_or_mask(text: str, *, show_values: bool) -> str:
    """The text for printing: marked values in clear (`show`) or masked."""
    if _OPEN not in text:
        return text
    return _MARKED.sub(lambda found: found[1] if show_values else found[2] or MASK, text)


def reveal_or_mask_same_width(text: str, *, show_values: bool) -> str:
    """Like `revealed`, but keeps every column where it is, for a line with a caret below it."""
    if _OPEN not in text:
        return text
    return _MARKED.sub(lambda found: found[1] if show_values else "*" * len(found[1]), text)


def mark_private_values(text: str, values: Iterable[object], *, emails: bool = True) -> str:
    """The text with every whole-word occurrence of the values, and of `addresses` every one, marked as private.

    Finds a value also where it was HTML-escaped. The longest come first, so that `Ann` does not cut `Ann Lee` in two.
    """
    forms = {form for value in values for form in _forms(str(value))}
    if _OPEN in text:  # what is marked already stays so
        return "".join(
            part if part.startswith(_OPEN) else mark_private_values(part, values, emails=emails)
            for part in _parts(text)
        )
    parts = [rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms, key=len, reverse=True)]
    parts += [_ADDRESS.pattern] if emails else []
    if not parts:
        return text
    pattern = re.compile("|".join(parts), re.IGNORECASE)
    return pattern.sub(lambda found: mark_private(found.group()), text)


def mark_unwritten_words(text: str, written: Iterable[str]) -> str:
    """The text with every word marked as private that stands in none of the texts that its author wrote."""
    known = {word.casefold() for source in written for word in _WORD.findall(source)}
    return "".join(
        part
        if part.startswith(_OPEN)
        else _WORD.sub(lambda found: found[0] if found[0].casefold() in known else mark_private(found[0]), part)
        for part in _parts(text)
    )


def _parts(text: str) -> list[str]:
    return [part for part in re.split(f"({_MARKED_WHOLE})", text) if part]


def _forms(value: str) -> set[str]:
    import html  # noqa: PLC0415  # imported where used

    return {form for form in (value.strip(), html.escape(value.strip())) if form}
