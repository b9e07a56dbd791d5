"""The texts and the fields of a declaration, as a comparison reads and shows them."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from runner.clock import format_timestamp
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.suppression import SuppressionList
from runner.declare.audience.workspace_contacts import find_workspace_contacts
from runner.declare.declaration import CONVERSATION_FLAG, EXCEPTION_KEYS, SUBSCRIPTION_KEY, Declaration

# Keys that decide who gets what from an audience in the workspace: offline there are no recipients to compare.
_WORKSPACE_KEYS = ("type", "vars", "where", "exclude", "unique_by", "split")
EXCLUDE_KEY = "to.exclude"
EXCLUDED_CONTACTS = "contacts of to.exclude"  # a field that is compared as a list
FIELD_NAMES = (
    "message_type",
    "template",
    "from",
    "revision",
    "expires",
    "not_before",
    "max_recipients",
    SUBSCRIPTION_KEY,
    *EXCEPTION_KEYS,
    CONVERSATION_FLAG,
    "to",
    "sql",
    *(f"to.{key}" for key in _WORKSPACE_KEYS),
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with different values before and now, in words. A value is empty if the field is not declared."""

    name: str
    before: str
    now: str


def list_field_values(declaration: Declaration) -> tuple[str, ...]:
    """Returns the values of FIELD_NAMES in words; empty for a field that is not declared."""
    moments = (declaration.expires, declaration.not_before)
    times = [format_timestamp(time).removesuffix("T00:00:00Z") if time else "" for time in moments]
    return (
        declaration.message_type,
        declaration.template or "",
        str(declaration.sender),
        str(declaration.revision),
        *times,
        str(declaration.max_recipients or ""),
        declaration.require_subscription,
        "ignore" if declaration.ignores_quiet_hours else "",
        "ignore" if declaration.ignores_frequency else "",
        "true" if declaration.opens_conversation else "",
        describe_audience(declaration),
        _read_query(declaration),
        *_list_workspace_fields(declaration),
    )


def compare_fields(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """Yields the changed fields other than the texts and the recipients."""
    for name, old, new in zip(FIELD_NAMES, list_field_values(before), list_field_values(now), strict=True):
        if old != new:
            yield FieldChange(name, old, new)
    old_list, new_list = before.selection.exclusion_list, now.selection.exclusion_list
    if old_list and new_list and (change := describe_list_change(old_list, new_list)):
        yield FieldChange(EXCLUDED_CONTACTS, *change)


def describe_list_change(before: SuppressionList, now: SuppressionList) -> tuple[str, str] | None:
    """Returns a list of contacts before and now, in words; None if it was empty, or has the same contacts."""
    count, new_count, removed = before.identifier_count, now.identifier_count, before.count_missing(now)
    if count == 0 or (not removed and count == new_count):
        return None
    return f"{count:,} identifier{'s' * (count != 1)}", f"{new_count:,}, {removed:,} removed"


def describe_audience(declaration: Declaration) -> str:
    """Returns where the recipients come from."""
    audience = declaration.audience
    if source := find_workspace_contacts(audience):
        return f"Intercom {source.group.text}"
    return audience.source.title if isinstance(audience, TableAudience) else "recipients in the declaration"


def _list_workspace_fields(declaration: Declaration) -> list[str]:
    """Returns the values of _WORKSPACE_KEYS as JSON; empty for an audience that is not in the workspace."""
    is_in_workspace = find_workspace_contacts(declaration.audience) is not None
    return [read_audience_key(declaration, key) if is_in_workspace else "" for key in _WORKSPACE_KEYS]


def read_audience_key(declaration: Declaration, key: str) -> str:
    """Returns what `to` declares for a key, as JSON; empty if it declares nothing."""
    to = declaration.document.value["to"]
    return orjson.dumps(to[key]).decode() if isinstance(to, dict) and key in to else ""


def _read_query(declaration: Declaration) -> str:
    """Returns the SQL of an audience, on one line; empty if it has none."""
    source = declaration.document.value.get("to")
    query = source.get("sql") if isinstance(source, dict) else None
    return " ".join(query.split()) if isinstance(query, str) else ""
