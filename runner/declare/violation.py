"""Words for a value that breaks a rule of a schema."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from runner.declare.similar_names import did_you_mean
from runner.privacy import AnyText, mark_private

_TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", list: "array"}


class Violation(NamedTuple):
    """One rule of a schema that a value breaks.

    `path` is where in the value. `code`, `message` and `hint` are those of the problem. If `at_key` is true, the key is
    wrong and not its value. `missing_keys` are keys of which one must be added. `suggested_key` is the known key that
    an unknown key resembles. `written` is the unknown key or choice, `choices` those that may be meant.
    """

    path: tuple[str | int, ...]
    code: str
    message: AnyText
    hint: str
    at_key: bool = False
    missing_keys: frozenset[str] = frozenset()
    suggested_key: str = ""
    written: str = ""
    choices: tuple[str, ...] = ()


def describe_error(error: Any, path: tuple[str | int, ...]) -> Violation:
    """Returns the violation of a rule for which the schema has no words. `error` is a ValidationError of jsonschema."""
    name, subschema = _format_path(path), error.schema
    allowed = error.validator_value
    match error.validator:
        case "enum" | "const":
            choices = [str(choice) for choice in allowed] if error.validator == "enum" else [str(allowed)]
            hint = subschema.get("x-hint") or did_you_mean(str(error.instance), choices)
            value = mark_private(error.instance) if "to" in path and path[-1] != "type" else str(error.instance)
            is_long = len(choices) > 6  # noqa: PLR2004  # the full list of API versions would hide the rest of the message
            listed = f"one of {choices[0]} … {choices[-1]}" if is_long else _join_choices(choices)
            message = f"{name} must be {listed}, not " + value
            return Violation(path, "not-a-choice", message, hint, written=str(error.instance), choices=tuple(choices))
        case "minimum" | "exclusiveMinimum":
            relation = "at least" if error.validator == "minimum" else "more than"
            return Violation(path, "out-of-range", f"{name} is {relation} {allowed}, not {error.instance}", "")
        case "maximum":
            return Violation(path, "out-of-range", f"{name} is at most {allowed}, not {error.instance}", "")
        case "minLength":
            return Violation(path, "blank", f"{name} is blank", "")
        case _:
            return Violation(path, "schema", f"{name} does not fit: " + mark_private(error.message), "")


def _join_choices(choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def suggest_date(value: object) -> str:
    """Returns a hint with the date that a text like 31.12.2099 means; empty for any other value."""
    match = re.fullmatch(r"(\d\d?)\.(\d\d?)\.(\d{4})", value) if isinstance(value, str) else None
    return f"did you mean {match[3]}-{match[2]:0>2}-{match[1]:0>2}?" if match else ""


def describe_type_error(error: Any) -> tuple[str, str]:
    """Returns message and hint for a value of the wrong type. `error` is a ValidationError of jsonschema."""
    subschema = error.schema
    if describes_whole_value(subschema):
        return subschema["errorMessage"], subschema.get("x-hint", "")
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    kinds = " or ".join(_TYPE_NAMES[kind] for kind in wanted)
    value = error.instance
    name = _format_path(tuple(error.absolute_path))
    if value is None:
        return f"{name} is empty", f"write {kinds} after the colon, or remove the key if it is not needed"
    written = str(value).lower() if isinstance(value, bool) else value
    hint = f'quote it: "{written}"' if "string" in wanted and isinstance(value, int | float) else ""
    if "boolean" in wanted:
        hint = "write true or false, without quotes"
    elif wanted == ["object"] and (example := _format_example(subschema)):
        hint = f"for example {name.rpartition('.')[2]}: {example}"
    return f"{name} must be {kinds}, not {_TYPE_NAMES[_JSON_TYPES[type(value)]]}", hint


def describes_whole_value(subschema: dict[str, Any]) -> bool:
    """Returns whether the texts of a subschema are about the whole value, so that they fit a wrong type too."""
    return subschema.get("type") == "object" and "x-code" in subschema


def _format_path(path: tuple[str | int, ...]) -> str:
    keys = [step for step in path if isinstance(step, str)]
    return ".".join(keys[-2:]) if keys else "this document"


def example_hint(key: str, subschema: dict[str, Any]) -> str:
    """Returns the hint for a missing key: how it may be written."""
    example = _format_example(subschema.get("properties", {}).get(key, {}))
    return f"for example {key}: {example}" if example else f"add {key}: …"


def _format_example(subschema: dict[str, Any]) -> str:
    """Returns the first example of a value, as YAML writes it; empty if there is none."""
    example = next(iter(subschema.get("examples", ())), "")
    if not isinstance(example, dict):
        return str(example)
    return f"{{{', '.join(f'{name}: {value}' for name, value in example.items())}}}" if example else ""
