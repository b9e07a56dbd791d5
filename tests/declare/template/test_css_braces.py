"""CSS that Jinja takes for a comment is an error that names the cause, and the hint's step mends it."""

from __future__ import annotations

import pytest

from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates


@pytest.fixture
def templates(write):
    return Templates(write({"messages/css.html": "<style>\n@media print{#cols{width:1px}}</style>"}), RenderMonitor())


def _fault(templates, source):
    with pytest.raises(TemplateFault) as raised:
        templates.compile(source, html=True)
    return raised.value


@pytest.mark.parametrize(
    "source",
    [
        "<p>x</p>\n<style>@media (max-width:480px){#cols{width:100%}}</style><p>{{ n }}</p>{# the footer #}",
        "{# a comment {#nested #}\n<style>@media print{#cols{width:1px}}</style>",
        "{% raw %}{#inside{% endraw %}{{ '{#in a text' }}\n@media print{#cols{width:1px}} {# and a comment #}",
        "a\r\n@media print{#cols .b{width:1px}}",
        "<style>\n{#cols#}</style>",
    ],
)
def test_a_css_id_after_a_brace_is_no_comment(templates, source):
    fault = _fault(templates, source)
    assert (fault.code, fault.line) == ("template-syntax", 2)
    assert fault.name.startswith("{#cols")
    assert "{ #cols" in fault.hint
    mended = source.replace("{#cols", "{ #cols")
    assert templates.compile(mended, html=True).source == mended


@pytest.mark.parametrize(
    "source", ["{# a #}", "{#- a -#}", "{#\na\n#}", "{##}", "{#\ta #}", "{#### a ####}", "{# {#a #}"]
)
def test_a_comment_begins_with_white_space_a_dash_or_a_hash(templates, source):
    assert templates.compile(f"x{source}y", html=True).render(dict(templates.globals)) == "xy"


def test_it_is_found_in_an_include_too(templates):
    fault = _fault(templates, "{% include 'css.html' %}")
    assert (fault.file, fault.line, fault.excerpt) == ("messages/css.html", 2, "@media print{#cols{width:1px}}</style>")
