"""Who a record of the ledger is about: the address, where it is known, and the link to the contact in Intercom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from runner.declare.address_search import Address
from runner.ledger.record import Record
from runner.privacy import AnyText, mark_private

# The hosts are those of Intercom's own help pages. The path is inferred: no document of Intercom gives it.
_HOSTS = {"us": "https://app.intercom.com", "eu": "https://app.eu.intercom.com", "au": "https://app.au.intercom.com"}


@dataclass(frozen=True, slots=True)
class Recipients:
    """Names the recipients of records.

    `addresses` are the addresses by key, `read` the messages all of whose recipients were read. `workspace` and
    `region` say where Intercom shows the contacts; without a workspace, as in the sandbox, there are no links.
    """

    addresses: Mapping[str, Address] = field(default_factory=dict)
    workspace: str = ""
    region: str = "us"
    read: frozenset[str] = frozenset()

    def name(self, record: Record) -> AnyText:
        """Returns the address of the record's recipient, or the recipient as the ledger has it if none is known.

        Masked, the address is displayed as the ledger has it. An email address stands alone; an id and a user_id have
        their kind before them.
        """
        address = self.addresses.get(record.key)
        if address is None or address.kind == "id":
            return record.to
        return mark_private(address.label, record.to or f"{address.kind}:~{record.key[:8]}")

    def find_gone(self, records: Iterable[Record]) -> frozenset[str]:
        """Returns the keys of the records whose message does not go to their recipient any more.

        Only of messages whose declaration was read.
        """
        wanted = [record for record in records if not record.to.startswith("id:") and record.message in self.read]
        return frozenset(record.key for record in wanted if record.key not in self.addresses)

    def contact_url(self, record: Record) -> str:
        """Returns the link to the contact in Intercom; empty if the contact or the workspace is not known."""
        return contact_url(record.known_contact, self.workspace, self.region)


NO_NAMES = Recipients()


def contact_url(contact: str, workspace: str, region: str) -> str:
    """Returns the page of a contact in Intercom; empty if the contact, the workspace or the region is not known."""
    if not (contact and workspace and region in _HOSTS):
        return ""
    return f"{_HOSTS[region]}/a/apps/{quote(workspace, safe='')}/users/{quote(contact, safe='')}/all-conversations"
