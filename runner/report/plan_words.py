"""What a plan says of a message in every format: its sender, its audience, times, and warnings."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.declare.audience.workspace_contacts import ContactReading, WorkspaceContacts
from runner.declare.declaration import Declaration
from runner.declare.sender import Sender
from runner.errors import Problem
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan
from runner.privacy import mark_private_values, reveal_or_mask
from runner.report.problem_text import pluralize
from runner.report.progress_text import format_duration
from runner.report.review import Review
from runner.report.terminal_text import style
from runner.shown_command import shown_command

_SOON = timedelta(days=1)
NO_DIGEST = "not known: an audience was not read"


def format_sender(sender: Sender, ids: Mapping[Sender, str]) -> str:
    """Returns a sender as declared, and the admin's id: the one that was looked up, if it was."""
    if sender.kind == "id":
        return sender.value
    return f"{sender.value} ({f'id {ids[sender]}' if sender in ids else 'id not looked up yet'})"


def format_subscription(declaration: Declaration) -> str:
    """Returns which subscription the recipients of a message need; empty if none. That of `redirect` needs none."""
    name = "" if declaration.redirect else declaration.require_subscription
    return f"only with the subscription {name}, looked up when online" if name else ""


def format_file_problems(review: Review, *, show_values: bool) -> dict[str, list[str]]:
    """Returns what is wrong in the files of each message that can be sent all the same, as sentences, by its name."""
    by_name = {
        name: [_format_problem(problem, show_values=show_values) for problem in problems]
        for name, problems in review.file_warnings().items()
    }
    for name, (first, *others) in review.lint_errors.items():
        more = f", and {pluralize(len(others), 'more error')} ({shown_command('lint')})" if others else ""
        path, position = mark_private_values(first.place.path, ()), f"{first.place.line}:{first.place.column}"
        place = f"{reveal_or_mask(path, show_values=show_values)}:{position}"
        by_name.setdefault(name, []).append(f"lint: {_format_problem(first, show_values=show_values)}, {place}{more}")
    return by_name


def _format_problem(problem: Problem, *, show_values: bool) -> str:
    """Returns a problem as one sentence, with its code."""
    recipient = f" ({reveal_or_mask(problem.recipient, show_values=show_values)})" if problem.recipient else ""
    message = mark_private_values(problem.message, ()) if "@" in str(problem.message) else problem.message
    return f"{reveal_or_mask(message, show_values=show_values)}{recipient} [{problem.code}]"


def format_undeclared_recipients(message: PlannedMessage) -> str:
    """Returns a warning that a saved plan sends to recipients that are no longer declared."""
    change = "left the audience" if message.workspace_contacts else "no longer declared"
    return f"{message.name}: {pluralize(message.undeclared_count, 'recipient')} of the saved plan {change}"


def format_unread(message: PlannedMessage) -> str:
    """Returns that it is not known who gets a message, and the command that reads it; empty if it is known."""
    if not message.is_unread:
        return ""
    read = shown_command("plan", "--online")
    return f"not known who gets it: the recipients are in the workspace, and {read} reads them"


def count_unread(plan: Plan) -> list[str]:
    """Returns how many messages of a plan go to an audience that was not read, as one text; none if there is none."""
    return [f"{pluralize(len(plan.unread), 'message')} to an audience that was not read"] if plan.unread else []


def reading_lines(message: PlannedMessage) -> Iterator[str]:
    """Yields what reading the audience of a message showed; nothing for another audience, or one that was not read."""
    source = message.workspace_contacts
    if source and source.reading:
        yield _describe(source.reading, source)


def is_empty(message: PlannedMessage) -> bool:
    """Returns whether an audience in the workspace was read and has no contact: then a plan says so."""
    source = message.workspace_contacts
    return bool(source and source.reading and not source.reading.count)


def _describe(reading: ContactReading, source: WorkspaceContacts) -> str:
    parts = [f"{pluralize(reading.count, 'contact')} read from Intercom"]
    if reading.other_role:
        other = "lead" if source.role == "user" else "user"
        parts.append(f"{pluralize(reading.other_role, other)} left out by type")
    if reading.first_total != reading.last_total and None not in (reading.first_total, reading.last_total):
        parts.append(f"it changed while it was read, from {reading.first_total:,} to {reading.last_total:,}")
    elif reading.first_total not in {None, reading.count + reading.other_role}:
        parts.append(f"Intercom counts {reading.first_total:,}, so it changed while it was read")
    if reading.repeated:
        parts.append(f"{reading.repeated:,} came twice and count once")
    return "; ".join(parts)


def audience_to_dict(message: PlannedMessage) -> dict[str, Any]:
    """Returns the audience of a message in the workspace as an object for JSON. `read` says whether it was read."""
    source = message.workspace_contacts
    assert source is not None
    group = source.group
    named = {group.kind: group.name or group.query}
    reading = source.reading
    if reading is None:
        return {"intercom": named, "read": False}
    totals = [reading.first_total, reading.last_total]
    counts = {"contacts": reading.count, "other_role": reading.other_role, "repeated": reading.repeated}
    return {"intercom": named, "read": True, **counts, "total_count": totals}


def list_moments(message: PlannedMessage, now: datetime) -> list[str]:
    """Returns from when and until when a message is sent, unless that is why deliveries are excluded."""
    declaration = message.declaration
    reasons = " ".join(reason for action, reason in message.deliveries.reasons() if action == "excluded")
    moments = [(key, declaration.written(key)) for key in ("not_before", "expires") if key not in reasons]
    items = [f"{key.replace('_', ' ')} {moment}" for key, moment in moments if moment and moment not in reasons]
    left = declaration.expires - now if declaration.expires else None
    if left and timedelta(0) < left < _SOON:
        items.append(style(f"that is in {format_duration(left.total_seconds())}", "yellow"))
    return items
