"""Says what a tag is that HTML does not know: a placeholder, a tag of another tool, a misspelt one, or a literal <."""

import re

from runner.declare.similar_names import closest_match
from runner.lint.html import KNOWN_TAGS, Tag, split_names
from runner.lint.placeholders import find_placeholders
from runner.lint.text_checks import Fault, ValueFormatter

# Tags of Campaign Monitor's templates: around a link that it makes, around text that its editor changes, of dates.
_LINK_TAGS = {
    "unsubscribe": "unsubscribe_url",
    "preferences": "preferences_url",
    "webversion": "web_version_url",
    "forwardtoafriend": "forward_url",
}
_EDITOR_TAGS = split_names("singleline multiline repeater layout repeatertitle tableofcontents")
_DATE_TAGS = split_names("currentday currentdayname currentmonth currentmonthname currentyear")
_PLAIN = re.compile(r"<([^\W\d][\w .-]*?)\s*/?>")
_MIN_SIMILARITY = 0.8


def check_unknown_tag(tag: Tag, format_value: ValueFormatter) -> Fault | None:
    """Returns the fault of a tag that HTML does not know; None for the end of a tag that is reported where it begins.

    `format_value` returns a part of the tag as the message may show it. A hint shows no recipient's value.
    """
    name, is_written = tag.name, format_value is str
    shown = format_value(tag.raw)
    if name in _LINK_TAGS:
        if tag.is_end:
            return None
        message = shown + " makes a link in another tool, and nothing here"
        return Fault("single-brace", message, f'write a link: <a href="{{{{ {_LINK_TAGS[name]} }}}}">…</a>')
    message = f"HTML knows no <{'/' if tag.is_end else ''}" + format_value(name) + ">"
    if not is_written or tag.is_end:
        is_field = not tag.is_end and any(find_placeholders(tag.raw))
        return Fault("single-brace", shown + _FIELD) if is_field else Fault("unknown-tag", message)
    if placeholder := next(find_placeholders(tag.raw), None):
        return Fault("single-brace", shown + _FIELD, f"{placeholder.hint} in place of it, without < and >")
    return Fault("unknown-tag", message, _suggest(tag))


_FIELD = " is a placeholder of another tool: nothing fills it in here"


def _suggest(tag: Tag) -> str:
    """Returns the hint for an unknown tag; empty if it may be anything."""
    name = tag.name
    if name.startswith("mj-") or name == "mjml":
        return "this is MJML: compile it to HTML first"
    if name in _EDITOR_TAGS:
        return "this is a tag of a template editor: remove it, and keep the text in it"
    if name in _DATE_TAGS:
        return "write the date itself"
    if meant := closest_match(name, sorted(KNOWN_TAGS), _MIN_SIMILARITY) if len(name) > 1 else "":
        return f"did you mean <{meant}>? For a literal < write &lt;"
    if plain := _PLAIN.fullmatch(tag.raw):
        variable = "_".join(re.findall(r"[a-z0-9_]+", plain[1].lower()))
        return f"for a value write {{{{ {variable} }}}}, for a literal < write &lt;"
    return ""
