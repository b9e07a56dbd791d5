"""Explains tags of other template engines, which Jinja refuses in words of its own: what it is, and Jinja's form.

Sources: the public references of Liquid (Shopify), Handlebars, Go's text/template, Twig and Smarty.
"""

import html
import re
from collections.abc import Callable
from typing import NamedTuple

from runner.declare.template.tag_finder import find_faulty_tag


class Explanation(NamedTuple):
    """The words to point at, as they stand in the text, a message, and a hint."""

    mark: str
    message: str
    hint: str


class _Form(NamedTuple):
    """A form of another engine. `pattern` is searched for in a tag, and has the group `mark`; `hint` gets the match."""

    pattern: re.Pattern[str]
    message: str
    hint: Callable[[re.Match[str]], str]


def _form(pattern: str, message: str, hint: str | Callable[[re.Match[str]], str]) -> _Form:
    compiled = re.compile(pattern, re.DOTALL)
    return _Form(compiled, message, (lambda match: match.expand(hint)) if isinstance(hint, str) else hint)


_NO_DATES = "a template formats no dates: put the text into the data"
# Filters of Liquid, Django, Twig and others, and what to write in Jinja for `{{ x | FILTER(VALUE) }}`.
_FILTERS = {
    "upcase": "| upper",
    "downcase": "| lower",
    "titlecase": "| title",
    "strip": "| trim",
    "size": "| length",
    "strip_html": "| striptags",
    "raw": "| safe",
    "url_encode": "| urlencode",
    "json": "| tojson",
    "append": "~ VALUE",
    "fallback": "| default(VALUE)",
    "plus": "| float + VALUE",
    "minus": "| float - VALUE",
    "times": "| float * VALUE",
    "divided_by": "| float / VALUE",
    "floatformat": "| float | round(VALUE)",
    **dict.fromkeys(("date", "strftime", "format_date", "date_format", "time"), _NO_DATES),
}
_NAME = r"[A-Za-z_][\w.]*"
_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b"  # typographic: six double, four single
_STRAIGHT_QUOTES = str.maketrans(_QUOTES, '"' * 6 + "'" * 4)


def filter_hint(name: str, value: str = "") -> str:
    """Returns what to write in Jinja for a filter of another engine; empty if nothing is known."""
    written = _FILTERS.get(name, "")
    if written == _NO_DATES:
        return written
    return f"in Jinja: {written.replace('VALUE', value or '…')}" if written else ""


def _hint_for_colon(match: re.Match[str]) -> str:
    name, value = match["filter"], match["value"].strip()
    return filter_hint(name, value) or f"in Jinja a filter's values stand in parentheses: | {name}({value})"


def _hint_for_section(match: re.Match[str]) -> str:
    name = match["name"]
    test = f"not {name}" if match["sign"] == "^" else name
    loop = "" if match["sign"] == "^" else f"; for a list {{% for item in {name} %}} … {{% endfor %}}"
    return f"in Jinja: {{% if {test} %}} … {{% endif %}}{loop}"


def _without_html(match: re.Match[str]) -> str:
    return f"write {html.unescape(re.sub(r'<[^<>]*>', '', match.string))}"


def _with_straight_quotes(match: re.Match[str]) -> str:
    return f"write {match.string.translate(_STRAIGHT_QUOTES)}"


