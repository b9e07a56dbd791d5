"""What the ledger knows, as text: a table of the messages, of one message's deliveries, or of one recipient's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.ledger.facts import MessageStatus
from runner.ledger.key_state import KeyStatus, State
from runner.privacy import AnyText, reveal_or_mask
from runner.report.layout import fits, flow, table, wrap
from runner.report.recipients import Recipients
from runner.report.terminal_text import one_line, style

ATTENTION: tuple[KeyStatus, ...] = ("unknown", "refused")  # what a person has to look at
_WORDS: Mapping[KeyStatus, str] = {"sent": "sent", "unknown": "unknown", "refused": "refused", "free": "not sent"}
_COLOURS: Mapping[KeyStatus, str | None] = {"sent": "green", "unknown": "red", "refused": "yellow", "free": "dim"}
_NOTES = {
    "adopt": "by msgrun adopt, which sends nothing",
    "person": "as a person decided",
    "reconcile": "as reconcile found",
}
_RIGHT = frozenset({"revision", *_WORDS.values()})

Times = Mapping[tuple[str, int], tuple[str, str]]


def messages(statuses: Counter[MessageStatus], times: Times, width: int) -> str:
    """Returns a table of the messages in the ledger, with the times when they were sent, and the totals."""
    counts: dict[tuple[str, int], Counter[KeyStatus]] = {}
    for entry, number in statuses.items():
        counts.setdefault((entry.message, entry.revision), Counter())[entry.status] += number
    if not counts:
        return "Nothing was sent yet."
    lines = _find_table(counts, times, width)
    totals = sum(counts.values(), Counter[KeyStatus]())
    words = [style(f"{totals[status]:,} {word}", _COLOURS[status]) for status, word in _WORDS.items() if totals[status]]
    summary = flow(words, width, indent="  ", separator=", ", at_break=",")
    return "\n".join([*lines, "", f"{summary}."]) if len(counts) > 1 else "\n".join(lines)


def _find_table(counts: Mapping[tuple[str, int], Counter[KeyStatus]], times: Times, width: int) -> list[str]:
    """Returns the table with as much of the times as there is room for; without room for any, a block a message."""
    for heads, length in ((("first sent (UTC)", "last sent (UTC)"), 16), (("first", "last"), 10), (("", "last"), 10)):
        rows = []
        for (name, revision), by_status in sorted(counts.items()):
            cells = [
                style(f"{by_status[status]:,}", _COLOURS[status]) if by_status[status] else "" for status in _WORDS
            ]
            first, last = times.get((name, revision), ("", ""))
            dates = [format_time(first)[:length] if heads[0] else "", format_time(last)[:length]]
            rows.append([one_line(style(name, "bold")), str(revision), *cells, *dates])
        lines = table(("message", "revision", *_WORDS.values(), *heads), rows, right=_RIGHT)
        if fits(lines, width):
            return lines
    return _stack([_describe_message(*item, times) for item in sorted(counts.items())], width)


def _describe_message(message: tuple[str, int], by_status: Counter[KeyStatus], times: Times) -> list[str]:
    name, revision = message
    words = [f"{by_status[status]:,} {word}" for status, word in _WORDS.items() if by_status[status]]
    dates = sorted({format_time(time)[:10] for time in times.get(message, ()) if time})
    return [one_line(style(name, "bold")), f"revision {revision}", *words, " to ".join(dates)]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table. `details` are its last cells, which stand below it where it is too wide; `link` always does."""

    cells: Sequence[str]
    details: Sequence[str]
    link: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """How deliveries are displayed.

    `width` is in columns, 0 for no limit. With `show_values`, addresses are in clear. `show_requests`: also the ids by
    which Intercom's support finds a request.
    """

    width: int
    show_values: bool
    show_requests: bool = False


def deliveries(
    states: Sequence[State], total: int, recipients: Recipients, view: StatusView, message: str | None
) -> str:
    """Returns deliveries, a row each, and the links to the contacts of whom it is not known whether they got one.

    `total` is the number of deliveries, of which `states` are the first. `message` is the name that all have in common;
    None if they are of several messages.
    """
    rows = []
    for state in states:
        record = state.record
        name = one_line(reveal_or_mask(recipients.name(record), show_values=view.show_values))
        cells = [_format_status(state), one_line(record.message) if message is None else "", name]
        key = "" if state.status == "sent" else one_line(record.key[:12])
        link = recipients.contact_url(record) if state.status == "unknown" else ""
        rows.append(_Row([*cells, format_time(record.at)], [key, _explain(state, view)], link))
    heads = ("state", "message", "recipient", "at (UTC)", "key", "why")
    return "\n".join(_format_rows(heads, rows, total, view.width))


