"""What stands on one line of a ledger: the JSON objects that are whole, and what torn ones still tell."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

_DECODER = json.JSONDecoder()
_KEY = re.compile(r'"key":"[0-9a-f]{32}"')
_FIELD = re.compile(r'"(\w+)":("(?:[^"\\]|\\.)*"|\d+)(?=[,}])')


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
            following = text.find('{"', end)
            torn = _torn(text[at:following] if following >= 0 else text[at:])
            if torn:
                yield torn
        else:
            value = _object(text[at:end].encode())
            if value is not None and ("msgrun_lock" in value or {"key", "attempt", "status"} <= value.keys()):
                yield value
        at = text.find('{"', end)


def _torn(text: str) -> dict[str, Any] | None:
    """A torn record whose key can be read, as an open claim: its delivery may have been sent.

    A compacted ledger has one line a delivery. Leaving a damaged one out would send the message again.
    """
    found = _KEY.search(text)
    if not found:
        return None
    fields = {name: json.loads(value) for name, value in _FIELD.findall(text)}
    attempt = fields.get("attempt") or f"torn-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    kept = {name: fields[name] for name in ("message", "revision", "to", "contact", "text", "at") if name in fields}
    return {"key": found[0][7:-1], "attempt": attempt, "status": "claimed", **kept}


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
