"""A text that is filled in without Jinja's machinery is the text that Jinja renders, and fails where Jinja fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.template import template
from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.substitution import split_pieces
from runner.declare.template.template import Templates
from runner.declare.tree import Tree

NAMES = ("a", "b", "name")
WORDS = st.text(st.sampled_from("x %s{}<&\"'\r\n\té\u2028"), max_size=8)
OPENS, CLOSES = st.sampled_from(("{{", "{{ ", "{{- ")), st.sampled_from(("}}", " }}", " -}}"))
PLAIN = st.tuples(WORDS, OPENS, st.sampled_from(NAMES), CLOSES).map("".join)
TEXTS = st.one_of(st.text(max_size=5), st.text("<&\"'%", max_size=5), st.just("x" * 2000))
VALUES = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.just([1]))
MORE = ["{{ a | upper }}", "{% if a %}x{% endif %}", "{{ self }}", "{{ a.b }}", "{{ 1 }}", "{{ range }}", "{{ true }}"]


def told(templates: Templates, source: str, values: dict[str, object], *, html: bool) -> tuple[object, ...]:
    try:
        return (templates.compile(source, html=html).render({**templates.globals, **values}),)
    except TemplateFault as fault:
        return fault.code, fault.message, fault.line, fault.name


@given(st.lists(PLAIN, max_size=4).map("".join), WORDS, st.dictionaries(st.sampled_from(NAMES), VALUES), st.booleans())
def test_it_is_the_text_that_jinja_renders(tmp_path_factory, source, end, values, html):
    tree = Tree(tmp_path_factory.getbasetemp())
    with pytest.MonkeyPatch.context() as patch:
        found = told(Templates(tree, RenderMonitor()), source + end, values, html=html)
        patch.setattr(template, "split_pieces", lambda *_: None)
        assert found == told(Templates(tree, RenderMonitor()), source + end, values, html=html)


@pytest.mark.parametrize("source", MORE)
def test_what_is_more_than_words_and_variables_is_left_to_jinja(source, tmp_path):
    templates = Templates(Tree(tmp_path), RenderMonitor())
    tree = templates._plain.parse(source)
    assert split_pieces(tree, {"self", *templates.globals}) is None


def test_what_could_grow_beyond_a_text_is_left_to_jinja(tmp_path):
    templates = Templates(Tree(tmp_path), RenderMonitor())
    assert split_pieces(templates._plain.parse("{{ a }}" * 200), set())
    assert split_pieces(templates._plain.parse("{{ a }}" * 300), set()) is None
    with pytest.raises(TemplateFault, match="longer than"):
        templates.compile("{{ a }}" * 2000, html=True).render({"a": "<" * 999})


def test_the_globals_of_jinja_are_no_variables_of_a_text(tmp_path):
    templates = Templates(Tree(tmp_path), RenderMonitor())
    text = templates.compile("{{ b }}\n{{ a }}{{ b }}", html=False)
    assert text.variables == {"a": 2, "b": 1}
    assert text.render({"a": "%s", "b": "1"}) == "1\n%s1"
