"""The hosts of links in the texts of messages, as their authors wrote them."""

import html
import re
from collections.abc import Iterable, Iterator

from runner.declare.declaration import Declaration

# Also without a scheme, with one slash and with backslashes: browsers take all of these for the start of a host.
_START = r"(?:https?:[/\\]*|[/\\]{2})(?:[^/\\\s\"'<>?#@]{0,200}@)?"
_LABEL = r"[^/\\\s\"'<>?#:@(){}.]{1,63}"
_HOST = re.compile(rf"{_START}({_LABEL}(?:\.{_LABEL})+)")


def find_new_hosts(now: Iterable[Declaration], before: Iterable[Declaration]) -> list[str]:
    """Returns the hosts that texts of `now` name, and no text of `before`, sorted.

    A host that only a recipient's data names is in neither.
    """
    return sorted(set(_list_hosts(now)) - set(_list_hosts(before)))


def _list_hosts(declarations: Iterable[Declaration]) -> Iterator[str]:
    for declaration in declarations:
        for text in (declaration.subject, declaration.body):
            for source in (text.source, *text.includes.values()) if text else ():
                yield from (host.rstrip(".") for host in _HOST.findall(html.unescape(source).lower()))
