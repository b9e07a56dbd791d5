"""What the ledger knows, as text: a table of the messages, of one message's deliveries, or of one recipient's."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runner.ledger.facts import MessageStatus
from runner.ledger.key_state import STATUS_WORDS, KeyStatus, State, name_ids
from runner.privacy import AnyText, reveal_or_mask
from runner.report.layout import fitted_table, wrap
from runner.report.plain_text import count_by_message, count_by_status
from runner.report.recipients import Recipients
from runner.report.terminal_text import one_line, style

ATTENTION: tuple[KeyStatus, ...] = ("unknown", "refused")  # what a person has to look at
# What a table of messages counts. What is free is left to send, as what was never tried is, so plan counts both.
COUNTED: tuple[KeyStatus, ...] = ("sent", *ATTENTION)
_COLOURS: Mapping[KeyStatus, str | None] = {"sent": "green", "unknown": "red", "refused": "yellow", "free": "dim"}
_NOTES = {
    "adopt": "by msgrun adopt, which sends nothing",
    "person": "as a person decided",
    "reconcile": "as reconcile found",
}
SENDING, TWICE = "being sent", "sent twice"
_NAMED = frozenset({"key", "run"})  # columns whose cells do not say what they are
_SENT_AT = "sent at (UTC)"
_RIGHT = frozenset({"revision", *STATUS_WORDS.values()})

IsBeingSent = Callable[[State], bool]  # whether a delivery is unknown only because another run is sending it now
Times = Mapping[tuple[str, int], tuple[str, str]]


def format_messages(
    statuses: Counter[MessageStatus], times: Times, width: int, sending: Counter[tuple[str, int]]
) -> str:
    """Returns a table of the messages in the ledger, with the times when they were sent, and with the sums of all.

    `sending` are how many of the unknown are being sent now, by name and revision: they have a column if there are any.
    """
    rows = []
    has_sending = sending.total() > 0
    for (name, revision), by_status in sorted(count_by_message(statuses).items()):
        moments = sorted({format_time(time) for time in times.get((name, revision), ()) if time})
        counts = _format_counts(by_status, sending[name, revision], has_sending=has_sending)
        rows.append([one_line(style(name, "bold")), str(revision), *counts, " to ".join(moments)])
    if len(rows) > 1:
        counts = _format_counts(count_by_status(statuses), sending.total(), has_sending=has_sending)
        rows.append(["total", "", *counts, ""])
    words = [STATUS_WORDS["sent"], *([SENDING] if has_sending else ()), *(STATUS_WORDS[one] for one in ATTENTION)]
    heads = ("message", "revision", *words, _SENT_AT)
    right = _RIGHT | {SENDING}
    return "\n".join(fitted_table(heads, rows, width, fixed=(len(heads) - 1,), right=right, named=right | {_SENT_AT}))


def _format_counts(by_status: Counter[KeyStatus], sending: int, *, has_sending: bool) -> list[str]:
    """Returns a cell for each status that is counted. All but `sent` are empty in place of 0."""
    left = by_status - Counter({"unknown": sending})
    attention = [style(f"{left[status]:,}", _COLOURS[status]) if left[status] else "" for status in ATTENTION]
    now = [f"{sending:,}" if sending else ""] * has_sending
    return [style(f"{by_status['sent']:,}", _COLOURS["sent"]), *now, *attention]


@dataclass(frozen=True, slots=True)
class StatusView:
    """How deliveries are displayed.

    `width` is in columns, 0 for no limit. With `show_values`, addresses are in clear. `verbose`: also the times, the
    ids by which Intercom's support finds a request, and the links to the contacts.
    """

    width: int
    show_values: bool
    verbose: bool = False


def format_recipient(
    name: AnyText, states: Sequence[State], recipients: Recipients, view: StatusView, is_being_sent: IsBeingSent
) -> str:
    """Returns what one recipient got: each delivery with its time, its run and Intercom's id of the message."""
    title = one_line(style(reveal_or_mask(name, show_values=view.show_values), "bold"))
    if not states:
        return wrap(f"The ledger has no records of {title}.", view.width, indent="  ")
    urls = sorted({url for state in states if (url := recipients.contact_url(state.record))})
    rows = []
    for state in states:
        record = state.record
        number = f"message {record.id}" if record.id else ""
        request = f"request {record.request_id}" if record.request_id and view.verbose else ""
        what = " · ".join(filter(None, (number, explain_state(state, is_being_sent), request)))
        key = "" if is_being_sent(state) else _format_key(state)
        cells = (record.message, str(record.revision), format_time(record.at), what, key, record.run)
        word = SENDING if is_being_sent(state) else style(STATUS_WORDS[state.status], _COLOURS[state.status])
        rows.append([word, *map(one_line, cells)])
    heads = ("state", "message", "revision", "at (UTC)", "what", "key", "run")
    lines = fitted_table(heads, rows, view.width, fixed=(4,), right=_RIGHT, named=_NAMED, is_whole=not view.width)
    return "\n".join([title, *urls, "", *lines])


def _format_key(state: State) -> str:
    """Returns the start of the key of a delivery that a person may have to settle; empty if it was sent."""
    return "" if state.status == "sent" else state.record.key[:12]


def explain_state(state: State, is_being_sent: IsBeingSent, *, is_gone: bool = False) -> str:
    """Returns why a delivery is in its state, as far as the ledger knows. `is_gone`: it is not declared any more."""
    record = state.record
    if is_being_sent(state):
        return f"by run {record.run}"
    if state.is_duplicate:
        return f"sent twice, as {name_ids(state.sent_records)}"
    if state.status == "sent":
        accepted = f"older text, edit accepted {format_time(state.accepted_at)}" if state.accepted_at else ""
        redirected = "redirected" if record.redirected else ""
        return " · ".join(filter(None, (redirected, _NOTES.get(record.by, ""), accepted)))
    code = "no answer recorded" if record.status == "claimed" else record.code
    decided = _NOTES["person"] if record.by == "person" else ""
    reason = " ".join(filter(None, (code, decided)))
    return f"{reason}, and not a recipient any more" if is_gone else reason


def format_time(time: str) -> str:
    """Returns the time of a record to the minute, as 2026-11-22 10:00; empty if it has none."""
    return one_line(time[:16].replace("T", " "))


def may_have_arrived(unknown: Sequence[State], is_being_sent: IsBeingSent) -> str:
    """Returns what is to know about unknown deliveries; empty if other runs are sending all of them."""
    number = len(unknown) - sum(map(is_being_sent, unknown))
    if number <= 1:
        return "1 delivery may have arrived, and is never sent again by itself." if number else ""
    return f"{number:,} deliveries may have arrived, and are never sent again by themselves."
