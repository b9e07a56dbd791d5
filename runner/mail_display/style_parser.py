"""The properties of an element's own style, where it is plain CSS, which all browsers and mail clients read alike."""

import re
from dataclasses import dataclass
from functools import lru_cache

from runner.mail_display.style_properties import FONT

_STRING = r"\"[^\"\\\n\r\f]*\"|'[^'\\\n\r\f]*'"
_SPACE = r"[ \t\r\n\f]"
# No comment, escape, block or at-rule is among them: where one of these is, browsers and mail clients differ. Of names
# beyond ASCII, those of East Asian fonts are known.
_TOKEN = re.compile(
    rf"(?P<url>url\({_SPACE}*(?:{_STRING}|[^\"'()\\\s]*){_SPACE}*\))|{_STRING}|[\w.%#\u3041-\u9fff\uac00-\ud7a3-]+|"
    rf"[,:;!()+=|?]|/(?!\*)|{_SPACE}+",
    re.IGNORECASE | re.ASCII,
)
_IMPORTANT = re.compile(r" ?! ?important$")


@dataclass(frozen=True, slots=True)
class ParsedStyle:
    """`declarations` are the properties with their values, in lower case; those that count for more come later.

    None: the style is no plain CSS. `addresses` are what it loads, and the gradients that it draws.
    """

    declarations: tuple[tuple[str, str], ...] | None
    addresses: tuple[str, ...] = ()

    def list_values(self, name: str) -> frozenset[str]:
        """Returns the values that a property is given."""
        return frozenset(value for each, value in self.declarations or () if each == name)


@lru_cache(maxsize=1024)  # the elements of a mail repeat a few styles
def parse_style(style: str) -> ParsedStyle:
    """Returns the properties of a style. `font` is taken apart."""
    addresses: list[str] = []
    tokens = _tokenize(style, addresses)
    declarations = None if tokens is None else _split(tokens)
    if declarations is None:
        return ParsedStyle(None, tuple(re.findall(r"(?:https?:)?//[^\s\"'()]+", style)))
    addresses += [value for name, value in declarations if name.startswith("background") and "gradient" in value]
    return ParsedStyle(tuple(declarations), tuple(addresses))


def _split(tokens: list[str]) -> list[tuple[str, str]] | None:
    words: list[list[str]] = [[]]
    depth = 0
    for word in tokens:
        depth += (word == "(") - (word == ")")
        if depth < 0 or (depth and word == ";"):
            return None
        if word == ";":
            words.append([])
        else:
            words[-1].append(word)
    pairs = [text.partition(":") for each in words if (text := "".join(each).strip())]
    if depth or not all(name and colon for name, colon, _ in pairs):
        return None
    plain = [(name.strip(), value.strip()) for name, _, value in pairs]
    names = [name for name, _ in plain]
    if any(names.count(name) > 1 for name in {name for name, value in plain if _IMPORTANT.search(value)}):
        return None  # not all mail clients know the word
    plain.sort(key=lambda each: _IMPORTANT.search(each[1]) is not None)
    # A browser ignores a property without a value.
    return [
        part for name, value in plain if (word := _IMPORTANT.sub("", value)) for part in _take_font_apart(name, word)
    ]


def _take_font_apart(name: str, value: str) -> list[tuple[str, str]]:
    if name == "font" and value in {"inherit", "unset"}:
        return [("font-size", value), ("line-height", value), ("font-family", "inherit")]
    font = FONT.fullmatch(value) if name == "font" else None
    if font is None:
        return [(name, value)]
    return [("font-size", font[1]), ("line-height", font[2] or "normal"), ("font-family", font[3])]


def _tokenize(style: str, addresses: list[str]) -> list[str] | None:
    tokens: list[str] = []
    position = 0
    while position < len(style):
        match = _TOKEN.match(style, position)
        if match is None or (match[0] == "(" and tokens[-1:] == ["url"]):
            return None
        position = match.end()
        if match["url"]:
            addresses.append(match[0][4:-1].strip(" \t\r\n\f\"'"))
        tokens.append("url()" if match["url"] else match[0].lower() if match[0].strip() else " ")
    return tokens
