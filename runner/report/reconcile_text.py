"""The result of reconcile as text. What it did not find is grouped by reason, with the contacts to look at."""

from runner.deliver.reconcile import ReconcileResult, StillUnknown
from runner.ledger.key_state import State
from runner.ledger.record import Record
from runner.privacy import reveal_or_mask
from runner.report.delivery_list import ListedDelivery, format_delivery_list
from runner.report.layout import wrap_lines
from runner.report.plain_text import MAX_LISTED, format_duplicate
from runner.report.recipients import Recipients
from runner.report.terminal_text import one_line, style_counts


def format_reconciliation(
    result: ReconcileResult, recipients: Recipients, width: int, *, show_values: bool, is_dry_run: bool = False
) -> str:
    """Counts, then the deliveries: found, sent twice, and still unknown by reason.

    `width` is in columns, 0 for no limit. `is_dry_run`: nothing was written, and the text says so.
    """
    parts = [
        (len(result.sent), "would count as sent" if is_dry_run else "found sent", "green"),
        (len(result.duplicates), "sent twice", "red"),
        (len(result.unknown), "still unknown", "red"),
    ]
    counts = style_counts(parts)
    lines = [", ".join(counts) or "nothing is unknown"]
    lines += ["Nothing was written: this is a dry run."] if is_dry_run and counts else []
    found = sorted(
        (reveal_or_mask(recipients.name(state.record), show_values=show_values), state.record.message, _list_ids(state))
        for state in result.sent[:MAX_LISTED]
    )
    room = max((len(name) for name, _, _ in found), default=0)
    lines += [one_line(f"  found  {name:<{room}}  {message}  as message {ids}") for name, message, ids in found]
    if len(result.sent) > MAX_LISTED:
        lines.append(f"  and {len(result.sent) - MAX_LISTED:,} more")
    lines.extend(format_duplicate(state) for state in result.duplicates)
    unknown = [_to_listed(item) for item in result.unknown]
    lines += format_delivery_list("not found", "red", unknown, recipients, width, show_values=show_values, links=True)
    return wrap_lines("\n".join(lines), width)


def listed_records(result: ReconcileResult) -> list[Record]:
    """Returns the records whose recipients the text may name."""
    return [
        *(state.record for state in result.sent[:MAX_LISTED]),
        *(item.record for item in result.unknown),
    ]


def _list_ids(state: State) -> str:
    return " and ".join(sorted({record.id for record in state.sent_records if record.id}))


def _to_listed(item: StillUnknown) -> ListedDelivery:
    time = item.record.at.replace("T", " ").replace("Z", " UTC")
    return ListedDelivery(item.record, item.reason, (f"tried {time}", f"key {item.record.key[:12]}"))
