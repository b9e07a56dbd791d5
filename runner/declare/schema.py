"""Checks values against the JSON Schemas, and explains in plain words why a value is not valid.

Two libraries read the same schema files. `jsonschema-rs` decides in microseconds whether a value is valid. `jsonschema`
explains why it is not, and is imported only for that. The schemas contain the texts: `errorMessage` (which editors show
too), `x-code`, `x-hint`, and `x-at`, the key at which a rule about several keys is reported.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from runner.declare.similar_names import closest_match
from runner.declare.violation import (
    Violation,
    describe_error,
    describe_type_error,
    describes_whole_value,
    example_hint,
    suggest_date,
)
from runner.declare.yaml.document import Document
from runner.errors import Problem
from runner.shown_command import shown_command

SCHEMA_NAMES = ("message", "project", "payload")
MAX_ERRORS = 100  # of one value that are explained, which takes about a millisecond each
MAX_UNKNOWN_KEYS = 20  # of one mapping: each is compared with every known key


@cache
def schema_path(kind: str) -> Path:
    """Returns the path of a schema's file: inside the installed package, or at the root of a checkout."""
    packaged = Path(__file__).parent.parent / "schema"
    folder = packaged if packaged.is_dir() else packaged.parent.parent / "schema"
    return folder / f"{kind}.schema.json"


@cache
def load_schema(kind: str) -> dict[str, Any]:
    """Returns the schema of that kind: `message`, `project`, `payload`, or `contact`, which is a payload's `to`."""
    if kind == "contact":
        return {"$ref": "#/$defs/contact", "$defs": load_schema("payload")["$defs"]}
    loaded: dict[str, Any] = orjson.loads(schema_path(kind).read_bytes())
    return loaded


@cache
def validator(kind: str) -> Any:
    """Returns the fast validator of a schema. Its `is_valid(value)` decides whether a value is valid."""
    return _make_validator(load_schema(kind))


def _make_validator(schema: dict[str, Any]) -> Any:
    import decimal  # noqa: F401, PLC0415  # jsonschema-rs imports it too: a Ctrl-C there would end it in a Rust panic

    import jsonschema_rs  # noqa: PLC0415  # saves 20 ms in every command that checks no file

    return jsonschema_rs.Draft202012Validator(schema)


def find_violations(document: Document, kind: str) -> list[Violation]:
    """Returns the rules that a document breaks; empty if it is valid."""
    return [] if validator(kind).is_valid(document.value) else explain_violations(document.value, kind)


def violation_problem(document: Document, violation: Violation) -> Problem:
    """Returns a broken rule as a problem at its place in the document."""
    return document.problem(violation.code, violation.path, violation.message, violation.hint, at_key=violation.at_key)


def explain_violations(value: Any, kind: str) -> list[Violation]:
    """Returns why a value is not valid: at least one violation for every value that the fast validator refuses."""
    errors = list(islice(_explainer(kind).iter_errors(value), MAX_ERRORS))
    # A value of the wrong type breaks rules about its keys as well. Reported too, they would hide the real mistake.
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    relevant = [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]
    violations = [violation for error in relevant for violation in _explain_error(error)]
    if not violations and not validator(kind).is_valid(value):
        hint = f"see {shown_command('schema', kind)}"
        violations = [Violation((), "schema", f"this does not fit the schema of a {kind}", hint)]
    # A misspelt key is one mistake: it is reported as unknown, so the key that was meant is not reported as missing.
    suggested_keys = {
        (*violation.path[:-1], violation.suggested_key) for violation in violations if violation.suggested_key
    }
    return [
        violation
        for violation in dict.fromkeys(violations)
        if not any((*violation.path, key) in suggested_keys for key in violation.missing_keys)
    ]


@cache
def _explainer(kind: str) -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  # saves 80 ms in every command whose files are valid

    definitions = load_schema(kind)["$defs"]

    def item_errors(explainer: Any, item_schema: dict[str, Any], instance: Any, _: Any) -> Iterator[Any]:
        """Yields the errors of the items that are not valid. A list may have ten thousand that are."""
        is_valid = _make_validator({**item_schema, "$defs": definitions}).is_valid
        for index, item in enumerate(instance if isinstance(instance, list) else ()):
            if not is_valid(item):
                yield from explainer.descend(item, item_schema, path=index)

    keywords = {"pattern": _pattern_errors, "items": item_errors}
    extended: Any = validators.extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
    return extended(load_schema(kind))


