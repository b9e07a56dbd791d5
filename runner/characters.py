"""Characters that a reader cannot see or that a terminal obeys, and how they are shown: as `<U+200B>`.

Sources: Unicode's property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), the general categories Cc, Cf, Co,
Zl and Zp, and U+2800, U+2D7F, U+FFFC, U+1107F, U+16FE4 and U+1D159, which are blank. UTS #51 says where emoji have
invisible characters in their middle.
"""

import json
import re
import unicodedata

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # all of Cc but tab and line feed
_IGNORABLE = (
    "\u00ad\u034f\u1680\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200a-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ufffc\u2d7f\U0001107f\U00016fe4\U0001d159\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_PRIVATE_USE = "\ud800-\uf8ff\U000f0000-\U0010ffff"  # and lone surrogates, which no reader sees either
# Patterns of large sets are compiled where they are needed: all of them would take 12 ms at the start of every command.
_INVISIBLE = f"[{_CONTROLS}{_IGNORABLE}{_PRIVATE_USE}]"
_INVISIBLE_OR_LINE_END = f"[\n{_CONTROLS}{_IGNORABLE}{_PRIVATE_USE}]"
_INVISIBLE_IN_JSON = f"[\x7f-\x9f{_IGNORABLE}{_PRIVATE_USE}]"  # JSON itself escapes the others
_BEYOND_ASCII = "[^\x00-\x7e]"
# A row of them, as mailing tools put behind the preview text, is shown as its first one and its length.
_ROW = f"[{_IGNORABLE}](?:[ \xa0]*[{_IGNORABLE}]){{7,}}"
_FLAG = re.compile(  # the flags of England, Scotland and Wales
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_JOINING_LETTER = "[\u0620-\u08ff\u0900-\u0dff\u0e80-\u109f\u1780-\u18af\ua840-\ua87f]"
_LIKE_LATIN = frozenset({"Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic", "Lisu", "Georgian"})
_LATIN_LETTERS = frozenset("ßẞæÆœŒøØðÐþÞłŁđĐħĦıŋŊŧŦ")  # those without a mark that languages of Europe have
_LEADING_ZEROS = re.compile(r"&#0+(?=\d)")
_NO_CHARACTER = re.compile(r"&#[1-9]\d{7,};?")  # Unicode ends at 1,114,111
_IDEOGRAPH = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_EMOJI_STYLE, _TEXT_STYLE, _JOINER, _NON_JOINER, _KEYCAP = "\ufe0f", "\ufe0e", "\u200d", "\u200c", "\u20e3"


def has_invisible(text: str) -> bool:
    """Returns whether `show_invisible` would change the text."""
    if _is_plain(text):
        return False
    return any(not _is_in_place(text, match.start()) for match in re.finditer(_INVISIBLE, text))


def show_invisible(text: str) -> str:
    """Returns the text with each invisible or control character as `<U+200B>`. Tabs and line feeds stay.

    What belongs to an emoji, to an ideograph, or to a script that joins its letters stays too.
    """
    return _show(_INVISIBLE, text)


def show_on_one_line(text: str) -> str:
    """Returns the text as `show_invisible`, with each line feed as `<U+000A>`: for a value inside a line."""
    return _show(_INVISIBLE_OR_LINE_END, text)


def show_look_alikes(text: str) -> str:
    """Returns the text with those characters as `<U+043E>` that may look like others, and the scripts of its words.

    That is a letter of another script in a Latin word, and what is no letter, or is another form of a character. Of
    words in another script only the script is named, because all letters of one may look Latin.
    """
    if text.isascii():
        return text
    scripts = sorted({_find_script(letter) for letter in text if letter.isalpha()} & _LIKE_LATIN)
    shown = re.sub(r"[^\W\d_]+", _show_other_script, text)
    shown = "".join(_code_point(each) if _is_odd(each) else each for each in shown)
    return f"{shown} [letters of {' and '.join(scripts)}]" if scripts else shown


def _show_other_script(word: re.Match[str]) -> str:
    is_latin = [_find_script(letter) == "Latin" for letter in word[0]]
    if not any(is_latin):
        return word[0]
    return "".join(letter if latin else _code_point(letter) for letter, latin in zip(word[0], is_latin, strict=True))


def _find_script(letter: str) -> str:
    return "Latin" if letter.isascii() else unicodedata.name(letter, "").partition(" ")[0].title()


def _is_odd(character: str) -> bool:
    """Returns whether a character beyond ASCII is no letter, or one that is a form of another, or looks like it."""
    if character.isascii():
        return False
    if not character.isalpha() or unicodedata.normalize("NFKC", character) != character:
        return True
    has_latin_base = unicodedata.normalize("NFD", character)[0].isascii() or character in _LATIN_LETTERS
    return _find_script(character) == "Latin" and not has_latin_base


def escape_in_json(text: str, *, all_beyond_ascii: bool) -> str:
    """Returns JSON with the same meaning, in which invisible characters, or all beyond ASCII, are escaped."""
    pattern = _BEYOND_ASCII if all_beyond_ascii else _INVISIBLE_IN_JSON
    return text if _is_plain(text) else re.sub(pattern, lambda match: json.dumps(match[0])[1:-1], text)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _show(pattern: str, text: str) -> str:
    if _is_plain(text) or not re.search(pattern, text):
        return text
    text = re.sub(_ROW, _show_row, text)
    return re.sub(pattern, lambda match: match[0] if _is_in_place(text, match.start()) else _code_point(match[0]), text)


def _show_row(row: re.Match[str]) -> str:
    others = sum(character not in " \xa0" for character in row[0]) - 1
    return f"{_code_point(row[0][0])}<{others} more invisible characters>"


def _code_point(character: str) -> str:
    return f"<U+{ord(character):04X}>"


def _is_in_place(text: str, position: int) -> bool:
    """Returns whether the invisible character at a position belongs to the characters around it."""
    character, before, after = text[position], text[position - 1 : position], text[position + 1 : position + 2]
    if character in {_EMOJI_STYLE, _TEXT_STYLE}:
        return after == _KEYCAP or _is_symbol(before)
    if character == _JOINER and (_is_symbol(before) or before in {_EMOJI_STYLE, *_SKIN_TONES}) and _is_symbol(after):
        return True
    if character in {_JOINER, _NON_JOINER}:
        return bool(re.match(_JOINING_LETTER, before) and re.match(_JOINING_LETTER, after))
    if "\ufe00" <= character <= "\ufe02" or "\U000e0100" <= character <= "\U000e01ef":
        return re.match(_IDEOGRAPH, before) is not None
    return any(
        flag.start() <= position < flag.end() for flag in _FLAG.finditer(text, max(0, position - 6), position + 7)
    )


def _is_symbol(character: str) -> bool:
    """Returns whether a character may be an emoji: a symbol beyond ASCII, or one of two punctuation marks."""
    is_beyond_ascii = character > "\x7f" and unicodedata.category(character) in {"So", "Sm"}
    return is_beyond_ascii or character in {"\u203c", "\u2049"}


def unescape_html(text: str) -> str:
    """Returns a text with HTML entities replaced by their characters.

    `html.unescape` fails for a number of more than 4,300 digits. A number without a character becomes U+FFFD, as the
    HTML standard says.
    """
    if "&" not in text:
        return text
    import html  # noqa: PLC0415  # saves 2 ms in every command without an entity

    if "&#" in text:
        text = _NO_CHARACTER.sub("\ufffd", _LEADING_ZEROS.sub("&#", text))
    return html.unescape(text)


def name_in_dns(host: str) -> str:
    """Returns the name of a host in the DNS; empty if browsers map a letter of it, and so read another host.

    Not by Python's codec `idna`, which maps some letters as browsers no longer do.
    """
    labels = unicodedata.normalize("NFC", host.lower()).split(".")
    if any(unicodedata.normalize("NFKC", label).lower() != label for label in labels):
        return ""
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
