"""One contact as declared, and how two of them are compared."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from runner.declare.template.template import Template

Role = Literal["user", "contact"]
IdentifierKind = Literal["id", "user_id", "email"]
IDENTIFIER_KINDS: tuple[IdentifierKind, ...] = ("id", "user_id", "email")

# The variables of a row, the names of those without a value, and its number.
Row = tuple[dict[str, Any], tuple[str, ...], int]


class Recipient(NamedTuple):
    """One contact as declared: its role, the kind of its address, the template of it, and its own variables.

    `blank` names variables that it has without a value; `number` is its position in the list, or what its source
    knows its row by. A tuple, because a million of them are made.
    """

    role: Role
    kind: IdentifierKind
    identifier: Template
    vars: Mapping[str, Any]
    blank_variables: tuple[str, ...]
    number: int


def normalise_identifier(kind: IdentifierKind, value: str) -> str:
    """An identifier as keys see it: Unicode NFC, trimmed, an email address in lower case."""
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    return text.lower() if kind == "email" else text