def recipient(name: AnyText, states: Sequence[State], recipients: Recipients, view: StatusView) -> str:
    """Returns what one recipient got: each delivery with its time, its run and Intercom's id of the message."""
    title = one_line(style(reveal_or_mask(name, show_values=view.show_values), "bold"))
    if not states:
        return wrap(f"The ledger knows nothing of {title}.", view.width, indent="  ")
    urls = sorted({url for state in states if (url := recipients.contact_url(state.record))})
    rows = []
    for state in states:
        record = state.record
        cells = [_format_status(state), one_line(record.message), str(record.revision), format_time(record.at)]
        number = f"message {record.id}" if record.id else ""
        what = " · ".join(filter(None, (number, _explain(state, view))))
        rows.append(_Row(cells, [one_line(what), one_line(record.attempt.rpartition("-")[0])]))
    heads = ("state", "message", "revision", "at (UTC)", "what", "run")
    return "\n".join([title, *urls, "", *_format_rows(heads, rows, len(rows), view.width)])


def _explain(state: State, view: StatusView) -> str:
    record = state.record
    is_open = state.status != "sent"
    if not is_open:
        accepted = f"an older text; the edit was accepted {format_time(state.accepted_at)}" if state.accepted_at else ""
        return one_line(" · ".join(filter(None, (_NOTES.get(record.by, ""), accepted))))
    request = f"request {record.request_id}" if record.request_id and view.show_requests else ""
    return one_line(" ".join(filter(None, (record.code, request))))


def _format_status(state: State) -> str:
    return style(_WORDS[state.status], _COLOURS[state.status])


def format_time(time: str) -> str:
    """Returns the time of a record to the minute, as 2026-11-22 10:00; empty if it has none."""
    return one_line(time[:16].replace("T", " "))


def _format_rows(heads: Sequence[str], rows: Sequence[_Row], total: int, width: int) -> list[str]:
    """Returns rows as a table, and how many more there are, of `total`.

    If the table is too wide, the details of a row stand below it. If it still is, a row is a block of lines.
    """
    below: list[Sequence[str]] = [() for _ in rows]
    lines = table(heads, [[*row.cells, *row.details] for row in rows], right=_RIGHT)
    if not fits(lines, width):
        lines = table(heads, [[*row.cells, *[""] * len(row.details)] for row in rows], right=_RIGHT)
        below = [row.details for row in rows]
    if not fits(lines, width):
        lines = ["", *_stack([[*row.cells, *row.details] for row in rows], width)]
        below = [() for _ in rows]
    head, *body = lines
    blocks = [head] if head else []
    for line, details, row in zip(body, below, rows, strict=True):
        blocks.append(line)
        if shown := [cell for cell in details if cell]:
            blocks.append(flow([f"  {shown[0]}", *shown[1:]], width, indent="  ", separator=" · ", at_break=""))
        if row.link:
            blocks.append(f"  {row.link}")
    more = f"and {total - len(rows):,} more; --format json has all of them"
    return [*blocks, *([wrap(more, width, indent="  ")] if total > len(rows) else ())]


def _stack(rows: Iterable[Sequence[str]], width: int) -> list[str]:
    """Returns each row as a block of lines."""
    return [flow([cell for cell in row if cell], width, indent="  ", separator=" · ", at_break="") for row in rows]


def next_steps(unknown_count: int, searchable_count: int, width: int) -> str:
    """Returns what to do about the unknown deliveries, of which reconcile can look for `searchable_count`."""
    noun = "delivery" if unknown_count == 1 else "deliveries"
    lines = [
        f"{unknown_count:,} {noun} may have arrived and will not be sent again by themselves."
        if unknown_count > 1
        else f"{unknown_count:,} {noun} may have arrived and will not be sent again by itself.",
        f"msgrun reconcile looks for {searchable_count:,} of the unknown in Intercom." if searchable_count else "",
        "msgrun resolve KEY --sent ID or --not-sent settles one, after a look at the contact.",
    ]
    return "\n".join(wrap(line, width, indent="  ") for line in lines if line)
