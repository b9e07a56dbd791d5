"""The hosts of links in the texts of messages, as their authors wrote them."""

import html
import json
import re
from collections.abc import Iterable, Iterator

from runner.compare.declared_fields import list_field_values
from runner.declare.declaration import Declaration

# Also without a scheme, with one slash and with backslashes: browsers take all of these for the start of a host.
_START = r"(?:https?:[/\\]*|[/\\]{2})(?:[^/\\\s\"'<>?#@]{0,200}@)?"
_LABEL = r"[^/\\\s\"'<>?#:@(){}.]{1,63}"
_HOST = re.compile(rf"{_START}({_LABEL}(?:\.{_LABEL})+)")


def find_new_hosts(now: Iterable[Declaration], before: Iterable[Declaration]) -> dict[str, list[str]]:
    """Returns the hosts that texts, variables and queries of `now` name, and none of `before`, sorted.

    Each has the names of its messages. A host that only a recipient's data names is in neither.
    """
    known = set(_list_hosts(before))
    messages: dict[str, list[str]] = {}
    for declaration in now:
        for host in set(_list_hosts([declaration])) - known:
            messages.setdefault(host, []).append(declaration.name)
    return dict(sorted(messages.items()))


def _list_hosts(declarations: Iterable[Declaration]) -> Iterator[str]:
    for declaration in declarations:
        variables = {name: value for name, value in declaration.variables.items() if not callable(value)}
        sources = [json.dumps(variables, default=str, ensure_ascii=False, skipkeys=True)]
        sources += list_field_values(declaration)
        for text in (declaration.subject, declaration.body):
            sources += (text.source, *text.includes.values()) if text else ()
        for source in sources:
            yield from (host.rstrip(".") for host in _HOST.findall(html.unescape(source).lower()))
