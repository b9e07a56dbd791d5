"""The text that a reader sees of a message's body, line by line, with the addresses of its links.

The body is read as a browser reads it: by the tree that the HTML standard makes of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, repeat

from runner.characters import unescape_html
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.look import NOT_DISPLAYED, Look
from runner.mail_elements import is_mail_attribute, is_mail_element, split_names
from runner.privacy import AnyText, reveal_or_mask
from runner.report.element_look import IN_OUTLOOK, VOID_ELEMENTS, describe_element
from runner.report.empty_height import EmptyHeight
from runner.report.hosts import describe_hosts, describe_hosts_in_text
from runner.report.list_numbers import LISTS, ItemList
from runner.report.private_html import has_open_tag, read_private_html
from runner.report.problem_text import list_first

_TAG = re.compile(r"<[a-zA-Z/!?]")
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_SILENT_ELEMENTS = frozenset({"script", "style"})
_BLOCK_ELEMENTS = split_names(
    "address article aside blockquote body caption center dd details div dl dt figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html li main nav ol option p pre script section style summary table td th title tr ul "
    + OUTLOOK
)
_PARAGRAPH_ELEMENTS = split_names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_SIGNS = {"sup": "^", "sub": "_", "q": '"', "hr": "---"}
_OPEN_PLACE = "[a recipient's value stands where HTML is built: what others see may differ, see the HTML source]"
_ELEMENT = re.compile(r"<([a-zA-Z][^\s/>]{0,40})")
_MAX_NAMES = 10  # of elements and attributes that mails do not use
_CONTINUED = "⋯ "  # begins each further line inside of a mark, so that none stands there as if it was displayed
# More than spaces, dashes and what has no width.
_SEEN = re.compile(r"[^\s\-\u00a0\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufeff]")
_BREAK = re.compile(r"[ \t\r\n\f\u1680\u2000-\u2006\u2008-\u200b\u3000-\ud7ff-]")  # where a line may break
_BRACKETS = str.maketrans("[]", "\uff3b\uff3d")
_MAX_LENGTH, _MAX_BODY_TAGS = 200_000, 20_000  # Gmail cuts a mail at half; newsletters have thousands of tags


@lru_cache(maxsize=256)
def visible_text(body: AnyText, *, show_values: bool) -> str:
    """Returns the text of a body, HTML or not, with a blank line between paragraphs. A link is `text (address)`.

    What an element does to its text other than to decorate it is in brackets that say so: what is hidden, struck, or
    shown by Outlook alone, and what is not known here. A style sheet and a drawing are only named. A body is given as
    it is written once this process has read MAX_TAGS of them.
    """
    sent, shown = (reveal_or_mask(body, show_values=show) for show in (True, show_values))
    shown = shown.translate(_BRACKETS)
    is_plain = not _TAG.search(sent) and ("&" not in sent or unescape_html(sent) == sent)
    if is_plain and (isinstance(body, str) or not has_open_tag(body.parts)):
        text = describe_hosts_in_text(shown[:_MAX_LENGTH])
        lines = [line.rstrip() for line in re.split(r"\r\n|[\r\n]", text)]
        return "\n".join([*_note_cut(len(shown) - _MAX_LENGTH), *lines]).strip()
    if READ_TAGS.count > MAX_TAGS:
        return f"[not read: the texts before it have {MAX_TAGS:,} tags. It is shown as it is written]\n{shown}"
    html = read_private_html(body, show_values=show_values, max_length=_find_end(sent))
    events = [*html.events]
    # A style sheet, which is named, may give any element other colours.
    has_sheet = any(event.name == "style" or "stylesheet" in event.attributes.get("rel", "") for event, _ in events)
    look = Look(color=None, background=None) if has_sheet else Look()
    collector = _TextCollector(look)
    lengths = _measure_texts(events) if "height" in sent.lower() else repeat(0)
    for (event, displayed), text_length in zip(events, lengths, strict=False):
        collector.add(_escape_brackets(event), _escape_brackets(displayed), text_length)
    notes = [_OPEN_PLACE] if html.has_open_place else []
    # Also the elements that the tree lacks, because another reader may have another tree.
    tags = dict.fromkeys(match[1].lower() for match in _ELEMENT.finditer(shown) if match[1].lower() != "noscript")
    collector.uncommon |= {f"<{tag}>": None for tag in tags if not is_mail_element(tag)}
    if names := [*collector.uncommon]:
        listed = html.mask(list_first(names[:_MAX_NAMES], len(names))).translate(_BRACKETS)
        notes.append(f"[{listed} may be displayed in another way than shown here: see the HTML source]")
    return "\n".join([*notes, *_note_cut(html.cut), html.mask(collector.text())])


def _note_cut(count: int) -> list[str]:
    return [f"[its last {count:,} characters are not read here]"] if count > 0 else []


def _escape_brackets(event: Event) -> Event:
    """Returns an event in which the author's words neither end a bracket of this module, nor look like one."""
    text, attributes = event.text.translate(_BRACKETS), dict(event.attributes)
    for name in attributes.keys() - {"style"}:
        attributes[name] = ("%20" if name == "href" else " ").join(attributes[name].split()).translate(_BRACKETS)
    is_same = text == event.text and attributes == event.attributes
    return event if is_same else replace(event, text=text, attributes=attributes)


