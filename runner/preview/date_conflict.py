"""Finds a date in a subject that its body does not have, where the body has another one.

Only what is certain is reported: one date in the subject and one other date in the author's words of the body, both
written in the same way, and no month without a day. Names of months are English.
"""

import re

from runner.declare.keys_and_digests import visible_words
from runner.privacy import AnyText, reveal_or_mask

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b"
)
_DAY = r"(?<![\d\u2013/.:-])(\d{1,2})(?:st|nd|rd|th)?(?![\d\u2013/.:-])"  # not a part of a range, a time or a number
_WORDS = re.compile(rf"{_DAY}\.?\s+(?:of\s+)?{_MONTH}|\b{_MONTH}\.?\s+{_DAY}")
_MONTH_ALONE = re.compile(rf"\b{_MONTH}")
_ISO = re.compile(r"(?<![\w-])\d{4}-(\d{2})-(\d{2})(?![\w-])")
_MAX_READ = 200_000  # characters of a body

Dates = dict[tuple[int, int], str]  # as they are written, by month and day


def find_date_conflict(subject: AnyText, body: AnyText) -> str:
    """Returns what the subject and the body say; empty if nothing is certain."""
    written = reveal_or_mask(subject, show_values=False)
    in_words, iso = _find_dates(written)
    if len(in_words) + len(iso) != 1 or _has_unclear_month(written):
        return ""
    [(date, text)] = [*in_words.items(), *iso.items()]
    # The dates of values count where a date is looked for, and are not named.
    sent, masked = (visible_words(reveal_or_mask(body, show_values=show)[:_MAX_READ]) for show in (True, False))
    same_form, other_form = _find_dates(sent) if in_words else _find_dates(sent)[::-1]
    if date in same_form or other_form or _has_unclear_month(sent):
        return ""
    others = _find_dates(masked)[0 if in_words else 1]
    return f"the subject says {text}, and the body {next(iter(others.values()))}" if len(others) == 1 else ""


def _find_dates(text: str) -> tuple[Dates, Dates]:
    """Returns the dates with the name of a month, and those as 2027-04-01."""
    in_words: Dates = {}
    for match in _WORDS.finditer(text):
        month, day = (match[2], match[1]) if match[2] else (match[3], match[4])
        in_words.setdefault((_MONTHS.index(month[:3].lower()) + 1, int(day)), match[0])
    return in_words, {(int(match[1]), int(match[2])): match[0] for match in _ISO.finditer(text)}


def _has_unclear_month(text: str) -> bool:
    """Returns whether a month stands in the text that is not part of a date, as in `12-14 March`."""
    return len(_MONTH_ALONE.findall(text)) != len(_WORDS.findall(text))
