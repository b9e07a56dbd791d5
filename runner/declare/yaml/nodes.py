"""Turns YAML nodes into plain Python values, with the traps of YAML handled on purpose.

libyaml parses; scalars follow YAML 1.2 as editors do, so `yes`, `on`, `1:30` and `2026-12-01` are text. A number is a
number only if printing it gives back what was written: `0123`, `1_000`, `0x1F`, `1e3` and `1.10` stay text.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import yaml

from runner.declare.yaml.syntax import BadYaml, YamlFault, check_characters, syntax_fault

# Keys whose value is taken as written, whatever YAML would make of it: identifiers, versions, times.
VERBATIM_KEYS = frozenset(
    {"name", "id", "user_id", "email", "api_version", "workspace", "salt", "lock", "expires", "not_before", "refused"}
)


MAX_DEPTH = 60


MAX_ALIASED_NODES = 100_000


_TAG = "tag:yaml.org,2002:"


MERGE_TAG = _TAG + "merge"


_KNOWN_TAGS = frozenset(_TAG + kind for kind in ("str", "null", "bool", "int", "float", "map", "seq"))


_YAML_1_1_BOOLEANS = frozenset({"yes", "no", "on", "off"})


_SURROGATE = re.compile("[\ud800-\udfff]")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where PyYAML has it
    """Composes nodes with YAML 1.2 scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own protocol: replaced, not shared


for _kind, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:0|-?[1-9][0-9]{0,17})$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]{0,8})\.(?:0|[0-9]{0,5}[1-9])$", list("-0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), _first)


def compose_all(text: str) -> Iterator[yaml.Node]:
    """The root node of every document. Raises BadYaml where the syntax breaks; what stands before is still given."""
    check_characters(text)
    _refuse_depth(text)
    loader = _Loader(text)
    try:
        while loader.check_node():
            yield loader.get_node()
    except yaml.MarkedYAMLError as error:
        raise BadYaml(syntax_fault(text, error)) from error
    finally:
        loader.dispose()


