"""The query language of the search endpoints: conditions, and AND/OR groups of them (reference, "Search for contacts").

A group holds up to 15 values, and groups nest two deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from runner.sandbox.answer import raise_parameter_invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reading: TypeAlias = Callable[[str], object]
    Norm: TypeAlias = Callable[[str, object], object]


_MOST_VALUES = 15


_DEEPEST = 2


_OPERATORS = frozenset({"=", "!=", "IN", "NIN", ">", "<", "~", "!~", "^", "$"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; the value of IN and NIN is a list."""

    field: str
    operator: str
    value: object


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all (AND) or any (OR) must hold."""

    operator: str
    members: tuple[Query, ...]


Query: TypeAlias = Condition | Group


def parse_query(document: object, knows: Callable[[str], bool], depth: int = 1) -> Query:
    """Read a query; `knows` tells the fields that this endpoint can search by."""
    if not isinstance(document, dict):
        raise_parameter_invalid("query must be an object with field, operator and value")
    operator, value = document.get("operator"), document.get("value")
    if operator in ("AND", "OR"):
        if not isinstance(value, list) or not value:
            raise_parameter_invalid(f"the value of {operator} must be a list of queries")
        if len(value) > _MOST_VALUES:
            raise_parameter_invalid(f"a group holds at most {_MOST_VALUES} values")
        if depth > _DEEPEST:
            raise_parameter_invalid(f"groups nest at most {_DEEPEST} deep")
        return Group(operator, tuple(parse_query(member, knows, depth + 1) for member in value))
    field = document.get("field")
    if not isinstance(field, str) or not knows(field):
        raise_parameter_invalid(f"{field} is no field to search by")
    if operator not in _OPERATORS:
        raise_parameter_invalid(f"{operator} is no operator")
    if "value" not in document:
        raise_parameter_invalid("a query needs a value")
    if (operator in ("IN", "NIN")) != isinstance(value, list):
        raise_parameter_invalid("IN and NIN take a list, the other operators a single value")
    return Condition(field, operator, value)


def matches(query: Query, read: Reading, norm: Norm) -> bool:
    """Tell whether one thing matches: `read` gives a field of it, `norm` makes both sides comparable."""
    if isinstance(query, Group):
        return (all if query.operator == "AND" else any)(matches(member, read, norm) for member in query.members)
    found = read(query.field)
    actual = [norm(query.field, one) for one in (found if isinstance(found, (list, tuple)) else [found])]
    wanted = [norm(query.field, one) for one in (query.value if isinstance(query.value, list) else [query.value])]
    match query.operator:
        case "=" | "IN":
            return any(one in wanted for one in actual)
        case "!=" | "NIN":
            return not any(one in wanted for one in actual)
        case ">":
            return any(_precedes(wanted[0], one) for one in actual)
        case "<":
            return any(_precedes(one, wanted[0]) for one in actual)
        case _:
            return _compares_text(query.operator, actual, wanted[0])


def find_equal_values(query: Query, field: str) -> Iterator[str]:
    """List the values that a field is asked to equal, anywhere in the query."""
    if isinstance(query, Group):
        for member in query.members:
            yield from find_equal_values(member, field)
    elif query.field == field and query.operator in ("=", "IN"):
        yield from (str(one) for one in (query.value if isinstance(query.value, list) else [query.value]))


def find_possible_values(query: Query, field: str) -> list[str] | None:
    """List the only values that a field can have in a match, or None where the query leaves it open."""
    if isinstance(query, Condition):
        return list(find_equal_values(query, field)) or None
    each = [find_possible_values(member, field) for member in query.members]
    narrowed = [values for values in each if values is not None]
    if query.operator == "AND":
        return narrowed[0] if narrowed else None
    return [value for values in narrowed for value in values] if len(narrowed) == len(each) else None


def _precedes(low: object, high: object) -> bool:
    if isinstance(low, int) and isinstance(high, int):
        return low < high
    return isinstance(low, str) and isinstance(high, str) and low < high


def _compares_text(operator: str, actual: list[object], wanted: object) -> bool:
    needle = str(wanted).casefold()
    texts = [str(one).casefold() for one in actual if one is not None]
    match operator:
        case "~":
            return any(needle in text for text in texts)
        case "!~":
            return not any(needle in text for text in texts)
        case "^":
            return any(text.startswith(needle) for text in texts)
        case _:
            return any(text.endswith(needle) for text in texts)
