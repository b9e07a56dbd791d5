"""The lines of a body's text, with the marks in brackets that say how a part of it appears."""

import re
from dataclasses import dataclass, field

from runner.report.markdown_escaping import CONTINUED
from runner.report.placement import Placement

_STYLED, _MAX_NAMED = "styled with ", 5
_MAX_EMPTY = 20  # elements and lines without a text, one after the other
_BESIDE = "│ "  # begins a line that may stand beside the one before it
SEEN = re.compile(r"[^\s\u00a0\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufeff]")  # more than spaces and what has no width


@dataclass(slots=True)
class Marks:
    """The marks of an open element. They are printed once something is seen inside."""

    words: tuple[str, ...]
    is_printed: bool = False

    @property
    def brackets(self) -> list[str]:
        """What stands in the brackets: all properties that are only named are in one."""
        styled = [word.removeprefix(_STYLED) for word in self.words if word.startswith(_STYLED)]
        named = ", ".join(styled[:_MAX_NAMED]) + (
            f" and {len(styled) - _MAX_NAMED} more" if styled[_MAX_NAMED:] else ""
        )
        others = [word for word in self.words if not word.startswith(_STYLED)]
        return [*others, *([f"{_STYLED}{named}"] if styled else [])]


@dataclass(slots=True)
class Box:
    """An open box in a line: whether there is a text before it, where it starts, and the numbers of its lines."""

    is_behind_text: bool
    start: tuple[int, int]
    lines: set[int] = field(default_factory=set)


class TextLines:
    """Collects lines: those that have ended, and the pieces of the open one.

    `open_marks` are those of all open elements. `_has_text` says that the open line has more than spaces and the sign
    of an item, `_is_drawn_in` that some of it is displayed.
    """

    def __init__(self) -> None:
        self.placement = Placement()
        self.open_marks: list[str] = []
        self.is_at_box_start = False  # where a space is not displayed
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._has_text = self._is_drawn_in = False
        self._boxes: list[Box] = []
        self._unprinted: list[Marks] = []
        self._printed_count = 0
        self._empty_count = 0  # elements and lines since the last text that is seen

    @property
    def text(self) -> str:
        """All lines. Nothing may be added after it."""
        self.end_line()
        joined = "\n".join(line.strip() for line in self._lines)
        joined = re.sub(rf"(?<!\n)\n+(?=(?:{CONTINUED})?{_BESIDE})", "\n", joined)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    @property
    def position(self) -> tuple[int, int]:
        """Where the next piece stands: the number of its line, and its own in the line."""
        return len(self._lines), len(self._pieces)

    @property
    def ends_with_space(self) -> bool:
        """Whether a space here would be one too many."""
        return not self._pieces or self._pieces[-1].endswith(" ")

    def read_from(self, position: tuple[int, int]) -> str:
        """Returns what the open line has from a position on; empty if that is in another line."""
        line, piece = position
        return "".join(self._pieces[piece:]).strip() if line == len(self._lines) else ""

    def begin_marks(self, words: tuple[str, ...]) -> Marks:
        """Begins an element with these marks."""
        marks = Marks(words)
        if words:
            self.open_marks += words
            self._unprinted.append(marks)
        return marks

    def end_marks(self, marks: Marks) -> None:
        """Ends the element that was begun last."""
        if not marks.words:
            return
        del self.open_marks[-len(marks.words) :]
        self._printed_count -= marks.is_printed
        if marks.is_printed:
            self.append_behind("]" * len(marks.brackets))
        else:
            self._unprinted.pop()

    def begin_box(self) -> Box:
        """Begins a box that stands in the open line."""
        self.is_at_box_start = True
        box = Box(self._is_drawn_in, self.position)
        self._boxes.append(box)
        return box

    def end_box(self, box: Box, *, keeps_spaces: bool) -> None:
        """Ends the box that was begun last. Of several lines in it, any may stand beside the text around the box."""
        self._boxes.pop()
        self.is_at_box_start = False
        if self._pieces and self.position > box.start and not keeps_spaces:  # a space at its edge is not displayed
            self._pieces[-1] = self._pieces[-1].rstrip(" ")
        if len(box.lines) > 1:
            if box.is_behind_text:
                self.append_behind(" [these lines stand beside the text before them]")
            self.break_line(with_blank_line=False)

    def append(self, piece: str, *, is_drawn: bool = True, is_sign: bool = False) -> None:
        """Adds a piece to the open line. The sign of an item alone is no text, and prints no marks."""
        is_seen = not is_sign and SEEN.search(piece) is not None
        if piece and self._printed_count and not self._pieces:
            self._pieces.append(CONTINUED)
        if is_drawn and self.placement.is_drawn and (is_seen or is_sign):
            if not self._is_drawn_in and self.placement.is_beside:
                self._pieces.append(_BESIDE)
            self._is_drawn_in = True
            self.placement.draw()
        if is_drawn and piece.strip(" "):  # also a space that is a line by itself
            for box in self._boxes:
                box.lines.add(len(self._lines))
        if is_seen and is_drawn and self.placement.is_drawn:
            self._pieces.append(f"[after {self._empty_count:,} empty lines] " * (self._empty_count > _MAX_EMPTY))
            self._empty_count = 0
        if is_seen and is_drawn and self.placement.is_drawn:
            self.is_at_box_start = False
        if is_seen:
            self._print_marks()
        if piece:
            self._pieces.append(piece)
            self._has_text = self._has_text or (not is_sign and bool(piece.strip()))

    def add_empty(self) -> None:
        """Notes an element or line in which no text is seen."""
        self._empty_count += self.placement.is_drawn

    def _print_marks(self) -> None:
        for marks in self._unprinted:
            self._pieces.append("".join(f"[{word}: " for word in marks.brackets))
            marks.is_printed = True
            self._printed_count += 1
        self._unprinted.clear()

    def append_behind(self, piece: str) -> None:
        """Adds what belongs to the last text, also where its line has ended."""
        if self._has_text or not self._lines:
            self.append(piece, is_drawn=False)
        else:
            last = max((number for number, line in enumerate(self._lines) if line), default=0)
            self._lines[last] += piece

    def end_line(self) -> None:
        """Ends the open line."""
        self._lines.append("".join(self._pieces))
        self._pieces.clear()
        self._has_text = self._is_drawn_in = False

    def break_line(self, *, with_blank_line: bool) -> None:
        """Ends the open line if it has a text."""
        if self._has_text:
            self.end_line()
        if with_blank_line and self._lines and self._lines[-1] and not self._printed_count:
            self._lines.append("")
