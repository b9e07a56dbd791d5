r"""Finds texts that YAML reads differently from how they look.

`subject: Ticket #1042 is solved` is "Ticket", `subject: &more things` is "things", and `Hi\n\nBo` has no line break.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import yaml

from runner.declare.problem_length import node_length
from runner.declare.yaml.syntax import SCANNER_LOADER, YamlFault

_TEXT_TAG = "tag:yaml.org,2002:str"
_COMMENT = re.compile(r"[ \t]+(#)(?!\s*msgrun:)")  # `# msgrun: ignore=CODE` is a comment for certain
_MAY_BE_MISREAD = re.compile(r"[ \t]#|\\[un]")
# An escape for certain: of a character, of a blank line, or of a line break after a sentence. `C:\new` is a path.
_ESCAPE = re.compile(r"(?<!\\)\\u[0-9a-fA-F]{4}|\\n(?:\\r)?\\n|(?<=[.,;!?>])(?:\\r)?\\n")
# What a scan for anchors is worth: one before a plain text.
_ANCHOR = re.compile(r"&(?<=[\s\[{,]&)[\w-]+[ \t]+[^\s#\[{|>\"']")  # the sign first: so it is searched for fast
_MAX_ANCHORS = 100  # of one file that are reported
_STYLES = frozenset({None, "", "'"})  # of PyYAML's nodes; in double quotes escapes count
_VARIABLE_KEYS = frozenset({"vars"})
_TEXT_KEYS = _VARIABLE_KEYS | {"subject", "body"}


def find_misread_texts(root: yaml.Node, text: str, lines: Sequence[str]) -> Iterator[YamlFault]:
    """Yields a warning for each text of a subject, a body or a variable that a comment cuts, or that keeps an escape.

    `text` is that of the whole file, and `lines` are its lines. In a file that is one list, an audience, every value is
    a variable.
    """
    if not _MAY_BE_MISREAD.search(text):
        return
    nodes = sorted(_iter_texts(root), key=lambda node: node.end_mark.index)
    for node in nodes:
        mark = node.end_mark
        comment = None if node.style or mark.line >= len(lines) else _COMMENT.match(lines[mark.line], mark.column)
        if comment:
            from runner.declare.yaml.text_edits import quote_text  # noqa: PLC0415  # only for such a problem

            message = "the text ends before this #: YAML takes the rest of the line for a comment"
            hint = "quote the text; or, if it is a comment, put it on a line of its own"
            line = lines[mark.line]
            is_one_line = node.start_mark.line == mark.line
            edits = quote_text(line, mark.line + 1, node.start_mark.column) if is_one_line else ()
            length = len(line.rstrip()) - comment.start(1)
            yield YamlFault(
                "yaml-comment", mark.line, comment.start(1), message, hint, is_warning=True, length=length, edits=edits
            )
        if "\\" in node.value and (escape := _ESCAPE.search(node.value)):
            start = node.start_mark
            message = f"{escape[0]} is sent as it stands: an escape counts in double quotes only"
            hint = 'write the text in double quotes: "…"'
            length = node_length(node)
            yield YamlFault("yaml-escape", start.line, start.column, message, hint, is_warning=True, length=length)


def find_unused_anchors(text: str) -> list[YamlFault]:
    """Returns a warning for each anchor before an unquoted text that no alias of its document names."""
    if not _ANCHOR.search(text):
        return []
    unused: list[tuple[str, YamlFault]] = []
    document_start, anchor = 0, None
    try:
        for token in yaml.scan(text, Loader=SCANNER_LOADER):
            if isinstance(token, yaml.DocumentStartToken):
                document_start = len(unused)
            elif isinstance(token, yaml.AliasToken):
                unused[document_start:] = [item for item in unused[document_start:] if item[0] != token.value]
            elif isinstance(token, yaml.ScalarToken) and token.plain and anchor and len(unused) < _MAX_ANCHORS:
                unused.append((anchor.value, _unused_anchor_fault(anchor)))
            anchor = token if isinstance(token, yaml.AnchorToken) else None
    except yaml.MarkedYAMLError:
        return []  # the parser reports the error
    return [fault for _, fault in unused]


def _unused_anchor_fault(anchor: yaml.AnchorToken) -> YamlFault:
    start = cast("Any", anchor.start_mark)
    message = f"&{anchor.value} is not part of the text: YAML takes it for an anchor, and nothing uses it"
    hint = "quote the text; or, if it is an anchor, remove it"
    length = len(anchor.value) + 1
    return YamlFault("yaml-anchor", start.line, start.column, message, hint, is_warning=True, length=length)


def _iter_texts(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yields the texts without quotes or in single quotes that are templates or variables, each once."""
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
        elif isinstance(node, yaml.ScalarNode) and is_text and node.style in _STYLES and node.tag == _TEXT_TAG:
            yield node
