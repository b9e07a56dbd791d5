"""Checks values against the JSON Schemas and explains what is wrong in people's words.

Two libraries read the same schema files: `jsonschema-rs` says in microseconds whether a value is valid, and
`jsonschema`, imported only then, says why not. The schemas carry the words for it: `errorMessage` (which editors
show too), `x-code`, `x-hint`, and `x-at`, the key that a rule about several keys points at.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runner.declare.yaml.document import Document
from runner.errors import Problem
from runner.privacy import mark_private

SCHEMA_NAMES = ("message", "project", "payload")


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: where in the value, which, and the words for it. `at_key`: the key is wrong, not its value.

    `lacks` are the keys of which one is missing; `meant` is the key that an unknown one comes near to.
    """

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str
    at_key: bool = False
    missing_keys: frozenset[str] = frozenset()
    suggested_key: str = ""


@cache
def schema_path(kind: str) -> Path:
    """The schema's file: inside the installed package, or at the root of a checkout."""
    packaged = Path(__file__).parent.parent / "schema"
    folder = packaged if packaged.is_dir() else packaged.parent.parent / "schema"
    return folder / f"{kind}.schema.json"


@cache
def load_schema(kind: str) -> dict[str, Any]:
    """The schema of a `message`, the `project` or a `payload`; of a payload's `contact` alone, which is its `to`."""
    if kind == "contact":
        return {"$ref": "#/$defs/contact", "$defs": load_schema("payload")["$defs"]}
    loaded: dict[str, Any] = json.loads(schema_path(kind).read_text(encoding="utf-8"))
    return loaded


@cache
def validator(kind: str) -> Any:
    """The fast validator of a schema; its `is_valid(value)` is the verdict."""
    import jsonschema_rs  # noqa: PLC0415  # heavy: only where something is checked

    return jsonschema_rs.Draft202012Validator(load_schema(kind))


def check_document(document: Document, kind: str) -> list[Problem]:
    """What the schema finds wrong with a document; nothing if it is valid."""
    return [violation_problem(document, found) for found in find_violations(document, kind)]


def find_violations(document: Document, kind: str) -> list[Violation]:
    """The rules that a document breaks."""
    return [] if validator(kind).is_valid(document.value) else explain_violations(document.value, kind)


def violation_problem(document: Document, found: Violation) -> Problem:
    """A broken rule as a problem at its place in a document."""
    return document.problem(found.code, found.path, found.message, found.hint, at_key=found.at_key)


def explain_violations(value: Any, kind: str) -> list[Violation]:
    """Why a value is not valid: at least one violation for every value that the fast validator refuses."""
    errors = list(_explainer(kind).iter_errors(value))
    # A value of the wrong type breaks rules about its keys as well: those say nothing new.
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    telling = [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]
    found = [violation for error in telling for violation in _explained(error)]
    if not found and not validator(kind).is_valid(value):
        found = [Violation((), "schema", f"this does not fit the schema of a {kind}", f"see msgrun schema {kind}")]
    # A misspelt key is one mistake, not two: then the right one is not told to be missing.
    meant = {(*violation.path[:-1], violation.suggested_key) for violation in found if violation.suggested_key}
    return [
        violation
        for violation in dict.fromkeys(found)
        if not any((*violation.path, key) in meant for key in violation.missing_keys)
    ]


def did_you_mean(word: str, choices: list[str]) -> str:
    """A hint that names the nearest of the choices, if one is near."""
    near = closest_match(word, choices)
    return f"did you mean {near}?" if near else ""


def closest_match(word: str, choices: list[str]) -> str:
    """The choice that is much like the word; empty if none is."""
    import difflib  # noqa: PLC0415  # imported where used

    return next(iter(difflib.get_close_matches(word, choices, n=1, cutoff=0.6)), "")


@cache
def _explainer(kind: str) -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  # heavy: only where something is wrong

    extended: Any = validators.extend(Draft202012Validator, {"pattern": _pattern_errors})  # type: ignore[no-untyped-call]
    return extended(load_schema(kind))


