"""Deliveries that a person has to look at, grouped by status, message and reason instead of repeating these."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.ledger.record import Record
from runner.privacy import AnyText, reveal_or_mask
from runner.report.layout import GAP, fits, flow, table, wrap
from runner.report.plain_text import MAX_LISTED
from runner.report.recipients import Recipients
from runner.report.status_text import StatusView, format_time
from runner.report.terminal_text import one_line, style

_COLOURS = {
    "sent": "green", "found": "green", "replied": "green", "unknown": "red", "not found": "red", "dropped": "red",
}  # fmt: skip  # all others are yellow
_BY_TIME = frozenset({"sent", "replied", "dropped"})  # statuses whose deliveries come with the latest first


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery in a list: its record, a word for its status, and why it has that status, if it is known.

    `details` stand behind the recipient. Without any it is the key, which resolve takes; of what was sent, the time.
    """

    record: Record
    status: str
    reason: AnyText = ""
    details: tuple[str, ...] = ()


def format_delivery_list(
    items: Iterable[ListedDelivery],
    recipients: Recipients,
    view: StatusView,
    *,
    with_message: bool = True,
    with_times: bool = False,
    most: int = MAX_LISTED,
    cut_status: str = "",
) -> list[str]:
    """Returns a heading for each group, and below it the recipients by name: about `most` of each status.

    The statuses keep the order of the items. Of `cut_status` there are more deliveries than items: it has no count.
    """
    groups: dict[tuple[str, str, int, str], list[ListedDelivery]] = {}
    left: dict[str, int] = {}  # how many are still listed of each status
    for item in items:
        record, reason = item.record, reveal_or_mask(item.reason, show_values=view.show_values)
        left.setdefault(item.status, most)
        groups.setdefault((item.status, record.message, record.revision, reason), []).append(item)
    revisions = Counter(message for message, _ in {key[1:3] for key in groups})
    lines: list[str] = []
    order = list(left)
    largest_first = sorted(groups.items(), key=lambda group: (order.index(group[0][0]), -len(group[1])))
    for (status, message, revision, reason), members in largest_first[:most]:
        word = style(status if status == cut_status else f"{len(members):,} {status}", _COLOURS.get(status, "yellow"))
        has_others = revision > 1 or revisions[message] > 1
        which = [message if with_message else "", f"revision {revision}" if has_others else ""]
        parts = [word, *which, reason, _format_times(members) if with_times else ""]
        head = flow([one_line(part) for part in parts if part], view.width, indent="    ")
        lines.append("\n".join(wrap(line, view.width, indent="    ") for line in head.split("\n")))
        rows = _format_rows(members, max(1, left[status]), recipients, view)
        left[status] -= len(rows)
        lines += rows
        if len(members) > len(rows):
            lines.append(f"  and {len(members) - len(rows):,} more")
    if hidden := sum(len(members) for _, members in largest_first[most:]):
        lines.append(f"and {hidden:,} more, of other messages or for other reasons")
    return lines


def _format_times(members: Sequence[ListedDelivery]) -> str:
    """Returns the time of a group's deliveries, or the first and the last one of them; empty if none has a time."""
    times = sorted({format_time(item.record.at) for item in members} - {""})
    return f"{' to '.join(dict.fromkeys((times[0], times[-1])))} UTC" if times else ""


def _format_rows(members: Sequence[ListedDelivery], most: int, recipients: Recipients, view: StatusView) -> list[str]:
    """Returns the first recipients of a group: by name, or in the order of the items where that is by time."""
    has_times = len({format_time(item.record.at) for item in members}) > 1
    rows = []
    for item in members:
        record, is_sent = item.record, item.status == "sent"
        name = reveal_or_mask(recipients.name(record), show_values=view.show_values)
        time = format_time(record.at) if has_times and (is_sent or view.verbose) else ""
        details = item.details or ("" if is_sent else f"key {record.key[:12]}", time)
        has_request = view.verbose and record.request_id and item.status not in _BY_TIME
        request = f"request {record.request_id}" if has_request else ""
        link = recipients.contact_url(record) if view.verbose else ""
        rows.append(([one_line(cell) for cell in (name, *details, request)], one_line(link)))
    if members[0].status not in _BY_TIME:
        rows.sort()
    rows = rows[:most]
    lines = [f"  {line}" for line in table([""] * len(rows[0][0]), [cells for cells, _ in rows])[1:]]
    if not fits(lines, view.width):
        lines = [flow([f"  {cells[0]}", *cells[1:]], view.width, indent="    ", separator=GAP) for cells, _ in rows]
    return [f"{line}\n    {style(link, 'dim')}" if link else line for line, (_, link) in zip(lines, rows, strict=True)]
