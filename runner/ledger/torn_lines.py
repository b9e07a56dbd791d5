"""What stands on one line of a ledger: the JSON objects that are whole, and what torn ones still tell."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

_DECODER = json.JSONDecoder()


_START = re.compile(r'\{\s*"')


_KEY = re.compile(r'"key"\s*:\s*"([0-9a-f]{32})"')


_FIELD = re.compile(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*"|\d+)(?=\s*[,}])')


def parse_objects(line: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The objects on a line, and whether it is torn: anything but exactly one object."""
    value = _object(line)
    return ([value], False) if value is not None else (list(_salvaged(line)), True)


def _salvaged(line: bytes) -> Iterator[dict[str, Any]]:
    """Every whole fact on a line that was glued to others: a writer that did not start on a fresh line, a lost LF.

    Leaving one out could make a delivery look unsent, so the search goes on behind each object that it finds.
    """
    text = line.decode(errors="replace")
    begin = at = 0  # of what is not read yet, and of where an object may begin in it
    while start := _START.search(text, at):
        if torn := _torn(text[begin : start.start()]):
            yield torn
        try:
            _, end = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            begin, at = start.start(), start.start() + 1
            continue
        value = _object(text[start.start() : end].encode())
        if value is not None and ("msgrun_lock" in value or {"key", "attempt", "status"} <= value.keys()):
            yield value
        begin = at = end
    if torn := _torn(text[begin:]):
        yield torn


def _torn(text: str) -> dict[str, Any] | None:
    """A torn record whose key can be read, as an open claim: its delivery may have been sent.

    A compacted ledger has one line a delivery. Leaving a damaged one out would send the message again. A formatter that
    spreads a record over lines of its own tears it as well.
    """
    found = _KEY.search(text)
    if not found:
        return None
    fields: dict[str, Any] = dict(_fields(text))
    attempt = fields.get("attempt") or f"torn-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    kept: dict[str, Any] = {
        name: fields[name] for name in ("message", "revision", "to", "contact", "text", "at") if name in fields
    }
    return {"key": found[1], "attempt": attempt, "status": "claimed", **kept}


def _fields(text: str) -> Iterator[tuple[str, Any]]:
    """The fields of a torn record whose values can be read."""
    for name, value in _FIELD.findall(text):
        with contextlib.suppress(orjson.JSONDecodeError):
            yield name, orjson.loads(value)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
