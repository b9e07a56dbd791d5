r"""Finds texts that YAML reads differently from how they look.

`subject: Ticket #1042 is solved` is "Ticket", and `Hi\n\nBo` has no line break.
"""

import re
from collections.abc import Iterator, Sequence

import yaml

from runner.declare.problem_length import node_length
from runner.declare.yaml.syntax import YamlFault, iter_nodes, quote_text

_TEXT_TAG = "tag:yaml.org,2002:str"
_COMMENT = re.compile(r"[ \t]+(#)(?!\s*msgrun:)")  # `# msgrun: ignore=CODE` is a comment for certain
_MAY_BE_MISREAD = re.compile(r"[ \t]#|\\[un]")
# An escape for certain: of a character, of a blank line, or of a line break after a sentence. `C:\new` is a path.
_ESCAPE = re.compile(r"(?<!\\)\\u[0-9a-fA-F]{4}|\\n(?:\\r)?\\n|(?<=[.,;!?>])(?:\\r)?\\n")
_STYLES = frozenset({None, "", "'"})  # of PyYAML's nodes; in double quotes escapes count
_VARIABLE_KEYS = frozenset({"vars"})
_TEXT_KEYS = _VARIABLE_KEYS | {"subject", "body"}


def find_misread_texts(root: yaml.Node, text: str, lines: Sequence[str]) -> Iterator[YamlFault]:
    """Yields a warning for each text of a subject, a body or a variable that a comment cuts, or that keeps an escape.

    `text` is that of the whole file, and `lines` are its lines.
    """
    if not _MAY_BE_MISREAD.search(text):
        return
    nodes = sorted(_iter_texts(root), key=lambda node: node.end_mark.index)
    for node in nodes:
        mark = node.end_mark
        comment = None if node.style or mark.line >= len(lines) else _COMMENT.match(lines[mark.line], mark.column)
        if comment:
            message = "the text ends before this #: YAML takes the rest of the line for a comment"
            hint = "quote the text; or, if it is a comment, put it on a line of its own"
            line = lines[mark.line]
            is_one_line = node.start_mark.line == mark.line
            edits = quote_text(line, mark.line + 1, node.start_mark.column) if is_one_line else ()
            column = comment.start(1)
            length = len(line.rstrip()) - column
            yield YamlFault(
                "yaml-comment", mark.line, column, message, hint, is_warning=True, length=length, edits=edits
            )
        if "\\" in node.value and (escape := _ESCAPE.search(node.value)):
            start = node.start_mark
            message = f"{escape[0]} is sent as it stands: an escape counts in double quotes only"
            hint = 'write the text in double quotes: "…"'
            length = node_length(node)
            yield YamlFault("yaml-escape", start.line, start.column, message, hint, is_warning=True, length=length)


def _iter_texts(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yields the texts without quotes or in single quotes that are templates or variables, each once."""
    texts: list[yaml.Node] = []
    for node in iter_nodes([root], with_keys=False):
        keys = _TEXT_KEYS if node is root else _VARIABLE_KEYS
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        texts += [value for key, value in pairs if isinstance(key, yaml.ScalarNode) and key.value in keys]
    for node in iter_nodes(texts, with_keys=False):
        if isinstance(node, yaml.ScalarNode) and node.style in _STYLES and node.tag == _TEXT_TAG:
            yield node
