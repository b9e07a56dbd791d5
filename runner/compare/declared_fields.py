"""The fields of a declaration, as a comparison reads and shows them: all but its texts and its recipients.

Values are compared as they are declared, and only then put into words: two values may read the same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from runner.characters import show_look_alikes
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.sources import SOURCE_KEYS
from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import Declaration

EXCLUDE_KEY = "to.exclude"
EXCLUDED_CONTACTS = "contacts of to.exclude"  # a field that is compared as a list
RECIPIENT_KIND = "recipients by"
LISTED_RECIPIENTS = "recipients on a list"
_SOURCES = (*SOURCE_KEYS, "intercom")
_FILE_KEYS = ("csv", "jsonl", "parquet")
_IN_COLUMN = "of the column with this name, not of the variable"
_TEXT_KEYS = frozenset({"name", "subject", "body", "body_file"})
_FREE_KEYS = ("x-", "vars.")
_PLAIN_TITLE = re.compile(r"[!-?A-~]+(?: [!-?A-~]+)*")  # one that is not masked, and reads as it is


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with different values before and now, in words. A value is empty if the field is not declared."""

    name: str
    before: str
    now: str


def list_fields(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the declared values of a document by their keys, those of `from` and an audience as `to.KEY`.

    `name`, texts, variables and a list of recipients are not among them.
    """
    fields: dict[str, Any] = {"revision": 1}
    for key, value in declared.items():
        has_source = isinstance(value, dict) and any(source in value for source in _SOURCES)
        if key == "to" and not has_source:
            fields["to"] = "recipients in the declaration"
        elif isinstance(value, dict):
            fields |= {f"{key}.{name}": each for name, each in value.items()}
        elif key not in _TEXT_KEYS:
            fields[key] = value
    return {key: value for key, value in fields.items() if not str(key).startswith(_FREE_KEYS)}


def list_audience_fields(declaration: Declaration) -> dict[str, Any]:
    """Returns what decides who is in an audience, besides one file: keys of `to`, and the variables that they use.

    Left out are the usual values: users, by the column that is named like the kind of address.
    """
    audience = declaration.audience
    if not isinstance(audience, TableAudience):
        return {}
    usual = {"to.type": "user", f"to.{audience.kind}": f"{{{{ {audience.kind} }}}}"}
    # The title of a source is enough, unless it may be masked or read as another one.
    if len(audience.source.paths) == 1 and _PLAIN_TITLE.fullmatch(audience.source.title):
        usual |= {f"to.{key}": value for key in _FILE_KEYS if (value := declaration.document.value["to"].get(key))}
    fields = {
        name: value
        for name, value in list_fields(declaration.document.value).items()
        if name.startswith("to.") and usual.get(name) != value
    }
    where = declaration.selection.where
    used = {*audience.identifier.variables, *(where.variables if where else ())}
    variables = {
        f"vars.{name}": _IN_COLUMN if name in audience.variables else value
        for name, value in declaration.variables.items()
        if name in used
    }
    return fields | {name: value for name, value in variables.items() if not callable(value)}


def compare_audience_variables(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """Yields the changed variables of project and message that decide who is in an audience."""
    old, new = (list_audience_fields(side) for side in (before, now))
    for name in {**new, **old}:
        if name.startswith("vars.") and _to_json(old.get(name)) != _to_json(new.get(name)):
            yield describe_change(name, *(format_value(side.get(name)) for side in (old, new)))


def compare_fields(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yields the changed fields of two documents."""
    old, new = list_fields(before), list_fields(now)
    for name in {**new, **old}:
        # As they are written: 1, 1.0 and true are equal.
        if (name in old) != (name in new) or repr(old.get(name)) != repr(new.get(name)):
            yield describe_change(name, *(format_value(side.get(name)) for side in (old, new)))


def describe_change(name: str, before: str, now: str) -> FieldChange:
    """Returns the change of two different values, which may read the same."""
    return FieldChange(name, before, now if now != before else f"{now} (another value that reads the same)")


def format_value(value: Any) -> str:
    """Returns a declared value in words, on one line, in which the ends of its lines are seen; empty for None."""
    if value is None:
        return ""
    is_plain = isinstance(value, str) and value == " ".join(value.split())
    text = value if is_plain else _to_json(value).decode()
    return show_look_alikes(re.sub(" {2,}", lambda spaces: f"<{len(spaces[0])} spaces>", text))


def _to_json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number of more than 64 bits
        return repr(value).encode()


def describe_list_change(before: SuppressionList, now: SuppressionList) -> tuple[str, str] | None:
    """Returns a list of contacts before and now, in words; None if it was empty, or has the same contacts."""
    count, new_count, removed = before.identifier_count, now.identifier_count, before.count_missing(now)
    if count == 0 or (not removed and count == new_count):
        return None
    return f"{count:,} identifier{'s' * (count != 1)}", f"{new_count:,}, {removed:,} removed"
