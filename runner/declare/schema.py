"""Checks values against the JSON Schemas, and explains in plain words why a value is not valid.

The schemas contain the texts: `errorMessage` (which editors show too), `x-code`, `x-hint`, and `x-at`, the key at which
a rule about several keys is reported.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, reduce
from itertools import islice
from operator import getitem
from pathlib import Path
from typing import Any

from runner.declare.similar_names import closest_match
from runner.declare.violation import Violation, describe_error, describe_type_error, describes_whole_value, example_hint
from runner.declare.yaml.document import Document
from runner.errors import Problem

SCHEMA_NAMES = ("message", "project", "payload")
MAX_ERRORS = 100  # of one value that are explained
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
    loaded: dict[str, Any] = json.loads(schema_path(kind).read_text(encoding="utf-8"))
    return loaded


@cache
def validator(kind: str) -> Any:
    """Returns the validator of a schema: `is_valid(value)` is fast, `iter_errors(value)` says what is wrong."""
    import jsonschema_rs  # noqa: PLC0415  # saves 20 ms in every command that checks no file

    return jsonschema_rs.Draft202012Validator(load_schema(kind))


def check_document(document: Document, kind: str) -> list[Problem]:
    """Returns the rules that a document breaks, as problems; empty if it is valid."""
    return [violation_problem(document, violation) for violation in find_violations(document, kind)]


def find_violations(document: Document, kind: str) -> list[Violation]:
    """Returns the rules that a document breaks; empty if it is valid."""
    return [] if validator(kind).is_valid(document.value) else explain_violations(document.value, kind)


def violation_problem(document: Document, violation: Violation) -> Problem:
    """Returns a broken rule as a problem at its place in the document."""
    return document.problem(violation.code, violation.path, violation.message, violation.hint, at_key=violation.at_key)


def explain_violations(value: Any, kind: str) -> list[Violation]:
    """Returns why a value is not valid: at least one violation for every value that the validator refuses."""
    errors = list(islice(validator(kind).iter_errors(value), MAX_ERRORS))
    # A value of the wrong type breaks rules about its keys as well. Reported too, they would hide the real mistake.
    mistyped = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    violations = [
        violation
        for error in errors
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped
        for violation in _explain_error(error, kind)
    ]
    # A misspelt key is one mistake: it is reported as unknown, so the key that was meant is not reported as missing.
    suggested_keys = {
        (*violation.path[:-1], violation.suggested_key) for violation in violations if violation.suggested_key
    }
    return [
        violation
        for violation in dict.fromkeys(violations)
        if not any((*violation.path, key) in suggested_keys for key in violation.missing_keys)
    ]


def _explain_error(error: Any, kind: str) -> Iterator[Violation]:
    """Yields what an error of the validator means, with the words that stand beside the rule in the schema."""
    path, keyword = tuple(error.instance_path), error.schema_path[-1]
    rule: dict[str, Any] = reduce(getitem, error.schema_path[:-1], load_schema(kind))
    if keyword == "additionalProperties":
        yield from _unknown_keys(error, path, rule)
    elif keyword == "required" and ("x-code" not in rule or describes_whole_value(rule)):
        missing = error.kind.property
        message, hint = f"the key {missing} is missing", example_hint(missing, rule)
        yield Violation(path, "missing-key", message, hint, missing_keys=frozenset({missing}))
    elif keyword == "type":
        code = rule["x-code"] if describes_whole_value(rule) else "wrong-type"
        yield Violation(path, code, *describe_type_error(rule, error.instance, path))
    elif "x-code" in rule:
        is_name = error.kind.name == "propertyNames"
        key = (error.kind.error.instance,) if is_name else (rule["x-at"],) if "x-at" in rule else ()
        missing_keys = _find_missing_keys(keyword, rule[keyword], error.instance)
        words = rule["x-code"], rule["errorMessage"], rule.get("x-hint", "")
        yield Violation((*path, *key), *words, at_key=is_name, missing_keys=missing_keys)
    else:
        yield describe_error(error, keyword, rule, path)


def _unknown_keys(error: Any, path: tuple[str | int, ...], rule: dict[str, Any]) -> Iterator[Violation]:
    known_keys = list(rule.get("properties", {}))
    other_key_hints = rule.get("x-elsewhere", {})
    renamed_keys = rule.get("x-renamed", {})  # names that other parts of Intercom's API have for a key
    unknown_keys = sorted(error.kind.unexpected)
    for key in unknown_keys[:MAX_UNKNOWN_KEYS]:
        suggested_key = renamed_keys.get(key) or closest_match(key, [*known_keys, *other_key_hints])
        hint = other_key_hints.get(key) or (
            f"did you mean {suggested_key}?" if suggested_key else f"the keys here are {', '.join(known_keys)}"
        )
        violation = Violation((*path, key), "unknown-key", f"there is no key {key} here", hint, at_key=True)
        is_known_elsewhere = key in other_key_hints or key in renamed_keys
        choices = () if is_known_elsewhere else tuple(name for name in known_keys if name not in error.instance)
        yield replace(violation, suggested_key=suggested_key, written=key, choices=choices)
    if len(unknown_keys) > MAX_UNKNOWN_KEYS:
        message = f"and {len(unknown_keys) - MAX_UNKNOWN_KEYS:,} more keys that are not known here"
        yield Violation((*path, unknown_keys[-1]), "unknown-key", message, "", at_key=True)


def _find_missing_keys(keyword: str, value: Any, instance: Any) -> frozenset[str]:
    """Returns the keys of which one must be added to satisfy a broken rule; empty if the rule requires no key."""
    match keyword:
        case "required":
            return frozenset(value)
        case "anyOf" | "oneOf":
            keys = frozenset(key for branch in value for key in branch.get("required", ()))
            return keys if keys.isdisjoint(instance) else frozenset()
        case _:
            return frozenset()
