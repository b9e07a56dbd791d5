"""Finds the tag that Jinja cannot parse: Jinja names only its line, which may be a whole minified body."""

import re
from functools import cache
from itertools import islice

import jinja2

# A tag of any engine. A longer one is not looked at, so that the search takes linear time.
_TAG = re.compile(
    r"\{\{\{[^{}]{0,500}\}\}\}|\{\{\s*\$\{[^{}]{0,200}\}[^{}]{0,300}\}\}|\{\{[^{}]{0,500}\}\}|\{%[^{}]{0,500}%\}"
)
_WORD = re.compile(r"\{%[-+]?\s*(\w*)")
_WHOLE = {"if": "{0}{{% endif %}}", "for": "{0}{{% endfor %}}", "elif": "{{% if x %}}{0}{{% endif %}}"}
_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:(?:(?:end)?(?:autoescape|block|call|filter|for|if|macro|raw|set|with)|extends|from|import|include)\b"
    r"|else\s*[-+]?%\})"
)
_BLOCK = re.compile(r"\{%[-+]?\s*(end)?(if|for|macro|call|filter|block|with|autoescape)\b[^{}]{0,500}%\}")
_MAX_TAGS = 2_000  # tags of one line that are parsed, each in a tenth of a millisecond


def find_faulty_tag(line: str) -> re.Match[str] | None:
    """Returns the first tag of a line that is not a tag of Jinja; None if each of them may be one."""
    return next((tag for tag in islice(_TAG.finditer(line), _MAX_TAGS) if not _is_sound(tag[0])), None)


def find_open_block(source: str) -> re.Match[str] | None:
    """Returns the last tag that begins a block which nothing ends; None if there is none."""
    open_blocks: list[re.Match[str]] = []
    for tag in _BLOCK.finditer(source):
        if not tag[1]:
            open_blocks.append(tag)
        elif open_blocks and open_blocks[-1][2] == tag[2]:
            open_blocks.pop()
    return open_blocks[-1] if open_blocks else None


def _is_sound(tag: str) -> bool:
    word = _WORD.match(tag)
    if word and word[1] not in _WHOLE:
        return _STATEMENT.match(tag) is not None
    try:
        _environment().parse(_WHOLE[word[1]].format(tag) if word else tag)
    except jinja2.TemplateSyntaxError:
        return False
    return True


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(autoescape=True)
