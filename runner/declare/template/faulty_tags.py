"""Finds the tag that Jinja cannot parse, and explains one of Liquid, which Intercom's own texts resemble.

Jinja names only the line, which may be a whole minified body.

Source: the public reference of Liquid (Shopify).
"""

import re
from functools import cache
from itertools import islice
from typing import NamedTuple

import jinja2
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from runner.declare.similar_names import did_you_mean


class Explanation(NamedTuple):
    """The words to point at, as they stand in the text, a message, and a hint."""

    mark: str
    message: str
    hint: str


_JINJA_HINT = "see the tags and filters of Jinja's template documentation"
_NO_DATES = "a template formats no dates: put the text into the data"
# Filters of Liquid, Django and Twig, and what to write in Jinja for `{{ x | FILTER }}`.
_FILTER_HINTS = {
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
    (r"(?P<mark>[“”„‟«»‘’‚‛])", "a typographic quote is not a quote of Jinja", "write \" or '"),  # noqa: RUF001
    (r"(?P<mark>&(?:quot|apos|#39|#34|amp|lt|gt|nbsp);)", "an editor wrote this sign as HTML", "write the sign itself"),
    (r"(?P<mark></?[A-Za-z][^<>]*>)", "an editor put HTML inside the tag", "move it out of the braces"),
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
# These patterns are compiled where there is a fault. Of a tag of any engine, a longer one is not looked at, so that the
# search takes linear time.
_ANY_TAG = r"\{\{\{[^{}]{0,500}\}\}\}|\{\{\s*\$\{[^{}]{0,200}\}[^{}]{0,300}\}\}|\{\{[^{}]{0,500}\}\}|\{%[^{}]{0,500}%\}"
_WORD = r"\{%[-+]?\s*(\w*)"
_WHOLE = {"if": "{0}{{% endif %}}", "for": "{0}{{% endfor %}}", "elif": "{{% if x %}}{0}{{% endif %}}"}
_STATEMENT = (
    r"\{%[-+]?\s*(?:(?:(?:end)?(?:autoescape|block|call|filter|for|if|macro|raw|set|with)|extends|from|import|include)\b"
    r"|else\s*[-+]?%\})"
)
_BLOCK = r"\{%[-+]?\s*(end)?(if|for|macro|call|filter|block|with|autoescape)\b[^{}]{0,500}%\}"
_MAX_TAGS = 2_000  # tags of one line that are parsed, each in a tenth of a millisecond
_COLON = r"\|\s*(?P<name>\w+)\s*:\s*(?P<value>[^|}]*[^|}\s])?"


def explain_line(jinja_message: str, line: str) -> Explanation:
    """Returns what is wrong with a line that Jinja cannot parse; the message is empty where Jinja's own says it."""
    if unknown := re.match(r"No (filter|test) named '(\w+)'", jinja_message):
        kind, name = unknown.groups()
        use = re.search(rf"(?:\||\bis(?: not)?\b)\s*{re.escape(name)}\b", line)
        similar = did_you_mean(name, [other for other in (FILTERS if kind == "filter" else TESTS) if other != name])
        hint = _FILTER_HINTS.get(name) or similar or _JINJA_HINT
        return Explanation(use[0] if use else "", f"there is no {kind} {name}", hint)
    if (tag := find_faulty_tag(line)) is None:
        return Explanation("", "", _JINJA_HINT if "Encountered unknown tag" in jinja_message else "")
    for pattern, message, hint in _FORMS:
        if match := re.search(pattern, tag[0]):
            return Explanation(line[tag.start() + match.start("mark") : tag.end()], message, match.expand(hint))
    if colon := re.search(_COLON, tag[0]):
        name, value = colon["name"], colon["value"] or "…"
        hint = _FILTER_HINTS.get(name) or f"in Jinja a filter's values stand in parentheses: | {name}({value})"
        return Explanation(colon[0], "a colon after the name of a filter is Liquid", hint)
    return Explanation(tag[0], "", _JINJA_HINT)


def find_faulty_tag(line: str) -> re.Match[str] | None:
    """Returns the first tag of a line that is not a tag of Jinja; None if each of them may be one."""
    return next((tag for tag in islice(re.finditer(_ANY_TAG, line), _MAX_TAGS) if not _is_sound(tag[0])), None)


def find_open_block(source: str) -> re.Match[str] | None:
    """Returns the last tag that begins a block which nothing ends; None if there is none."""
    open_blocks: list[re.Match[str]] = []
    for tag in re.finditer(_BLOCK, source):
        if not tag[1]:
            open_blocks.append(tag)
        elif open_blocks and open_blocks[-1][2] == tag[2]:
            open_blocks.pop()
    return open_blocks[-1] if open_blocks else None


def _is_sound(tag: str) -> bool:
    word = re.match(_WORD, tag)
    if word and word[1] not in _WHOLE:
        return re.match(_STATEMENT, tag) is not None
    try:
        _environment().parse(_WHOLE[word[1]].format(tag) if word else tag)
    except jinja2.TemplateSyntaxError:
        return False
    return True


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(autoescape=True)
