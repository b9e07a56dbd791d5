"""How a text in a mail looks, and whether a reader sees it."""

import re
from dataclasses import dataclass

from runner.mail_display.colors import BLACK, LINK, WHITE, Color, is_seen

NOT_DISPLAYED = "not displayed"
MAIL_WIDTH = 600.0  # pixels of a mail
MAX_OFFSET = 600.0  # pixels, of all elements around a text
_LETTER = 0.6  # width of a letter, of its size
_USUAL_SIZE = 16.0  # pixels
_MIN_HEIGHT = 18.0  # pixels
_MIN_SIZE, _MAX_SIZE = 9.0, 96.0  # pixels
_MIN_LINE_HEIGHT = 0.7  # of the size
_MAX_LINE_HEIGHT = 200.0  # pixels


@dataclass(frozen=True, slots=True)
class Look:
    """What a text inherits from the elements around it, in pixels.

    `offset` is by how much these move it at most, `room` the width of the narrowest. `is_clipped`: one of them cuts
    what does not fit. `is_fixed`: it is in a table whose cells do not grow, and `cell` is what a cell of it moves its
    text by. `keeps_spaces`: spaces and ends of lines are displayed. `links` are the colours that a link may have. A
    colour that is not known is None.
    """

    size: float = _USUAL_SIZE
    line_height: float = 0.0  # 0: as the font has it
    relative_line_height: float = 1.2
    opacity: float = 1.0
    offset: float = 0.0
    room: float = MAIL_WIDTH
    is_clipped: bool = False
    is_fixed: bool = False
    color: Color | None = BLACK
    background: Color | None = WHITE
    links: tuple[Color | None, ...] = (LINK,)
    cell: float = 0.0
    keeps_spaces: bool = False

    @property
    def height_of_line(self) -> float:
        """In pixels."""
        return self.line_height or self.relative_line_height * self.size

    def describe_text(self, longest_word: int) -> str:
        """Returns how a text appears that stands right here; empty if a reader sees it.

        `longest_word` is the number of characters of it between which no line can break.
        """
        if self.size < 1:
            return NOT_DISPLAYED
        if not _MIN_SIZE <= self.size <= _MAX_SIZE:
            return f"in a size of {self.size:.0f} pixels"
        if not _MIN_LINE_HEIGHT * self.size <= self.height_of_line <= max(_MAX_LINE_HEIGHT, 2 * self.size):
            return "styled with line-height"
        if not is_seen(self.color, self.background, self.opacity):
            return "in the colour of its background"
        # What does not fit is cut, or covered by what comes next.
        is_tight = self.is_clipped or self.room < MAIL_WIDTH
        return "wider than its place" if is_tight and longest_word * self.size * _LETTER > self.room else ""

    def describe_spaces(self, text: str) -> str:
        """Returns how a text appears whose spaces and empty lines may take much room."""
        if not self.keeps_spaces:
            return ""
        gaps = re.findall(r"\s+", text)
        lines = max((gap.count("\n") for gap in gaps), default=0)
        spaces = max((len(part.expandtabs()) for gap in gaps for part in gap.split("\n")), default=0)
        is_far = max(lines * self.height_of_line, spaces * self.size * _LETTER) > MAX_OFFSET
        return "with wide gaps" if is_far else ""

    def has_room_for(self, height: float, text_length: int) -> bool:
        """Returns whether a box of the height is large enough for a text, about, of the usual size at least."""
        size = max(self.size, _USUAL_SIZE)  # elements inside may have one again, also where this one has none
        lines = max(1, height // (1.5 * size))
        return height >= _MIN_HEIGHT and text_length * size * _LETTER <= 0.8 * lines * self.room
