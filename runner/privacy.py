"""Marks recipients' values inside texts, so that the code that prints them can mask them.

A value is enclosed in private-use characters where the text is made. The code that prints the text either removes
these marks or replaces what is between them, so that one text serves both.
"""

import re
from collections.abc import Iterable, Iterator

_OPEN, _ELSE, _CLOSE = "\ue0f0", "\ue0f2", "\ue0f1"
_MARKED = re.compile(f"{_OPEN}([^{_CLOSE}{_ELSE}]*){_ELSE}?([^{_CLOSE}]*){_CLOSE}")
_MARKED_WHOLE = f"{_OPEN}[^{_CLOSE}]*{_CLOSE}"
_REMOVE_MARKS = str.maketrans("", "", _OPEN + _ELSE + _CLOSE)
MASK = "***"
# An email address. Texts such as Intercom's responses quote one without saying whose it is.
_ADDRESS = re.compile(r"[^\s@<>()\"',;:]+@[^\s@<>()\"',;:]+")
# A word of a text or of HTML; "O&#39;Brien" is one word.
_WORD = re.compile(r"(?:\w|&#?\w+;)+")


def mark_private(value: object, instead: str = "") -> str:
    """Returns the value as text, marked as a recipient's.

    Masked, it is displayed as `instead`, or as `***` if that is empty.
    """
    return f"{_OPEN}{str(value).translate(_REMOVE_MARKS)}{_ELSE if instead else ''}{instead}{_CLOSE}"


def find_email_spans(text: str) -> Iterator[tuple[int, int]]:
    """Returns the start and end of each email address in a text."""
    return (match.span() for match in _ADDRESS.finditer(text))


def reveal_or_mask(text: str, *, show_values: bool) -> str:
    """Returns the text for printing, with marked values in clear (`show_values`) or masked."""
    if _OPEN not in text:
        return text
    return _MARKED.sub(lambda match: match[1] if show_values else match[2] or MASK, text)


def reveal_or_mask_same_width(text: str, *, show_values: bool) -> str:
    """Returns the text as `reveal_or_mask`, with each column unchanged, for a line with a caret below it."""
    if _OPEN not in text:
        return text
    return _MARKED.sub(lambda match: match[1] if show_values else "*" * len(match[1]), text)


def mark_private_values(text: str, values: Iterable[object], *, emails: bool = True) -> str:
    """Returns the text with every whole-word occurrence of the values marked as private.

    With `emails`, email addresses are marked too. If one of the values is all that stands before the `@`, only that
    value is marked, and the domain is not. A value is also found where it was HTML-escaped. Long values are matched
    first, so that `Ann` does not split `Ann Lee`.
    """
    forms = {form for value in values for form in _spellings(str(value))}
    if _OPEN in text:  # what is marked already stays as it is
        return "".join(
            part if part.startswith(_OPEN) else mark_private_values(part, values, emails=emails)
            for part in _split_at_marks(text)
        )
    patterns = [rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms, key=len, reverse=True)]
    patterns += [_ADDRESS.pattern] if emails else []
    if not patterns:
        return text
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    return pattern.sub(lambda match: mark_private(match.group()), text)


def mark_unwritten_words(text: str, written: Iterable[str]) -> str:
    """Returns the text with every word marked as private that is in none of the author's texts, `written`."""
    written_words = {word.casefold() for source in written for word in _WORD.findall(source)}
    return "".join(
        part
        if part.startswith(_OPEN)
        else _WORD.sub(lambda match: match[0] if match[0].casefold() in written_words else mark_private(match[0]), part)
        for part in _split_at_marks(text)
    )


def _split_at_marks(text: str) -> list[str]:
    return [part for part in re.split(f"({_MARKED_WHOLE})", text) if part]


def _spellings(value: str) -> set[str]:
    import html  # noqa: PLC0415  # saves 2 ms where no value is marked

    return {form for form in (value.strip(), html.escape(value.strip())) if form}
