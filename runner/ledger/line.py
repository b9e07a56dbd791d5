"""What stands on one line of a ledger: the JSON objects that are whole, also where others are torn."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

_DECODER = json.JSONDecoder()


def objects(line: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The objects on a line, and whether it is torn: anything but exactly one object."""
    value = _object(line)
    return ([value], False) if value is not None else (list(_salvaged(line)), True)


def _salvaged(line: bytes) -> Iterator[dict[str, Any]]:
    """Every whole fact on a line that was glued to others: a writer that did not start on a fresh line, a lost LF.

    Leaving one out could make a delivery look unsent, so the search goes on behind each object that it finds.
    """
    text = line.decode(errors="replace")
    at = text.find('{"')
    while at >= 0:
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            value = _object(text[at:end].encode())
            if value is not None and ("msgrun_lock" in value or {"key", "attempt", "status"} <= value.keys()):
                yield value
        at = text.find('{"', end)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
