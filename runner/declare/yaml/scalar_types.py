"""Converts YAML nodes to plain Python values.

libyaml parses the text. Scalars follow YAML 1.2, as in editors, so `yes`, `on`, `1:30` and `2026-12-01` are text. A
scalar is a number only if printing the number gives the same text: `0123`, `1_000`, `0x1F`, `1e3` and `1.10` stay text.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import yaml

from runner.declare.pointers_and_conflicts import CONFLICT_HINT, CONFLICT_MESSAGE, find_conflict
from runner.declare.problem_length import node_length
from runner.declare.yaml.surrogates import join_surrogates, remove_padding
from runner.declare.yaml.syntax import (
    ODD_SPACES,
    BadYaml,
    YamlFault,
    check_characters,
    explain_escaped_character,
    explain_odd_space,
    syntax_fault,
)

# Keys whose scalar is always read as text: identifiers, versions, times. YAML would read an id 25 as a number. A null
# stays null. Below `vars` the rule does not apply.
_NAMES = {"name", "id", "user_id", "email", "segment", "tag", "company"}
VERBATIM_KEYS = frozenset(_NAMES | {"api_version", "workspace", "salt", "lock", "expires", "not_before", "refused"})
MAX_DEPTH = 60  # levels; a declaration has about six, and Python's own recursion ends near a thousand
MAX_ALIASED_NODES = 100_000  # values that aliases repeat; all of them are checked and hashed again
MAX_ALIASED_CHARS = 4 * 1024 * 1024  # characters of texts that aliases repeat: as many as a file may have
MAX_VALUES = 250_000  # keys and values of one file: a list of 20,000 rows with five columns; each takes 10 microseconds
MAX_FAULTS = 100  # of one document; what follows is most often the same mistake again
_TAG = "tag:yaml.org,2002:"
MERGE_TAG = _TAG + "merge"
_KNOWN_TAGS = frozenset(_TAG + kind for kind in ("str", "null", "bool", "int", "float", "map", "seq"))
_YAML_1_1_BOOLEANS = frozenset({"yes", "no", "on", "off"})
_MAX_BOOLEAN = 3  # characters of the longest of them


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where PyYAML has it
    """Composes nodes, with the scalar types of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own protocol: replaced, not shared


