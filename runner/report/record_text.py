"""The records of a ledger as a table, with the ids by which they are found elsewhere."""

from collections.abc import Sequence

from runner.ledger.record import Record
from runner.privacy import reveal_or_mask
from runner.report.layout import fitted_table
from runner.report.recipients import Recipients
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line

_HEADS = ("at (UTC)", "status", "message", "recipient", "key", "details")


def format_records(records: Sequence[Record], recipients: Recipients, width: int, *, show_values: bool) -> str:
    """Returns records as they are in the ledger, a row each, in at most `width` columns. They must not be empty."""
    rows = [_list_cells(record, recipients, show_values=show_values) for record in records]
    return "\n".join(fitted_table(_HEADS, rows, width, fixed=(3,), named=frozenset({"key"})))


def _list_cells(record: Record, recipients: Recipients, *, show_values: bool) -> list[str]:
    message = f"{record.message} revision {record.revision}" if record.revision > 1 else record.message
    name = reveal_or_mask(recipients.name(record), show_values=show_values)
    details = (f"message {record.id}" if record.id else "", record.code, f"by {record.by}" if record.by else "")
    cells = (format_time(record.recorded_at), record.status, message, name, record.key[:12])
    return list(map(one_line, (*cells, ", ".join(filter(None, details)))))
