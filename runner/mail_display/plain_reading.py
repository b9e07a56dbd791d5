"""Whether a body can be read in one way alone: token by token, each element ended where its own tag ends it.

Browsers repair all other HTML, each step by a rule of the standard that another reader may have in another way. There a
reviewer cannot rely on any text that was made of the body.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from runner.characters import unescape_html
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_elements import split_names

_NAME = r"[a-zA-Z][\w:-]*"
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+)"""
_TOKEN = re.compile(
    r"<!--(?!-?>|!)(?:(?!--!?>|<!--(?!-*>)).)*-->|<!\[[^<>]*\]>"
    rf"|</(?P<end>{_NAME})\s*>|<(?P<start>{_NAME})(?:\s+[^\s\"'<>/=]+(?:\s*=\s*{_VALUE})?)*\s*/?>"
    r"|<!doctype[^<>]*>|(?P<text>(?:[^<]|<(?=[\s\d]))+)",
    re.DOTALL | re.IGNORECASE,
)
_VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
_PAGE = frozenset(("html", "head", "body"))  # which a body is put into; here only their tags are read
_HEAD = frozenset((*_PAGE, "title", "meta", "link", "style", "base", "xml"))
_MAX_DEPTH = 256  # elements; below some depth, 512 in chromium, what is inside becomes what follows
# Before these, a paragraph ends. Where it has no attributes, nothing changes for a reader that ends it later.
_ENDS_PLAIN_P = split_names("blockquote center div dl h1 h2 h3 h4 h5 h6 hr ol pre section ul")
_P_WITH_ATTRIBUTES = "p."
# Elements that end where one of these begins, or an element around them ends.
_ENDED_BY = {
    "li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "p": {"p", *_ENDS_PLAIN_P}, _P_WITH_ATTRIBUTES: {"p"},
    "td": {"td", "th", "tr"}, "th": {"td", "th", "tr"}, "tr": {"tr"},
}  # fmt: skip
_IMPLIED = frozenset(("tbody", "colgroup"))  # which the tree of a table has, whether they are written or not


# A text, or the beginning or end of an element with its name. "repaired": here the source has no plain form.
_Item = tuple[str, str]
_REPAIRED = ("repaired", "")


def is_read_in_one_way(source: str, events: Iterable[Event]) -> bool:
    """Returns whether the events that a reader of HTML made of a body are its tags and texts as they are written."""
    return list(_join(_list_events(events))) == list(_join(_read_tokens(source)))


def _read_tokens(source: str) -> Iterator[_Item]:
    """Yields the tags and texts of a source as they are written."""
    open_names: list[str] = []
    ended_depths: set[int] = set()  # where a paragraph was ended, and its end tag may follow
    position, is_page = 0, True
    while position < len(source):
        token = _TOKEN.match(source, position)
        if token is None:
            yield _REPAIRED
            return
        position = token.end()
        if open_names[-1:] == ["style"] and token[0].startswith("<!--"):
            yield _read_comment_of_sheet(token[0])
        elif text := token["text"]:
            yield "text", unescape_html(text)
            is_page = is_page and (not text.strip() or (bool(open_names) and open_names[-1] in _HEAD - _PAGE))
        elif name := (token["start"] or "").lower():
            is_page = is_page and name in _HEAD
            is_out_of_place = (name in _PAGE and not is_page) or (name in _IMPLIED and open_names[-1:] != ["table"])
            if is_out_of_place or len(open_names) > _MAX_DEPTH:
                yield _REPAIRED
            yield from _begin_element(open_names, name, ended_depths)
            if name in _VOID:
                yield "end", name
            else:
                open_names.append(_P_WITH_ATTRIBUTES if name == "p" and len(token[0]) > len("<p>") else name)
        elif name := (token["end"] or "").lower():
            if name == "p" and len(open_names) in ended_depths:
                ended_depths.remove(len(open_names))
                yield "start", name  # an empty one
            else:
                yield from _end_element(open_names, name)
            yield "end", name
    yield from (("end", _get_name(name)) for name in reversed(open_names))


def _begin_element(open_names: list[str], name: str, ended_depths: set[int]) -> Iterator[_Item]:
    """Begins an element, and before it ends what it ends."""
    depth = len(open_names)
    yield from _end_open(open_names, [top for top, others in _ENDED_BY.items() if name in others])
    if name in _ENDS_PLAIN_P and len(open_names) < depth:
        ended_depths.add(len(open_names))
    yield "start", name


def _get_name(open_name: str) -> str:
    return open_name.removesuffix(".")


def _read_comment_of_sheet(comment: str) -> _Item:
    """Returns a comment in a style sheet: it is a text of it."""
    return ("text", comment) if "<" not in comment[1:] else _REPAIRED


def _end_element(open_names: list[str], name: str) -> Iterator[_Item]:
    """Ends what an end tag ends."""
    yield from _end_open(open_names, _ENDED_BY.keys() - {name, _P_WITH_ATTRIBUTES * (name == "p")})
    if not open_names or _get_name(open_names.pop()) != name:
        yield _REPAIRED


def _end_open(open_names: list[str], ended: Collection[str]) -> Iterator[_Item]:
    """Ends the innermost open elements as long as they have one of some names."""
    while open_names and open_names[-1] in ended:
        yield "end", _get_name(open_names.pop())


def _list_events(events: Iterable[Event]) -> Iterator[_Item]:
    depth = 0  # of comments for Outlook
    for event in events:
        if event.name == OUTLOOK:
            depth += 1 if event.kind == "start" else -1
        elif not depth and event.kind != "comment":
            yield event.kind, event.text or event.name


def _join(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yields the items without white space and without the tags that any reader may add; adjacent texts as one."""
    text = ""
    for kind, value in items:
        if kind == "text":
            text += "".join(value.split())
        elif value not in _PAGE | _IMPLIED:
            yield from [("text", text), (kind, value)] if text else [(kind, value)]
            text = ""
    if text:
        yield "text", text
