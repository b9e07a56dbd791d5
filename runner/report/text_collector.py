"""Collects the text of a body from its elements and texts, line by line, as a reader sees it."""

import re
from dataclasses import dataclass

from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.look import NOT_DISPLAYED, Look
from runner.mail_elements import is_mail_attribute, is_mail_element, split_names
from runner.report.element_look import IN_OUTLOOK, NAMED_ELEMENTS, VOID_ELEMENTS, describe_element
from runner.report.empty_height import EmptyHeight
from runner.report.hosts import describe_hosts, describe_hosts_in_text
from runner.report.list_numbers import LISTS, ItemList

_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
BLOCK_ELEMENTS = split_names(
    "address article aside blockquote body caption center dd details div dl dt figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html li main nav ol option p pre script section style summary table td th title tr ul "
    + OUTLOOK
)
_PARAGRAPH_ELEMENTS = split_names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_SIGNS = {"sup": "^", "sub": "_", "q": '"', "hr": "---"}
_CONTINUED = "⋯ "  # begins each further line inside of a mark, so that none stands there as if it was displayed
# More than spaces, dashes and what has no width.
_SEEN = re.compile(r"[^\s\-\u00a0\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufeff]")
_BREAK = re.compile(r"[ \t\r\n\f\u1680\u2000-\u2006\u2008-\u200b\u3000-\ud7ff-]")  # where a line may break


@dataclass(slots=True)
class _OpenElement:
    """`marks` are those that begin at this element, and are printed once something is seen inside (`is_marked`)."""

    name: str
    look: Look
    marks: tuple[str, ...] = ()
    is_marked: bool = False


