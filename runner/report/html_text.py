"""The text that a reader sees of a message's body, line by line, with the addresses of its links."""

import re
from html.parser import HTMLParser

_IS_HTML = re.compile(r"</?[a-zA-Z][^>]*>|&#?\w+;")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
_HIDDEN_ELEMENTS = frozenset({"script", "style", "head", "title", "template"})
_BLOCK_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
        "h5 h6 header hr html li main nav ol p pre section table td th tr ul",
    )
)
_PARAGRAPH_ELEMENTS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})


def visible_text(body: str) -> str:
    """The text of a body, HTML or not, with a blank line between paragraphs. A link is `text (address)`."""
    if not _IS_HTML.search(body):
        return "\n".join(line.rstrip() for line in body.splitlines()).strip()
    collector = _TextCollector()
    collector.feed(body)
    collector.close()
    return collector.text()


class _TextCollector(HTMLParser):
    """Collects lines of text. `_hidden_depth` counts the open elements whose text is not displayed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._hidden_depth = 0
        self._links: list[tuple[str, int, int]] = []

    def text(self) -> str:
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _HIDDEN_ELEMENTS:
            self._hidden_depth += 1
        elif tag == "br":
            self._lines.append("")
        elif tag in _BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
            self._lines[-1] += "- " if tag == "li" else "---" if tag == "hr" else ""
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self._lines), len(self._lines[-1])))
        elif tag == "img":
            alt, source = values.get("alt") or "without alt", values.get("src") or ""
            self._lines[-1] += f"[image {alt}: {source}]"

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN_ELEMENTS:
            self._hidden_depth = max(0, self._hidden_depth - 1)
        elif tag in _BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
        elif tag == "a" and self._links:
            address, line, column = self._links.pop()
            label = self._lines[-1][column:].strip() if line == len(self._lines) else ""
            if address and label != address.removeprefix("mailto:"):
                self._lines[-1] += f" ({address})"

    def handle_data(self, data: str) -> None:
        if self._hidden_depth:
            return
        text = _WHITE_SPACE.sub(" ", data)
        self._lines[-1] += text.lstrip() if not self._lines[-1] or self._lines[-1].endswith(" ") else text

    def _break_line(self, *, with_blank_line: bool) -> None:
        if self._lines[-1].strip(" -"):
            self._lines.append("")
        if with_blank_line and len(self._lines) > 1 and self._lines[-2]:
            self._lines.insert(-1, "")
