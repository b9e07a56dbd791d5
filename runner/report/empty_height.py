"""The empty height above a text: what stands far below the others is not read."""

_MAX_HEIGHT = 400.0  # pixels between two texts; about twenty empty lines


class EmptyHeight:
    """Adds up about how many pixels are empty since the last text that is seen."""

    def __init__(self) -> None:
        self._pixels = 0.0
        self._seen_count = 0
        self._open: list[tuple[int, float, float]] = []  # of each open element: what it began with, and its height

    def add(self, pixels: float) -> None:
        """Adds what is empty here."""
        self._pixels += pixels

    def see_text(self) -> str:
        """Returns what is to be said before a text that is seen here."""
        note = f"[below {self._pixels:,.0f} empty pixels] " if self._pixels > _MAX_HEIGHT else ""
        self._pixels = 0.0
        self._seen_count += 1
        return note

    def open_element(self, height: float) -> None:
        """Begins an element that has the height."""
        self._open.append((self._seen_count, self._pixels, height))

    def close_element(self, *, is_displayed: bool) -> None:
        """Ends the element that was opened last."""
        seen_count, pixels, height = self._open.pop()
        if seen_count != self._seen_count:
            self._pixels += height  # of which a text at its top leaves the rest empty
        else:
            self._pixels = max(self._pixels, pixels + height) if is_displayed else pixels
