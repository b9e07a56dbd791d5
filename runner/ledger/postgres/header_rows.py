"""The rows of the table of headers. Another program may have written to it, so they are checked when they are read."""

from typing import Any, LiteralString

import psycopg

from runner.errors import LedgerUnavailable
from runner.ledger.record import Header

_MAX_HEADERS = 1000  # rows; a ledger has one for each workspace, salt and move
_MAX_HEADER = 8192  # characters of a row; the longest is an address
_HEADER_TYPES = (str, str, str, int, str, str)  # of the columns of _READ_HEADERS
_READ_HEADERS: LiteralString = "SELECT workspace, salt_check, ledger, turn, status, address FROM headers"
ADD_HEADER = _READ_HEADERS.replace("headers", "add_header(%s, %s, %s, %s, %s, %s)")


def read_headers(cursor: psycopg.Cursor[Any], display_name: str) -> list[tuple[Any, ...]]:
    """Returns the rows of all headers. Raises LedgerUnavailable if msgrun cannot have written them."""
    rows = cursor.execute(_READ_HEADERS).fetchmany(_MAX_HEADERS + 1)
    if len(rows) > _MAX_HEADERS or any(
        tuple(map(type, row)) != _HEADER_TYPES or len(str(row)) > _MAX_HEADER for row in rows
    ):
        hint = "look at its table headers: another program has written to it"
        raise LedgerUnavailable(f"{display_name} has headers that msgrun did not write", hint)
    return rows


def to_row(header: Header) -> tuple[Any, ...]:
    """Returns a header as the values of _READ_HEADERS."""
    mark = header.mark
    return header.workspace, header.salt_check, header.ledger, mark.generation, mark.status, mark.address