def _pattern_errors(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """Yields an error if a text does not match a pattern, as the fast library decides.

    The regular expressions of the two libraries differ (`$`, white space), and their verdicts must not.
    """
    from jsonschema import ValidationError  # noqa: PLC0415  # loaded with the explainer

    if isinstance(instance, str) and not _pattern(pattern).is_valid(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _pattern(pattern: str) -> Any:
    return _make_validator({"pattern": pattern})


def _explain_error(error: Any) -> Iterator[Violation]:
    path = tuple(error.absolute_path)
    subschema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error, path, subschema)
    elif error.validator == "required" and ("x-code" not in subschema or describes_whole_value(subschema)):
        missing = next(key for key in error.validator_value if f"'{key}'" in error.message.split(" is a ")[0])
        message, hint = f"the key {missing} is missing", example_hint(missing, subschema)
        yield Violation(path, "missing-key", message, hint, missing_keys=frozenset({missing}))
    elif error.validator == "type":
        yield Violation(
            path,
            subschema.get("x-code", "wrong-type") if describes_whole_value(subschema) else "wrong-type",
            *describe_type_error(error),
        )
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        hint = subschema.get("x-hint", "")
        yield Violation((*path, error.instance), subschema["x-code"], subschema["errorMessage"], hint, at_key=True)
    elif "x-code" in subschema:
        target = (*path, subschema["x-at"]) if "x-at" in subschema else path
        yield Violation(
            target,
            subschema["x-code"],
            subschema["errorMessage"],
            subschema.get("x-hint", "")
            or (suggest_date(error.instance) if subschema["x-code"] == "moment-form" else ""),
            missing_keys=_find_missing_keys(error),
        )
    else:
        yield describe_error(error, path)


def _unknown_keys(error: Any, path: tuple[str | int, ...], subschema: dict[str, Any]) -> Iterator[Violation]:
    known_keys = list(subschema.get("properties", {}))
    other_key_hints = subschema.get("x-elsewhere", {})
    renamed_keys = subschema.get("x-renamed", {})  # names that other parts of Intercom's API have for a key
    free_keys = tuple(subschema.get("patternProperties", {}))  # patterns of keys that mean nothing to msgrun
    others = sorted(set(error.instance) - set(known_keys))
    unknown_keys = [key for key in others if not any(re.search(pattern, key) for pattern in free_keys)]
    for key in unknown_keys[:MAX_UNKNOWN_KEYS]:
        suggested_key = renamed_keys.get(key) or closest_match(key, [*known_keys, *other_key_hints])
        hint = other_key_hints.get(key) or (
            f"did you mean {suggested_key}?" if suggested_key else f"the keys here are {', '.join(known_keys)}"
        )
        violation = Violation((*path, key), "unknown-key", f"there is no key {key} here", hint, at_key=True)
        is_known_elsewhere = key in other_key_hints or key in renamed_keys
        choices = () if is_known_elsewhere else tuple(name for name in known_keys if name not in error.instance)
        yield violation._replace(suggested_key=suggested_key, written=key, choices=choices)
    if len(unknown_keys) > MAX_UNKNOWN_KEYS:
        message = f"and {len(unknown_keys) - MAX_UNKNOWN_KEYS:,} more keys that are not known here"
        yield Violation((*path, unknown_keys[-1]), "unknown-key", message, "", at_key=True)


def _find_missing_keys(error: Any) -> frozenset[str]:
    """Returns the keys of which one must be added to satisfy the broken rule; empty if the rule requires no key."""
    match error.validator:
        case "required":
            return frozenset(error.validator_value)
        case "anyOf" | "oneOf":
            keys = frozenset(key for branch in error.validator_value for key in branch.get("required", ()))
            return keys if keys.isdisjoint(error.instance) else frozenset()
        case _:
            return frozenset()
