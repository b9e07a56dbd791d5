"""What reconcile found, as text: and for what it did not find, where to look and what to say then."""

from dataclasses import dataclass
from urllib.parse import quote

import click

from runner.deliver.reconcile import ReconcileResult, StillUnknown
from runner.ledger.record import Record, State
from runner.report.plain_text import MAX_LISTED, duplicate

# Inferred: no document gives the addresses of Intercom's own pages.
_HOSTS = {"us": "https://app.intercom.com", "eu": "https://app.eu.intercom.com", "au": "https://app.au.intercom.com"}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The way on: how msgrun is called for this ledger, and where Intercom shows the workspace's contacts."""

    command: str
    workspace: str
    region: str

    def contact_url(self, contact: str) -> str:
        """The page of a contact; empty where it or the workspace is not known."""
        if not contact or not self.workspace:
            return ""
        users = f"{_HOSTS[self.region]}/a/apps/{quote(self.workspace, safe='')}/users"
        return f"{users}/{quote(contact, safe='')}/all-conversations"


def text(found: ReconcileResult, way: FollowUp) -> str:
    """Counts first, then every delivery: found, found twice, and not found with the way on."""
    parts = [
        (len(found.sent), "found sent", "green"),
        (len(found.duplicates), "sent twice", "red"),
        (len(found.unknown), "still unknown", "red"),
    ]
    counts = [click.style(f"{number:,} {word}", fg=colour) for number, word, colour in parts if number]
    lines = [", ".join(counts) or "nothing is unknown"]
    lines.extend(_sent(state) for state in found.sent[:MAX_LISTED])
    lines.extend(_more(len(found.sent)))
    lines.extend(duplicate(state) for state in found.duplicates)
    for unfound in found.unknown[:MAX_LISTED]:
        lines.extend(_unknown(unfound, way))
    lines.extend(_more(len(found.unknown)))
    return "\n".join(lines)


def _sent(state: State) -> str:
    ids = " and ".join(sorted({record.id for record in state.sent_records if record.id}))
    return f"  sent     {_named(state.record)}  as message {ids}"


def _unknown(unfound: StillUnknown, way: FollowUp) -> list[str]:
    record = unfound.record
    lines = [f"  unknown  {_named(record)}  tried {record.at}", f"    {unfound.reason}"]
    if link := way.contact_url(record.contact):
        lines.append(f"    look at {link}")
    resolve = f"{way.command} resolve {record.key[:12]}"
    lines.append(f"    then    {resolve} --sent ID    or    {resolve} --not-sent")
    return lines


def _named(record: Record) -> str:
    return f"{record.message} {record.to}  key {record.key[:12]}"


def _more(number: int) -> list[str]:
    return [f"  and {number - MAX_LISTED:,} more"] if number > MAX_LISTED else []
