"""Searches the contacts of many identifiers, in batches."""

from collections.abc import Iterator, Sequence
from typing import Any

from runner.declare.audience.recipient import IdentifierKind, normalise_identifier
from runner.intercom.contact import Contact, parse_contact
from runner.intercom.pages import any_of
from runner.intercom.workspace import SEARCH_BATCH, QueryRejected, Workspace

# Values in one `IN`. Its largest length is not documented; where 50 are rejected, OR groups of SEARCH_BATCH are used.
IN_BATCH = 50
_FIELDS = {"email": "email", "user_id": "external_id", "id": "id"}


class ContactSearch:
    """Searches the contacts of a workspace. Several threads may use it.

    `batch_size` is how many identifiers one request asks for: at first IN_BATCH.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.batch_size = IN_BATCH

    def find(self, kind: IdentifierKind, values: Sequence[str]) -> dict[str, list[Contact]]:
        """Returns the contacts with each of the values, which are all of one kind. Raises RunStopped.

        Values are compared as keys are: what counts as two recipients must not find one contact. So the case of an
        address makes no difference, but strasse@ is not straße@, and the user_id ab is not AB, whatever a search says.
        """
        by_identifier: dict[str, list[str]] = {}
        for value in dict.fromkeys(values):
            by_identifier.setdefault(normalise_identifier(kind, value), []).append(value)
        matches: dict[str, dict[str, Contact]] = {value: {} for value in values}  # the contacts by id
        for contact in self._find_all(kind, list(matches)):
            identifier = {"email": contact.email, "user_id": contact.external_id}.get(kind, contact.id)
            for value in by_identifier.get(normalise_identifier(kind, identifier), ()):
                matches[value].setdefault(contact.id, contact)
        return {value: list(contacts.values()) for value, contacts in matches.items()}

    def _find_all(self, kind: str, values: list[str]) -> Iterator[Contact]:
        start = 0
        while batch := values[start : start + self.batch_size]:
            try:
                # A list, so that contacts of a batch that is rejected at its second page do not count twice.
                items = self._workspace.search_items("/contacts/search", _build_query(_FIELDS[kind], batch), "data")
                contacts = list(map(parse_contact, items))
            except QueryRejected:
                if len(batch) <= SEARCH_BATCH:
                    raise
                self.batch_size = SEARCH_BATCH
                continue
            yield from contacts
            start += len(batch)


def _build_query(field: str, values: list[str]) -> dict[str, Any]:
    """Returns the query for contacts whose field has one of the values."""
    if len(values) > SEARCH_BATCH:
        return {"field": field, "operator": "IN", "value": values}
    return any_of([{"field": field, "operator": "=", "value": value} for value in values])
