"""What of a body goes beyond a simple layout, in which its text, line by line, is what a reader sees.

No list of what may hide, move or cover a text is complete: properties act together, and only a browser lays a page out.
So this is the other list: elements, attributes and properties with which each line stands below the one before it, and
nothing covers anything else. What is not on it is named, and the preview shows how such a body looks.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from runner.mail_display.colors import parse_color
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.look import Look
from runner.mail_display.style_parser import parse_style
from runner.mail_display.style_properties import in_pixels, is_plain_font
from runner.mail_elements import is_inert_attribute, split_names

_LISTS = split_names("ol ul")
_INDENTED = _LISTS | {"blockquote"}
_PARAGRAPHS = split_names("blockquote div h1 h2 h3 h4 h5 h6 hr li p pre") | _LISTS
_COLUMNS = _PARAGRAPHS | split_names("body section")  # which may have a margin or a padding
_IN_LINE = split_names("a abbr b br code del em i img kbd s small span strong u")
_ELEMENTS = split_names("head html meta title") | _COLUMNS | _IN_LINE
_ATTRIBUTES = {
    "a": split_names("href rel target"), "img": split_names("alt height src width"), "html": split_names("xmlns"),
    "meta": split_names("charset content http-equiv name"), "br": frozenset({"clear"}),  # of floats, and none is simple
}  # fmt: skip
_META = split_names(
    "content-type format-detection generator viewport x-apple-disable-message-reformatting x-ua-compatible"
)
_MAX_DIGITS = 2  # of the number of an item; a larger one may be a part of a text
_FREE_TEXTS = split_names("alt class href id lang rel src style target title")  # which may be a recipient's value
_ANY_ELEMENT = split_names("class id lang role style title")
_MAX_INDENT = _MAX_HEIGHT = 200.0  # pixels at the left, and above or below, of all elements around a text
_OWN_INDENT = 40.0  # pixels, which browsers give lists and quotations
_MAX_SPACE, _MAX_VERTICAL_SPACE = 24.0, 48.0  # pixels of a margin or padding
_MIN_COLUMN, _MAX_COLUMN = 320, 1200  # pixels that a text is wide at most
_MIN_IMAGE = 16  # pixels of one with words
_MAX_IMAGE = {"width": 1200, "height": 800}  # pixels
_MIN_SIZE, _MAX_SIZE, _MAX_SIZE_IN_LIST = 11.0, 36.0, 20.0  # pixels; a larger number of an item may be cut off
_MIN_LINE, _MAX_LINE = 1.1, 3.0  # of the size of the letters
_MAX_MARKS = 2  # on one letter, as Vietnamese has
_CONDITIONAL = "a conditional comment"
_MAX_WIDTH = 640.0  # pixels of a word or an address, which is seen to go on
_MAX_GLUED_WIDTH = 360.0  # pixels of words that do not wrap: of a phone
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FONT_SIZE = re.compile(r"[\d.]+(?:px|pt|em|rem|%)|(?:x{1,2}-)?(?:small|large)|medium")
_ROW_OF_SPACES = re.compile(r"[^\S \t\r\n\f](?:\s*[^\S \t\r\n\f]){4}")
# In <pre>: a line that begins further to the right, and words in columns, which stand elsewhere with another font.
_MOVED_LINE = re.compile(r"\t|^\s*[^\S\n]|[^\S\n]{2}(?=\S)", re.MULTILINE)
# A line may end at a space, and between two East Asian letters.
_EAST_ASIAN = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_BREAK = re.compile(rf"[ \t\r\n\f]+|(?<=[{_EAST_ASIAN}])(?=[{_EAST_ASIAN}])")
_NARROW = re.compile(r"[a-ln-vx-z0-9.,:;'/ -]")  # letters of 0.6 of the size at most, also bold ones; others: 1
_GLUE = re.compile(r"[^\S \t\r\n\f]|\u2060")  # does not let a line end beside it
_VALUES = {
    "font-weight": re.compile(r"normal|bold|[1-9]00"),
    "font-style": re.compile(r"normal|italic"),
    "text-align": re.compile(r"left|center|right|start|justify"),
    "text-decoration": re.compile(r"none|underline"),
    "word-break": re.compile(r"normal|break-word"),
    "overflow-wrap": re.compile(r"normal|break-word"),
    "word-wrap": re.compile(r"normal|break-word"),
}
_SPACE = re.compile(r"(margin|padding)(-(?:top|bottom))?(?:-(?:left|right))?")


@dataclass(slots=True)
class _OpenElement:
    tag: str
    indent: float
    height: float
    has_spaces: bool = False
    has_content: bool = False
    has_letters: bool = False


class LayoutCheck:
    """Reads the events of a body. `names` are what goes beyond a simple layout, in their order."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._width = 0.0  # of the open word, in pixels
        self._open = [_OpenElement("", 0.0, 0.0)]
        self._is_glued = False  # the text before does not let a line end here
        self._image_width = 0.0  # of an image right before this place

    def start(self, event: Event, displayed: Event, look: Look) -> None:
        """Begins an element, which has the look. It is named as it is displayed, where values are masked."""
        self._judge_size(look)
        tag = event.name
        if tag in _COLUMNS or tag == "br":
            self.end_line()
        indent = self._open[-1].indent + _OWN_INDENT * (tag in _INDENTED)
        self._open.append(_OpenElement(tag, indent, self._open[-1].height, has_content=tag == "img"))
        if tag not in _ELEMENTS:
            self._name(_CONDITIONAL if tag == OUTLOOK else f"<{displayed.name[:41]}>")
            return
        if tag == "img":
            self._add_image(event.attributes, look)
        self._read_attributes(event, displayed, look)
        if self._open[-1].indent > _MAX_INDENT:
            self._name("a large indent")
        if self._open[-1].height > _MAX_HEIGHT:
            self._name("a large space")

    def _read_attributes(self, event: Event, displayed: Event, look: Look) -> None:
        tag = event.name
        for name, value in event.attributes.items():
            is_own = name in _FREE_TEXTS or displayed.attributes.get(name) == value
            if not (is_own and _is_simple_attribute(tag, name, value)):
                self._name(name[:41] if name in displayed.attributes else "an attribute")
        style = event.attributes.get("style", "")
        declarations = parse_style(style).declarations
        if declarations is None or style != displayed.attributes.get("style", ""):
            self._name("style")
            return
        for name, value in declarations:
            if not _is_simple(tag, name, value, look.size):
                self._name(name)
            elif space := _SPACE.fullmatch(name):
                most = max((in_pixels(word, look.size) or 0 for word in value.split()), default=0)
                self._open[-1].indent += 0 if space[2] else most
                self._open[-1].height += 0 if name.endswith(("-left", "-right")) else most

    def _judge_size(self, look: Look) -> None:
        if not _MIN_SIZE <= look.size <= (_MAX_SIZE_IN_LIST if look.list_tag else _MAX_SIZE):
            self._name("font-size")
        if not _MIN_LINE * look.size <= look.height_of_line <= _MAX_LINE * look.size:
            self._name("line-height")

    def read_text(self, text: str, look: Look, displayed: str = "") -> None:
        """Reads a text, which has the look. It is displayed with values masked, which others have of any length."""
        self._judge_size(look)
        has_value = displayed not in {"", text}
        if has_value and (
            look.keeps_spaces or any(map(_GLUE.search, {*_BREAK.split(text)} - {*_BREAK.split(displayed)}))
        ):
            self._name("a line that does not wrap")
        if _ROW_OF_SPACES.search(text) or (look.keeps_spaces and _MOVED_LINE.search(text)):
            self._name("a row of spaces")
        if self._image_width:  # a line may end beside an image
            self._width = self._image_width if _GLUE.match(text) else 0.0
        if _RIGHT_TO_LEFT.search(text):
            self._name("letters from right to left")
        if not text.isascii() and _has_stacked_marks(text):
            self._name("stacked marks")
        for number, word in enumerate(text.split("\n") if look.keeps_spaces else _BREAK.split(text)):
            letters = len(word) - 0.4 * len(_NARROW.findall(word))
            is_glued = look.keeps_spaces or _GLUE.search(word) is not None
            self._widen(letters * look.size + (0 if number else self._width), is_glued=is_glued)
        self._is_glued, self._image_width = _GLUE.fullmatch(text[-1:]) is not None, 0.0
        self._open[-1].has_content |= bool(text.strip())
        self._open[-1].has_letters |= any(map(str.isalnum, text))
        self._open[-1].has_spaces |= not text.strip()

    def _add_image(self, attributes: Mapping[str, str], look: Look) -> None:
        sizes = [attributes.get(name, "") for name in _MAX_IMAGE]
        is_small = any(size.isdecimal() and int(size[:5]) < _MIN_IMAGE for size in sizes)
        if look.keeps_spaces or (is_small and attributes.get("alt")):  # which would be cut off
            self._name("<img>")
        width = attributes.get("width", "")
        self._image_width = float(width) if width.isdecimal() and width.isascii() else _MAX_WIDTH
        self._image_width += self._width if self._is_glued else 0.0
        if self._is_glued:
            self._widen(self._image_width, is_glued=True)

    def _widen(self, width: float, *, is_glued: bool) -> None:
        self._width = width
        if width > (_MAX_GLUED_WIDTH if is_glued else _MAX_WIDTH):
            self._name("a line that does not wrap")

    def end_line(self) -> None:
        """Ends the line: what follows stands below."""
        self._width, self._is_glued, self._image_width = 0.0, False, 0.0

    def add_condition(self) -> None:
        """Reads the condition of what some mail clients alone show."""
        self._name(_CONDITIONAL)

    def end(self) -> None:
        """Ends the element that was begun last."""
        element = self._open.pop()
        self._open[-1].has_content |= element.has_content
        if element.tag == "u" and not element.has_letters:
            self._name("<u>")  # a line below a sign makes another one of it
        self._open[-1].has_letters |= element.has_letters
        # Its spaces may have another size than the letters beside them, or a line below them.
        if element.has_spaces and not element.has_content and element.tag in _IN_LINE:
            self._name("an element of spaces")

    def _name(self, name: str) -> None:
        self.names[name] = None


