"""The query language of the search endpoints: conditions, and AND/OR groups of them.

Source: reference, "Search for contacts". A group has up to 15 values, and groups nest two deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from runner.sandbox.answer import raise_parameter_invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reading: TypeAlias = Callable[[str], object]
    Norm: TypeAlias = Callable[[str, object], object]


_MAX_GROUP_VALUES = 15
_MAX_DEPTH = 2
_OPERATORS = frozenset({"=", "!=", "IN", "NIN", ">", "<", "~", "!~", "^", "$"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. The value of IN and NIN is a list."""

    field: str
    operator: str
    value: object


@dataclass(frozen=True, slots=True)
class Group:
    """Queries of which all (AND) or any (OR) must match."""

    operator: str
    members: tuple[Query, ...]


Query: TypeAlias = Condition | Group


def parse_query(document: object, is_search_field: Callable[[str], bool], depth: int = 1) -> Query:
    """Returns the query in a document. Raises ApiError 400 if it is invalid.

    `is_search_field` returns whether the endpoint can search by a field. `depth` is how deep the document is nested.
    """
    if not isinstance(document, dict):
        raise_parameter_invalid("query must be an object with field, operator and value")
    operator, value = document.get("operator"), document.get("value")
    if operator in ("AND", "OR"):
        if not isinstance(value, list) or not value:
            raise_parameter_invalid(f"the value of {operator} must be a list of queries")
        if len(value) > _MAX_GROUP_VALUES:
            raise_parameter_invalid(f"a group holds at most {_MAX_GROUP_VALUES} values")
        if depth > _MAX_DEPTH:
            raise_parameter_invalid(f"groups nest at most {_MAX_DEPTH} deep")
        return Group(operator, tuple(parse_query(member, is_search_field, depth + 1) for member in value))
    field = document.get("field")
    if not isinstance(field, str) or not is_search_field(field):
        raise_parameter_invalid(f"{field} is no field to search by")
    if operator not in _OPERATORS:
        raise_parameter_invalid(f"{operator} is no operator")
    if "value" not in document:
        raise_parameter_invalid("a query needs a value")
    if (operator in ("IN", "NIN")) != isinstance(value, list):
        raise_parameter_invalid("IN and NIN take a list, the other operators a single value")
    return Condition(field, operator, value)


def matches(query: Query, read: Reading, normalize: Norm) -> bool:
    """Returns whether an item matches. `read` returns a field of it; `normalize` makes both sides comparable."""
    if isinstance(query, Group):
        return (all if query.operator == "AND" else any)(matches(member, read, normalize) for member in query.members)
    field_value = read(query.field)
    actual = [
        normalize(query.field, item)
        for item in (field_value if isinstance(field_value, (list, tuple)) else [field_value])
    ]
    expected = [
        normalize(query.field, item) for item in (query.value if isinstance(query.value, list) else [query.value])
    ]
    match query.operator:
        case "=" | "IN":
            return any(item in expected for item in actual)
        case "!=" | "NIN":
            return not any(item in expected for item in actual)
        case ">":
            return any(_is_less(expected[0], item) for item in actual)
        case "<":
            return any(_is_less(item, expected[0]) for item in actual)
        case _:
            return _matches_text(query.operator, actual, expected[0])


def find_equal_values(query: Query, field: str) -> Iterator[str]:
    """Yields the values that the query compares a field with by `=` or `IN`, at any depth."""
    if isinstance(query, Group):
        for member in query.members:
            yield from find_equal_values(member, field)
    elif query.field == field and query.operator in ("=", "IN"):
        yield from (str(item) for item in (query.value if isinstance(query.value, list) else [query.value]))


def find_possible_values(query: Query, field: str) -> list[str] | None:
    """Returns the only values that a field can have in a match; None if the query does not limit them."""
    if isinstance(query, Condition):
        return list(find_equal_values(query, field)) or None
    values_by_member = [find_possible_values(member, field) for member in query.members]
    narrowed = [values for values in values_by_member if values is not None]
    if query.operator == "AND":
        return narrowed[0] if narrowed else None
    return [value for values in narrowed for value in values] if len(narrowed) == len(values_by_member) else None


def _is_less(low: object, high: object) -> bool:
    if isinstance(low, int) and isinstance(high, int):
        return low < high
    return isinstance(low, str) and isinstance(high, str) and low < high


def _matches_text(operator: str, actual: list[object], expected: object) -> bool:
    needle = str(expected).casefold()
    texts = [str(item).casefold() for item in actual if item is not None]
    match operator:
        case "~":
            return any(needle in text for text in texts)
        case "!~":
            return not any(needle in text for text in texts)
        case "^":
            return any(text.startswith(needle) for text in texts)
        case _:
            return any(text.endswith(needle) for text in texts)
