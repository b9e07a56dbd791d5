"""The tree that a browser makes of a body, as a sequence of events: an element begins or ends, a text, a comment.

The tree is that of the HTML standard. It alone tells where an element ends, which text stands before which, and which
tags a browser does not take for any.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

OUTLOOK = "!outlook"  # the name of the element that stands for a comment which Outlook reads
# What Outlook alone shows. Source: Microsoft's documentation of conditional comments.
# The names of two comments: between them stands what Outlook shows only if a condition holds.
CONDITION, CONDITION_END = "!if", "!endif"
_CONDITION = re.compile(r"\s*\[if[^\]>]*\](?:>\s*(?:<!-*)?)?$", re.IGNORECASE)
_CONDITIONAL_COMMENT = re.compile(r"\s*\[if[^\]>]*\]?>", re.IGNORECASE)
_MAX_NESTED_COMMENTS = 4
# A browser shows these children first, or at the end, wherever they stand.
_PLACES = {"table": {"colgroup": 1, "thead": 2, "tfoot": 4}}
_OTHER_PLACE = 3


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is that of an element in lower case, CONDITION or CONDITION_END; `text` that of a text or a comment."""

    kind: Literal["start", "end", "text", "comment"]
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    is_foreign: bool = False


def read_events(body: str, nested: int = 0) -> Iterator[Event]:
    """Yields the events of a body, in the order in which a browser shows them. Texts are never empty, nor adjacent.

    `nested` is the number of conditional comments around the body.
    """
    from justhtml import JustHTML  # noqa: PLC0415  # saves 150 ms in a plan that shows no text

    # Mail is displayed without scripts, in a page that has a body: <frameset> cannot replace it after this <br>.
    root = JustHTML(f"<!DOCTYPE html><body><br>{body}", sanitize=False, scripting_enabled=False).root
    texts: list[str] = []
    is_first_break = True
    for event in _walk(root, nested):
        if event.kind == "text":
            texts.append(event.text)
            continue
        if texts:
            yield Event("text", text="".join(texts))
            texts.clear()
        if is_first_break and event.name == "br":
            is_first_break = event.kind != "end"
        else:
            yield event
    if texts:
        yield Event("text", text="".join(texts))


def _walk(root: Any, nested: int) -> Iterator[Event]:
    """Yields the events of a tree, without recursion: a tree may be as deep as the body is long."""
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Event):
            yield node
        elif node.name == "#text":
            if node.data:
                yield Event("text", text=node.data)
        elif node.name == "#comment":
            yield from _read_comment(node.data or "", nested)
        elif node.name.startswith(("#", "!")):
            stack.extend(reversed(node.children or ()))
        else:
            name = node.name.lower()
            attributes = {key: value or "" for key, value in (node.attrs or {}).items()}
            yield Event("start", name, attributes, is_foreign=node.namespace not in {None, "html"})
            stack.append(Event("end", name))
            stack.extend(reversed(_list_children(node, name)))


def _list_children(node: Any, name: str) -> list[Any]:
    children = [*(node.children or ())]
    if content := getattr(node, "template_content", None):
        children += content.children or ()
    places = dict(_PLACES.get(name, {}))
    if not places:
        return children
    # All captions stand above the table. Of the others, only the first has a place of its own.
    placed = [(0 if child.name == "caption" else places.pop(child.name, _OTHER_PLACE), child) for child in children]
    return [child for _, child in sorted(placed, key=lambda each: each[0])]


def _read_comment(text: str, nested: int) -> Iterator[Event]:
    if _CONDITION.match(text):
        yield Event("comment", CONDITION, text=text)
    elif text.strip().lower().removeprefix("<!") == "[endif]":
        yield Event("comment", CONDITION_END, text=text)
    else:
        yield from _read_hidden_comment(text, nested)


def _read_hidden_comment(text: str, nested: int) -> Iterator[Event]:
    if not (condition := _CONDITIONAL_COMMENT.match(text)):
        yield Event("comment", text=text)
        return
    yield Event("start", OUTLOOK)
    content = text[condition.end() :]
    if nested < _MAX_NESTED_COMMENTS:
        yield from read_events(content, nested + 1)
    else:
        yield Event("text", text=content)
    yield Event("end", OUTLOOK)
