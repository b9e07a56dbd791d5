"""One contact as declared, and how two of them are compared."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from runner.declare.template.template import Text

Role = Literal["user", "contact"]
Kind = Literal["id", "user_id", "email"]
KINDS: tuple[Kind, ...] = ("id", "user_id", "email")

# The variables of a row, the names of those without a value, and its number.
Row = tuple[dict[str, Any], tuple[str, ...], int]


class Recipient(NamedTuple):
    """One contact as declared: its role, the kind of its address, the template of it, and its own variables.

    `blank` names variables that it has without a value; `number` is its position in the list, or what its source
    knows its row by. A tuple, because a million of them are made.
    """

    role: Role
    kind: Kind
    identifier: Text
    vars: Mapping[str, Any]
    blank: tuple[str, ...]
    number: int


def normalised(kind: Kind, value: str) -> str:
    """An identifier as keys see it: Unicode NFC, trimmed, an email address in lower case."""
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    return text.lower() if kind == "email" else text
