"""How a text in a mail looks, and whether a reader sees it."""

from dataclasses import dataclass, replace

from runner.mail_display.colors import BLACK, LINKS, WHITE, Color, is_seen, list_shadowed

NOT_DISPLAYED = "not displayed"
# A style sheet may give the background another colour. Some mail clients leave it out.
BACKGROUND_COLOR_OF_SHEET = "in the colour of its background without the style sheet"
OWN_BACKGROUND = "on a background of its own"
IN_SHADOW = "hidden where a shadow is"
MAX_SIZE = 64.0  # pixels
_MIN_SIZE = 9.0  # pixels
_MAX_LINE_HEIGHT = 64.0  # pixels
_MAX_TIGHTENING = 1 / 16  # of the size: a space is a quarter of it, and is still seen as one


@dataclass(frozen=True, slots=True)
class Look:
    """What a text inherits from the elements around it, in pixels. A colour that is not known is None.

    Place: `is_fixed`: it is in a table whose cells do not grow. `is_row`: it is in an element with `display: table`, in
    which all stand beside each other. `is_beside`: it is in a float, or a box in a line. `keeps_spaces`: spaces and
    ends of lines are displayed. `letter_spacing` is what stands between letters besides.
    Colours: `links` are those that a link may have. One of the `backgrounds` is drawn behind the text: they are that of
    the page and those of the elements around the text, which may end before it. `has_sheet`: a style sheet may give any
    text another colour. `has_shadow`: an element may throw one on any background.
    Others: `list_tag` is that of the innermost list. `is_raised`: it is in <sub> or <sup>. `struck_size` is that of the
    letters which a line goes through; 0 without one.
    """

    size: float = 16.0
    letter_spacing: float = 0.0
    line_height: float = 0.0  # 0: as the font has it
    relative_line_height: float = 1.2
    is_fixed: bool = False
    is_row: bool = False
    is_beside: bool = False
    color: Color | None = BLACK
    backgrounds: tuple[Color | None, ...] = (WHITE,)
    links: tuple[Color | None, ...] = tuple(LINKS.values())
    keeps_spaces: bool = False
    list_tag: str = ""
    is_raised: bool = False
    struck_size: float = 0.0
    has_sheet: bool = False
    has_shadow: bool = False

    @property
    def height_of_line(self) -> float:
        """In pixels."""
        return self.line_height or self.relative_line_height * self.size

    @property
    def is_tiny(self) -> bool:
        """Whether letters, and spaces between them, are too small to be seen."""
        return self.size < _MIN_SIZE

    def describe_size(self) -> str:
        """Returns the words for a size that is beyond those of letters."""
        return f"in a size of {self.size:.0f} pixels"

    def describe_text(self) -> str:
        """Returns how a text appears that stands right here; empty if a reader sees it."""
        if self.size < 1:
            return NOT_DISPLAYED
        if not is_seen(self.color, self.backgrounds[-1]):
            return BACKGROUND_COLOR_OF_SHEET if self.has_sheet else "in the colour of its background"
        if not _MIN_SIZE <= self.size <= MAX_SIZE:
            return self.describe_size()
        if not self.size <= self.height_of_line <= max(_MAX_LINE_HEIGHT, 2 * self.size):
            return "styled with line-height"
        if self.letter_spacing < -_MAX_TIGHTENING * self.size:
            return "styled with letter-spacing"
        if not self.is_seen_in(self.color):
            return OWN_BACKGROUND
        shadowed = [color for background in self.backgrounds for color in list_shadowed(background)]
        is_hidden = self.has_shadow and not all(is_seen(self.color, color) for color in shadowed)
        return IN_SHADOW if is_hidden else ""

    def is_seen_in(self, color: Color | None) -> bool:
        """Returns whether letters of a colour can be read on all backgrounds."""
        return all(is_seen(color, background) for background in self.backgrounds)

    def add_background(self, color: Color | None) -> "Look":
        """Returns the look inside of an element with a background."""
        return self if color == self.backgrounds[-1] else replace(self, backgrounds=(*self.backgrounds, color))
