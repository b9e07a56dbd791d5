"""Sets keys in the text of msgrun.yaml, and leaves every other character of it as the user wrote it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import yaml

from runner.errors import UsageMistake

# What PyYAML raises for a text that it cannot read. Some are errors of Python, e.g. ValueError for `2026-99-99`.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
_STRING = "tag:yaml.org,2002:str"
_Edit = tuple[int, int, str]  # start, end, and the text that replaces what is between them


def set_settings(text: str, environment: str | None, values: Mapping[str, str]) -> str:
    """Returns the text of msgrun.yaml with these keys set in an environment; None is the unnamed one.

    `text` must have the line ends of the file, LF or CRLF. Raises UsageMistake if the text is not a mapping, lacks the
    environment, or is written in a way that cannot be edited safely. Its hint names the lines to add by hand.
    """
    with suppress(*_UNREADABLE):
        expected, new_text = _set_values(yaml.safe_load(text), environment, values), text
        for start, end, replacement in sorted(_plan_edits(text, environment, values), key=lambda edit: -edit[0]):
            new_text = new_text[:start] + replacement + new_text[end:]
        if yaml.safe_load(new_text) == expected:
            return new_text
    place = "to msgrun.yaml" if environment is None else f"below environments: {environment}: in msgrun.yaml"
    lines = ", ".join(_format_pairs(values, in_flow=False))
    raise UsageMistake("msgrun.yaml cannot be edited automatically", f"write these lines {place}: {lines}")


def _set_values(document: Any, environment: str | None, values: Mapping[str, str]) -> dict[str, Any]:
    """Returns a copy of the document with the values set. Raises TypeError or KeyError if it has no place for them."""
    if environment is None:
        return {**({} if document is None else document), **values}
    environments = document["environments"]
    new_values = _set_values(environments[environment], None, values)
    return {**document, "environments": {**environments, environment: new_values}}


def _plan_edits(text: str, environment: str | None, values: Mapping[str, str]) -> list[_Edit]:
    """Returns the edits that set the values. An insertion comes before a replacement that starts where it does."""
    target = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in () if environment is None else ("environments", environment):
        target = _value_nodes(target)[step]
    if not isinstance(target, yaml.MappingNode):  # it is empty
        if environment is None:
            return [_insert_lines(text, target.end_mark.index if target else len(text), 0, values)]
        return [_replace_scalar(text, target, f"{{{', '.join(_format_pairs(values, in_flow=True))}}}")]
    nodes, in_flow = _value_nodes(target), bool(target.flow_style)
    missing = {key: value for key, value in values.items() if key not in nodes}
    edits = [_insert_pairs(text, target, missing)] if missing else []
    changed = [key for key in nodes if key in values and (nodes[key].tag, nodes[key].value) != (_STRING, values[key])]
    return edits + [_replace_scalar(text, nodes[key], _format_scalar(values[key], in_flow=in_flow)) for key in changed]


def _value_nodes(mapping: yaml.Node | None) -> dict[str, yaml.Node]:
    """Returns the values of a mapping by key, without those that `<<` merges. Raises TypeError if it is none."""
    if not isinstance(mapping, yaml.MappingNode):
        raise TypeError
    return {key.value: value for key, value in mapping.value if isinstance(key, yaml.ScalarNode)}


def _replace_scalar(text: str, node: yaml.Node | None, replacement: str) -> _Edit:
    """Returns the edit that replaces a scalar. Raises ValueError for a block scalar, an anchor, an alias and a tag."""
    # The node of an alias is the anchored one. An empty scalar stands right after its colon.
    if not isinstance(node, yaml.ScalarNode) or text[node.start_mark.index :].startswith(("&", "!", "|", ">")):
        raise ValueError
    start, end = node.start_mark.index, node.end_mark.index
    return start, end, replacement if start < end else f" {replacement}"


def _insert_pairs(text: str, mapping: yaml.MappingNode, values: Mapping[str, str]) -> _Edit:
    """Returns the edit that adds keys: after `lock` or `ledger` in a block mapping, else at the mapping's end."""
    end = mapping.end_mark.index - bool(mapping.flow_style)  # a flow mapping ends with its brace
    *_, last = (token for token in yaml.scan(text, Loader=yaml.SafeLoader) if token.start_mark.index < end)
    if mapping.flow_style:
        separator = {"{": "", ",": " "}.get(text[last.start_mark.index], ", ")
        return last.end_mark.index, last.end_mark.index, separator + ", ".join(_format_pairs(values, in_flow=True))
    column, nodes = mapping.value[0][0].start_mark.column, _value_nodes(mapping)
    lock = nodes.get("lock") or nodes.get("ledger")
    # The next line. A block scalar ends where it begins, any other value before the line break.
    position = text.find("\n", (lock or last).end_mark.index - 1) + 1 or len(text)
    return _insert_lines(text, position if lock else _skip_comments(text, position, end, column), column, values)


def _skip_comments(text: str, position: int, end: int, column: int) -> int:
    """Returns the start of the line after the comments at a block mapping's end that are indented as its keys are."""
    line_end = position
    for line in text[position:end].splitlines(keepends=True):
        line_end += len(line)
        if line.lstrip(" ").startswith("#"):
            if not line.startswith(" " * column):
                break
            position = line_end
    return position


def _insert_lines(text: str, position: int, column: int, values: Mapping[str, str]) -> _Edit:
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = line_end.join(" " * column + pair for pair in _format_pairs(values, in_flow=False))
    begins_line = text[:position].endswith("\n") or text[:position] in {"", "\ufeff"}
    return position, position, lines + line_end if begins_line else line_end + lines


def _format_pairs(values: Mapping[str, str], *, in_flow: bool) -> list[str]:
    return [f"{key}: {_format_scalar(value, in_flow=in_flow)}" for key, value in values.items()]


def _format_scalar(value: str, *, in_flow: bool) -> str:
    """Returns a string as YAML: plain if YAML reads it back as the same string, else in double quotes."""
    with suppress(*_UNREADABLE):
        if yaml.safe_load(f"{{k: {value}}}" if in_flow else f"k: {value}") == {"k": value}:
            return value
    return json.dumps(value, ensure_ascii=False)
