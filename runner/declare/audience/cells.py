"""Cells that say something went wrong before they got here: a spreadsheet's error, a formula, a word for nothing.

An identifier like that is an error (the payload's schema holds the same rules). In a text it may be right, for people
are called Null: so there it is told as a warning, and sent.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.errors import Place, Problem, Severity
from runner.privacy import private

_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#ERROR!", "#N/A!")
_WORDS = ("NULL", "null", "Null", "(null)", "<null>", "NaN", "nan", "NAN", "None", "undefined", "[object Object]")
_ODD = frozenset((*_ERRORS, *_WORDS, "\\N", "N/A", "n/a"))
_FORMULA = re.compile(r"=[^=\s]|[@+-][A-Za-z.]+\(|[@+-].*\|")
_SPOILT = re.compile(r"-?\d([.,]\d+)?[eE][+-]\d+|\d+\.0")


def odd(values: Mapping[str, Any], *, is_text: bool) -> bool:
    """Whether some value may be odd: quick, for every row is asked. `is_text`: all values are known to be text."""
    texts = values.values() if is_text else [value for value in values.values() if type(value) is str]
    if not _ODD.isdisjoint(texts):
        return True
    joined = "\n" + "\n".join(texts)
    return "\n=" in joined or "\n@" in joined or "\n+" in joined or "\n-" in joined


def warnings(values: Mapping[str, Any], used: frozenset[str] | None, place: Place) -> Iterator[Problem]:
    """What is odd in a row, of the variables that are used (None: of all)."""
    for name, value in values.items():
        if type(value) is not str or (used is not None and name not in used):
            continue
        if value in _ODD:
            message = f"{name} is {value}: the word for a value that is missing, or a spreadsheet's error"
            hint = "leave the cell empty, if it is meant so"
            yield Problem("odd-cell", place, message, hint, Severity.WARNING)
        elif _FORMULA.match(value):
            message = f"{name} is {private(value[:80])}: a formula"
            yield Problem("odd-cell", place, message, "export the values instead", Severity.WARNING)


def is_spoilt(identifier: str) -> bool:
    """Whether an id or user_id was spoilt on its way: 5.36E+23 was many digits, before a spreadsheet rounded them."""
    return identifier in _ODD or bool(_SPOILT.fullmatch(identifier)) or bool(_FORMULA.match(identifier))
