"""Checks words: null values that are printed, HTML entities, subjects, and UTF-8 that was read in another encoding."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runner.characters import unescape_html
from runner.privacy import AnyText

ValueFormatter = Callable[[str], AnyText]  # how a message shows a recipient's value: `mark_private`, or `str` as it is
# As programs print them. Other spellings are left out: Null and Nan are people's names, none and nil are words.
NULL_WORDS = ("None", "nan", "NaN", "NULL", "null", "undefined", "NaT")
_NULL_PATTERN = "|".join(NULL_WORDS)
_ONLY_NULLS = re.compile(rf"(?:{_NULL_PATTERN})(?:\s+(?:{_NULL_PATTERN}))*")
# A name made of parts of which one is missing: "Ann None", "nan Smith". A sentence is longer, or has small letters.
_PARTLY_NULL = re.compile(
    rf"(?:[^\W\d_a-z]\S*\s+){{1,2}}(?:{_NULL_PATTERN})|(?:{_NULL_PATTERN})(?:\s+[^\W\d_a-z]\S*){{1,2}}"
)
_UNSUBSCRIBE = re.compile(
    r"unsubscri|opt[- ]?out|(?:email|e-mail|mail|notification|communication)s? (?:preferences|settings)|"
    r"stop (?:getting|receiving) (?:these|such|our|this)|no longer (?:want|wish) to (?:get|receive)|"
    r"abmeld|abbestell|austragen|d[ée]sabonn|d[ée]sinscri|dar(?:te|se|me)? de baja|cancelar (?:la |tu )?suscripci|"
    r"cancellati|disiscri|annulla(?:re)? l.iscrizione|uitschrijv|afmeld|avregistrer|avsluta prenumeration|"
    r"cancelar (?:a )?(?:inscri|assinatura)|wypis|отпис|配信停止|退订|取消订阅",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_DOUBLE_ESCAPE = re.compile(r"&amp;(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_ENTITIES_WRITTEN_ABOUT = frozenset({"amp", "lt", "gt", "quot"})
MAX_SUBJECT_LENGTH = 100
_WORD_CHAR = re.compile(r"\w")
_MAX_OCCURRENCES = 1000
_MIN_LETTERS = 8
_MAX_ACRONYM_LENGTH = 3  # letters; most names made of capitals have no more
# Mojibake is UTF-8 that a program has read as Windows-1252 or Latin-1, so that José became JosÃ©.
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


class Fault(NamedTuple):
    """What a rule finds. `hint` is the step that fixes it; if it is empty, the rule's own fix is shown."""

    code: str
    message: AnyText
    hint: str = ""


class PlacedFault(NamedTuple):
    """A fault and its offset in the text. `is_valid_html`: the HTML standard allows it."""

    start: int
    fault: Fault
    is_valid_html: bool = False


def find_null_word(value: str) -> str:
    """Returns the first null word of a value, if the value is such words only, or a name with one.

    Returns an empty text for any other value.
    """
    text = value.strip()
    if _ONLY_NULLS.fullmatch(text):
        return text.split()[0]
    if _PARTLY_NULL.fullmatch(text):
        return next(word for word in text.split() if word in NULL_WORDS)
    return ""


def find_entities(text: str) -> Iterator[tuple[int, str]]:
    """Yields the HTML entities of a text, each after its offset."""
    entities = _ENTITY.finditer(text)
    return ((match.start(), match.group()) for match in entities if unescape_html(match.group())[-1] != ";")


def check_entities(text: str, *, is_plain: bool) -> Iterator[tuple[int, Fault]]:
    """Yields the faults of entities that are shown as they stand, each after its offset.

    In plain text every entity is. In HTML it is one that an editor escaped again, `&amp;nbsp;`. Who writes about HTML
    means `&amp;amp;` and `&amp;lt;`, so these are left out.
    """
    for start, entity in find_entities(text) if is_plain else ():
        hint = f"write the character itself: {unescape_html(entity)}"
        yield start, Fault("entity-shown", f"{entity} is shown as it stands: this is plain text", hint)
    for match in () if is_plain else _DOUBLE_ESCAPE.finditer(text):
        entity = f"&{match[1]};"
        if unescape_html(entity)[-1] != ";" and match[1].lower() not in _ENTITIES_WRITTEN_ABOUT:
            yield (
                match.start(),
                Fault("entity-shown", f"{entity} is shown as it stands: its & is escaped", f"write {entity}"),
            )


def has_word(text: str, word: str) -> bool:
    """Returns whether a text contains a word, or several, with no letter, digit or underscore next to it.

    `find` takes linear time, where a pattern would compare a long word at each position.
    """
    start = text.find(word)
    for _ in range(_MAX_OCCURRENCES):
        if start < 0:
            return False
        if not _WORD_CHAR.match(text[start - 1 : start]) and not _WORD_CHAR.match(text, start + len(word)):
            return True
        start = text.find(word, start + 1)
    return True  # no honest text has it so often as a part of other words


def is_shouting(text: str) -> bool:
    """Returns whether a text of several words is mostly capitals, or contains `!!` or `??`."""
    letters = [character for character in text if character.isalpha()]
    capitals = sum(map(str.isupper, letters))
    # NASA & IBM are names. A text that shouts has several longer words in capitals.
    has_capital_words = sum(word.isupper() and len(word) > _MAX_ACRONYM_LENGTH for word in re.findall(r"\w+", text)) > 1
    is_mostly_capitals = (
        has_capital_words and len(text.split()) > 1 and len(letters) >= _MIN_LETTERS and capitals > 0.7 * len(letters)
    )
    return is_mostly_capitals or bool(re.search(r"!!|\?\?", text))


def mentions_unsubscribe(text: str) -> bool:
    """Returns whether a text says, in one of the common languages, how to unsubscribe."""
    return _UNSUBSCRIBE.search(text) is not None


def iter_strings(value: Any) -> Iterable[str]:
    """Yields the texts in a variable, at any depth of its lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from iter_strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_strings(item)


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
