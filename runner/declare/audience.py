"""Where recipients come from: a list in the declaration, or the rows of a CSV file, one at a time."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from runner.declare.template import Text
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem
from runner.privacy import private

Role = Literal["user", "contact"]
Kind = Literal["id", "user_id", "email"]
KINDS: tuple[Kind, ...] = ("id", "user_id", "email")
MAX_CELL = 4 * 1024 * 1024  # characters
csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True, slots=True, eq=False)
class Recipient:
    """One contact as declared: its role, the kind of its address, the template of it, and its own variables.

    `blank` names variables that it has without a value; `number` is its position in the list, or its row's line.
    """

    role: Role
    kind: Kind
    identifier: Text
    vars: Mapping[str, Any]
    blank: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Recipients that stand in the declaration itself; `alone` if `to` is one recipient rather than a list."""

    members: tuple[Recipient, ...]
    alone: bool

    @property
    def names(self) -> frozenset[str]:
        """Every variable that some recipient has."""
        return frozenset(name for member in self.members for name in (*member.vars, *member.blank))

    def recipients(self) -> Iterator[Recipient | Problem]:
        """The recipients in their order."""
        return iter(self.members)

    def label(self, number: int) -> str:
        """How problems call the recipient."""
        return "" if self.alone else f"recipient {number}"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A CSV file: a recipient a row, the header names the variables. Never in memory as a whole."""

    tree: Tree
    path: str
    role: Role
    kind: Kind
    identifier: Text
    header: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The columns."""
        return frozenset(self.header)

    def label(self, number: int) -> str:
        """How problems call the recipient."""
        return f"row {number} of {PurePosixPath(self.path).name}"

    def recipients(self) -> Iterator[Recipient | Problem]:
        """The recipients row by row, and what is wrong with a row; what cannot be read ends it."""
        header, width = self.header, len(self.header)
        for number, row in _rows(self.tree, self.path):
            if isinstance(row, Problem):
                yield row
            elif number == 1 or not row:
                continue
            elif len(row) != width:
                yield _width_problem(self.path, number, row, header)
            else:
                values = dict(zip(header, row, strict=True))
                blank: tuple[str, ...] = ()
                if not all(map(str.strip, row)):
                    blank = tuple(name for name, cell in values.items() if not cell.strip())
                    values = {name: cell for name, cell in values.items() if name not in blank}
                yield Recipient(self.role, self.kind, self.identifier, values, blank, number)


def read_header(tree: Tree, path: str) -> tuple[tuple[str, ...], list[Problem]]:
    """The columns of a CSV file, and what is wrong with its first row."""
    _, row = next(_rows(tree, path), (1, []))
    if isinstance(row, Problem):
        return (), [row]
    place = Place(path)
    if not any(cell.strip() for cell in row):
        return (), [Problem("csv-header", place, "the file has no header", "its first row names the variables")]
    header = tuple(cell.strip() for cell in row)
    found = []
    for number, name in enumerate(header, 1):
        if not name:
            message = f"column {number} has no name"
            found.append(Problem("csv-header", place, message, "name it, or remove the column"))
        elif name in header[: number - 1]:
            message = f"two columns are named {name}"
            found.append(Problem("csv-header", place, message, "rename one of them"))
    if not found and len(header) == 1 and (sign := next((sign for sign in ";\t|" if sign in header[0]), "")):
        shown = "tabs" if sign == "\t" else sign
        found.append(
            Problem("csv-delimiter", place, f"the columns are separated by {shown}", "save the file with commas")
        )
    return header, found


def _rows(tree: Tree, path: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """Each row with the line that it begins on; a Problem where the file cannot be read on."""
    try:
        handle = (tree.root / path).open(encoding="utf-8-sig", newline="")
    except OSError as error:
        yield 1, Problem("file-unreadable", Place(path), f"{path} cannot be read: {error.strerror}")
        return
    with handle:
        reader = csv.reader(_lines(handle), strict=True)
        while True:
            number = reader.line_num + 1
            try:
                row = next(reader, None)
            except UnicodeDecodeError:
                yield number, _encoding_problem(tree, path)
                return
            except (csv.Error, _NulError) as error:
                yield number, _row_problem(path, number, error)
                return
            if row is None:
                return
            yield number, row


class _NulError(Exception):
    pass


def _lines(handle: io.TextIOBase) -> Iterator[str]:
    for line in handle:
        if "\0" in line:
            raise _NulError("this row holds a NUL character")
        yield line


def _width_problem(path: str, number: int, row: list[str], header: tuple[str, ...]) -> Problem:
    message = f"this row has {len(row)} {'field' if len(row) == 1 else 'fields'}, the header {len(header)}"
    hint = "quote a field that holds a comma" if len(row) > len(header) else "an empty field still needs its comma"
    return Problem("csv-row", Place(path, number), message, hint, excerpt=private(",".join(row)[:200]))


def _row_problem(path: str, number: int, error: Exception) -> Problem:
    hint = ""
    message = str(error)
    if "unexpected end of data" in message:
        message, hint = "a quote opens here that nothing closes", 'a quote inside a quoted field is written twice: ""'
    elif "expected after" in message:
        message, hint = "a quoted field goes on after its closing quote", 'a quote inside a field is written twice: ""'
    elif "field larger" in message:
        message, hint = f"a field is longer than {MAX_CELL} characters", "a quote may open that nothing closes"
    return Problem("csv-row", Place(path, number), message, hint)


def _encoding_problem(tree: Tree, path: str) -> Problem:
    """Finds the line: the decoder reads ahead in blocks, so it does not know it."""
    try:
        with (tree.root / path).open("rb") as handle:
            for number, line in enumerate(handle, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    column = len(line[: error.start].decode()) + 1
                    message = f"byte 0x{line[error.start]:02X} is not UTF-8"
                    return Problem("not-utf-8", Place(path, number, column), message, "save the file as UTF-8")
    except OSError as error:
        raise NotReadable("file-unreadable", f"{path} cannot be read: {error.strerror}") from error
    return Problem("not-utf-8", Place(path), "the file is not UTF-8", "save the file as UTF-8")