_FORMS = (
    _form(
        r"\{\{!(?:--|(?=\s))(?P<mark>)\s*(?P<text>[^}]*?)\s*(?:--)?\}\}",
        "{{! }} is a comment of Handlebars",
        r"in Jinja: {# \g<text> #}",
    ),
    _form(
        rf"(?P<mark>\{{\{{\{{)\s*(?P<name>{_NAME})\s*\}}\}}\}}",
        "three braces are Handlebars",
        r"in Jinja: {{ \g<name> }}",
    ),
    _form(
        rf"(?P<mark>[{_QUOTES}])",
        "a typographic quote is not a quote of Jinja",
        _with_straight_quotes,
    ),
    _form(r"(?P<mark>&(?:quot|apos|#39|#34|amp|lt|gt|nbsp);)", "an editor wrote this sign as HTML", _without_html),
    _form(r"(?P<mark></?[A-Za-z][^<>]*>)", "an editor put HTML inside the tag", _without_html),
    _form(r"(?P<mark>\\)", "a backslash before a brace is Handlebars", "remove it: Jinja has {% raw %} … {% endraw %}"),
    _form(
        rf"\{{\{{\s*\$(?P<mark>\{{)\s*(?P<name>{_NAME})\s*\}}",
        "${ } inside {{ }} is Braze",
        r"in Jinja: {{ \g<name> }}",
    ),
    _form(rf"\{{\{{\s*(?P<mark>::)\s*(?P<name>{_NAME})", "{{:: }} is AngularJS", r"in Jinja: {{ \g<name> }}"),
    _form(
        rf"\{{\{{\s*(?P<mark>[=&])\s*(?:it\.)?(?P<name>{_NAME})",
        "a sign before the name is another engine's",
        r"in Jinja: {{ \g<name> }}",
    ),
    _form(
        r"(?P<mark>\{\{)\s*[A-Za-z]\w*\s*:\s*[\"'\d]",
        "a name and a colon in {{ }} is JavaScript",
        'in HTML a style is text: style="…"',
    ),
    _form(
        rf"\{{\{{\s*(?P<left>{_NAME})\s*(?P<mark>\?\?|\?:)\s*(?P<right>[^}}]+?)\s*\}}\}}",
        "Jinja has no ?? and ?:",
        r"in Jinja: {{ \g<left> | default(\g<right>) }}",
    ),
    _form(
        r"\{\{[^}]*?\|\s*(?P<filter>\w+)\s*(?P<mark>:)\s*(?P<value>[^|}]+?)\s*[|}]",
        "a colon after the name of a filter is Liquid",
        _hint_for_colon,
    ),
    _form(
        rf"(?P<mark>\{{\{{~?\s*#(?P<word>if|unless|each|with)\b)\s*(?P<value>{_NAME})?",
        "a block in {{# }} is Handlebars",
        "",
    ),
    _form(r"(?P<mark>\{\{\s*/\s*(?:if|unless)\s*\}\})", "{{/if}} is Handlebars", "in Jinja: {% endif %}"),
    _form(
        r"(?P<mark>\{\{\s*/\s*(?:each|with)\s*\}\})",
        "a block that ends with {{/ is Handlebars",
        "in Jinja: {% endfor %}",
    ),
    _form(
        rf"(?P<mark>\{{\{{~?\s*(?P<sign>[#^])\s*(?P<name>{_NAME}))",
        "a section in {{# }} or {{^ }} is Mustache",
        _hint_for_section,
    ),
    _form(
        rf"(?P<mark>\{{\{{~?\s*/\s*{_NAME}\s*~?\}}\}})",
        "a section that ends with {{/ is Mustache",
        "in Jinja: {% endif %} or {% endfor %}",
    ),
    _form(
        r"\{\{\s*(?P<mark>>)\s*(?P<name>[\w./-]+)", "{{> }} is Handlebars", r'in Jinja: {% include "\g<name>.html" %}'
    ),
    _form(
        r"\{\{\s*(?P<mark>\.(?P<name>[A-Za-z]\w*))",
        "a name that begins with a dot is Go's template language",
        r"in Jinja: {{ \g<name> }}",
    ),
    _form(
        r"\{[{%][^}]*?(?P<mark>\$(?P<name>[A-Za-z_]\w*))",
        "a name that begins with $ is Smarty or PHP",
        r"in Jinja: \g<name>",
    ),
    _form(
        rf"\{{\{{[^}}]*?(?P<owner>{_NAME})(?P<mark>->|\?\.)(?P<name>\w+)",
        "Jinja reads an attribute with a dot",
        r"in Jinja: \g<owner>.\g<name>",
    ),
    _form(
        r"\{\{\s*(?P<test>[^}?]+?)\s*(?P<mark>\?)\s*(?P<yes>[^}:]+?)\s*:\s*(?P<no>[^}]+?)\s*\}\}",
        "Jinja has no ? and :",
        r"in Jinja: {{ \g<yes> if \g<test> else \g<no> }}",
    ),
    _form(r"\{[{%][^}]*?(?P<mark>&&)", "Jinja has no &&", "in Jinja: and"),
    _form(r"\{[{%][^}]*?(?P<mark>\|\|)", "Jinja has no ||", "in Jinja: or, as in {{ first_name or 'there' }}"),
    _form(r"\{[{%][^}]*?(?P<mark>!)(?!=)\s*(?P<name>[A-Za-z_]\w*)", "Jinja has no !", r"in Jinja: not \g<name>"),
    _form(r"\{%-?\s*(?P<mark>else\s*if|elsif|elseif)\b", "Jinja has no elsif", "in Jinja: {% elif … %}"),
    _form(
        r"\{%-?\s*(?P<mark>unless)\s+(?P<test>[^%]+?)\s*-?%\}",
        "unless is Liquid",
        r"in Jinja: {% if not \g<test> %} … {% endif %}",
    ),
    _form(r"\{%-?\s*(?P<mark>endunless)\b", "endunless is Liquid", "in Jinja: {% endif %}"),
    _form(r"\{%-?\s*(?P<mark>assign)\s+(?P<rest>[^%]+?)\s*-?%\}", "assign is Liquid", r"in Jinja: {% set \g<rest> %}"),
    _form(
        r"\{%-?\s*(?P<mark>capture)\s+(?P<name>\w+)",
        "capture is Liquid",
        r"in Jinja: {% set \g<name> %} … {% endset %}",
    ),
    _form(r"\{%-?\s*(?P<mark>endcapture)\b", "endcapture is Liquid", "in Jinja: {% endset %}"),
    _form(
        r"\{%-?\s*(?P<mark>case|when|endcase)\b", "case is Liquid", "in Jinja: {% if … %} … {% elif … %} … {% endif %}"
    ),
    _form(r"\{%-?\s*(?P<mark>(?:end)?comment)\b", "comment is Liquid", "in Jinja: {# … #}"),
    _form(r"\{%-?\s*(?P<mark>foreach)\b", "Jinja has no foreach", "in Jinja: {% for item in items %} … {% endfor %}"),
    _form(r"\{%-?\s*(?P<mark>end)\s*-?%\}", "Jinja names what ends", "in Jinja: {% endif %} or {% endfor %}"),
    _form(r"\{%-?\s*(?P<mark>empty)\s*-?%\}", "empty is Django", "in Jinja: {% else %}"),
    _form(
        r"\{%-?\s*(?P<mark>ifequal)\s+(?P<left>\S+)\s+(?P<right>\S+)\s*-?%\}",
        "ifequal is Django",
        r"in Jinja: {% if \g<left> == \g<right> %} … {% endif %}",
    ),
    _form(r"\{%-?\s*(?P<mark>load)\b", "load is Django", "remove it: a template uses what Jinja has"),
    _form(
        rf"\{{%-?\s*(?:if|elif)\s+(?P<left>{_NAME})\s+(?P<mark>contains)\s+(?P<right>[^%]+?)\s*-?%\}}",
        "contains is Liquid",
        r"in Jinja: {% if \g<right> in \g<left> %}",
    ),
    _form(
        rf"\{{%-?\s*for\s+(?P<item>\w+)\s+in\s+(?P<list>{_NAME})\s+(?P<mark>limit)\s*:\s*(?P<count>\w+)",
        "limit is Liquid",
        r"in Jinja: {% for \g<item> in \g<list>[:\g<count>] %}",
    ),
    _form(r"\{%-?\s*(?:if|elif)\b[^%]*?[^=!<>](?P<mark>=)(?!=)", "one = compares nothing", "in Jinja: =="),
    _form(
        rf"\{{%-?\s*(?P<mark>(?P<name>{_NAME}))\s*-?%\}}",
        "{% %} holds a statement, and a name is none",
        r"in Jinja: {{ \g<name> }}",
    ),
    _form(
        r"\{\{\s*(?P<mark>(?P<first>[A-Za-z_]\w*)\s+(?P<second>[A-Za-z_]\w*))\s*\}\}",
        "the name of a variable is one word",
        r"write {{ \g<first>_\g<second> }}, and name it so in the data",
    ),
)
_BLOCKS = {
    "if": "{% if VALUE %} … {% endif %}",
    "unless": "{% if not VALUE %} … {% endif %}",
    "each": "{% for item in VALUE %} … {% endfor %}",
    "with": "{% set item = VALUE %}",
}


def explain_other_engine(line: str) -> Explanation | None:
    """Returns what a line that Jinja cannot parse has of another engine; None if every tag may be Jinja's.

    If nothing is known about the tag, the message is empty.
    """
    tag = find_faulty_tag(line)
    if tag is None:
        return None
    for form in _FORMS:
        if match := form.pattern.search(tag[0]):
            hint = form.hint(match)
            if not hint:
                hint = "in Jinja: " + _BLOCKS[match["word"]].replace("VALUE", match["value"] or "…")
            start = match.start("mark") if match["mark"] else 0
            return Explanation(line[tag.start() + start : tag.end()].splitlines()[0], form.message, hint)
    return Explanation(tag[0].splitlines()[0], "", "")
