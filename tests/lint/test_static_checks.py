"""Comments that take in text, entities that are shown, links that lead nowhere: found in the text as it is written."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "body",
    [
        "<p>A</p>{# one\n<p>Important</p>\n{# two #}\n<p>B</p>",
        "<p>A</p>{# <p>{# inner #}</p>",
        "<style>@media x{#-x{a:b}</style><p>Important</p><style>a{color:#fff} b{#}</style>",
        "<script type='application/ld+json'>{# a</script><p>Important</p>{# b #}",
    ],
)
def test_a_comment_that_takes_in_text_is_found_where_it_begins(lint, body):
    (found,) = [problem for problem in lint(body=body) if problem.code == "unclosed-comment"]
    assert not found.is_error


@pytest.mark.parametrize(
    "body",
    [
        "<p>A</p>{# one #}<p>B</p>{# two #}",
        "<p>A</p>{# <style>a{b:c}</style> is left out #}",
        "<p>A</p>{#########\n# a box #\n#########}",
        "<style>a{b:c} {# the grid #} d{e:f}</style><p>A</p>",
        "<p>A</p>{# {{ name }} and {% if a %} #}",
        "<p>A</p>{% raw %}{# a {# b #}{% endraw %}",
    ],
)
def test_a_whole_comment_is_none(codes, body):
    assert "unclosed-comment" not in codes(body=body)


def test_a_comment_keeps_it_silent(codes):
    assert codes(body="<p>A</p>{# msgrun: ignore=unclosed-comment #}{# a {# b #}") == []


@pytest.mark.parametrize(
    "text", ["Hi&amp;nbsp;there", "caf&amp;eacute;", "it&amp;#39;s", "a &amp;hellip; b", "a&amp;#xA0;b"]
)
def test_an_entity_that_was_escaped_twice_is_a_warning(lint, text):
    (found,) = lint(body=f"<p>{text}</p>")
    assert (found.code, found.is_error, found.hint[:7]) == ("entity-shown", False, "write &")


@pytest.mark.parametrize(
    "text",
    [
        "R&amp;D;",
        "&amp;amp; and &amp;lt;",
        "<code>&amp;nbsp;</code>",
        "a&amp;b",
        "AT&amp;T; x",
    ],
)
def test_an_ampersand_that_is_meant_is_none(codes, text):
    assert codes(body=f"<p>{text}</p>") == []


@pytest.mark.parametrize("address", ["#", "#!", " # "])
def test_a_link_that_stands_for_one_to_come_is_an_error(codes, address):
    assert codes(body=f'<p><a href="{address}">Upgrade</a></p>') == ["empty-link"]


ANN = {"type": "user", "id": "u1", "vars": {"x": "b", "y": "c"}}


@pytest.mark.parametrize(
    "body",
    [
        "<p title={{ x }}>A</p>",
        "<p {{ x }}>A</p>",
        "<p data-{{ x }}='a'>A</p>",
        "<p title={{ x | upper }}>A</p>",
        "<p title=a{{ x }}b>A</p>",
        "<p title='a' {{ x }}='b'>A</p>",
        "<p>A</p><{{ x }}>",
        "<p>A</p></{{ x }}>",
        "<p>A</p><b{{ x }}>",
        "<p>A</p><!-- {{ x }}>-->",
        "<p>A</p><!-- {{ x }}{{ y }}!>-->",
        "<p>A</p><!--{{ x }}->-->",
        "<img src=https://example.com/{{ x }} alt=''><p>A</p>",
    ],
)
def test_a_value_that_may_build_html_is_found(lint, body):
    (found,) = [problem for problem in lint(body=body, to=ANN) if problem.code == "value-in-markup"][:1]
    assert found.is_error


@pytest.mark.parametrize(
    "body",
    [
        '<p title="{{ x }}">A</p>',
        "<p title='a {{ x }}'>A</p>",
        "<p>{{ x }} < 3 {{ y }}</p>",
        "<p>A</p><!-- {{ x }} -->",
        "<!--{{ x }}--><p>{{ y }}></p>",
        "<p {{ 'hidden' if x else '' }}>A</p>",
        "<p {% if x %}lang=en{% endif %}>A</p>",
        "<p title={{ product }}>A</p>",
        "<!--[if mso]><p>{{ x }}</p><![endif]--><p>A</p>",
        "<p style='color:{{ x }}'>A</p>",
    ],
)
def test_a_value_in_a_text_or_in_quotes_is_none(codes, body):
    assert "value-in-markup" not in codes(body=body, to=ANN)
