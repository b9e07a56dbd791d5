r"""Reads the escapes of JSON for characters beyond U+FFFF: JSON writes an emoji as two halves, `\ud83d\udc4d`."""

import re
from collections.abc import Iterator
from typing import Any, cast

import yaml

from runner.declare.yaml.syntax import iter_nodes

# Compiled at first use: few texts have such escapes.
# Not after an odd number of backslashes: then the first backslash of the escape is a character itself.
_PAIR = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
# The escape of YAML is two characters shorter. These replace them, so that every place in the file stays what it is.
_PADDING = "\ue0f2\ue0f2"


def join_surrogates(text: str, loader: Any) -> str:
    """Returns a YAML text with each pair of halves in double quotes as one escape of YAML, of the same length."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    joined = re.sub(_PAIR, _join_pair, text)
    parts: list[str] = []
    position = 0
    try:
        for start, end in _find_double_quoted(joined, loader) if joined != text else ():
            parts += [text[position:start], joined[start:end]]
            position = end
    except yaml.MarkedYAMLError:
        return "".join([*parts, joined[position:]])  # the parser reports this error, not one about halves
    return "".join([*parts, text[position:]])


def remove_padding(node: yaml.Node) -> None:
    """Removes what `join_surrogates` added from the values of a node and of all nodes below it."""
    for current in iter_nodes([node], with_keys=True):
        if isinstance(current, yaml.ScalarNode) and current.style == '"':
            current.value = current.value.replace(_PADDING, "")


def _join_pair(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + low - 0xDC00:08X}{_PADDING}"


def _find_double_quoted(text: str, loader: Any) -> Iterator[tuple[int, int]]:
    """Yields start and end of each text in double quotes. Raises MarkedYAMLError at a syntax error."""
    for token in yaml.scan(text, Loader=loader):
        if isinstance(token, yaml.ScalarToken) and token.style == '"':
            start, end = cast("Any", token.start_mark), cast("Any", token.end_mark)
            yield start.index, end.index
