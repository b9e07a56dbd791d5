"""The query language of the search endpoints: conditions, and AND/OR groups of them.

Source: reference, "Search for contacts" and "Search conversations". A group has up to 15 values, and groups nest two
deep.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from runner.sandbox.answer import raise_parameter_invalid
from runner.sandbox.search_fields import FieldType, SearchFields, parse_value

Reading: TypeAlias = Callable[[str], object]


_MAX_GROUP_VALUES = 15
_MAX_DEPTH = 2
_OPERATORS = frozenset({"=", "!=", "IN", "NIN", ">", "<", ">=", "<=", "~", "!~", "^", "$"})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}
_INCLUSIVE_OPERATORS = {">": ">=", "<": "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison with `values`: several for IN and NIN, else one. `date_unit` is in seconds."""

    field: str
    field_type: FieldType
    operator: str
    values: tuple[object, ...]
    raw_values: tuple[str, ...]
    date_unit: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Queries of which all (AND) or any (OR) must match."""

    operator: str
    members: "tuple[Query, ...]"


Query: TypeAlias = Condition | Group


def parse_query(document: object, fields: SearchFields, depth: int = 1) -> Query:
    """Returns the query in a document. Raises ApiError 400 if it is invalid.

    `depth` is how deep the document is nested.
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
        return _build_group(operator, tuple(parse_query(member, fields, depth + 1) for member in value))
    if "value" not in document:
        raise_parameter_invalid("a query needs a value")
    return _parse_condition(document.get("field"), operator, value, fields)


def _parse_condition(field: object, operator: object, value: object, fields: SearchFields) -> Condition:
    field_type = fields.get_type(field)
    if not isinstance(operator, str) or operator not in _OPERATORS:
        raise_parameter_invalid(f"{operator} is not an operator")
    if operator not in fields.operators[field_type]:
        raise_parameter_invalid(f"{field} cannot be compared by {operator}")
    if (operator in ("IN", "NIN")) != isinstance(value, list):
        raise_parameter_invalid("IN and NIN take a list, the other operators a single value")
    items = value if isinstance(value, list) else [value]
    values = [parse_value(str(field), field_type, item) for item in items]
    if field_type is FieldType.DATE:
        values = [value // fields.date_unit if isinstance(value, int) else value for value in values]
    if fields.is_inclusive:
        operator = _INCLUSIVE_OPERATORS.get(operator, operator)
    raw_values = tuple(str(item) for item in items if item is not None)
    return Condition(str(field), field_type, operator, tuple(values), raw_values, fields.date_unit)


def _build_group(operator: str, members: tuple[Query, ...]) -> Query:
    """Returns a group. An OR of `=` on one field becomes an IN, which is faster: clients search by fifteens."""
    equals = [member for member in members if isinstance(member, Condition) and member.operator == "="]
    if operator == "AND" or len(equals) < len(members) or len({member.field for member in equals}) > 1:
        return Group(operator, members)
    values = tuple(value for member in equals for value in member.values)
    raw_values = tuple(value for member in equals for value in member.raw_values)
    return replace(equals[0], operator="IN", values=values, raw_values=raw_values)


def matches(query: Query, read: Reading) -> bool:
    """Returns whether an item matches. `read` returns a field of it: a value, a tuple of values, or None."""
    if isinstance(query, Group):
        return (all if query.operator == "AND" else any)(matches(member, read) for member in query.members)
    field_value = read(query.field)
    items = field_value if isinstance(field_value, tuple) else (field_value,)
    actual = [_normalize(query, item) for item in items or (None,)]  # a list without items is an absent value
    expected = query.values
    match query.operator:
        case "=" | "IN":
            return any(item in expected for item in actual)
        case "!=" | "NIN":
            return not any(item in expected for item in actual)
        case ">" | "<" | ">=" | "<=":
            return any(_is_ordered(query.operator, item, expected[0]) for item in actual)
        case _:
            return _matches_text(query.operator, actual, expected[0])


def find_equal_values(query: Query, field: str) -> Iterator[str]:
    """Yields the values that the query compares a field with by `=` or `IN`, at any depth."""
    if isinstance(query, Group):
        for member in query.members:
            yield from find_equal_values(member, field)
    elif query.field == field and query.operator in ("=", "IN"):
        yield from query.raw_values


def find_possible_values(query: Query, field: str) -> list[str] | None:
    """Returns the only values that a field can have in a match; None if the query does not limit them."""
    if isinstance(query, Condition):
        limits = query.field == field and query.operator in ("=", "IN") and None not in query.values
        return list(query.raw_values) if limits else None
    values_by_member = [find_possible_values(member, field) for member in query.members]
    narrowed = [values for values in values_by_member if values is not None]
    if query.operator == "AND":
        return narrowed[0] if narrowed else None
    return [value for values in narrowed for value in values] if len(narrowed) == len(values_by_member) else None


def _normalize(condition: Condition, value: object) -> object:
    match condition.field_type:
        case FieldType.DATE if isinstance(value, int):
            return value // condition.date_unit
        case FieldType.ADDRESS if isinstance(value, str):
            return value.casefold()
        case _:
            return value


def _is_ordered(operator: str, actual: object, expected: object) -> bool:
    compare = _COMPARISONS[operator]
    if isinstance(actual, (int, float)) and isinstance(expected, (int, float)):
        return compare(actual, expected)
    return isinstance(actual, str) and isinstance(expected, str) and compare(actual, expected)


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
