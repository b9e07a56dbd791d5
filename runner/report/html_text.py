"""The text that a reader sees of a message's body, line by line, with the addresses of its links.

The body is read as a browser reads it, by the tokenizer of the HTML standard, not by the looser rules of `html.parser`:
of two `href` the first counts, `<!-->` is a whole comment, and the text inside `<head>` is seen.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from runner.report.inline_style import NOT_DISPLAYED, describe_style, find_font_size
from runner.report.list_numbers import LISTS, ItemList, open_list

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
_MARKS = {
    "s": ("[struck: ", "]"),
    "strike": ("[struck: ", "]"),
    "del": ("[struck: ", "]"),
    "sup": ("^", ""),
    "sub": ("_", ""),
}
# Attributes with an address that is loaded, or where a click leads. `href` of a link and `src` of an image stand apart.
_ADDRESS_ATTRIBUTES = ("href", "src", "srcset", "action", "formaction", "data", "background", "poster")
# What Outlook alone shows. Source: Microsoft's documentation of conditional comments.
_CONDITIONAL_COMMENT = re.compile(r"\s*\[if[^\]]*\]>(.*)<!\[endif\]\s*", re.DOTALL)


def visible_text(body: str) -> str:
    """The text of a body, HTML or not, with a blank line between paragraphs. A link is `text (address)`.

    What an element's own style hides, what is struck, and what Outlook alone shows, is in brackets that say so. A style
    sheet and a drawing are only named: what they do to the text is not known here.
    """
    if not _IS_HTML.search(body):
        return "\n".join(line.rstrip() for line in re.split(r"\r\n|[\r\n]", body)).strip()
    return _read(body, inside_comment=False)


def _read(body: str, *, inside_comment: bool) -> str:
    from justhtml import stream  # noqa: PLC0415  # saves 150 ms in a plan that shows no text

    events = list(stream(body))
    collector = _TextCollector(_count_items(events) if "reversed" in body.lower() else [])
    for event in events:
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
    """Collects lines of text: those that have ended, and the pieces of the open one.

    `_has_text` says that the open line has more than spaces and dashes.
    `_unseen` is the open element whose text is not displayed, `_hidden` the one that its own style hides, each with how
    many elements of that name are open in it. `_link` is the open link: its address, the number of its line, and the
    index of its first piece. `_open_elements` are the open elements, each with whether text in it has a size.
    `_lists` are the open lists, and `_item_counts` the number of items of each list to come, from the last to the next.
    """

    def __init__(self, item_counts: Iterable[int]) -> None:
        self._item_counts = list(item_counts)[::-1]
        self._lists: list[ItemList] = []
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._has_text = False
        self._unseen, self._unseen_depth = "", 0
        self._hidden, self._hidden_depth = "", 0
        self._hidden_start = 0, 0, False
        self._open_elements: list[tuple[str, bool]] = []
        self._open_counts = Counter[str]()
        self._link: tuple[str, int, int] | None = None

    def text(self) -> str:
        self._end_link()
        self._end_line()
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def start(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        if tag not in _VOID_ELEMENTS:
            size = find_font_size(attributes.get("style") or "")
            self._open_elements.append((tag, self._has_size() if size is None else size))
            self._open_counts[tag] += 1
        if tag in LISTS:
            self._lists.append(open_list(tag, attributes, self._item_counts.pop() if self._item_counts else 0))
        if tag == self._hidden:
            self._hidden_depth += 1
        if self._unseen:
            self._unseen_depth += tag == self._unseen
            return
        if tag in _BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
            self._append(self._item_sign(attributes) if tag == "li" else "---" if tag == "hr" else "")
        self._append(_describe_element(tag, attributes))
        if tag in _UNSEEN_ELEMENTS:
            self._unseen, self._unseen_depth = tag, 1
            return
        if tag == "br":
            self._end_line()
        elif tag == "a":
            self._end_link()  # as a browser does: links are not nested
            address = attributes.get("href") or attributes.get("xlink:href") or ""
            self._link = address, len(self._lines), len(self._pieces)
        if not self._hidden and tag not in _VOID_ELEMENTS and (appearance := _describe_appearance(tag, attributes)):
            self._hidden, self._hidden_depth, had_text = tag, 1, self._has_text
            self._append(f"[{appearance}: ")
            self._hidden_start = len(self._lines), len(self._pieces), had_text

    def end(self, tag: str) -> None:
        if self._open_counts[tag]:
            self._close_elements(tag)
        if tag == self._hidden:
            self._hidden_depth -= 1
            if not self._hidden_depth:
                self._hidden = ""
                *start, had_text = self._hidden_start
                if start == [len(self._lines), len(self._pieces)]:
                    del self._pieces[-1]  # nothing is inside, so there is nothing to say
                    self._has_text = had_text
                else:
                    self._append("]")
        if tag == self._unseen:
            self._unseen_depth -= 1
            self._unseen = self._unseen if self._unseen_depth else ""
        elif tag in _BLOCK_ELEMENTS and not self._unseen:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
        elif tag == "a":
            self._end_link()
        elif not self._unseen:
            self._append(_MARKS.get(tag, ("", ""))[1])

    def _close_elements(self, tag: str) -> None:
        """Takes an open element off, and those inside it that have no end tag."""
        closed = ""
        while closed != tag:
            closed, _ = self._open_elements.pop()
            self._open_counts[closed] -= 1
            if closed in LISTS:
                self._lists.pop()

    def _item_sign(self, attributes: Mapping[str, str | None]) -> str:
        """Returns the sign before an item. One that is not displayed is not counted."""
        if not self._lists or _describe_appearance("li", attributes) == NOT_DISPLAYED:
            return "- "
        return self._lists[-1].next_sign(attributes)

    def add(self, data: str) -> None:
        if self._unseen:
            return
        text = _WHITE_SPACE.sub(" ", data)
        if text.strip() and not self._hidden and not self._has_size():
            text = f"[{NOT_DISPLAYED}: {text.strip()}]"
        self._append(text.lstrip(" ") if not self._pieces or self._pieces[-1].endswith(" ") else text)

    def add_for_outlook(self, text: str) -> None:
        if text and not self._unseen:
            self._break_line(with_blank_line=False)
            self._end_line()
            self._append(f"[in Outlook alone: {text}]")
            self._end_line()

    def _has_size(self) -> bool:
        return not self._open_elements or self._open_elements[-1][1]

    def _append(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
            self._has_text = self._has_text or bool(piece.strip(" -"))

    def _end_link(self) -> None:
        """Adds the address of the open link, if its text is another one. A link may be open at the end of the body."""
        if self._link is None:
            return
        (address, line, first), self._link = self._link, None
        label = "".join(self._pieces[first:]).strip() if line == len(self._lines) else ""
        if address and label != (address.removeprefix("mailto:") if "@" in label else address):
            self._append(f" ({address}{_describe_host(address)})")

    def _end_line(self) -> None:
        self._lines.append("".join(self._pieces))
        self._pieces.clear()
        self._has_text = False

    def _break_line(self, *, with_blank_line: bool) -> None:
        if self._has_text:
            self._end_line()
        if with_blank_line and self._lines and self._lines[-1]:
            self._lines.append("")


def _count_items(events: Iterable[tuple[str, Any]]) -> list[int]:
    """Returns the number of displayed items of each list, in the order in which the lists begin."""
    counts: list[int] = []
    open_lists: list[tuple[str, int]] = []  # each with its index in `counts`
    open_counts = Counter[str]()
    for event in events:
        match event:
            case "start", (str(tag), _) if tag in LISTS:
                open_lists.append((tag, len(counts)))
                open_counts[tag] += 1
                counts.append(0)
            case "start", ("li", dict(attributes)) if open_lists:
                counts[open_lists[-1][1]] += _describe_appearance("li", attributes) != NOT_DISPLAYED
            case "end", str(tag) if open_counts[tag]:
                closed = ""
                while closed != tag:
                    closed, _ = open_lists.pop()
                    open_counts[closed] -= 1
    return counts


def _describe_host(address: str) -> str:
    """Returns the name that a host with letters beyond ASCII has in the DNS: some of these look like Latin ones."""
    if address.isascii():
        return ""
    with contextlib.suppress(ValueError):
        host = urlsplit(address).hostname or ""
        return "" if host.isascii() else f", which is {host.encode('idna').decode()}"
    return ", whose host is no name"


def _describe_appearance(tag: str, attributes: Mapping[str, str | None]) -> str:
    """Returns how the text of an element appears other than it is written; empty if it does not."""
    if "hidden" in attributes or (tag in _FALLBACK_ELEMENTS and "open" not in attributes):
        return NOT_DISPLAYED
    if tag == "bdo" or (attributes.get("dir") or "ltr").lower() not in {"ltr", "auto"}:
        return "in another direction"
    return describe_style(attributes.get("style") or "")


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