@dataclass(slots=True)
class _ReadTags:
    """The number of tags that this process has read, of all bodies."""

    count: int = 0


READ_TAGS = _ReadTags()
MAX_TAGS = 500_000  # which take about a minute; 500 newsletters


def _find_end(body: str) -> int:
    """Returns the length up to which a body is read, and counts its tags."""
    end = min(len(body), _MAX_LENGTH)
    tags = islice(re.finditer("<", body), _MAX_BODY_TAGS + 1)
    starts = [tag.start() for tag in tags if tag.start() < end]
    READ_TAGS.count += len(starts)
    return starts[-1] if len(starts) > _MAX_BODY_TAGS else end


@dataclass(slots=True)
class _OpenElement:
    """`marks` are those that begin at this element, and are printed once something is seen inside (`is_marked`)."""

    name: str
    look: Look
    marks: tuple[str, ...] = ()
    is_marked: bool = False


class _TextCollector:
    """Collects lines of text: those that have ended, and the pieces of the open one.

    `_has_text` says that the open line has more than spaces and dashes. `_link` is the open link: its address, the
    number of its line, and the index of its first piece. `_lists` are the open lists. `uncommon` are the elements and
    attributes that mails do not use.
    """

    def __init__(self, look: Look) -> None:
        self._lists: list[ItemList] = []
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._has_text = False
        self._last_word = ""  # which the next text may continue, as far as no line breaks before it
        self._empty_height = EmptyHeight()
        self._silent_depth = 0
        self._open_elements = [_OpenElement("", look)]
        self._open_marks: list[str] = []
        self._unmarked: list[_OpenElement] = []
        self._printed_marks = 0  # elements that are open and whose marks are printed
        self._links: list[tuple[str, int, int]] = []
        self.uncommon: dict[str, None] = {}

    def text(self) -> str:
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
        if tag in _BLOCK_ELEMENTS:
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
        if tag in _SILENT_ELEMENTS:
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
        if tag in _BLOCK_ELEMENTS:
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
        if self._open_elements[-1].name == "o:pixelsperinch" and data.isdigit():
            return  # a setting that most mails have for Outlook
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


def _measure_texts(events: Sequence[tuple[Event, Event]]) -> list[int]:
    """Returns for each event the number of characters of the texts inside its element."""
    lengths, starts, total = [0] * len(events), list[int](), 0
    for index, (event, _) in enumerate(events):
        if event.kind == "text":
            total += len(event.text.strip())
        elif event.kind == "start":
            starts.append(index)
            lengths[index] = -total
        elif event.kind == "end":
            lengths[starts.pop()] += total
    return lengths
