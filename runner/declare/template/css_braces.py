"""Finds CSS in a template that Jinja takes for a comment, as in `@media print{#cols{…}}`."""

import re

import jinja2

from runner.declare.template.language import TemplateFault

# A comment of Jinja begins with `{#` and white space, `-` or `#`. In CSS, `{#cols` begins a rule for an id.
_COMMENT_OF_CSS = re.compile(r"\{#(?![\s#-])[^\s{}]{0,20}\w*")


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
                raise TemplateFault("template-syntax", message, hint, source.count("\n", 0, start) + 1, name=written)
    except jinja2.TemplateSyntaxError:
        return  # a syntax error further on: the parser reports it
