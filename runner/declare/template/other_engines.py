"""Explains tags of other template engines, which Jinja refuses in words of its own: what it is, and Jinja's form.

Sources: the public references of Liquid (Shopify), Handlebars, Go's text/template, Braze and Smarty.
"""

import re
from typing import NamedTuple

from runner.declare.template.tag_finder import find_faulty_tag


class Explanation(NamedTuple):
    """The words to point at, as they stand in the text, a message, and a hint."""

    mark: str
    message: str
    hint: str


_NO_DATES = "a template formats no dates: put the text into the data"
# Filters of Liquid, Django and Twig, and what to write in Jinja for `{{ x | FILTER }}`.
_FILTERS = {
    "upcase": "in Jinja: | upper",
    "downcase": "in Jinja: | lower",
    "titlecase": "in Jinja: | title",
    "strip": "in Jinja: | trim",
    "size": "in Jinja: | length",
    "strip_html": "in Jinja: | striptags",
    "raw": "in Jinja: | safe",
    "url_encode": "in Jinja: | urlencode",
    "append": "in Jinja: ~ …",
    "fallback": "in Jinja: | default(…)",
    **dict.fromkeys(("date", "strftime", "format_date", "date_format", "time"), _NO_DATES),
}
_NAME = r"[A-Za-z_][\w.]*"
# What is searched for in a tag, in this order. The group `mark` is pointed at; a hint may repeat the other groups.
_FORMS = (
    (r"(?P<mark>\{\{!)", "{{! }} is a comment of Handlebars", "in Jinja: {# … #}"),
    (rf"(?P<mark>\{{\{{\{{)\s*(?P<name>{_NAME})", "three braces are Handlebars", r"in Jinja: {{ \g<name> }}"),
    (r"(?P<mark>[“”„‟«»‘’‚‛])", "a typographic quote is not a quote of Jinja", "write \" or '"),  # noqa: RUF001
    (r"(?P<mark>&(?:quot|apos|#39|#34|amp|lt|gt|nbsp);)", "an editor wrote this sign as HTML", "write the sign itself"),
    (r"(?P<mark></?[A-Za-z][^<>]*>)", "an editor put HTML inside the tag", "move it out of the braces"),
    (rf"(?P<mark>\$\{{)\s*(?P<name>{_NAME})", "${ } inside {{ }} is Braze", r"in Jinja: {{ \g<name> }}"),
    (
        rf"(?P<mark>\{{\{{~?\s*(?:\^|#unless\b)\s*(?P<name>{_NAME}))",
        "a block in {{# }} or {{^ }} is Handlebars or Mustache",
        r"in Jinja: {% if not \g<name> %} … {% endif %}",
    ),
    (
        rf"(?P<mark>\{{\{{~?\s*#(?:(?:if|each|with)\b\s*)?(?P<name>{_NAME}))",
        "a block in {{# }} or {{^ }} is Handlebars or Mustache",
        r"in Jinja: {% if \g<name> %} … {% endif %}; for a list {% for item in \g<name> %} … {% endfor %}",
    ),
    (
        r"(?P<mark>\{\{~?\s*/)",
        "a block that ends with {{/ is Handlebars or Mustache",
        "in Jinja: {% endif %} or {% endfor %}",
    ),
    (r"(?P<mark>\{\{\s*>)\s*(?P<name>[\w./-]+)", "{{> }} is Handlebars", r'in Jinja: {% include "\g<name>.html" %}'),
    (r"\{\{\s*(?P<mark>\.(?P<name>\w+))", "a name that begins with a dot is Go's", r"in Jinja: {{ \g<name> }}"),
    (r"(?P<mark>\$(?P<name>[A-Za-z_]\w*))", "a name that begins with $ is Smarty or PHP", r"in Jinja: \g<name>"),
    (
        rf"(?P<owner>{_NAME})(?P<mark>->|\?\.)(?P<name>\w+)",
        "Jinja reads an attribute with a dot",
        r"in Jinja: \g<owner>.\g<name>",
    ),
    (r"(?P<mark>\?\?|\?:)", "Jinja has no ?? and ?:", "in Jinja: | default(…)"),
    (r"(?P<mark>\?)[^:]*:", "Jinja has no ? and :", "in Jinja: {{ … if … else … }}"),
    (r"(?P<mark>&&)", "Jinja has no &&", "in Jinja: and"),
    (r"(?P<mark>\|\|)", "Jinja has no ||", "in Jinja: or, as in {{ first_name or 'there' }}"),
    (r"(?P<mark>!)(?!=)\s*(?P<name>\w+)", "Jinja has no !", r"in Jinja: not \g<name>"),
    (r"\{%-?\s*(?P<mark>else\s*if|elsif|elseif)\b", "Jinja has no elsif", "in Jinja: {% elif … %}"),
    (r"\{%-?\s*(?P<mark>(?:end)?unless)\b", "unless is Liquid", "in Jinja: {% if not … %} … {% endif %}"),
    (r"\{%-?\s*(?P<mark>assign)\s+(?P<rest>[^%]+?)\s*-?%\}", "assign is Liquid", r"in Jinja: {% set \g<rest> %}"),
    (r"\{%-?\s*(?P<mark>(?:end)?capture)\b", "capture is Liquid", "in Jinja: {% set … %} … {% endset %}"),
    (r"\{%-?\s*(?P<mark>case|when|endcase)\b", "case is Liquid", "in Jinja: {% if … %} … {% elif … %} … {% endif %}"),
    (r"\{%-?\s*(?P<mark>(?:end)?comment)\b", "comment is Liquid", "in Jinja: {# … #}"),
    (r"\s(?P<mark>contains)\s", "contains is Liquid", "in Jinja: {% if … in … %}"),
    (r"\{%-?\s*(?:if|elif)\b[^%]*?[^=!<>](?P<mark>=)(?!=)", "one = compares nothing", "in Jinja: =="),
    (
        rf"\{{%-?\s*(?P<mark>(?P<name>{_NAME}))\s*-?%\}}",
        "{% %} holds a statement, and a name is none",
        r"in Jinja: {{ \g<name> }}",
    ),
)
_COLON = re.compile(r"\|\s*(?P<name>\w+)\s*:\s*(?P<value>[^|}]*[^|}\s])?")


def filter_hint(name: str) -> str:
    """Returns what to write in Jinja for a filter of another engine; empty if nothing is known."""
    return _FILTERS.get(name, "")


def explain_other_engine(line: str) -> Explanation | None:
    """Returns what a line that Jinja cannot parse has of another engine; None if every tag may be Jinja's.

    If nothing is known about the tag, the message is empty.
    """
    tag = find_faulty_tag(line)
    if tag is None:
        return None
    for pattern, message, hint in _FORMS:
        if match := re.search(pattern, tag[0]):
            return Explanation(line[tag.start() + match.start("mark") : tag.end()], message, match.expand(hint))
    if colon := _COLON.search(tag[0]):
        name, value = colon["name"], colon["value"] or "…"
        hint = filter_hint(name) or f"in Jinja a filter's values stand in parentheses: | {name}({value})"
        return Explanation(colon[0], "a colon after the name of a filter is Liquid", hint)
    return Explanation(tag[0], "", "")
