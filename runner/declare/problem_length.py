"""How many characters a problem is about, where its place is that of a node of YAML, a name, a tag or an entity."""

import re

import yaml

# A tag of HTML or Jinja, a placeholder of another tool, or an entity.
_MARK = re.compile(r"<[^<>]*>|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{[^{}]*\}|\[[^\[\]]*\]|&#?\w+;")


def node_length(node: yaml.Node) -> int:
    """Returns the characters of a value on one line; else 0, also for a mapping or list without brackets."""
    start, end = node.start_mark, node.end_mark
    is_written_out = not isinstance(node, yaml.CollectionNode) or node.flow_style
    return end.column - start.column if is_written_out and start.line == end.line else 0


def mark_length(line: str, index: int) -> int:
    """Returns the characters of the tag, placeholder or entity that begins at an index of a line; 0 if none does."""
    match = _MARK.match(line, index)
    return len(match.group()) if match else 0
