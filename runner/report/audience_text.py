"""What a plan says of an audience in the workspace: whether it was read, and what changed meanwhile."""

from collections.abc import Iterator
from typing import Any

from runner.compare.declared_fields import FIELD_NAMES, list_field_values
from runner.declare.audience.workspace_contacts import ContactReading, WorkspaceContacts
from runner.declare.declaration import Declaration
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

NO_DIGEST = "not known: an audience was not read"
_MAX_WORDS = 2_000  # characters of a query or of the templates of variables


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


def declared_words(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """Yields the keys and values, on one line, by which an author decides what a query or the workspace brings.

    A text may come from there alone, and a sample masks it like every value of a recipient.
    """
    for name, value in zip(FIELD_NAMES, list_field_values(declaration), strict=True):
        if value and (name == "sql" or name.startswith("to.")):
            more = f" … and {len(value) - _MAX_WORDS:,} more characters" if len(value) > _MAX_WORDS else ""
            yield name, f"{value[:_MAX_WORDS]}{more}"


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


def to_dict(message: PlannedMessage) -> dict[str, Any]:
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