_FORMS: dict[str, re.Pattern[str]] = {}  # of scalars, by their tags
for _kind, _pattern, _first_characters in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:0|-?[1-9][0-9]{0,17})$", list("-0123456789")),
    ("float", r"^(?!-?0\.0000)-?(?:0|[1-9][0-9]{0,8})\.(?:0|[0-9]{0,5}[1-9])$", list("-0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _FORMS[_TAG + _kind] = re.compile(_pattern)
    _Loader.add_implicit_resolver(_TAG + _kind, _FORMS[_TAG + _kind], _first_characters)


def compose_all(text: str) -> Iterator[yaml.Node]:
    """Yields the root node of every document.

    Raises BadYaml at a syntax error, after the documents before it. A character that YAML does not allow, too deep a
    nesting, or too many values raise BadYaml before the first document.
    """
    check_characters(text)
    _refuse_size(text)
    joined = join_surrogates(text, _Loader)
    loader = _Loader(joined)
    try:
        while loader.check_node():
            root = loader.get_node()
            if joined is not text:
                remove_padding(root)
            yield root
    except yaml.MarkedYAMLError as error:
        raise BadYaml(syntax_fault(text, error)) from error
    finally:
        loader.dispose()


def convert_node(root: yaml.Node) -> tuple[Any, list[YamlFault]]:
    """Returns the value of a node as plain Python, and its faults. If one is an error, the value must not be used."""
    converter = _Converter()
    return converter.convert(root, VERBATIM_KEYS), converter.faults


class _Converter:
    """Converts a node with everything in it."""

    def __init__(self) -> None:
        self.faults: list[YamlFault] = []
        self._open_nodes: set[int] = set()
        self._visited: set[int] = set()
        self._aliased_count = 0
        self._aliased_chars = 0
        self._is_over_limits = False

    def convert(self, node: yaml.Node, verbatim_keys: frozenset[str]) -> Any:
        """Returns the value of a node. The value of a verbatim key is its text, whatever it looks like."""
        if isinstance(node, yaml.ScalarNode):
            return self._convert_scalar(node, in_vars=not verbatim_keys)
        if id(node) in self._open_nodes:
            self._add_fault("yaml-alias-loop", node, "an alias that contains itself")
            return None
        if node.tag not in _KNOWN_TAGS:
            return self._report_unknown_tag(node)
        self._count_alias(node)
        self._open_nodes.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            value: Any = [self.convert(item, verbatim_keys) for item in node.value] if self._within_limits() else []
        else:
            value = self._convert_mapping(node.value, verbatim_keys) if self._within_limits() else {}
        self._open_nodes.discard(id(node))
        return value

    def _convert_mapping(self, pairs: list[tuple[Any, Any]], verbatim_keys: frozenset[str]) -> dict[str, Any]:
        own_items: dict[str, Any] = {}
        merged_items: dict[str, Any] = {}
        for key, value in pairs:
            if not isinstance(key, yaml.ScalarNode):
                self._report_key(key)
            elif key.tag == MERGE_TAG:
                self._merge(merged_items, value, verbatim_keys)
            elif key.value[:1] in ODD_SPACES and not key.style:
                self._add_fault("yaml-character", key, *explain_odd_space(key.value[0]))
            elif key.value in own_items:
                self._add_fault(
                    "duplicate-key", key, f"the key {key.value} stands here a second time", "keep one of them"
                )
            elif key.value in verbatim_keys and isinstance(value, yaml.ScalarNode) and value.tag != _TAG + "null":
                own_items[key.value] = self._read_text(value)
                if not value.tag.startswith(_TAG):
                    self._report_unknown_tag(value)
            else:
                own_items[key.value] = self.convert(value, frozenset() if key.value == "vars" else verbatim_keys)
        return {**merged_items, **own_items} if merged_items else own_items

    def _merge(self, merged_items: dict[str, Any], value: yaml.Node, verbatim_keys: frozenset[str]) -> None:
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            source_value = self.convert(source, verbatim_keys)
            if not isinstance(source_value, dict):
                self._add_fault(
                    "yaml-merge", source, "<< merges a mapping, and this is none", "point it at a mapping: <<: *name"
                )
                continue
            for key in source_value:
                merged_items.setdefault(key, source_value[key])

    def _convert_scalar(self, node: yaml.ScalarNode, *, in_vars: bool) -> Any:
        text, tag = self._read_text(node), node.tag
        if tag == _TAG + "str":
            if in_vars and not node.style and len(text) <= _MAX_BOOLEAN and text.lower() in _YAML_1_1_BOOLEANS:
                message = f"{text} is text here, not true or false"
                self._add_fault(
                    "yaml-boolean", node, message, f'write true or false, or "{text}" for the word', warning=True
                )
            return text
        if tag == _TAG + "null":
            return None
        if tag not in _SCALAR_PARSERS or not _FORMS[tag].fullmatch(text):
            return self._report_unknown_tag(node)
        value = _SCALAR_PARSERS[tag](text)
        if type(value) is float and value.is_integer() and not in_vars:
            # JSON Schema takes 1.0 for a whole number. In the key of a delivery it would be another one than 1.
            hint = f'write {int(value)}; or, if it is text, quote it: "{text}"'
            self._add_fault("wrong-type", node, "a whole number is written without a fraction", hint)
        return value

    def _read_text(self, node: yaml.ScalarNode) -> str:
        text: str = node.value
        if id(node) in self._visited:
            self._aliased_chars += len(text)
            self._check_limits(node)
            return text
        self._visited.add(id(node))
        if "<<<<<<<" in text and find_conflict("", text):  # written with \n: the lines of the file show no mark
            self._add_fault("merge-conflict", node, CONFLICT_MESSAGE, CONFLICT_HINT)
        if reason := explain_escaped_character(text):
            self._add_fault("yaml-character", node, *reason)
        return text

    def _report_unknown_tag(self, node: yaml.Node) -> None:
        tag = node.tag.replace(_TAG, "!!")
        hint = f'remove the tag; or, if it is text, quote it: "{tag} …"'
        self._add_fault("yaml-tag", node, f"the tag {tag} does not fit here", hint)

    def _report_key(self, key: yaml.Node) -> None:
        if isinstance(key, yaml.MappingNode) and all(value.value == "" for _, value in key.value):
            self._add_fault("yaml-key", key, "a text that begins with {{ must be quoted", 'write it as "{{ … }}"')
        else:
            self._add_fault("yaml-key", key, "a mapping or a list cannot be a key", "a key is plain text")

    def _count_alias(self, node: yaml.Node) -> None:
        # A few nested aliases can expand to billions of values, so every list or mapping that is visited again counts.
        if id(node) in self._visited:
            self._aliased_count += len(node.value)
            self._check_limits(node)
        self._visited.add(id(node))

    def _check_limits(self, node: yaml.Node) -> None:
        if not self._within_limits() and not self._is_over_limits:
            self._is_over_limits = True
            message = f"aliases repeat more than {MAX_ALIASED_NODES:,} values, or {MAX_ALIASED_CHARS >> 20} MiB of text"
            self._add_fault("yaml-aliases", node, message, "write the list or text into a file, and read it from there")

    def _within_limits(self) -> bool:
        return self._aliased_count <= MAX_ALIASED_NODES and self._aliased_chars <= MAX_ALIASED_CHARS

    def _add_fault(self, code: str, node: yaml.Node, message: str, hint: str = "", *, warning: bool = False) -> None:
        if len(self.faults) > MAX_FAULTS:
            return
        if len(self.faults) == MAX_FAULTS:  # an error: what is not reported may be one
            message, hint, warning = f"and more: of one document {MAX_FAULTS} such problems are reported", "", False
        mark = node.start_mark
        self.faults.append(YamlFault(code, mark.line, mark.column, message, hint, warning, node_length(node)))


_SCALAR_PARSERS: dict[str, Callable[[str], Any]] = {
    _TAG + "bool": lambda text: {"true": True, "false": False}[text.lower()],
    _TAG + "int": int,
    _TAG + "float": float,
}


def _refuse_size(text: str) -> None:
    # libyaml composes recursively on the C stack: about 100,000 brackets would crash the process without an exception.
    # Counting signs is fast, and most files have too few of them to be nested too deep, or to have too many values.
    is_flat = (
        text.count("[") + text.count("{") <= MAX_DEPTH
        and text.count("- ") + text.count("? ") <= MAX_DEPTH
        and "\n" + " " * MAX_DEPTH not in text
    )
    if is_flat and 2 * sum(map(text.count, "\n,:")) <= MAX_VALUES:  # one of these may follow a key without a value
        return
    try:
        _check_size(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        # libyaml reads up to 1,024 characters ahead, and newer versions (PyYAML 6.0.4) limit the depth themselves. They
        # may raise before they report the first bracket. PyYAML's own parser has no limit, so MAX_DEPTH decides.
        mark: Any = error.problem_mark or error.context_mark
        before = text[: mark.index]  # brackets in quotes count too
        if before.count("[") + before.count("{") - before.count("]") - before.count("}") > MAX_DEPTH:
            with suppress(yaml.MarkedYAMLError):  # composing raises the same error again, after the documents before it
                _check_size(yaml.parse(text, Loader=yaml.SafeLoader))


def _check_size(events: Iterable[Any]) -> None:
    """Raises BadYaml at the first list or mapping that is nested deeper than MAX_DEPTH, or after MAX_VALUES values."""
    depth = count = 0
    for event in events:
        count += isinstance(event, yaml.NodeEvent)
        fault = ("yaml-values", f"there are more than {MAX_VALUES:,} values here") if count > MAX_VALUES else None
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                fault = ("yaml-depth", f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if fault:
            mark: Any = event.start_mark
            hint = "put the rows into a CSV or JSON Lines file" if depth <= MAX_DEPTH else ""
            raise BadYaml(YamlFault(fault[0], mark.line, mark.column, fault[1], hint))
