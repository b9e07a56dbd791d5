"""`recipients:`, `only:` and `redirect:` of msgrun.yaml: to whom a message goes that is declared for a recipient."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Role, normalise_identifier, parse_role
from runner.declare.keys_and_digests import Payload
from runner.declare.template.language import escape_html
from runner.privacy import AnyText, mark_private, reveal_or_mask

Rule = Literal["refuse", "exclude", "warn"]
EMAIL_FAULTS = ("no_email", "unsubscribed", "bounced", "spam")
CONTACT_FAULTS = ("merged", "archived", *EMAIL_FAULTS)  # those that a contact has by itself
DOMAIN_PREFIX = "*@"  # before a domain: every email address in it


class RecipientPolicy(NamedTuple):
    """A rule for each fault of a contact.

    `refuse`: recorded as refused, so the run exits 3. `exclude`: left out. `warn`: sent to. `merged` contacts are those
    that Intercom merged into another one, which gets the message. `archived` are also blocked ones. The faults from
    `no_email` on concern emails alone: they say nothing about messages in the app.
    """

    not_found: Rule = "refuse"
    ambiguous: Rule = "refuse"
    other_role: Rule = "warn"
    merged: Rule = "warn"
    archived: Rule = "exclude"
    no_email: Rule = "exclude"
    unsubscribed: Rule = "exclude"
    bounced: Rule = "exclude"
    spam: Rule = "exclude"

    def rule(self, fault: str) -> Rule:
        """Returns the rule for a fault, by its name in msgrun.yaml."""
        return self.rules()[fault]

    def rules(self) -> Mapping[str, Rule]:
        """Returns all rules, by their names in msgrun.yaml."""
        return self._asdict()


class AllowList(NamedTuple):
    """Identifiers and domains of email addresses, in the form in which contacts are compared."""

    identifiers: frozenset[tuple[str, str]]
    domains: frozenset[str]

    def allows(self, kind: IdentifierKind, value: str) -> bool:
        """Returns whether a recipient may be sent to.

        Only the identifier counts by which it is addressed: a row may have the address of a colleague in a column.
        """
        text = normalise_identifier(kind, value)
        return (kind, text) in self.identifiers or (kind == "email" and text.rpartition("@")[2] in self.domains)


def parse_allow_list(entries: Sequence[str | Mapping[str, str]]) -> AllowList:
    """Returns the list that a valid `only` declares."""
    domains = {entry.removeprefix(DOMAIN_PREFIX).lower() for entry in entries if isinstance(entry, str)}
    identifiers = {
        (kind, normalise_identifier(kind, entry[kind]))
        for entry in entries
        if not isinstance(entry, str)
        for kind in IDENTIFIER_KINDS
        if kind in entry
    }
    return AllowList(frozenset(identifiers), frozenset(domains))


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
    return Redirect(parse_role(value["type"]), kind, value[kind])
