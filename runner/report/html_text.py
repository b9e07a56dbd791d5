"""The text that a reader sees of a message's body, line by line, with the addresses of its links.

The body is read as a browser reads it, by the tokenizer of the HTML standard, not by the looser rules of `html.parser`:
of two `href` the first counts, `<!-->` is a whole comment, and the text inside `<head>` is seen.
"""

import re
import sys
from collections.abc import Mapping

_IS_HTML = re.compile(r"<[a-zA-Z/!?]|&#?\w+;")
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_UNSEEN_ELEMENTS = frozenset({"script", "style", "title", "template", "noembed", "noframes", "iframe"})
_VOID_ELEMENTS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_BLOCK_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
        "h5 h6 header hr html li main nav ol p pre section table td th tr ul",
    )
)
_PARAGRAPH_ELEMENTS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
# Their content is displayed only where the element itself is not.
_FALLBACK_ELEMENTS = frozenset({"audio", "canvas", "datalist", "dialog", "object", "video"})
# What changes the meaning of the text inside, and how it is shown.
_MARKS = {"s": ("[struck: ", "]"), "strike": ("[struck: ", "]"), "del": ("[struck: ", "]"), "sup": ("^", "")}
# Attributes with an address that is loaded, or where a click leads. `href` of a link and `src` of an image stand apart.
_ADDRESS_ATTRIBUTES = ("href", "src", "srcset", "action", "formaction", "data", "background", "poster")
_CSS_COMMENT, _CSS_ESCAPE = re.compile(r"/\*.*?\*/", re.DOTALL), re.compile(r"\\([0-9a-fA-F]{1,6})\s?")
_HIDING_STYLE = re.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|text-indent\s*:\s*-"
    r"|(?<![a-z-])(?:font-size|opacity|(?:max-)?(?:height|width)|zoom)\s*:\s*0(?![.\d]*[1-9])|color\s*:\s*transparent"
    r"|(?:left|right|top|bottom|margin[a-z-]*)\s*:\s*-\d{3}|(?<![a-z-])clip(?:-path)?\s*:|scale\s*\(\s*0"
    r"|unicode-bidi\s*:"
)
# What Outlook alone shows. Source: Microsoft's documentation of conditional comments.
_CONDITIONAL_COMMENT = re.compile(r"\s*\[if[^\]]*\]>(.*)<!\[endif\]\s*", re.DOTALL)


def visible_text(body: str) -> str:
    """The text of a body, HTML or not, with a blank line between paragraphs. A link is `text (address)`.

    What an element's own style hides, what is struck, and what Outlook alone shows, is in brackets that say so. A style
    sheet and a drawing are only named: what they do to the text is not known here.
    """
    if not _IS_HTML.search(body):
        return "\n".join(line.rstrip() for line in body.splitlines()).strip()
    return _read(body, inside_comment=False)


def _read(body: str, *, inside_comment: bool) -> str:
    from justhtml import stream  # noqa: PLC0415  # saves 150 ms in a plan that shows no text

    collector = _TextCollector()
    for event in stream(body):
        match event:
            case "start", (str(tag), dict(attributes)):
                collector.start(tag, attributes)
            case "end", str(tag):
                collector.end(tag)
            case "text", str(text):
                collector.add(text)
            case "comment", str(text) if not inside_comment and (conditional := _CONDITIONAL_COMMENT.fullmatch(text)):
                collector.add_for_outlook(_read(conditional[1], inside_comment=True))
    return collector.text()


class _TextCollector:
    """Collects lines of text. `_unseen` is the open element whose text is not displayed, and its depth."""

    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._unseen, self._unseen_depth = "", 0
        self._hidden, self._hidden_depth = "", 0
        self._link: tuple[str, int, int] | None = None

    def text(self) -> str:
        self._end_link()
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def start(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        if tag == self._hidden:
            self._hidden_depth += 1
        if self._unseen:
            self._unseen_depth += tag == self._unseen
            return
        if tag in _BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
            self._lines[-1] += "- " if tag == "li" else "---" if tag == "hr" else ""
        self._lines[-1] += _describe_element(tag, attributes)
        if tag in _UNSEEN_ELEMENTS:
            self._unseen, self._unseen_depth = tag, 1
            return
        if tag == "br":
            self._lines.append("")
        elif tag == "a":
            self._end_link()  # as a browser does: links are not nested
            address = attributes.get("href") or attributes.get("xlink:href") or ""
            self._link = address, len(self._lines), len(self._lines[-1])
        if not self._hidden and tag not in _VOID_ELEMENTS and _is_hidden(tag, attributes):
            self._hidden, self._hidden_depth = tag, 1
            self._lines[-1] += "[not displayed: " if tag != "bdo" else "[in another direction: "

    def end(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden_depth -= 1
            if not self._hidden_depth:
                self._hidden = ""
                self._lines[-1] += "]"
        if tag == self._unseen:
            self._unseen_depth -= 1
            self._unseen = self._unseen if self._unseen_depth else ""
        elif tag in _BLOCK_ELEMENTS and not self._unseen:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
        elif tag == "a":
            self._end_link()
        elif not self._unseen:
            self._lines[-1] += _MARKS.get(tag, ("", ""))[1]

    def _end_link(self) -> None:
        """Adds the address of the open link, if its text is another one. A link may be open at the end of the body."""
        if self._link is None:
            return
        (address, line, column), self._link = self._link, None
        label = self._lines[-1][column:].strip() if line == len(self._lines) else ""
        if address and label != address.removeprefix("mailto:"):
            self._lines[-1] += f" ({address})"

    def add(self, data: str) -> None:
        if self._unseen:
            return
        text = _WHITE_SPACE.sub(" ", data)
        self._lines[-1] += text.lstrip(" ") if not self._lines[-1] or self._lines[-1].endswith(" ") else text

    def add_for_outlook(self, text: str) -> None:
        if text and not self._unseen:
            self._break_line(with_blank_line=False)
            self._lines += [f"[in Outlook alone: {text}]", ""]

    def _break_line(self, *, with_blank_line: bool) -> None:
        if self._lines[-1].strip(" -"):
            self._lines.append("")
        if with_blank_line and len(self._lines) > 1 and self._lines[-2]:
            self._lines.insert(-1, "")


def _is_hidden(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Returns whether a reader does not see the text of an element, or not as it is written."""
    if "hidden" in attributes or tag == "bdo":
        return True
    if tag in _FALLBACK_ELEMENTS and "open" not in attributes:
        return True
    style = _CSS_ESCAPE.sub(_unescape, _CSS_COMMENT.sub("", attributes.get("style") or ""))
    return _HIDING_STYLE.search(style) is not None


def _unescape(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return chr(code) if code <= sys.maxunicode else ""


def _describe_element(tag: str, attributes: Mapping[str, str | None]) -> str:
    """What stands for an element besides its text; empty for one that only holds text."""
    addresses = " ".join(filter(None, (attributes.get(name) for name in _ADDRESS_ATTRIBUTES if tag != "a")))
    if tag == "img":
        return f"[image {attributes.get('alt') or 'without alt'}: {addresses}]"
    if tag == "input":
        text = f"[field {attributes.get('value') or attributes.get('placeholder') or ''}]"
        return f"{text}[input: {addresses}]" if addresses else text
    if tag == "style":
        return "[a style sheet: see the HTML source]"
    if tag in {"svg", "math"}:
        return f"[{tag}: what follows may be displayed differently, see the HTML source]"
    if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
        addresses = attributes.get("content") or ""
    return f"[{tag}: {addresses}]" if addresses else _MARKS.get(tag, ("", ""))[0]
