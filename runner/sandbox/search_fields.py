"""What a search endpoint can search by: the type of each field, and the operators of each type."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from runner.sandbox.answer import ApiError, raise_parameter_invalid


class FieldType(Enum):
    """The type of a field. It decides which operators and which values a condition may have."""

    STRING = "a text"
    ADDRESS = "a text, compared without regard to case"
    INTEGER = "an integer"
    BOOLEAN = "true or false"
    DATE = "a time in Unix seconds"
    TAG = "the id of a tag"
    ATTRIBUTE = "a text, a number or a boolean"


TEXT_OPERATORS = frozenset({"=", "!=", "IN", "NIN", "~", "!~", "^", "$"})
CHOICE_OPERATORS = frozenset({"=", "!=", "IN", "NIN"})


@dataclass(frozen=True, slots=True)
class SearchFields:
    """The fields of one endpoint.

    `date_unit` is in seconds: two dates in the same unit are equal. With `is_inclusive`, `>` and `<` include equality.
    A field that begins with `attribute_prefix` is an ATTRIBUTE.
    """

    types: Mapping[str, FieldType]
    operators: Mapping[FieldType, frozenset[str]]
    date_unit: int = 1
    is_inclusive: bool = False
    attribute_prefix: str | None = None

    def get_type(self, field: object) -> FieldType:
        """Returns the type of a field. Raises ApiError 400 if the endpoint cannot search by it."""
        if isinstance(field, str) and self.attribute_prefix and field.startswith(self.attribute_prefix):
            return FieldType.ATTRIBUTE
        if not isinstance(field, str) or field not in self.types:
            raise_parameter_invalid(f"{field} is not a field to search by")
        return self.types[field]


def parse_value(field: str, field_type: FieldType, value: object) -> object:
    """Returns a value of a query as `normalize` returns those of an item.

    null stands for an absent value. Raises ApiError 400 if the value is not of the type.
    """
    if value is None:
        return None
    is_boolean = isinstance(value, bool)
    text = str(value).strip()
    match field_type:
        case FieldType.INTEGER | FieldType.DATE if not is_boolean and text.removeprefix("-").isdecimal():
            return int(text)
        case FieldType.BOOLEAN if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case FieldType.ATTRIBUTE if isinstance(value, (str, int, float)):
            return value
        case FieldType.ADDRESS if isinstance(value, str):
            return value.casefold()
        case FieldType.STRING | FieldType.TAG if isinstance(value, (str, int)) and not is_boolean:
            return str(value)
    raise ApiError(400, "parameter_invalid", f"{field} takes {field_type.value}")
