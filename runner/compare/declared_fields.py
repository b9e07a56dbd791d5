"""The fields of a declaration that a comparison shows, other than its texts and its recipients."""

from runner.clock import format_timestamp
from runner.declare.audience import TableAudience
from runner.declare.declaration import CONVERSATION_FLAG, Declaration

FIELD_NAMES = (
    "message_type",
    "template",
    "from",
    "revision",
    "expires",
    "not_before",
    "max_recipients",
    CONVERSATION_FLAG,
    "to",
    "sql",
)


def list_field_values(declaration: Declaration) -> tuple[str, ...]:
    """Returns the values of FIELD_NAMES in words; empty for a field that is not declared."""
    times = [format_timestamp(time) if time else "" for time in (declaration.expires, declaration.not_before)]
    return (
        declaration.message_type,
        declaration.template or "",
        str(declaration.sender),
        str(declaration.revision),
        *times,
        str(declaration.max_recipients or ""),
        "true" if declaration.opens_conversation else "",
        declaration.audience.source.title
        if isinstance(declaration.audience, TableAudience)
        else "recipients in the declaration",
        _read_query(declaration),
    )


def _read_query(declaration: Declaration) -> str:
    """The SQL of an audience, on one line; empty if it has none."""
    source = declaration.document.value.get("to")
    query = source.get("sql") if isinstance(source, dict) else None
    return " ".join(query.split()) if isinstance(query, str) else ""
