"""Quotes of CSV files that are not as the format has them."""

# Pairs that spreadsheets, word processors and SQL tools write in place of the straight double quote.
_PAIRS = ("''", "“”", "„“", "„”", "””", "‘’", "‚‘", "’’", "«»", "»«", "‹›", "``", "´´")  # noqa: RUF001
# Around a name: byte order marks, and other characters that no one sees or types.
INVISIBLE = frozenset("\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad")
_FIRST_SIGNS = frozenset(pair[0] for pair in _PAIRS)


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
