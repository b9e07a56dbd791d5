"""Checks the `search` of an audience: the query of `POST /contacts/search`, as the API has it.

Source of fields and operators: reference, "Search for contacts" (2.14). Intercom compares dates by day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from runner.declare.similar_names import did_you_mean
from runner.declare.yaml.document import YamlPath

MAX_GROUP = 15  # conditions in one group
MAX_DEPTH = 2  # groups, one in the other
_GROUP_OPERATORS = ("AND", "OR")
_LIST_OPERATORS = ("IN", "NIN")
_EQUAL = ("=", "!=")
_TEXT = (*_EQUAL, *_LIST_OPERATORS, "~", "!~", "^", "$")
_ORDER = ("<", ">", "<=", ">=")
_DATE = ("=", "<", ">")
_OPERATORS = (*_TEXT, *_ORDER)
_DATE_FIELDS = (
    *("created_at", "signed_up_at", "updated_at", "last_seen_at", "last_contacted_at", "last_replied_at"),
    *("last_email_opened_at", "last_email_clicked_at", "ios_last_seen_at", "android_last_seen_at"),
)
_FLAG_FIELDS = ("unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced")
_TEXT_FIELDS = (
    *("id", "role", "name", "avatar", "email", "email_domain", "external_id", "phone", "segment_id"),
    *("location.country", "location.region", "location.city", "language_override", "browser", "browser_language", "os"),
    *(
        f"{system}_{name}"
        for system in ("ios", "android")
        for name in ("app_name", "app_version", "device", "os_version", "sdk_version")
    ),
)
_OPERATORS_BY_FIELD = {
    **dict.fromkeys(_FLAG_FIELDS, (*_EQUAL, *_LIST_OPERATORS)),
    "owner_id": (*_EQUAL, *_LIST_OPERATORS, *_ORDER),
    "tag_id": _EQUAL,
    **dict.fromkeys(_DATE_FIELDS, _DATE),
    **dict.fromkeys(_TEXT_FIELDS, _TEXT),
}
_ATTRIBUTES = "custom_attributes."
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QueryFault:
    """What is wrong with a part of a query. `path` is relative to the query. A fault may be only a warning."""

    code: str
    path: YamlPath
    message: str
    hint: str = ""
    is_error: bool = True


def check_query(query: Any, path: tuple[str | int, ...] = (), depth: int = 1) -> Iterator[QueryFault]:
    """Yields what is wrong with a query. It can be sent if none of it is an error."""
    if not isinstance(query, dict):
        yield QueryFault("search-form", path, "a condition is a mapping: {field: …, operator: …, value: …}")
        return
    operator = query.get("operator")
    if operator in _GROUP_OPERATORS:
        yield from _check_group(query, path, depth)
        return
    missing = [key for key in ("field", "operator", "value") if key not in query]
    unknown = [str(key) for key in query if key not in {"field", "operator", "value"}]
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"has no key {', '.join(unknown)}"
        hint = 'write {field: role, operator: "=", value: user}, or {operator: AND, value: [conditions]}'
        yield QueryFault("search-form", path, f"a condition {problem}", hint)
        return
    yield from _check_condition(query["field"], operator, query["value"], path)


def _check_group(query: Mapping[str, Any], path: tuple[str | int, ...], depth: int) -> Iterator[QueryFault]:
    operator, members = query["operator"], query.get("value")
    if not isinstance(members, list) or not members or query.keys() != {"operator", "value"}:
        hint = f'write {{operator: {operator}, value: [{{field: role, operator: "=", value: user}}, …]}}'
        yield QueryFault("search-form", path, f"{operator} has one more key, value: a list of conditions", hint)
        return
    if len(members) > MAX_GROUP:
        message = f"{operator} has {len(members):,} conditions, and Intercom takes {MAX_GROUP}"
        yield QueryFault(
            "search-form", (*path, "value"), message, "put some of them into a group of their own, or use IN"
        )
    if depth > MAX_DEPTH:
        message = f"groups are {MAX_DEPTH + 1} deep, and Intercom takes {MAX_DEPTH}"
        yield QueryFault("search-form", path, message, "write it with a group in a group at most")
        return
    for index, member in enumerate(members):
        yield from check_query(member, (*path, "value", index), depth + 1)


def _check_condition(field: Any, operator: Any, value: Any, path: tuple[str | int, ...]) -> Iterator[QueryFault]:
    known = _find_operators(field)
    if known is None:
        hint = did_you_mean(str(field), [*_OPERATORS_BY_FIELD, f"{_ATTRIBUTES}…"]) or (
            f"attributes of your own begin with {_ATTRIBUTES}"
        )
        yield QueryFault(
            "search-field", (*path, "field"), f"{field} is not a field that msgrun knows", hint, is_error=False
        )
    allowed = known or _OPERATORS
    if operator not in allowed:
        # YAML reads ~ as null.
        hint = 'in quotes, if that was meant: operator: "~"' if operator is None else ""
        subject = f"of {field}" if operator in _OPERATORS else "of a search"
        message = f"{operator} is not an operator {subject}: there is {' '.join(allowed)}"
        if field in _DATE_FIELDS and operator in _ORDER:
            hint = f'write operator: "{operator[0]}"; it counts by day'
        yield QueryFault("search-operator", (*path, "operator"), message, hint)
        return
    if (operator in _LIST_OPERATORS) != isinstance(value, list):
        wanted = "a list" if operator in _LIST_OPERATORS else "a single value"
        hint = "" if operator in _LIST_OPERATORS else 'several values: operator: "IN"'
        yield QueryFault("search-value", (*path, "value"), f"{operator} takes {wanted}", hint)
        return
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict | list):
            yield QueryFault("search-value", (*path, "value"), "a value is a text, a number, true, false or null")
        elif field in _DATE_FIELDS and item is not None and _parse_time(item) is None:
            message = f"{field} is compared with a time in Unix seconds"
            yield QueryFault("search-value", (*path, "value"), message, "1767225600 is 2026-01-01 00:00 UTC")


def _find_operators(field: Any) -> tuple[str, ...] | None:
    if not isinstance(field, str):
        return None
    return _OPERATORS if field.startswith(_ATTRIBUTES) else _OPERATORS_BY_FIELD.get(field)


def describe_days(query: Mapping[str, Any], zone: tzinfo | None = None, zone_name: str = "") -> Iterator[str]:
    """Yields for each condition on a date which days it means. Without a `zone`, the day is that of UTC.

    `zone` is the workspace's time zone, in which Intercom counts days, and `zone_name` its name.
    """
    if query["operator"] in _GROUP_OPERATORS:
        for member in query["value"]:
            yield from describe_days(member, zone, zone_name)
    elif query["field"] in _DATE_FIELDS and (moment := _parse_time(query["value"])) is not None:
        day = moment.astimezone(zone or UTC).date()
        field, operator = query["field"], query["operator"]
        days = {"=": f"on {day}", ">": f"from {day + _DAY} on", "<": f"before {day}"}[operator]
        where = f"in {zone_name}" if zone else "if the workspace's time zone is UTC"
        yield f"{field} {operator} {query['value']} means {days} ({where}): Intercom compares dates by day"


def _parse_time(value: Any) -> datetime | None:
    """Returns the moment of Unix seconds, as a number or in digits; None if it is none."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 11):  # noqa: PLR2004  # up to the year 5138
        return None
    return datetime.fromtimestamp(int(text), UTC)
