"""Collects the text of a body from its elements and texts, line by line, as a reader sees it."""

import re
from dataclasses import dataclass, field

from runner.mail_display.element_style import (
    CODE_ELEMENTS,
    IN_OUTLOOK,
    PARAGRAPH_ELEMENTS,
    TITLE,
    VOID_ELEMENTS,
    WITHOUT_ROOM,
    Appearance,
    describe_element,
)
from runner.mail_display.flow import BLOCK_ELEMENTS
from runner.mail_display.html_events import CONDITION, CONDITION_END, OUTLOOK, Event
from runner.mail_display.look import IN_SHADOW, NOT_DISPLAYED, OWN_BACKGROUND, Look
from runner.mail_display.simple_layout import LayoutCheck
from runner.mail_elements import is_mail_attribute, is_mail_element, split_names
from runner.privacy import MASK
from runner.report.element_label import BRACKETS, escape_brackets, escape_words, label_element
from runner.report.hosts import describe_hosts, describe_hosts_in_text
from runner.report.list_numbers import DOT, LISTS, ItemList
from runner.report.problem_text import pluralize
from runner.report.text_lines import SEEN, Box, Marks, TextLines

_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_NO_SPACE = re.compile(r"[\r\f](?!\n)|\u1680")  # of which browsers draw nothing, a box or a line
_SIGNS = {"sup": "^", "sub": "_", "q": '"', "hr": "---"}
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_NOT_DRAWN = frozenset({NOT_DISPLAYED, IN_OUTLOOK, TITLE})
_WHOLE_MARKS = frozenset({*_NOT_DRAWN, "in another direction"})  # a second one inside does nothing more
_HIDING = frozenset({NOT_DISPLAYED, "not in Outlook", "styled with visibility"})
# What an element without a text does to no other text: it neither moves nor covers one, nor draws anything.
_HARMLESS_ALONE = _WHOLE_MARKS | {"caption", "not in Outlook", "styled with nowrap"} | {
    f"styled with {name}" for name in split_names(
        "background background-color background-image box-sizing color font-family height max-height min-height "
        "object-fit opacity overflow text-align text-indent word-break"
    )
}  # fmt: skip
_HIDING_LABEL = frozenset(
    f"styled with {name}" for name in ("color", "font-family", "opacity", "overflow", "text-indent")
) | {"in another direction"}
_RAISED = frozenset({"sub", "sup"})
_ON_BACKGROUND = frozenset({OWN_BACKGROUND, IN_SHADOW})


@dataclass(slots=True)
class _OpenElement:
    look: Look
    name: str = ""
    breaks_line: bool = False
    box: Box | None = None
    marks: Marks = field(default_factory=lambda: Marks(()))
    appearance: Appearance | None = None
    sign_end: tuple[int, int] = (0, 0)  # where the sign before its text ends


