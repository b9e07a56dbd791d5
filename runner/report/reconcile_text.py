"""The result of reconcile as text.

For a delivery that it did not find, the text says where to look and what to run then.
"""

from dataclasses import dataclass
from urllib.parse import quote

from runner.deliver.reconcile import ReconcileResult, StillUnknown
from runner.ledger.key_state import State
from runner.ledger.record import Record
from runner.report.plain_text import MAX_LISTED, duplicate
from runner.report.terminal_text import one_line, style

# Inferred: no document of Intercom gives the addresses of the pages of its app.
_HOSTS = {"us": "https://app.intercom.com", "eu": "https://app.eu.intercom.com", "au": "https://app.au.intercom.com"}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the next step needs.

    `command` is how the user runs msgrun for this ledger. `workspace` and `region` say where Intercom shows the
    contacts.
    """

    command: str
    workspace: str
    region: str

    def contact_url(self, contact: str) -> str:
        """The page of a contact in Intercom; empty if the contact or the workspace is not known."""
        if not contact or not self.workspace:
            return ""
        base_url = f"{_HOSTS[self.region]}/a/apps/{quote(self.workspace, safe='')}/users"
        return f"{base_url}/{quote(contact, safe='')}/all-conversations"


def text(result: ReconcileResult, follow_up: FollowUp) -> str:
    """Counts, then the deliveries: found, sent twice, and still unknown with the next step."""
    parts = [
        (len(result.sent), "found sent", "green"),
        (len(result.duplicates), "sent twice", "red"),
        (len(result.unknown), "still unknown", "red"),
    ]
    counts = [style(f"{number:,} {word}", colour) for number, word, colour in parts if number]
    lines = [", ".join(counts) or "nothing is unknown"]
    lines.extend(_format_sent(state) for state in result.sent[:MAX_LISTED])
    lines.extend(_count_more(len(result.sent)))
    lines.extend(duplicate(state) for state in result.duplicates)
    for item in result.unknown[:MAX_LISTED]:
        lines.extend(_format_unknown(item, follow_up))
    lines.extend(_count_more(len(result.unknown)))
    return "\n".join(lines)


def _format_sent(state: State) -> str:
    ids = " and ".join(sorted({record.id for record in state.sent_records if record.id}))
    return one_line(f"  sent     {_format_record(state.record)}  as message {ids}")


def _format_unknown(item: StillUnknown, follow_up: FollowUp) -> list[str]:
    record = item.record
    lines = [one_line(f"  unknown  {_format_record(record)}  tried {record.at}"), one_line(f"    {item.reason}")]
    if url := follow_up.contact_url(record.contact):
        lines.append(f"    look at {url}")
    resolve = f"{follow_up.command} resolve {record.key[:12]}"
    lines.append(f"    then    {resolve} --sent ID    or    {resolve} --not-sent")
    return lines


def _format_record(record: Record) -> str:
    return f"{record.message} {record.to}  key {record.key[:12]}"


def _count_more(number: int) -> list[str]:
    return [f"  and {number - MAX_LISTED:,} more"] if number > MAX_LISTED else []
