"""Finds the comments that cut a text short: YAML reads `subject: Ticket #1042 is solved` as "Ticket"."""

import re
from collections.abc import Iterator, Sequence

import yaml

from runner.declare.yaml.syntax import YamlFault

_TEXT_TAG = "tag:yaml.org,2002:str"
_COMMENT = re.compile(r"[ \t]+(#)(?!\s*msgrun:)")  # `# msgrun: ignore=CODE` is a comment for certain
_VARIABLE_KEYS = frozenset({"vars"})
_TEXT_KEYS = _VARIABLE_KEYS | {"subject", "body"}


def find_cut_texts(root: yaml.Node, lines: Sequence[str]) -> Iterator[YamlFault]:
    """Yields a warning for each comment after an unquoted text of the subject, the body or a variable.

    `lines` are those of the file. In a file that is one list, an audience, every value is a variable.
    """
    nodes = sorted(_iter_texts(root), key=lambda node: node.end_mark.index)
    for node in nodes:
        mark = node.end_mark
        comment = _COMMENT.match(lines[mark.line], mark.column) if mark.line < len(lines) else None
        if comment:
            from runner.declare.yaml.repairs import quote_text  # noqa: PLC0415  # only for such a problem

            message = "the text ends before this #: YAML takes the rest of the line for a comment"
            hint = "quote the text; or, if it is a comment, put it on a line of its own"
            line = lines[mark.line]
            is_one_line = node.start_mark.line == mark.line
            edits = quote_text(line, mark.line + 1, node.start_mark.column) if is_one_line else ()
            length = len(line.rstrip()) - comment.start(1)
            yield YamlFault(
                "yaml-comment", mark.line, comment.start(1), message, hint, is_warning=True, length=length, edits=edits
            )


def _iter_texts(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yields the unquoted texts that are templates or variables, each once."""
    pending = [(root, isinstance(root, yaml.SequenceNode))]  # nodes, and whether their texts are such texts
    visited: set[tuple[int, bool]] = set()  # an alias may repeat a node, or contain itself
    while pending:
        node, is_text = pending.pop()
        if (id(node), is_text) in visited:
            continue
        visited.add((id(node), is_text))
        if isinstance(node, yaml.SequenceNode):
            pending.extend((item, is_text) for item in node.value)
        elif isinstance(node, yaml.MappingNode):
            text_keys = _TEXT_KEYS if node is root else _VARIABLE_KEYS
            pending.extend(
                (value, is_text or (isinstance(key, yaml.ScalarNode) and key.value in text_keys))
                for key, value in node.value
            )
        elif isinstance(node, yaml.ScalarNode) and is_text and not node.style and node.tag == _TEXT_TAG:
            yield node
