"""What a person is asked about an unknown delivery, and what the answers did."""

from runner.ledger.key_state import State
from runner.privacy import reveal_or_mask
from runner.report.layout import shorten
from runner.report.problem_text import pluralize
from runner.report.recipients import Recipients
from runner.report.terminal_text import one_line, style, style_counts

_MAX_SUBJECT = 120  # columns
QUESTION = "What became of it? [s]ent, [n]ot sent, s[k]ip, [q]uit, ?:"
_CHOICES = (
    ("s", "it was sent: it is not sent again"),
    ("n", "it was not sent: the next apply sends it"),
    ("a", "added to s or n, as in na: the same for all that follow"),
    ("k", "skip, as Enter does: it stays unknown, and apply leaves it out"),
    ("q", "quit: it and those after it stay unknown"),
)


def format_question(
    state: State, number: int, total: int, recipients: Recipients, beginning: str, age: float, *, show_values: bool
) -> str:
    """Returns an unknown delivery: who, what, when, and where to look. `beginning` is the subject; `age` in seconds."""
    record = state.open_attempts[-1]
    name = reveal_or_mask(recipients.name(record), show_values=show_values)
    heading = f"{style(name, 'bold')}  {record.message}, revision {record.revision}"
    lines = ["", one_line(f"{style(f'{number:,} of {total:,}', 'dim')}  {heading}")]
    if beginning:
        lines.append(f"  subject  {shorten(one_line(beginning), _MAX_SUBJECT)}")
    attempts = f", {len(state.open_attempts)} attempts" if len(state.open_attempts) > 1 else ""
    time = record.at.replace("T", " ").replace("Z", " UTC") or "at an unknown time"
    lines.append(one_line(f"  tried    {time}{_format_age(age)}{attempts}"))
    if url := recipients.contact_url(record):
        lines.append(one_line(f"  {url}"))
    if record.request_id:
        lines.append(one_line(f"  request  {record.request_id} (for Intercom's support)"))
    lines.append(one_line(f"  key      {record.key[:12]}"))
    return "\n".join(lines)


def format_choices() -> str:
    """Returns what each choice does."""
    return "\n".join(f"  {style(letter, 'bold')}  {meaning}" for letter, meaning in _CHOICES)


def format_request(deliveries: str, number: int, sent_id: str | None) -> str:
    """Returns what a decision about a number of deliveries does, as a request without its question mark.

    `sent_id` is the id of the message if it was sent, empty if not known, None if it was not sent.
    """
    them = "it" if number == 1 else "them"
    if sent_id is None:
        return f"Mark {deliveries} as not sent, so that the next apply sends {them}"
    return (
        f"Mark {deliveries} as sent{f', as message {sent_id}' if sent_id else ''}, so that no apply sends {them} again"
    )


def format_decided(number: int, sent_id: str | None) -> str:
    """Returns what a decision about a number of deliveries did. `sent_id` is as for a request."""
    if sent_id is None:
        return f"Marked {number:,} as not sent. The next apply sends {'it' if number == 1 else 'them'}."
    as_message, rest = f", as message {sent_id}" if sent_id else "", "It is" if number == 1 else "They are"
    return f"Marked {number:,} as sent{as_message}. {rest} not sent again."


def format_result(sent: int, not_sent: int, left: int) -> str:
    """Returns how many deliveries were marked, and how many are still unknown."""
    parts = [
        (sent, "marked as sent", "green"),
        (not_sent, "marked as not sent", "yellow"),
        (left, "still unknown", "red"),
    ]
    return ", ".join(style_counts(parts))


def _format_age(seconds: float) -> str:
    """Returns how long ago that is, in the largest unit; empty if it is not known."""
    if seconds < 0:
        return ""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f", {pluralize(int(seconds // length), unit)} ago"
    return ", less than a minute ago"
