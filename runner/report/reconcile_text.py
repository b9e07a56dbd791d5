"""The result of reconcile as text. What it did not find is grouped by reason, with the contacts to look at."""

from collections.abc import Sequence

from runner.deliver.reconcile import ReconcileResult
from runner.ledger.record import Record
from runner.report.delivery_list import ListedDelivery, format_delivery_list
from runner.report.layout import wrap_lines
from runner.report.plain_text import format_duplicate
from runner.report.recipients import Recipients
from runner.report.status_text import SENDING, StatusView
from runner.report.terminal_text import style_counts


def format_reconciliation(
    result: ReconcileResult, recipients: Recipients, view: StatusView, sending: Sequence[Record] = (),
    *, is_dry_run: bool = False,
) -> str:  # fmt: skip
    """Counts, then the deliveries: found, sent twice, still unknown by reason, and those that other runs are `sending`.

    `is_dry_run`: nothing was written, and the text says so.
    """
    parts = [
        (len(result.sent), "would count as sent" if is_dry_run else "found sent", "green"),
        (len(result.duplicates), "sent twice", "red"),
        (len(result.unknown), "still unknown", "red"),
        (len(sending), SENDING, "yellow"),
    ]
    counts = style_counts(parts)
    lines = [", ".join(counts) or "nothing is unknown"]
    lines += ["Nothing was written: this is a dry run."] if is_dry_run and counts else []
    lines += [format_duplicate(state, recipients, show_values=view.show_values) for state in result.duplicates]
    sent = ((one, " and ".join(sorted({record.id for record in one.sent_records if record.id}))) for one in result.sent)
    items = [ListedDelivery(one.record, "found", "", (f"message {ids}",)) for one, ids in sent]
    items += [ListedDelivery(item.record, "not found", item.reason) for item in result.unknown]
    items += [ListedDelivery(record, SENDING, f"by run {record.run}") for record in sending]
    blocks = [lines, format_delivery_list(items, recipients, view)]
    return wrap_lines("\n\n".join("\n".join(block) for block in blocks if block), view.width)


def listed_records(result: ReconcileResult) -> list[Record]:
    """Returns the records whose recipients the text may name."""
    states = [*result.sent, *result.duplicates]
    return [*(state.record for state in states), *(item.record for item in result.unknown)]