def _has_stacked_marks(text: str) -> bool:
    """Returns whether marks of a text may be drawn over the line above or below."""
    run = 0
    for letter in text:
        run = run + 1 if unicodedata.category(letter) in {"Mn", "Me"} else 0
        if run > _MAX_MARKS:
            return True
    return False


def _is_simple_attribute(tag: str, name: str, value: str) -> bool:
    if name == "dir" or (tag == "meta" and name in {"name", "http-equiv"}):
        return value.lower() in (_META if tag == "meta" else {"ltr"})
    if name in _MAX_IMAGE and tag == "img":
        return value.isdecimal() and value.isascii() and int(value[:5]) <= _MAX_IMAGE[name]
    if name == "align" and tag in _PARAGRAPHS:
        return value.lower() in {"left", "center", "right"}
    if name == "start" and tag == "ol":
        return value.isdecimal() and value.isascii() and len(value) <= _MAX_DIGITS
    if name == "border" and tag == "img":
        return value == "0"
    return name in _ANY_ELEMENT or name in _ATTRIBUTES.get(tag, ()) or is_inert_attribute(name)


def _is_simple(tag: str, name: str, value: str, size: float) -> bool:
    """Returns whether a property leaves each line where it is. Sizes of letters and lines are judged at the texts."""
    if name in {"font-size", "line-height"}:
        is_known = name == "line-height" or _FONT_SIZE.fullmatch(value) is not None
        return is_known and tag not in {"html", "img"}
    if name == "color":
        return parse_color(value) is not None
    if name == "font-family":
        return is_plain_font(value)
    if name == "max-width":
        return tag in _COLUMNS and _MIN_COLUMN <= (in_pixels(value, size) or 0) <= _MAX_COLUMN
    if name == "list-style-type":
        return value == {"ul": "disc", "ol": "decimal"}.get(tag)
    if space := _SPACE.fullmatch(name):
        # Less padding would leave no room for the number of an item.
        is_in_column = tag in _COLUMNS and not (tag in _LISTS and space[1] == "padding")
        most = _MAX_VERTICAL_SPACE if space[2] else _MAX_SPACE
        lengths = [in_pixels(word, size) for word in value.split() if word != "auto"]
        return is_in_column and all(length is not None and 0 <= length <= most for length in lengths)
    return name in _VALUES and _VALUES[name].fullmatch(value) is not None
