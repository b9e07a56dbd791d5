"""Explains tags of other template engines, which Jinja refuses in words of its own: what it is, and Jinja's form.

Sources: the public references of Liquid (Shopify), Handlebars, Go's text/template, Twig and Smarty.
"""

import re
from collections.abc import Callable
from typing import NamedTuple


class Explanation(NamedTuple):
    """The words to point at, as they stand in the text, a message, and a hint."""

    mark: str
    message: str
    hint: str


class _Form(NamedTuple):
    """A form of another engine. `pattern` has the group `mark`; `hint` gets the match."""

    pattern: re.Pattern[str]
    message: str
    hint: Callable[[re.Match[str]], str]


def _form(pattern: str, message: str, hint: str) -> _Form:
    compiled = re.compile(pattern, re.DOTALL)
    return _Form(compiled, message, lambda match: match.expand(hint))


_NAME = r"[A-Za-z_][\w.]*"
_FORMS = (
    _form(
        r"\{\{[^}]*?\|\s*(?P<filter>\w+)\s*(?P<mark>:)\s*(?P<value>[^|}]+?)\s*[|}]",
        "a colon after the name of a filter is Liquid",
        r"in Jinja a filter's values stand in parentheses: | \g<filter>(\g<value>)",
    ),
    _form(
        rf"(?P<mark>\{{\{{\s*#(?P<word>if|unless|each|with)\b)\s*(?P<value>{_NAME})?",
        "a block in {{# }} is Handlebars",
        "",
    ),
    _form(r"(?P<mark>\{\{\s*/\s*(?:if|unless)\s*\}\})", "{{/if}} is Handlebars", "in Jinja: {% endif %}"),
    _form(
        r"(?P<mark>\{\{\s*/\s*(?:each|with)\s*\}\})",
        "a block that ends with {{/ is Handlebars",
        "in Jinja: {% endfor %}",
    ),
    _form(r"(?P<mark>\{\{\s*else\s*\}\})", "{{else}} is Handlebars", "in Jinja: {% else %}"),
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
)
# A tag of any engine. A longer one is not looked at, so that the search takes linear time.
_TAG = re.compile(r"\{\{[^{}]{0,500}\}\}|\{%[^{}]{0,500}%\}")
_BLOCKS = {
    "if": "{% if VALUE %} … {% endif %}",
    "unless": "{% if not VALUE %} … {% endif %}",
    "each": "{% for item in VALUE %} … {% endfor %}",
    "with": "{% set item = VALUE %}",
}


def explain_other_engine(text: str) -> Explanation | None:
    """Returns what a text that Jinja cannot parse has of another engine; None if nothing is known."""
    for tag in _TAG.finditer(text):
        for form in _FORMS:
            if match := form.pattern.search(tag[0]):
                hint = form.hint(match)
                if not hint:
                    hint = "in Jinja: " + _BLOCKS[match["word"]].replace("VALUE", match["value"] or "…")
                mark = text[tag.start() + match.start("mark") :].splitlines()[0]
                return Explanation(mark, form.message, hint)
    return None
