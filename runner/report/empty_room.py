"""The empty room before a text: what stands far from the others is not read."""

from dataclasses import dataclass

_MAX_HEIGHT = 400.0  # pixels between two texts; about twenty empty lines
_MAX_MOVE = 60.0  # pixels between two texts of a line
_MAX_ROOM = 1400.0  # pixels that the elements between two texts could take, in any direction


@dataclass(frozen=True, slots=True)
class _Open:
    """What an open element has, and what there was when it began."""

    seen_count: int
    pixels: float
    room_before: float
    height: float
    room: float


class EmptyRoom:
    """Adds up about how many pixels are empty since the last text that is seen.

    The height is measured where a few plain elements and lines are empty. No measure of a page is exact, so there is a
    bound too: an element without a text takes at most the lengths of its style and a line, or what its children take.
    """

    def __init__(self) -> None:
        self._pixels = self._room = self._move = 0.0
        self._seen_count = 0
        self._open: list[_Open] = []

    def add(self, pixels: float) -> None:
        """Adds a height that is empty here."""
        self._pixels += pixels

    def add_move(self, pixels: float) -> None:
        """Adds the lengths of an element in a line, without a text, which move the text behind it."""
        self._move += pixels

    def see_text(self) -> str:
        """Returns what is to be said before a text that is seen here."""
        note = ""
        if self._pixels > _MAX_HEIGHT:
            note = f"[below {self._pixels:,.0f} empty pixels] "
        elif self._move > _MAX_MOVE:
            note = f"[moved by up to {self._move:,.0f} pixels] "
        elif self._room > _MAX_ROOM:
            note = f"[after up to {self._room:,.0f} empty pixels] "
        self._pixels = self._room = self._move = 0.0
        self._seen_count += 1
        return note

    def open_element(self, height: float, room: float) -> None:
        """Begins an element that has the height, and takes the room if nothing is seen in it."""
        self._open.append(_Open(self._seen_count, self._pixels, self._room, height, room))

    def close_element(self, *, is_displayed: bool) -> bool:
        """Ends the element that was opened last. Returns whether nothing is seen in it."""
        element = self._open.pop()
        if element.seen_count != self._seen_count:
            self._pixels += element.height  # of which a text at its top leaves the rest empty
        elif is_displayed:
            self._pixels = max(self._pixels, element.pixels + element.height)
            self._room = max(self._room, element.room_before + element.room)
        else:
            self._pixels, self._room = element.pixels, element.room_before
        return element.seen_count == self._seen_count
