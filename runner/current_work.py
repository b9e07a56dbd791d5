"""What this process is working on: a file, and a row of it, in memory that it shares with the processes it forks.

The process that watches it (`cli/supervisor.py`) reads there which file does not end. The memory needs no lock: each
process writes into a slot of its own, and a slot is read for its file only once nothing in it has changed for seconds.
"""

import contextlib
import mmap
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_WORKERS = 63  # processes of a pool; each has a slot of the memory, after that of the process which starts them
_SLOT_SIZE = 8192  # bytes
# The cells of a slot, 8 bytes each: two that change with the work, whether it runs, and the lengths of two texts.
_STEPS, _ROW, _IS_WORKING, _PATH_LENGTH, _LABEL_LENGTH, _CELLS = range(6)
_TEXT_START = 8 * _CELLS
_MAX_PATH = 4096  # bytes, the longest path of Linux
_MAX_LABEL = 1024  # bytes
_LINE_MASK = (1 << 32) - 1  # of several files, a row's number has the index of its file above the line


class WorkStatus(NamedTuple):
    """What a process was working on when it was looked at.

    `progress` has changed if the work went on since the last look. `path` is empty if there was no work yet.
    `recipient` names the recipient as problems do, and is empty if none was rendered.
    """

    progress: tuple[int, int]
    is_working: bool
    path: str
    recipient: str


class CurrentWork:
    """The slots of a process and of the processes of its pool.

    `before_work` and `after_work` are called around the work on a file, to limit the memory that it gets.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, (1 + MAX_WORKERS) * _SLOT_SIZE)
        self.before_work: Callable[[], None] = lambda: None
        self.after_work: Callable[[], None] = lambda: None
        self.use_slot(0)

    def use_slot(self, index: int) -> None:
        """Makes this process write into another slot: 0, or in a process of a pool its own number from 1."""
        self._start = index * _SLOT_SIZE
        self._cells = memoryview(self._memory)[self._start : self._start + _TEXT_START].cast("Q")
        self.clear_slot(index)

    def clear_slot(self, index: int) -> None:
        """Empties the slot of a process that has ended, perhaps in the middle of work."""
        start = index * _SLOT_SIZE
        self._memory[start : start + _TEXT_START] = bytes(_TEXT_START)

    @contextlib.contextmanager
    def on_file(self, path: str) -> Iterator[None]:
        """Says that the `with` block is work on a file. Blocks may be nested."""
        cells, was_working = self._cells, self._cells[_IS_WORKING]
        self._write_text(_PATH_LENGTH, _TEXT_START, path.encode(errors="surrogateescape")[:_MAX_PATH])
        cells[_ROW] = cells[_LABEL_LENGTH] = 0
        cells[_STEPS] += 1
        cells[_IS_WORKING] = True
        self.before_work()
        try:
            yield
        finally:
            cells[_IS_WORKING] = was_working
            if not was_working:
                self.after_work()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Says that the `with` block waits for another process or for a reader, which is not work."""
        cells, was_working = self._cells, self._cells[_IS_WORKING]
        cells[_IS_WORKING] = False
        try:
            yield
        finally:
            cells[_STEPS] += 1
            cells[_IS_WORKING] = was_working

    def step(self) -> None:
        """Says that the work on the file went on."""
        self._cells[_STEPS] += 1

    def rows(self, label: str) -> memoryview:
        """Begins the work on the rows of a file. Returns the place for the number of the row, which its reader sets.

        A number there is a quarter of the cost of a call, and a plan has a million rows. `label` is how a problem names
        row 0, as "row 0 of a.csv".
        """
        self._write_text(_LABEL_LENGTH, _TEXT_START + _MAX_PATH, label.encode(errors="surrogateescape")[:_MAX_LABEL])
        return self._cells[_ROW : _ROW + 1]

    def busy_slots(self) -> list[int]:
        """Returns the slots of the processes that work."""
        flags = memoryview(self._memory).cast("Q")[_IS_WORKING :: _SLOT_SIZE // 8]
        return [index for index, is_working in enumerate(flags) if is_working]

    def status(self, index: int | None = None) -> WorkStatus:
        """Returns what the process of a slot is working on; without an index, this process."""
        start = self._start if index is None else index * _SLOT_SIZE
        text = start + _TEXT_START
        steps, row, is_working, path_length, label_length = memoryview(self._memory)[start:text].cast("Q")
        path = self._memory[text : text + path_length].decode(errors="surrogateescape")
        label = self._memory[text + _MAX_PATH : text + _MAX_PATH + label_length].decode(errors="surrogateescape")
        recipient = label.replace(" 0", f" {row & _LINE_MASK}", 1) if row else ""
        return WorkStatus((steps, row), bool(is_working), path, recipient)

    def _write_text(self, length_cell: int, offset: int, text: bytes) -> None:
        self._memory[self._start + offset : self._start + offset + len(text)] = text
        self._cells[length_cell] = len(text)


CURRENT_WORK = CurrentWork()
