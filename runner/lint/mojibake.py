"""Finds mojibake: UTF-8 that a program has read as Windows-1252 or Latin-1, so that José became JosÃ©."""

import re
from collections.abc import Iterator

# What the two encodings make of the bytes 0x80 to 0xBF, the second and later bytes of a character in UTF-8.
_CONTINUATIONS = bytes(range(0x80, 0xC0)).decode("cp1252", "ignore") + "".join(map(chr, range(0x80, 0xA0)))
_SEQUENCES = re.compile(
    f"(?:[\xc2-\xdf][{_CONTINUATIONS}]|[\xe0-\xef][{_CONTINUATIONS}]{{2}}|[\xf0-\xf4][{_CONTINUATIONS}]{{3}})+"
)
_TO_BYTE = {chr(byte): byte for byte in range(0x80, 0x100)}
_TO_BYTE |= {bytes([byte]).decode("cp1252", "ignore"): byte for byte in range(0x80, 0x100)}
# What may follow an accented letter in an honest text, as in AMANHÃ” or «voilà»…
_PUNCTUATION = frozenset(
    b"\x82\x84\x85\x8b\x91\x92\x93\x94\x95\x96\x97\x99\x9b\xa0\xa9\xab\xae\xb0\xb2\xb3\xbb".decode("cp1252")
)
_LEADS_OF_LATIN_1 = frozenset("ÂÃ")  # of the characters up to U+00FF, é for one
_LAST_LATIN = "\u017f"
_LOST_CHARACTER = "\ufffd"


def find_mojibake(text: str) -> Iterator[tuple[int, str, str]]:
    """Yields the garbled parts of a text: the offset, the part, and what it means; that is empty if it was lost."""
    if text.isascii():
        return
    for match in _SEQUENCES.finditer(text):
        meant = _decode(match.group())
        if meant and not (len(meant) == 1 and _may_be_honest(text, match, meant)):
            yield match.start(), match.group(), meant
    if (lost := text.find(_LOST_CHARACTER)) >= 0:
        yield lost, _LOST_CHARACTER, ""


def _decode(garbled: str) -> str:
    try:
        return bytes(_TO_BYTE[character] for character in garbled).decode()
    except UnicodeDecodeError:
        return ""


def _may_be_honest(text: str, match: re.Match[str], meant: str) -> bool:
    """Returns whether one garbled character may be an accented letter and the punctuation after it."""
    lead, rest = match.group()[0], match.group()[1:]
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if any("\x80" <= character < "\xa0" for character in rest):
        return False  # control characters, which no text has
    if len(rest) > 1:
        return before.isalpha() and not after.isalpha() and _PUNCTUATION.issuperset(rest)
    if lead in _LEADS_OF_LATIN_1:
        return before.isupper() and not after.isalpha() and rest[0] in _PUNCTUATION - {"©", "®"}
    is_in_word = before.islower() or (after.islower() and not rest[0].isspace())
    return meant > _LAST_LATIN or not (is_in_word or rest[0].isalpha())
