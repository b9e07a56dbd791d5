"""Finds CSS and scripts in a template that Jinja takes for its own tags, as in `@media print{#cols{…}}`."""

import re
from collections.abc import Iterator
from itertools import islice

import jinja2

from runner.declare.template.language import TemplateFault

# A comment of Jinja begins with `{#` and white space, `-` or `#`. In CSS, `{#cols` begins a rule for an id.
_COMMENT_OF_CSS = re.compile(r"\{#(?![\s#-])[^\s{}]{0,20}\w*")
_FIRST_WORDS = re.compile(r".{2,12}\w*")  # enough to find a tag again in its line
_CODE_START = re.compile(r"<(style|script)\b", re.IGNORECASE)
_TAG_START = re.compile(r"\{[{%]")
_MAX_TRIES = 20  # tags that are tried; each try parses the whole text


def check_comments(source: str, environment: jinja2.Environment) -> None:
    """Raises TemplateFault at the first `{#` that begins a comment although it is more likely CSS."""
    if not _COMMENT_OF_CSS.search(source):
        return
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    position = 0
    try:
        for _, kind, value in environment.lexer.tokeniter(source, None):
            start = source.index(value, position)
            position = start + len(value)
            match = _COMMENT_OF_CSS.match(source, start) if kind == "comment_begin" else None
            if match:
                written = match.group()
                message = f"{written} begins a Jinja comment, which leaves out all text up to the next #}}"
                hint = f"write {{ {written[1:]} with a space after the brace; a comment has a space too: {{# … #}}"
                raise TemplateFault("template-syntax", message, hint, _line_of(source, start), name=written)
    except jinja2.TemplateSyntaxError:
        return  # a syntax error further on: the parser reports it


def explain_syntax_error(source: str, environment: jinja2.Environment) -> TemplateFault | None:
    """Returns the fault of braces in CSS or in a script that are the only syntax error; None if they are not."""
    for element, start in islice(_find_tags_in_code(source), _MAX_TRIES):
        try:
            environment.parse(f"{source[: start + 1]} {source[start + 1 :]}")
        except jinja2.TemplateSyntaxError:
            continue
        tag = source[start : start + 2]
        message = f"inside <{element}>, {tag} begins {'an expression' if tag == '{{' else 'a statement'} of Jinja"
        hint = f"put a space between the two characters: {tag[0]} {tag[1]}"
        words = _FIRST_WORDS.match(source, start)
        return TemplateFault(
            "template-syntax", message, hint, _line_of(source, start), name=words.group() if words else tag
        )
    return None


def _find_tags_in_code(source: str) -> Iterator[tuple[str, int]]:
    """Yields each `{{` and `{%` in a style sheet or a script: the name of its element, its offset."""
    end = 0
    while code := _CODE_START.search(source, end):
        close = re.compile(f"</{code[1]}", re.IGNORECASE).search(source, code.end())
        if not close:
            return
        element, end = code[1].lower(), close.start()
        yield from ((element, tag.start()) for tag in _TAG_START.finditer(source, code.end(), end))


def _line_of(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1