class TextCollector:
    """Adds the events of a body to lines of text.

    `_links` are the open links: address and position. `_lists` are the open lists. `uncommon` are the elements and
    attributes that mails do not use. `layout` knows what goes beyond a simple layout.
    """

    def __init__(self, page_look: Look) -> None:
        self._lines = TextLines()
        self._lists: list[ItemList] = []
        self._links: list[tuple[str, tuple[int, int]]] = []
        self._named_code: set[tuple[str, bool]] = set()
        self._has_auto_direction = self._is_conditional = False
        self._open_elements = [_OpenElement(page_look)]
        self._silent_depth, self.uncommon = 0, dict[str, None]()
        self.layout = LayoutCheck()

    @property
    def text(self) -> str:
        """All lines. Nothing may be added after it."""
        return self._lines.text

    @property
    def _is_in_outlook(self) -> bool:
        return IN_OUTLOOK in self._lines.open_marks

    def add(self, event: Event, displayed: Event) -> None:
        """Adds an event. What is printed is that of the displayed one."""
        if self._silent_depth:
            self._silent_depth += (event.kind == "start") - (event.kind == "end")
            if not self._silent_depth:
                self._end(event.name)
        elif event.kind == "text":
            self.layout.read_text(event.text, self._open_elements[-1].look, displayed.text)
            self._add_text(event.text, displayed.text.translate(BRACKETS))
        elif event.kind == "start":
            self._start(event, displayed)
        elif event.kind == "end":
            self._end(event.name)
        elif event.name in {CONDITION, CONDITION_END} and not self._is_in_outlook:
            self._is_conditional = event.name == CONDITION
            self.layout.add_condition()

    def _start(self, event: Event, displayed: Event) -> None:
        tag, look = event.name, self._open_elements[-1].look
        appearance = describe_element(event, displayed.attributes, look)
        displayed = escape_brackets(displayed)
        self.layout.start(event, displayed, appearance.look)
        is_drawn = tag not in CODE_ELEMENTS and not _NOT_DRAWN.intersection(appearance.marks)
        breaks_line = tag in BLOCK_ELEMENTS or (appearance.flow not in {"inline", "box"} and tag not in VOID_ELEMENTS)
        if breaks_line:
            self._lines.break_line(with_blank_line=tag in PARAGRAPH_ELEMENTS)
        if not self._is_in_outlook:
            self._note_uncommon(event, displayed)
        is_moved = self._lines.placement.open_element(appearance.flow, is_drawn=is_drawn)
        is_shape = ":" in tag and self._is_in_outlook  # which Outlook alone lays out
        added = ("moved to the left",) * is_moved
        words = () if is_shape else (*map(escape_words, _list_marks(tag, appearance)), *added)
        label = label_element(displayed.name, displayed.attributes)
        if tag in VOID_ELEMENTS:
            self._open_elements.append(_OpenElement(look, tag))
            self._add_void(tag, label, words, is_drawn=tag not in WITHOUT_ROOM and not _is_pixel(event))
            return
        open_marks = self._lines.open_marks
        marks = tuple(word for word in words if word not in _WHOLE_MARKS or word not in open_marks)
        box = self._lines.begin_box() if appearance.flow == "box" else None
        own_marks = self._lines.begin_marks(marks)
        self._open_elements.append(_OpenElement(appearance.look, tag, breaks_line, box, own_marks, appearance))
        if tag in CODE_ELEMENTS:
            self._add_code(label, event)
        else:
            self._lines.append(label, is_drawn=False)
        self._add_sign(tag, event.attributes, displayed.attributes)
        self._open_elements[-1].sign_end = self._lines.position
        if tag == "a":
            address = displayed.attributes.get("href") or displayed.attributes.get("xlink:href") or ""
            self._links.append((address, self._lines.position))

    def _add_void(self, tag: str, label: str, marks: tuple[str, ...], *, is_drawn: bool) -> None:
        is_hidden = NOT_DISPLAYED in marks
        harmless = _HARMLESS_ALONE - (_HIDING_LABEL if label else frozenset())
        if named := [mark for mark in marks if mark not in harmless or (is_hidden and label)]:
            label = _surround(label or tag, Marks(tuple(named)).brackets)
        if NOT_DISPLAYED not in self._lines.open_marks or not named:
            self._lines.append(label, is_drawn=is_drawn and not named)
        if tag == "hr" and not is_hidden:
            self._lines.append(_SIGNS[tag], is_sign=True)
        if tag in {"br", "hr"}:
            self._lines.add_empty()
            self._lines.end_line()
            if not marks:
                self._lines.placement.end_line()

    def _add_code(self, label: str, event: Event) -> None:
        """Names a style sheet or a script: once, and once for Outlook alone."""
        if (name := (label, self._is_in_outlook)) not in self._named_code:
            self._named_code.add(name)
            self._lines.append(label, is_drawn=False)
        if "style" not in event.attributes:  # which could display it
            self._silent_depth = 1

    def _add_sign(self, tag: str, sent: dict[str, str], attributes: dict[str, str]) -> None:
        if tag in LISTS:
            self._lists.append(ItemList(tag, attributes))
        if tag == "li" and self._is_in_outlook:
            return  # which other readers do not count
        is_item = tag == "li" and bool(self._lists) and NOT_DISPLAYED not in self._lines.open_marks
        sign = self._lists[-1].next_sign(attributes) if is_item else DOT if tag == "li" else _SIGNS.get(tag, "")
        sign = f"{MASK}. " if is_item and attributes.get("value") != sent.get("value") else sign
        around, look = (element.look for element in self._open_elements[-2:])
        marks = self._lists[-1].judge_sign(sign, attributes, around, look) if is_item and sign != DOT else []
        if sign == DOT or (is_item and sign and not (marks or self._lines.open_marks)):
            self._lines.append(sign, is_sign=True)  # a paragraph in the item begins beside it
        elif sign:
            self._add_text(sign, _surround(sign, marks))

    def _note_uncommon(self, event: Event, displayed: Event) -> None:
        self._has_auto_direction |= event.attributes.get("dir", "").lower() == "auto"
        if not is_mail_element(displayed.name) and displayed.name != OUTLOOK:
            self.uncommon[f"<{displayed.name[:41]}>"] = None
        elif not displayed.is_foreign:
            names = [name for name in displayed.attributes if not is_mail_attribute(name)]
            self.uncommon |= dict.fromkeys(f"the attribute {name[:41]}" for name in names)

    def _end(self, tag: str) -> None:
        if tag == "q":
            self._add_text(_SIGNS[tag], _SIGNS[tag])
        element = self._open_elements.pop()
        self.layout.end()
        if tag in LISTS:
            self._lists.pop()
        if tag == "a":
            self._end_link()
        if tag in _RAISED and not SEEN.search(self._lines.read_from(element.sign_end).strip(_SIGNS[tag])):
            self._lines.append("(nothing)", is_drawn=False)
        if not element.marks.is_printed and element.marks.words:
            self._name_empty(element.marks.words)
        is_empty = self._lines.placement.close_element()
        if is_empty:
            self._lines.add_empty()
        if is_empty and element.appearance and element.appearance.paints and not self._is_in_outlook:
            # A sign could be made of it.
            self._lines.append("[styled with a border or background: (nothing)]", is_drawn=False)
        self._lines.end_marks(element.marks)
        if element.box:
            self._lines.end_box(element.box, keeps_spaces=element.look.keeps_spaces)
        if element.breaks_line:
            self._lines.break_line(with_blank_line=tag in PARAGRAPH_ELEMENTS)

    def _name_empty(self, marks: tuple[str, ...]) -> None:
        """Names an element without a text that may move or cover another one."""
        if self._is_in_outlook:
            if _HIDING.intersection(marks):
                self._lines.append("(tags)", is_drawn=False)  # which Outlook reads around what follows
        elif NOT_DISPLAYED not in self._lines.open_marks and not _HARMLESS_ALONE.issuperset(marks):
            self._lines.append("(nothing)", is_drawn=False)

    def _end_link(self) -> None:
        """Adds the address of the open link, if its text is another one."""
        address, position = self._links.pop()
        if address and self._lines.read_from(position) not in {address, address.removeprefix("mailto:")}:
            self._lines.append_behind(f" ({address}{describe_hosts(address)})")

    def _add_text(self, sent: str, data: str) -> None:
        if self._is_in_outlook and self._open_elements[-1].name == "o:pixelsperinch" and data.isdigit():
            return  # a setting that most mails have
        look = self._open_elements[-1].look
        data = _NO_SPACE.sub(lambda match: f"<U+{ord(match[0]):04X}>", data)
        if look.keeps_spaces and "\n" in data:
            self._add_lines(sent, data)
            return
        text = describe_hosts_in_text(data if look.keeps_spaces else _WHITE_SPACE.sub(" ", data))
        mark, open_marks = look.describe_text(), self._lines.open_marks
        if self._has_auto_direction and _RIGHT_TO_LEFT.search(sent):
            self.uncommon["the attribute dir"] = None
        if not SEEN.search(text):
            if text != " ":
                self._lines.add_empty()
            if mark == NOT_DISPLAYED or not self._lines.placement.is_drawn or (look.is_tiny and len(text) == 1):
                return  # no space is displayed either
            lined = "\xa0" in text and any(one.appearance and one.appearance.is_lined for one in self._open_elements)
            if look.is_tiny or lined:
                how = look.describe_size() if look.is_tiny else "with a line"
                text = f"[{how}: {pluralize(len(text), 'space')}]"
        elif NOT_DISPLAYED not in open_marks:
            own = [mark] * (bool(mark) and mark not in open_marks) + ["not in Outlook"] * self._is_conditional
            text = _surround(text.strip(" ") if look.is_tiny else text, own)
        is_cut = self._lines.ends_with_space or self._lines.is_at_box_start
        text = text.lstrip(" ") if is_cut and not look.keeps_spaces else text
        self._lines.append(text, is_drawn=mark != NOT_DISPLAYED)

    def _add_lines(self, sent: str, data: str) -> None:
        """Adds a text whose lines end as they are written."""
        for number, line in enumerate(data.split("\n")):
            if number:
                self._lines.add_empty()
                self._lines.end_line()
                self._lines.placement.end_line()
            if line:
                self._add_text(sent, line)


def _list_marks(tag: str, appearance: Appearance) -> list[str]:
    """Returns the marks of an element; of an image also how its label appears, which stands where none is loaded."""
    seen_as = appearance.look.describe_text() if tag == "img" else ""
    return [*dict.fromkeys(filter(None, (*appearance.marks, seen_as * (seen_as not in _ON_BACKGROUND))))]


def _is_pixel(event: Event) -> bool:
    """Returns whether an image is as small as those that count readers; without one of its words."""
    sizes = {event.attributes.get("width"), event.attributes.get("height")}
    return event.name == "img" and not event.attributes.get("alt") and not sizes.isdisjoint({"0", "1", "2"})


def _surround(text: str, marks: list[str]) -> str:
    """Returns a text in brackets that begin with marks, with the spaces around it outside."""
    words = text.strip()
    start = text.index(words)
    inside = "".join(f"[{mark}: " for mark in marks) + words + "]" * len(marks)
    return f"{text[:start]}{inside}{text[start + len(words) :]}"
