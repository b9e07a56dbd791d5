"""The fields of a declaration that a comparison shows, other than its texts and its recipients."""

import orjson

from runner.clock import format_timestamp
from runner.declare.audience import TableAudience
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
        _describe_audience(declaration),
        _read_query(declaration),
        *_list_workspace_fields(declaration),
    )


def describe_list_change(before: SuppressionList, now: SuppressionList) -> tuple[str, str] | None:
    """Returns a list of contacts before and now, in words; None if it was empty, or has the same contacts."""
    count, new_count, removed = before.identifier_count, now.identifier_count, before.count_missing(now)
    if count == 0 or (not removed and count == new_count):
        return None
    return f"{count:,} identifier{'s' * (count != 1)}", f"{new_count:,}, {removed:,} removed"


def _describe_audience(declaration: Declaration) -> str:
    audience = declaration.audience
    if source := find_workspace_contacts(audience):
        return f"Intercom {source.group.text}"
    return audience.source.title if isinstance(audience, TableAudience) else "recipients in the declaration"


def _list_workspace_fields(declaration: Declaration) -> list[str]:
    """Returns the values of _WORKSPACE_KEYS as JSON; empty for an audience that is not in the workspace."""
    is_in_workspace = find_workspace_contacts(declaration.audience) is not None
    to = declaration.document.value["to"] if is_in_workspace else {}
    return [orjson.dumps(to[key]).decode() if key in to else "" for key in _WORKSPACE_KEYS]


def _read_query(declaration: Declaration) -> str:
    """Returns the SQL of an audience, on one line; empty if it has none."""
    source = declaration.document.value.get("to")
    query = source.get("sql") if isinstance(source, dict) else None
    return " ".join(query.split()) if isinstance(query, str) else ""
