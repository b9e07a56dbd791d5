"""One contact as declared, and the form of its identifier in which contacts are compared."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template

Role = Literal["user", "contact"]
IdentifierKind = Literal["id", "user_id", "email"]
IDENTIFIER_KINDS: tuple[IdentifierKind, ...] = ("id", "user_id", "email")

# A row: its variables, the names of those without a value, and its number.
Row = tuple[dict[str, Any], tuple[str, ...], int]


class Recipient(NamedTuple):
    """One contact as declared.

    `kind` is the kind of its identifier, and `identifier` the template of it. `vars` are its own variables, and
    `blank_variables` names those without a value. `number` is its position in the list, or the number of its row in the
    source. It is a tuple, because a run creates a million of them.
    """

    role: Role
    kind: IdentifierKind
    identifier: Template
    vars: Mapping[str, Any]
    blank_variables: tuple[str, ...]
    number: int

    def merge_variables(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """Returns its own variables over the common ones.

        A variable without a value hides the common one of that name.
        """
        values = {**common, **self.vars}
        for name in self.blank_variables:
            values.pop(name, None)
        return values

    def render_identifier(self, values: dict[str, Any]) -> str:
        """Returns its identifier; empty if it has a fault, as half of a surrogate pair, which has no key."""
        try:
            value = self.identifier.render(values).strip()
            value.encode()
        except (TemplateFault, UnicodeEncodeError):
            return ""
        return value


def parse_role(text: object) -> Role:
    """Returns the role that a `type` declares, or that Intercom names: `lead` is today's word for a contact."""
    return "user" if text == "user" else "contact"


def contact_role(role: Role) -> str:
    """Returns the role of the contacts in Intercom that a declared role stands for: a `contact` is a lead there."""
    return "user" if role == "user" else "lead"


def normalise_identifier(kind: IdentifierKind, value: str) -> str:
    """Returns an identifier as keys contain it: Unicode NFC, trimmed, an email address in lower case."""
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    return text.lower() if kind == "email" else text


def without_nulls(value: Any) -> Any:
    """Returns the value without the keys whose value is null, at any depth.

    So a template treats null as undefined, and printing it is an error. A null in a list stays.
    """
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
