"""The recipients that an environment may send to, as `only` declares them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, normalise_identifier

DOMAIN_PREFIX = "*@"  # before a domain: every email address in it


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
