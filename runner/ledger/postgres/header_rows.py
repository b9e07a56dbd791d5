"""The rows of the table of headers. Another program may have written to it, so they are checked when they are read."""

from typing import Any, LiteralString

import psycopg

from runner.errors import LedgerUnavailable
from runner.ledger.record import Header

_MAX_HEADERS = 1000  # rows; a ledger has one for each workspace, salt and move
_MAX_HEADER = 8192  # characters of a row; the longest is an address
_HEADER_TYPES = (str, str, str, int, str, str)  # of the columns of _READ_HEADERS
_HEADERS_HINT = "look at its table headers: another program has written to it"
_READ_HEADERS: LiteralString = "SELECT workspace, salt_check, ledger, turn, status, address FROM headers"
ADD_HEADER = _READ_HEADERS.replace("headers", "add_header(%s, %s, %s, %s, %s, %s)")


def read_headers(
    connection: psycopg.Connection[Any], cursor: psycopg.Cursor[Any], display_name: str
) -> list[tuple[Any, ...]]:
    """Returns the rows of all headers, which are read one by one: the server may send rows without end."""
    rows = []
    for row in cursor.stream(_READ_HEADERS):
        if tuple(map(type, row)) != _HEADER_TYPES or len(str(row)) > _MAX_HEADER:
            connection.close()
            raise LedgerUnavailable(f"{display_name} has a header that msgrun did not write", _HEADERS_HINT)
        rows.append(row)
        if len(rows) > _MAX_HEADERS:
            connection.close()
            message = f"{display_name} has more than {_MAX_HEADERS:,} headers"
            raise LedgerUnavailable(message, _HEADERS_HINT)
    return rows


def to_row(header: Header) -> tuple[Any, ...]:
    """Returns a header as the values of _READ_HEADERS."""
    mark = header.mark
    return header.workspace, header.salt_check, header.ledger, mark.generation, mark.status, mark.address