def _pattern_errors(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """Asks the fast library: regular expressions differ ($, white space), verdicts must not."""
    from jsonschema import ValidationError  # noqa: PLC0415  # likewise

    if isinstance(instance, str) and not _pattern(pattern).is_valid(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _pattern(pattern: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415  # heavy: only where something is checked

    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def _explained(error: Any) -> Iterator[Violation]:
    path = tuple(error.absolute_path)
    words = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error, path, words)
    elif error.validator == "required" and ("x-code" not in words or _is_form(words)):
        missing = next(key for key in error.validator_value if f"'{key}'" in error.message.split(" is a ")[0])
        message, hint = f"the key {missing} is missing", _example_hint(missing, words)
        yield Violation(path, "missing-key", message, hint, missing_keys=frozenset({missing}))
    elif error.validator == "type":
        yield Violation(
            path, words.get("x-code", "wrong-type") if _is_form(words) else "wrong-type", *_type_words(error)
        )
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        yield Violation((*path, error.instance), words["x-code"], words["errorMessage"], "", at_key=True)
    elif "x-code" in words:
        at = (*path, words["x-at"]) if "x-at" in words else path
        yield Violation(at, words["x-code"], words["errorMessage"], words.get("x-hint", ""), missing_keys=_lacks(error))
    else:
        yield _plain(error, path)


def _unknown_keys(error: Any, path: tuple[str | int, ...], words: dict[str, Any]) -> Iterator[Violation]:
    known = list(words.get("properties", {}))
    elsewhere = words.get("x-elsewhere", {})
    for key in sorted(set(error.instance) - set(known)):
        meant = closest_match(key, [*known, *elsewhere])
        hint = elsewhere.get(key) or (f"did you mean {meant}?" if meant else f"the keys here are {', '.join(known)}")
        yield Violation(
            (*path, key), "unknown-key", f"there is no key {key} here", hint, at_key=True, suggested_key=meant
        )


def _lacks(error: Any) -> frozenset[str]:
    """The keys of which one is missing, where the rule is that one must be there."""
    match error.validator:
        case "required":
            return frozenset(error.validator_value)
        case "anyOf" | "oneOf":
            keys = frozenset(key for branch in error.validator_value for key in branch.get("required", ()))
            return keys if keys.isdisjoint(error.instance) else frozenset()
        case _:
            return frozenset()


def _plain(error: Any, path: tuple[str | int, ...]) -> Violation:
    name, words = _name(path), error.schema
    allowed = error.validator_value
    match error.validator:
        case "enum" | "const":
            choices = [str(choice) for choice in allowed] if error.validator == "enum" else [str(allowed)]
            hint = words.get("x-hint") or did_you_mean(str(error.instance), choices)
            shown = mark_private(error.instance) if "to" in path and path[-1] != "type" else error.instance
            many = len(choices) > 6  # noqa: PLR2004  # a list of versions would drown the message
            listed = f"one of {choices[0]} … {choices[-1]}" if many else " or ".join(choices)
            return Violation(path, "not-a-choice", f"{name} is {listed}, not {shown}", hint)
        case "minimum" | "exclusiveMinimum":
            least = "at least" if error.validator == "minimum" else "more than"
            return Violation(path, "out-of-range", f"{name} is {least} {allowed}, not {error.instance}", "")
        case "maximum":
            return Violation(path, "out-of-range", f"{name} is at most {allowed}, not {error.instance}", "")
        case "minLength":
            return Violation(path, "blank", f"{name} is blank", "")
        case _:
            return Violation(path, "schema", f"{name} does not fit: {mark_private(error.message)}", "")


def _type_words(error: Any) -> tuple[str, str]:
    words = error.schema
    if _is_form(words):
        return words["errorMessage"], words.get("x-hint", "")
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    kinds = " or ".join(_TYPES[kind] for kind in wanted)
    value = error.instance
    name = _name(tuple(error.absolute_path))
    if value is None:
        return f"{name} is empty", f"write {kinds} after the colon, or remove the key if it is not needed"
    written = str(value).lower() if isinstance(value, bool) else value
    hint = f'quote it: "{written}"' if "string" in wanted and isinstance(value, int | float) else ""
    if "boolean" in wanted:
        hint = "write true or false, without quotes"
    return f"{name} must be {kinds}, not {_TYPES[_type_of(value)]}", hint


def _is_form(words: dict[str, Any]) -> bool:
    """Whether the words speak of the value as a whole, so that they fit a value of the wrong type too."""
    return words.get("type") == "object" and "x-code" in words


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"


def _name(path: tuple[str | int, ...]) -> str:
    words = [step for step in path if isinstance(step, str)]
    return ".".join(words[-2:]) if words else "this document"


def _example_hint(key: str, words: dict[str, Any]) -> str:
    examples = words.get("properties", {}).get(key, {}).get("examples", [])
    if not examples:
        return f"add {key}: …"
    first = examples[0]
    flow = ", ".join(f"{name}: {value}" for name, value in first.items()) if isinstance(first, dict) else ""
    return f"for example {key}: {{{flow}}}" if flow else f"for example {key}: {first}"
