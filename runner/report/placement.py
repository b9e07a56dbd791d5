"""Where the next text of a body stands: below the last one that is drawn, or beside it.

What a reader sees in one line must not look like two in a comment: "€10" and "0 hidden costs" in two cells of a table
are "€100 hidden costs".
"""

from dataclasses import dataclass

from runner.mail_display.flow import Flow


@dataclass(slots=True)
class _Column:
    """What texts are laid out in by themselves. `has_floats`: beside one of them, lines below may stand too."""

    has_floats: bool = False


@dataclass(frozen=True, slots=True)
class _Open:
    """An open element. `is_beside`: all lines in it stand beside a text; `was_below` and `count` are from its start."""

    flow: Flow
    column: _Column
    is_drawn: bool
    was_below: bool
    is_moved: bool = False
    is_beside: bool = False
    count: int = 0


class Placement:
    """Follows the elements of a body. What is not drawn, such as a hidden element, begins and ends no line."""

    def __init__(self) -> None:
        self._is_below = True
        self._is_after_left_float = self._is_after_right_float = False
        self._count = 0  # texts that are drawn
        self._open = [_Open("below", _Column(), is_drawn=True, was_below=True)]

    @property
    def is_drawn(self) -> bool:
        """Whether a text is drawn here."""
        return self._open[-1].is_drawn

    @property
    def is_beside(self) -> bool:
        """Whether a text here may stand beside the last one."""
        return not self._is_below or self._open[-1].is_beside or self._open[-1].column.has_floats

    def open_element(self, flow: Flow, *, is_drawn: bool) -> bool:
        """Begins an element. Returns whether a browser moves it to the left of what stands before it."""
        parent = self._open[-1]
        is_drawn = is_drawn and parent.is_drawn
        # To the left of the text before it, or of the float at the right that is before it.
        is_after_text = flow == "left" and not self._is_below and not self._is_after_left_float
        is_moved = is_drawn and (is_after_text or (flow == "right" and self._is_after_right_float))
        is_column = flow not in {"inline", "below"}
        if is_drawn and flow == "below":
            self._is_below = True
        is_beside = parent.is_beside or (is_column and self.is_beside)
        column = _Column() if is_column else parent.column
        self._open.append(_Open(flow, column, is_drawn, self._is_below, is_moved, is_beside, self._count))
        return is_moved

    def close_element(self) -> bool:
        """Ends the element that was opened last. Returns whether it is drawn without a text."""
        element = self._open.pop()
        is_empty = element.count == self._count
        if not element.is_drawn or element.flow == "inline":
            return is_empty and element.is_drawn
        self._is_below = element.flow == "below" or (is_empty and element.was_below)
        if element.flow in {"left", "right"} and not is_empty:
            self._open[-1].column.has_floats = True
            self._is_after_left_float = element.flow == "left" and not element.is_moved
            self._is_after_right_float = element.flow == "right"
        return is_empty

    def end_line(self) -> None:
        """Ends a line, as <br> does."""
        self._is_below = self._is_below or self.is_drawn

    def draw(self) -> None:
        """Notes that a text is drawn here."""
        self._is_below = self._is_after_left_float = self._is_after_right_float = False
        self._count += 1
