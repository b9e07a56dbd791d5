"""The hosts of links in the texts of messages: as their authors wrote them, and as a recipient gets them."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from runner.characters import unescape_html
from runner.compare.declared_fields import format_value, list_fields
from runner.compare.declared_texts import list_declared_texts, list_texts_and_variables
from runner.current_work import CURRENT_WORK
from runner.declare.declaration import Declaration
from runner.declare.sample import Sample
from runner.lint.html import parse_html
from runner.privacy import MASK

# Also without a scheme, with one slash and with backslashes: browsers take all of these for the start of a host.
_START = r"(?:https?:[/\\]*|[/\\]{2})(?:[^/\\\s\"'<>?#@]{0,200}@)?"
_LABEL = r"[^/\\\s\"'<>?#:@(){}.]{1,63}"
_HOST = re.compile(rf"{_START}({_LABEL}(?:\.{_LABEL})+)")
# What a mail client may make a link of in a text without a scheme: any name with an ending of letters.
_LINKED_TEXT = re.compile(r"(?<![\w./-])(?:[\w-]{1,63}\.){1,9}[a-z]{2,63}(?![\w@-])")
# The last @ ends the user, and a browser drops tabs and line ends wherever they stand.
_WEB_ADDRESS = re.compile(r"(?:https?:[/\\]*|[/\\]{2,})(?:[^/\\?#]*@)?(\[[^\]]*\]|[^/\\?#:\s]*)", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"mailto:[^?\s\"'<>]{0,400}@([^?,;&\s\"'<>]+)", re.IGNORECASE)
# An expression that is only a text.
_LITERAL = re.compile(r"\{\{-?\s{0,99}(['\"])([^'\"\\{}]{0,99})\1\s{0,99}-?\}\}")
_MAX_PARSED = 200_000  # characters of a text that are read as HTML
_VALUE = "\ue000"  # stands for the value of an expression: no text has it
_IGNORED = re.compile(r"[\t\n\r]")
_TRIMMED = "".join(map(chr, range(33)))
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))  # IDNA takes each for a dot


def find_new_hosts(
    now: Iterable[Declaration],
    before: Iterable[Declaration],
    samples: Iterable[tuple[str, Sample | None, Iterable[Sample]]],
) -> dict[str, list[str]]:
    """Returns the hosts that texts, variables and queries of `now` name, and none of `before`, sorted.

    Each has the names of its messages. A host that only a recipient's data names is left out. `samples` are the names
    of messages with a sample before and the samples now, which show hosts that a template puts together.
    """
    before = list(before)
    known = {host for source in _list_sources(before) for host in _find_hosts(source)}
    known |= {host for words in _list_words(before) for host in _LINKED_TEXT.findall(words)}
    known |= set(_list_written_hosts(before))
    messages = dict[str, set[str]]()
    for declaration in now:
        with CURRENT_WORK.on_file(declaration.document.source.path):
            for source in _list_sources([declaration]):
                CURRENT_WORK.step()
                for host in _find_hosts(source):
                    messages.setdefault(host, set()).add(declaration.name)
            words = (host for text in _list_words([declaration]) for host in _LINKED_TEXT.findall(text))
            for host in (*_list_written_hosts([declaration]), *words):
                messages.setdefault(host, set()).add(declaration.name)
    for name, old, new in samples:
        with CURRENT_WORK.on_file(f"the links of {name}"):
            known_before = _list_sample_hosts(old)
            for sample in new:
                CURRENT_WORK.step()
                for host in _list_sample_hosts(sample) - known_before:
                    messages.setdefault(host, set()).add(name)
    return {host: sorted(messages[host]) for host in sorted(messages.keys() - known)}


def find_host(address: str) -> str:
    """Returns the host of an address in lower case, as new hosts are compared; empty if it has none."""
    plain = _IGNORED.sub("", address).strip(_TRIMMED)
    match = _WEB_ADDRESS.match(plain) or _MAIL_ADDRESS.match(unquote(plain))
    return unquote(match[1]).translate(_DOTS).lower().strip(".") if match else ""


def _list_sources(declarations: Iterable[Declaration]) -> Iterator[str]:
    """Yields the texts, variables and queries of messages, in lower case."""
    for declaration in declarations:
        written = list_texts_and_variables(declaration)
        sources = (*written.values(), *map(format_value, list_fields(declaration.document.value).values()))
        for source in sources:
            yield unescape_html(source).lower()
            if "{" in source:
                yield unescape_html(_render(source)).lower()


def _list_words(declarations: Iterable[Declaration]) -> Iterator[str]:
    """Yields the words of texts, in lower case: no names of style sheets or templates, which are no hosts."""
    for declaration in declarations:
        for source in list_declared_texts(declaration).values():
            plain = _cut(_cut(_render(source[:_MAX_PARSED]), "{{", "}}", " "), "{%", "%}", " ")
            passages = parse_html(plain).passages if "<" in plain else ()
            yield from (unescape_html(text).lower() for text in [each.text for each in passages] or [plain])


def _list_written_hosts(declarations: Iterable[Declaration]) -> Iterator[str]:
    """Yields the hosts in attributes of texts as they are written. Of a host that begins with a value, the rest."""
    for declaration in declarations:
        for source in list_texts_and_variables(declaration).values():
            rendered = _cut(_cut(_render(source[:_MAX_PARSED]), "{{", "}}", _VALUE), "{%", "%}", "")
            for tag in parse_html(rendered).tags if "<" in rendered else ():
                for host in map(find_host, tag.attributes.values()):
                    start, _, rest = host.rpartition(_VALUE)
                    known = rest.partition(".")[2] if start or rest != host else host
                    yield from [known] if known.isdigit() or {".", ":"} & set(known) else []


def _render(source: str) -> str:
    """Returns a template as it is once rendered, as far as that is certain: without comments and literals."""
    return _LITERAL.sub(r"\2", _cut(source, "{#", "#}", ""))


def _cut(text: str, begin: str, end: str, replacement: str) -> str:
    """Returns a text without its parts between two signs. In linear time, also where nothing ends a part."""
    pieces, position = list[str](), 0
    while (start := text.find(begin, position)) >= 0 and (stop := text.find(end, start + len(begin))) >= 0:
        pieces += text[position:start], replacement
        position = stop + len(end)
    return "".join((*pieces, text[position:]))


def _find_hosts(text: str) -> Iterator[str]:
    yield from (host.rstrip(".") for pattern in (_HOST, _MAIL_ADDRESS) for host in pattern.findall(text))


def _list_sample_hosts(sample: Sample | None) -> set[str]:
    """Returns the hosts in a text as its recipient gets it, a part that is the recipient's masked."""
    if sample is None:
        return set()
    body = str(sample.body)
    parsed = parse_html(body)
    values = [value for tag in parsed.tags for value in tag.attributes.values()]
    sources = (str(sample.subject), body, *(unquote(_IGNORED.sub("", value)) for value in values))
    hosts = {host for source in sources for host in _find_hosts(unescape_html(source).lower())}
    texts = [str(sample.subject), *(unescape_html(passage.text) for passage in parsed.passages)]
    hosts |= {host for text in texts for host in _LINKED_TEXT.findall(text.lower())}
    hosts |= set(map(find_host, values))
    return {host for host in hosts if host.replace(MASK, "").strip(".")}
