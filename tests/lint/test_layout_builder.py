from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.declare.declaration import TemplateOrigin
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates
from runner.declare.tree import Tree
from runner.declare.yaml.document import SourceFile, parse_documents
from runner.lint.layout_builder import build_layout
from runner.lint.static_checks import parse_message_text
from tests.support.project import ROOT

PIECES = (
    "<p>", "</p>", "<b>", " text ", "\n", ", ", "{{ a }}", "{{- b -}}", '{{ c | default("}}") }}', "{{ d | safe }}",
    "{% set y = a %}", "{# note #}", "{#- msgrun: ignore=http-link -#}", "{% raw %}{x}{% endraw %}",
    '<a href="{{ a }}">',
    "<a {{ a }}>", "{{ m(1) }}", "(", ")", "http://a.b",
)  # fmt: skip
AROUND = (
    "{% if a %}@{% endif %}", "{%- if a -%}@{% elif b %}@{% else %}@{% endif %}", "{% for x in a %}@{% endfor %}",
    "{% set z %}@{% endset %}", "{% macro m(q) %}@{% endmacro %}", "{% filter upper %}@{% endfilter %}",
)  # fmt: skip
TEMPLATES = st.recursive(
    st.sampled_from(PIECES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(st.sampled_from(AROUND), inner).map(lambda both: both[0].replace("@", both[1])),
    ),
    max_leaves=10,
)
DOCUMENT = next(parse_documents(SourceFile("messages/a.yaml", "body: x\n")))


@given(TEMPLATES)
def test_whatever_the_template_its_layout_keeps_every_literal_where_it_stands(source):
    templates = Templates(Tree(ROOT), RenderMonitor())
    text = templates.compile(source, html=True)
    layout = build_layout(text, TemplateOrigin(DOCUMENT, ("body",), SourceFile("messages/a.html", source)))
    assert len(layout.text) == len(source)
    for drawn, written in zip(layout.text, source, strict=True):
        assert drawn in {written, " ", "\ufffc", "\ufff9"}
    for hole in layout.slots:
        assert source.startswith("{", hole.start)
    writing = parse_message_text(layout, {}, is_html=True)
    for tag in writing.parsed_html.tags:
        place, _ = layout.find_place(tag.start)
        assert source.split("\n")[place.line - 1][place.column - 1] == "<"
