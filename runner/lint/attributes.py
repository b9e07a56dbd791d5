"""Checks the attributes of a tag: misspelt names, and quotes that are lost."""

import re
from collections.abc import Iterator

from runner.declare.similar_names import is_one_slip
from runner.lint.html import Tag, split_names
from runner.lint.text_checks import Fault, ValueFormatter

URL_ATTRIBUTES = split_names("href src srcset action formaction background poster cite longdesc")
# Attributes whose misspelling changes what the reader sees.
_CHECKED_NAMES = split_names(
    "href src alt style class width height align valign target title border bgcolor cellpadding cellspacing colspan "
    "rowspan"
)
# Other attributes of HTML, today's and obsolete ones: https://html.spec.whatwg.org/multipage/indices.html#attributes-3
_OTHER_NAMES = split_names(
    "size sizes span start step label list link alink vlink text type hspace vspace srcdoc srcset rel rev role lang "
    "slot shape scope media method name nowrap color face frame rules headers char charoff axis clear compact data "
    "date datetime dir download disabled for form high low max min open pattern ping property rows cols value wrap"
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
# Typographic quotes, as word processors and chat programs write them, and quotes as entities.
_OTHER_QUOTE = re.compile(
    r"([A-Za-z][\w:-]*)\s*=\s*([“”„‟‘’‚«»‹›″′`´＂]|&(?:quot|[lr][ds]quo|[bs]dquo|#34|#39|#x22|#82(?:16|17|20|21|22));)",  # noqa: RUF001
    re.IGNORECASE,
)
_MAY_HAVE_OTHER_QUOTE = re.compile(r"=\s*[^\s\w\"'>#/]")
_JUNK_AFTER_QUOTE = re.compile(r"=\s*(\"[^\"]*\"|'[^']*')(?=[^\s>/])")
_MARKUP = re.compile(r">[^<>]*</?[A-Za-z]|\s[A-Za-z-]+\s*=\s*$")  # a tag, or the next attribute


def find_misspelt_names(tag: Tag) -> dict[str, str]:
    """Maps each misspelt attribute of a tag to the name that is meant."""
    return {
        name: meant
        for name in tag.attributes
        if name.isalpha() and name not in _CHECKED_NAMES and name not in _OTHER_NAMES
        for meant in sorted(_CHECKED_NAMES)
        if is_one_slip(name, meant) and meant not in tag.attributes
    }


def check_misspelt_names(tag: Tag, format_value: ValueFormatter = str) -> Iterator[Fault]:
    """Yields a fault for each misspelt attribute."""
    for name, meant in find_misspelt_names(tag).items():
        yield Fault(
            "misspelt-attribute", format_value(name) + f" is not an attribute of <{tag.name}>", f"write {meant}"
        )


def check_quotes(tag: Tag) -> Iterator[Fault]:
    """Yields a fault if a quote of an attribute is none of HTML's, or is lost, so that text became its value."""
    raw = tag.raw
    if match := _OTHER_QUOTE.search(_QUOTED.sub('""', raw)) if _MAY_HAVE_OTHER_QUOTE.search(raw) else None:
        message = f"the value of {match[1].lower()} begins with {match[2]}, which is not a quote of HTML"
        yield Fault("unclosed-quote", message, f'write {match[1].lower()}="…", with the straight quote " on both sides')
        return
    if "<" not in raw[1:] and raw.count('"') % 2 == 0 and raw.count("'") % 2 == 0:
        return
    broken = {match[1][1:-1] for match in _JUNK_AFTER_QUOTE.finditer(tag.raw) if _MARKUP.search(match[1][1:-1])}
    for name, value in tag.attributes.items():
        is_url = name in URL_ATTRIBUTES
        if value in broken or (is_url and re.search("[<>]", value)):
            yield Fault("unclosed-quote", f"the value of {name} goes on after its end: its second quote is missing")
            return
        is_odd = value[-1:] in {'"', "'"} and value.count(value[-1]) % 2 == 1
        if is_odd and f"={value}" in re.sub(r"\s*=\s*", "=", tag.raw):
            yield Fault("unclosed-quote", f"the value of {name} ends with a quote, but does not begin with one")
            return
