"""Checks one tag and its attributes, as written and as rendered: misspelt names, lost quotes, what it links to."""

import re
from collections.abc import Iterator

from runner.characters import unescape_html
from runner.declare.similar_names import closest_match, is_one_slip
from runner.lint.html import DRAWING_TAGS, KNOWN_TAGS, VALUE_CHAR, Tag, is_known_tag
from runner.lint.links import check_anchor_url, check_image_url, check_url
from runner.lint.placeholders import Placeholder, find_placeholders, find_placeholders_in_url
from runner.lint.template_layout import RAW_VALUE_CHAR
from runner.lint.text_checks import Fault, ValueFormatter, find_mojibake
from runner.mail_elements import is_mail_attribute, is_mail_element, split_names

ANCHOR_TAGS = ("a", "area")
_LINK_ATTRIBUTES = ("href", "action", "formaction", "background", "poster", "data")
_TAG_RULES = {
    **{
        name: Fault("uncommon-html", f"mail clients display <{name}> in different ways")
        for name in KNOWN_TAGS - DRAWING_TAGS
        if not is_mail_element(name)
    },
    "form": Fault("form", "<form> does not work in a message"),
    **{name: Fault("iframe", f"<{name}> is removed by mail clients") for name in ("iframe", "object", "embed")},
}
_PLAIN_TAG = re.compile(r"<([^\W\d][\w .-]*?)\s*/?>")
_MIN_SIMILARITY = 0.8  # of a misspelt tag to one of HTML
_DATA_SCRIPT_TYPES = ("application/ld+json", "application/json")
URL_ATTRIBUTES = split_names("href src srcset action formaction background poster cite longdesc")
# Attributes whose misspelling changes what the reader sees.
_CHECKED_NAMES = split_names(
    "href src alt style class width height align valign target title border bgcolor cellpadding cellspacing colspan "
    "rowspan"
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


def check_tag(tag: Tag, format_value: ValueFormatter = str) -> Iterator[Fault]:
    """Yields the faults that a tag has by itself."""
    name, attributes = tag.name, tag.attributes
    if not is_known_tag(name):
        yield _unknown_fault(tag, format_value)
    if tag.is_end:
        return
    if name == "script" and attributes.get("type", "").lower() not in _DATA_SCRIPT_TYPES:
        yield Fault("script", "<script> is not run, and may be shown")
    if name in _TAG_RULES:
        yield _TAG_RULES[name]
    if quote_faults := list(_check_quotes(tag)):
        yield from quote_faults  # the attributes after it are text
        return
    if not is_known_tag(name):
        return
    yield from _check_misspelt_names(tag, format_value)
    for attribute, value in attributes.items():
        if attribute != "style":
            yield from _check_attribute(name, attribute, unescape_html(value), format_value)
    if name == "img":
        yield from _check_image(tag, format_value)


def _unknown_fault(tag: Tag, format_value: ValueFormatter) -> Fault:
    """Returns the fault of a tag that HTML does not know. A hint shows no recipient's value."""
    is_written = format_value is str
    if not tag.is_end and (placeholder := next(find_placeholders(tag.raw), None)):
        message = format_value(tag.raw) + " is a placeholder of another tool: nothing fills it in here"
        return Fault("single-brace", message, f"{placeholder.hint} in place of it, without < and >" * is_written)
    message = f"HTML knows no <{'/' if tag.is_end else ''}" + format_value(tag.name) + ">"
    return Fault("unknown-tag", message, "" if tag.is_end or not is_written else _suggest_tag(tag))


def _suggest_tag(tag: Tag) -> str:
    """Returns the hint for an unknown tag; empty if it may be anything."""
    if tag.name.startswith("mj-") or tag.name == "mjml":
        return "this is MJML: compile it to HTML first"
    if meant := closest_match(tag.name, sorted(KNOWN_TAGS), _MIN_SIMILARITY) if len(tag.name) > 1 else "":
        return f"did you mean <{meant}>? For a literal < write &lt;"
    if plain := _PLAIN_TAG.fullmatch(tag.raw):
        variable = "_".join(re.findall(r"[a-z0-9_]+", plain[1].lower()))
        return f"for a value write {{{{ {variable} }}}}, for a literal < write &lt;"
    return ""


def _check_attribute(tag_name: str, attribute: str, value: str, format_value: ValueFormatter) -> Iterator[Fault]:
    if attribute.startswith("on") and attribute.isalpha():
        yield Fault("event-handler", f"{attribute} is removed by mail clients")
    find = find_placeholders_in_url if attribute in URL_ATTRIBUTES else find_placeholders
    placeholders = [leftover_fault(placeholder, format_value) for placeholder in find(value)]
    yield from placeholders
    if attribute in _LINK_ATTRIBUTES and not placeholders:
        is_anchor = attribute == "href" and (tag_name in ANCHOR_TAGS or tag_name.startswith("v:"))
        fault = check_anchor_url(value, format_value) if is_anchor else check_url(value, format_value)
        if fault:
            yield fault
    if attribute in {"alt", "title"}:
        yield from (garbled_fault(part, meant, format_value) for _, part, meant in find_mojibake(value))


def _check_image(tag: Tag, format_value: ValueFormatter) -> Iterator[Fault]:
    names = {*tag.attributes, *_find_misspelt_names(tag).values()}
    if "alt" not in names:
        yield Fault("image-alt", "this image has no alt")
    src = tag.attributes.get("src", "")
    is_misspelt = "src" in names and "src" not in tag.attributes
    if is_misspelt or src.startswith((VALUE_CHAR, RAW_VALUE_CHAR)):  # values that are printed are checked by themselves
        return
    fault = check_url(unescape_html(src), format_value)
    if fault is None or fault.code == "http-link":
        fault = check_image_url(src)
    if fault:
        yield fault


def garbled_fault(part: str, meant: str, format_value: ValueFormatter = str) -> Fault:
    """Returns the fault of a garbled part of a text, which means `meant`; if that is empty, it is lost."""
    if not meant:
        return Fault("mojibake", "U+FFFD stands here: a character that was lost", "write the character that was there")
    return Fault("mojibake", format_value(part) + " is " + format_value(meant) + " in a wrong encoding")


def leftover_fault(placeholder: Placeholder, format_value: ValueFormatter = str) -> Fault:
    """Returns the fault of a placeholder that stands in a text."""
    hint = placeholder.hint if format_value is str else ""  # a hint shows no recipient's value
    quote = '"' if placeholder.code != "single-brace" else ""  # its words read like those of the sentence
    return Fault(placeholder.code, quote + format_value(placeholder.text) + f"{quote} is sent as it stands", hint)


def _find_misspelt_names(tag: Tag) -> dict[str, str]:
    """Maps each misspelt attribute of a tag to the name that is meant."""
    return {
        name: meant
        for name in tag.attributes
        if name.isalpha() and not is_mail_attribute(name)
        for meant in sorted(_CHECKED_NAMES)
        if is_one_slip(name, meant) and meant not in tag.attributes
    }


def _check_misspelt_names(tag: Tag, format_value: ValueFormatter) -> Iterator[Fault]:
    """Yields a fault for each misspelt attribute."""
    for name, meant in _find_misspelt_names(tag).items():
        yield Fault(
            "misspelt-attribute", format_value(name) + f" is not an attribute of <{tag.name}>", f"write {meant}"
        )


def _check_quotes(tag: Tag) -> Iterator[Fault]:
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