class NodeValue:
    """The value of a node as plain Python, and the faults met on the way; `fatal` if the value is not to be used."""

    def __init__(self, root: yaml.Node) -> None:
        self.faults: list[YamlFault] = []
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._aliased = 0
        self.value = self._value(root, VERBATIM_KEYS)
        self.has_errors = any(not fault.is_warning for fault in self.faults)

    def _value(self, node: yaml.Node, as_written: frozenset[str]) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, in_vars=not as_written)
        if id(node) in self._open:
            self._fault("yaml-alias-loop", node, "an alias that contains itself")
            return None
        if node.tag not in _KNOWN_TAGS:
            return self._unknown_tag(node)
        self._count_alias(node)
        self._open.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            value: Any = [self._value(item, as_written) for item in node.value] if self._within_limits() else []
        else:
            value = self._mapping(node.value, as_written) if self._within_limits() else {}
        self._open.discard(id(node))
        return value

    def _mapping(self, pairs: list[tuple[Any, Any]], as_written: frozenset[str]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in pairs:
            if not isinstance(key, yaml.ScalarNode):
                self._unquoted_template(key)
            elif key.tag == MERGE_TAG:
                self._merge(merged, value, as_written)
            elif key.value in own:
                self._fault("duplicate-key", key, f"the key {key.value} stands here a second time", "keep one of them")
            elif key.value in as_written and isinstance(value, yaml.ScalarNode) and value.tag != _TAG + "null":
                own[key.value] = self._text(value)
                if not value.tag.startswith(_TAG):
                    self._unknown_tag(value)
            else:
                own[key.value] = self._value(value, frozenset() if key.value == "vars" else as_written)
        return {**merged, **own} if merged else own

    def _merge(self, merged: dict[str, Any], value: yaml.Node, as_written: frozenset[str]) -> None:
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            found = self._value(source, as_written)
            if not isinstance(found, dict):
                self._fault(
                    "yaml-merge", source, "<< merges a mapping, and this is none", "point it at a mapping: <<: *name"
                )
                continue
            for key in found:
                merged.setdefault(key, found[key])

    def _scalar(self, node: yaml.ScalarNode, *, in_vars: bool) -> Any:
        text, tag = self._text(node), node.tag
        if tag == _TAG + "str":
            if in_vars and not node.style and text.lower() in _YAML_1_1_BOOLEANS:
                message = f"{text} is text here, not true or false"
                self._fault(
                    "yaml-boolean", node, message, f'write true or false, or "{text}" for the word', warning=True
                )
            return text
        if tag == _TAG + "null":
            return None
        try:
            return _SCALARS[tag](text)
        except (KeyError, ValueError):
            return self._unknown_tag(node)

    def _text(self, node: yaml.ScalarNode) -> str:
        text: str = node.value
        if _SURROGATE.search(text):
            self._fault("yaml-character", node, "half of a surrogate pair is no character", "write it as \\U0001F600")
        return text

    def _unknown_tag(self, node: yaml.Node) -> None:
        shown = node.tag.replace(_TAG, "!!")
        self._fault("yaml-tag", node, f"the tag {shown} does not fit here", "remove the tag; write plain values")

    def _unquoted_template(self, key: yaml.Node) -> None:
        if isinstance(key, yaml.MappingNode) and all(value.value == "" for _, value in key.value):
            self._fault("yaml-key", key, "a text that begins with {{ must be quoted", 'write it as "{{ … }}"')
        else:
            self._fault("yaml-key", key, "a mapping or a list cannot be a key", "a key is plain text")

    def _count_alias(self, node: yaml.Node) -> None:
        # A handful of nested aliases can stand for billions of values; each list or mapping met again is counted.
        if id(node) in self._seen:
            self._aliased += len(node.value)
            if not self._within_limits() and not any(fault.code == "yaml-aliases" for fault in self.faults):
                self._fault("yaml-aliases", node, f"aliases repeat more than {MAX_ALIASED_NODES} values")
        self._seen.add(id(node))

    def _within_limits(self) -> bool:
        return self._aliased <= MAX_ALIASED_NODES

    def _fault(self, code: str, node: yaml.Node, message: str, hint: str = "", *, warning: bool = False) -> None:
        mark = node.start_mark
        self.faults.append(YamlFault(code, mark.line, mark.column, message, hint, warning))


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_SCALARS: dict[str, Callable[[str], Any]] = {_TAG + "bool": _boolean, _TAG + "int": int, _TAG + "float": float}


def _refuse_depth(text: str) -> None:
    # libyaml composes recursively on the C stack: some 100,000 brackets would end the process, not raise.
    if (
        text.count("[") + text.count("{") <= MAX_DEPTH
        and text.count("- ") + text.count("? ") <= MAX_DEPTH
        and "\n" + " " * MAX_DEPTH not in text
    ):
        return
    try:
        _check_depth(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        # libyaml reads up to 1,024 characters ahead, and newer ones (PyYAML 6.0.4) have a limit of their own: they may
        # refuse a depth before they report the first bracket. PyYAML's own parser has none, so our limit decides.
        mark: Any = error.problem_mark or error.context_mark
        if _open_brackets(text[: mark.index]) > MAX_DEPTH:
            with suppress(yaml.MarkedYAMLError):  # composing meets the same error again, after what stands before it
                _check_depth(yaml.parse(text, Loader=yaml.SafeLoader))


def _check_depth(events: Iterable[Any]) -> None:
    """Raises BadYaml at the first list or mapping that is nested too deep."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                raise BadYaml(YamlFault("yaml-depth", mark.line, mark.column, f"nested deeper than {MAX_DEPTH} levels"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _open_brackets(text: str) -> int:
    """How many brackets of the text are open at its end, those in quotes included: an estimate that costs little."""
    return text.count("[") + text.count("{") - text.count("]") - text.count("}")
