"""What a reader sees of a message's body: its text, line by line, and where its links lead."""

import re
from html.parser import HTMLParser

_IS_HTML = re.compile(r"</?[a-zA-Z][^>]*>|&#?\w+;")


_SPACE = re.compile(r"[ \t\r\n]+")


_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
        "h5 h6 header hr html li main nav ol p pre section table td th tr ul",
    )
)


_APART = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})


def visible_text(body: str) -> str:
    """The text of a body, HTML or not, with a blank line between paragraphs; a link as `text (address)`."""
    if not _IS_HTML.search(body):
        return "\n".join(line.rstrip() for line in body.splitlines()).strip()
    reader = _Reader()
    reader.feed(body)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects lines; `_unseen` counts the open elements whose text nobody sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._unseen = 0
        self._links: list[tuple[str, int, int]] = []

    def text(self) -> str:
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._lines.append("")
        elif tag in _BLOCKS:
            self._break(apart=tag in _APART)
            self._lines[-1] += "- " if tag == "li" else "---" if tag == "hr" else ""
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self._lines), len(self._lines[-1])))
        elif tag == "img":
            alt, source = values.get("alt") or "without alt", values.get("src") or ""
            self._lines[-1] += f"[image {alt}: {source}]"

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._break(apart=tag in _APART)
        elif tag == "a" and self._links:
            address, line, column = self._links.pop()
            shown = self._lines[-1][column:].strip() if line == len(self._lines) else ""
            if address and shown != address.removeprefix("mailto:"):
                self._lines[-1] += f" ({address})"

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        text = _SPACE.sub(" ", data)
        self._lines[-1] += text.lstrip() if not self._lines[-1] or self._lines[-1].endswith(" ") else text

    def _break(self, *, apart: bool) -> None:
        if self._lines[-1].strip(" -"):
            self._lines.append("")
        if apart and len(self._lines) > 1 and self._lines[-2]:
            self._lines.insert(-1, "")
