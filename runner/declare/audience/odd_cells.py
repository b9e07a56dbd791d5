"""Cells that were broken before msgrun read them: a spreadsheet's error, a formula, a word for no value, odd quotes.

Such an identifier is an error, by the same rules in the payload's schema. In a text such a value may be right, because
there are people called Null. There it is a warning, and the message is sent.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from runner.errors import Place, Problem, Severity
from runner.privacy import AnyText, mark_private

# What Excel, LibreOffice and Google Sheets write where a formula fails, in English, German, French, Spanish, Italian,
# Portuguese and Dutch. Source: the lists of error values in Microsoft's and LibreOffice's documentation.
_SPREADSHEET_ERRORS = (
    *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#ERROR!", "#N/A!"),
    *("#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#GETTING_DATA", "#EXTERNAL!", "#PYTHON!"),
    *("#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#\u00dcBERLAUF!", "#KALK!"),
    *("#VALEUR!", "#NOM?", "#NOMBRE!", "#NUL!", "#PROPAGATION!", "#CALCUL!"),
    *("#\u00a1REF!", "#\u00a1VALOR!", "#\u00bfNOMBRE?", "#\u00a1NUM!", "#\u00a1DIV/0!", "#\u00a1NULO!"),
    "#\u00a1DESBORDAMIENTO!",
    *("#N/D", "#RIF!", "#VALORE!", "#NOME?", "#NULLO!", "#VALOR!", "#N/B", "#VERW!", "#WAARDE!", "#NAAM?", "#GETAL!"),
    *("Loading...", "Loading\u2026"),
    *(f"Err:{number}" for number in range(501, 541)),
    *("#" * width for width in range(3, 256)),  # a column that was too narrow to show its values
)
_NULL_WORDS = ("NULL", "null", "Null", "(null)", "<null>", "NaN", "nan", "NAN", "None", "undefined", "[object Object]")
_ODD = frozenset((*_SPREADSHEET_ERRORS, *_NULL_WORDS, "\\N", "N/A", "n/a", "NaT", "<NA>"))
_FORMULA = re.compile(r"=[^=\s]|[@+-][A-Za-z.]+\(|[@+-].*\|")
_REPLACEMENT_CHARACTER = "\ufffd"  # it replaces a character that could not be decoded
# Pairs that spreadsheets, word processors and SQL tools write in place of the straight double quote.
_PAIRS = ("''", "“”", "„“", "„”", "””", "‘’", "‚‘", "’’", "«»", "»«", "‹›", "``", "´´")  # noqa: RUF001
_FIRST_SIGNS = frozenset(pair[0] for pair in _PAIRS)

_MAX_EXACT_FLOAT = 2**53  # up to this, a float represents every whole number exactly


def may_be_odd(values: Mapping[str, Any], used: frozenset[str] | None, *, is_text: bool) -> bool:
    """Returns whether `find_odd_cells` may find something. It is fast, because it is called for every row.

    `used` names the variables to look at; None stands for all. `is_text` says that all values are known to be texts.
    """
    if used is not None and 2 * len(used) < len(values):
        values = {name: values[name] for name in used if name in values}
    texts: Collection[str]
    if is_text:
        texts = values.values()
    else:
        texts = [value for value in values.values() if type(value) is str]
        if len(texts) < len(values) and any(
            type(value) is float and abs(value) >= _MAX_EXACT_FLOAT for value in values.values()
        ):
            return True
    if not _ODD.isdisjoint(texts):
        return True
    joined = "\n" + "\n".join(texts)
    if "\n=" in joined or "\n@" in joined or "\n+" in joined or "\n-" in joined:
        return True
    if "\n'" in joined or "\n`" in joined or "\0" in joined:
        return True
    # isascii takes no time, however long the text is
    return not joined.isascii() and (_REPLACEMENT_CHARACTER in joined or any(map(find_other_quotes, texts)))


def find_odd_cells(values: Mapping[str, Any], used: frozenset[str] | None, place: Place) -> Iterator[Problem]:
    """Yields a warning for each odd value of a row, of the variables in `used`; None stands for all."""
    for name, value in values.items():
        if (used is None or name in used) and (oddity := _describe_oddity(value)):
            message, hint = oddity
            yield Problem("odd-cell", place, f"{name} " + message, hint, Severity.WARNING)


def _describe_oddity(value: Any) -> tuple[AnyText, str] | None:
    """Returns what is odd in a value, and what to do about it. None if nothing is odd."""
    if type(value) is float and abs(value) >= _MAX_EXACT_FLOAT:
        return "is " + mark_private(value) + ": so large a number was rounded", "write it as a text, in quotes"
    if type(value) is not str:
        return None
    if value in _ODD:
        return (
            f"is {value}: the word for a value that is missing, or a spreadsheet's error",
            "if nothing is meant, leave the cell empty and give the text a default",
        )
    if _FORMULA.match(value):
        return "is " + mark_private(value[:80]) + ": a formula", "export the values instead"
    if pair := find_other_quotes(value):
        hint = quote_hint(pair)
        return f"stands in {pair[0]} and {pair[1]}, which reach the text", f"if they are no part of it, {hint}"
    if _REPLACEMENT_CHARACTER in value:
        return "holds U+FFFD: a character was lost where the file was written", "export it again, as UTF-8"
    if "\0" in value:
        return "holds a NUL character", "export it again, as UTF-8"
    return None


def find_other_quotes(text: str) -> str:
    """Returns the pair of quotes around a text, if it is none of CSV's; empty if there is none."""
    if text[:1] not in _FIRST_SIGNS or len(text) < 3:  # noqa: PLR2004  # two quotes and what they hold
        return ""
    pair = text[0] + text[-1]
    return pair if pair in _PAIRS else ""


def quote_hint(pair: str) -> str:
    """Returns how to have a pair of quotes read as quotes of CSV."""
    if pair[0] == pair[1] and pair[0] in "'`":
        return f'say quote: "{pair[0]}" beside the path, or remove them in the file'
    return f'replace {pair[0]} and {pair[1]} by " in the file'
