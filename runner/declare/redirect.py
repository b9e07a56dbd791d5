"""The redirect of an environment: every message goes to one contact, marked with whom it was for."""

from collections.abc import Mapping
from typing import NamedTuple

from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Role
from runner.declare.keys_and_digests import Payload
from runner.declare.template.language import escape_html
from runner.privacy import AnyText, mark_private, reveal_or_mask


class Redirect(NamedTuple):
    """The one contact that every message of an environment is sent to, in place of its recipient."""

    role: Role
    kind: IdentifierKind
    value: str

    @property
    def display_name(self) -> AnyText:
        """The contact for printing: an address is private, an id is not."""
        return f"id:{self.value}" if self.kind == "id" else f"{self.kind}:" + mark_private(self.value)

    def apply(self, payload: Payload, kind: IdentifierKind, value: str) -> None:
        """Changes a payload for a recipient: it goes to the contact, and its first text names the recipient."""
        payload["to"] = {"type": self.role, self.kind: self.value}
        part = "subject" if "subject" in payload else "body"
        mark = reveal_or_mask(format_mark(kind, value, is_html=part == "body"), show_values=True)
        payload[part] = mark + payload[part]


def format_mark(kind: IdentifierKind, value: str, *, is_html: bool) -> AnyText:
    """Returns what stands before a subject, or before the body of a message without one: for whom it was."""
    text = escape_html(value) if is_html else value
    if kind == "id":
        return f"(for id {text}) "
    return f"(for {'' if kind == 'email' else f'{kind} '}" + mark_private(text) + ") "


def parse_redirect(value: Mapping[str, str]) -> Redirect:
    """Returns the contact that a valid `redirect` declares."""
    kind = next(kind for kind in IDENTIFIER_KINDS if kind in value)
    return Redirect("user" if value["type"] == "user" else "contact", kind, value[kind])