class TextCollector:
    """Collects lines of text: those that have ended, and the pieces of the open one.

    `_has_text` says that the open line has more than spaces and dashes. `_link` is the open link: its address, the
    number of its line, and the index of its first piece. `_lists` are the open lists. `uncommon` are the elements and
    attributes that mails do not use.
    """

    def __init__(self) -> None:
        self._lists: list[ItemList] = []
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._has_text = False
        self._last_word = ""  # which the next text may continue, as far as no line breaks before it
        self._empty_height = EmptyHeight()
        self._silent_depth = 0
        self._open_elements = [_OpenElement("", Look())]
        self._open_marks: list[str] = []
        self._unmarked: list[_OpenElement] = []
        self._printed_marks = 0  # elements that are open and whose marks are printed
        self._links: list[tuple[str, int, int]] = []
        self.uncommon: dict[str, None] = {}

    def text(self) -> str:
        """Returns all lines. Nothing may be added after it."""
        self._end_line()
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def add(self, event: Event, displayed: Event, text_length: int) -> None:
        """Adds an event. What is printed is that of the displayed one. `text_length`: characters of texts inside."""
        if self._silent_depth:
            self._silent_depth += (event.kind == "start") - (event.kind == "end")
            if not self._silent_depth:
                self._end(event.name)
        elif event.kind == "text":
            self._add_text(event.text, displayed.text)
        elif event.kind == "start":
            self._start(event, displayed, text_length)
        elif event.kind == "end":
            self._end(event.name)

    def _start(self, event: Event, displayed: Event, text_length: int) -> None:
        tag, parent = event.name, self._open_elements[-1]
        if tag in BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)
        if IN_OUTLOOK not in self._open_marks:
            self._note_uncommon(displayed)
        appearance = describe_element(event, displayed.attributes, parent.look, text_length)
        self._empty_height.add(appearance.gap)
        self._empty_height.open_element(appearance.height)
        if tag in VOID_ELEMENTS:
            self._empty_height.add(parent.look.height_of_line if tag == "br" else 0)
            self._open_elements.append(parent)
            hides = NOT_DISPLAYED in appearance.marks and NOT_DISPLAYED not in self._open_marks and appearance.label
            self._append(f"[{NOT_DISPLAYED}: {appearance.label}]" if hides else appearance.label + _SIGNS.get(tag, ""))
            if tag == "br":
                self._end_line()
            return
        marks = tuple(mark for mark in appearance.marks if mark not in self._open_marks)
        element = _OpenElement(tag, appearance.look, marks)
        self._open_elements.append(element)
        if element.marks:
            self._open_marks += element.marks
            self._unmarked.append(element)
        if tag in LISTS:
            self._lists.append(ItemList(tag, event.attributes))
        is_item = tag == "li" and bool(self._lists) and NOT_DISPLAYED not in appearance.marks
        sign = self._lists[-1].next_sign(event.attributes) if is_item else "- " if tag == "li" else _SIGNS.get(tag, "")
        self._append(appearance.label + sign)
        if tag in NAMED_ELEMENTS and "style" not in event.attributes:  # which could display it
            self._silent_depth = 1
        if tag == "a":
            address = displayed.attributes.get("href") or displayed.attributes.get("xlink:href") or ""
            self._links.append((address, len(self._lines), len(self._pieces)))

    def _note_uncommon(self, displayed: Event) -> None:
        if not is_mail_element(displayed.name) and displayed.name != OUTLOOK:
            self.uncommon[f"<{displayed.name[:41]}>"] = None
        elif not displayed.is_foreign:
            names = (name for name in displayed.attributes if not is_mail_attribute(name))
            self.uncommon |= dict.fromkeys(f"the attribute {name[:41]}" for name in names)

    def _end(self, tag: str) -> None:
        element = self._open_elements.pop()
        self._empty_height.close_element(is_displayed=NOT_DISPLAYED not in self._open_marks)
        if tag in VOID_ELEMENTS:
            return
        if tag in LISTS:
            self._lists.pop()
        if tag == "a":
            self._end_link()
        if tag == "q":
            self._append(_SIGNS[tag])
        if element.marks:
            self._end_marks(element)
        if tag in BLOCK_ELEMENTS:
            self._break_line(with_blank_line=tag in _PARAGRAPH_ELEMENTS)

    def _end_marks(self, element: _OpenElement) -> None:
        del self._open_marks[-len(element.marks) :]
        self._printed_marks -= element.is_marked
        if not element.is_marked:
            self._unmarked.pop()
        elif self._has_text or not self._lines:
            self._append("]" * len(element.marks))
        else:
            last = max((number for number, line in enumerate(self._lines) if line), default=0)
            self._lines[last] += "]" * len(element.marks)

    def _add_text(self, sent: str, data: str) -> None:
        if IN_OUTLOOK in self._open_marks and self._open_elements[-1].name == "o:pixelsperinch" and data.isdigit():
            return  # a setting that most mails have
        text = describe_hosts_in_text(_WHITE_SPACE.sub(" ", data))
        words = _BREAK.split(sent)
        words[0] = self._last_word + words[0]
        self._last_word = words[-1][-1000:]
        look = self._open_elements[-1].look
        mark = look.describe_text(max(map(len, words))) or look.describe_spaces(sent)
        if mark and _SEEN.search(text) and mark not in self._open_marks and NOT_DISPLAYED not in self._open_marks:
            text = f"[{mark}: {text.strip()}]"
        if not _SEEN.search(text):
            self._empty_height.add(look.height_of_line * (sent.count("\n") if look.keeps_spaces else text != " "))
        self._append(text.lstrip(" ") if not self._pieces or self._pieces[-1].endswith(" ") else text)

    def _append(self, piece: str) -> None:
        is_seen = _SEEN.search(piece)
        if piece and self._printed_marks and not self._pieces:
            self._pieces.append(_CONTINUED)
        if is_seen and NOT_DISPLAYED not in self._open_marks:
            self._pieces.append(self._empty_height.see_text())
        if self._unmarked and is_seen:
            for element in self._unmarked:
                self._pieces.append("".join(f"[{mark}: " for mark in element.marks))
                element.is_marked = True
                self._printed_marks += 1
            self._unmarked.clear()
        if piece:
            self._pieces.append(piece)
            self._has_text = self._has_text or bool(piece.strip(" -"))

    def _end_link(self) -> None:
        """Adds the address of the open link, if its text is another one."""
        address, line, first = self._links.pop()
        label = "".join(self._pieces[first:]).strip() if line == len(self._lines) else ""
        if address and label not in {address, address.removeprefix("mailto:")}:
            self._append(f" ({address}{describe_hosts(address)})")

    def _end_line(self) -> None:
        self._last_word = ""
        self._lines.append("".join(self._pieces))
        self._pieces.clear()
        self._has_text = False

    def _break_line(self, *, with_blank_line: bool) -> None:
        if self._has_text:
            self._end_line()
        if with_blank_line and self._lines and self._lines[-1] and not self._printed_marks:
            self._lines.append("")
