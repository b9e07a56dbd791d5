"""The code that our generator makes of a template renders what the code of Jinja's own does, or fails as it does."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.compiler import CodeGenerator

from runner.declare.template.environment import Environment
from runner.declare.template.language import MAX_PRINTED
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates

VALUES = {"t": "<VALUE>", "n": 7, "l": ["a", "&"]}

# What a child sets, defines or imports is seen by its parents, which are rendered in its context.
INHERITED = [
    ({"base": "[{{ t }}]{% block b %}{{ t }}{% endblock %}"}, "{% extends 'base' %}{% set t='CHILD' %}"),
    ({"base": "[{{ u | default('BASE') }}]"}, "{% extends 'base' %}{% set u='CHILD' %}"),
    ({"base": "{% if u is defined %}YES{% else %}NO{% endif %}"}, "{% extends 'base' %}{% set u=1 %}"),
    ({"base": "[{{ m('x') }}]"}, "{% extends 'base' %}{% macro m(a) %}<{{ a }}>{% endmacro %}"),
    ({"base": "[{{ p.m() }}]", "p": "{% macro m() %}M{% endmacro %}"}, "{% extends 'base' %}{% import 'p' as p %}"),
    ({"base": "[{{ m() }}]", "p": "{% macro m() %}M{% endmacro %}"}, "{% extends 'base' %}{% from 'p' import m %}"),
    ({"base": "[{{ t }}]", "p": "{% extends 'base' %}{% set t='B' %}"}, "{% extends 'p' %}{% set t='C' %}"),
    ({"base": "{% block b %}1{{ t }}{% endblock %}"}, "{% extends 'base' %}{% block b %}{{ super() }}2{% endblock %}"),
    ({"base": "{% set t = t %}{{ t }}{% block b scoped %}{% endblock %}"}, "{% extends 'base' %}{% set t=t~'1' %}"),
    ({"p": "{{ t }}"}, "{% set t='S' %}{% include 'p' %}"),
    ({"p": "{{ i }}"}, "{% for i in l %}{% include 'p' %}{% endfor %}"),
    ({"p": "{% macro m() %}{{ t }}{% endmacro %}"}, "{% set t='S' %}{% import 'p' as p with context %}{{ p.m() }}"),
    ({"p": "{% macro m() %}{{ t | default('none') }}{% endmacro %}"}, "{% import 'p' as p %}{{ p.m() }}"),
    ({}, "{% with t = t ~ '1' %}{{ t }}{% endwith %}{{ t }}"),
    ({}, "{% autoescape n > 3 %}{{ t }}{% endautoescape %}{{ t }}"),
    ({}, "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ t }}{% endcall %}"),
    ({}, "{% set x = namespace(a=t) %}{% for i in l %}{% set x.a = i %}{% endfor %}{{ x.a }}"),
    ({}, "{% set x %}{{ t }}{% endset %}{{ x }}{{ x | e }}"),
    ({}, "{{ self.b() }}{% block b %}{{ t }}{% endblock %}"),
    ({}, "{% for i in l recursive %}{{ loop.index }}{{ i }}{{ loop(l) if loop.depth < 2 else '' }}{% endfor %}"),
]

NAMES = st.sampled_from(("t", "n", "u", "v"))
EXPRESSIONS = st.one_of(
    NAMES, st.just("'<x>'"), NAMES.map("{} | default('d')".format), NAMES.map("({} ~ '1')".format), st.just("l[1]")
)


def statements(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% set {} %}}{}{{% endset %}}".format, NAMES, inner),
        st.builds("{{% if {} is defined %}}{}{{% else %}}{}{{% endif %}}".format, NAMES, inner, inner),
        st.builds("{{% for {} in [1, 'b'] %}}{}{{% endfor %}}".format, NAMES, inner),
        st.builds("{{% with {} = {} %}}{}{{% endwith %}}".format, NAMES, EXPRESSIONS, inner),
        st.builds("{{% macro m({}) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, NAMES, inner, EXPRESSIONS),
        st.builds("{{% filter upper %}}{}{{% endfilter %}}".format, inner),
        st.builds("{{% autoescape false %}}{}{{% endautoescape %}}".format, inner),
    )


TEXTS = st.recursive(
    st.one_of(
        st.just(" < "),
        EXPRESSIONS.map("{{{{ {} }}}}".format),
        st.builds("{{% set {} = {} %}}".format, NAMES, EXPRESSIONS),
        st.sampled_from(("{% include 'p' %}", "{% from 'q' import k with context %}{{ k() }}")),
    ),
    statements,
    max_leaves=6,
)
BLOCKS = st.builds("{}{{% block b %}}{}{{% endblock %}}{}".format, TEXTS, TEXTS, TEXTS)


class Stock(Environment):
    code_generator_class = CodeGenerator


def told(kind: type[Environment], parts: dict[str, str], source: str) -> tuple[str, str]:
    environment = kind(autoescape=True, loader=jinja2.DictLoader(parts))
    environment.remaining_chars = MAX_PRINTED
    try:
        return "text", environment.from_string(source).render(VALUES)
    except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
        return type(error).__name__, str(error)


@pytest.mark.parametrize(("parts", "source"), INHERITED)
def test_what_a_name_means_is_what_jinja_says(parts, source):
    assert told(Environment, parts, source) == told(Stock, parts, source)


@pytest.mark.parametrize(("parts", "source"), INHERITED)
def test_a_render_leaves_nothing_behind_for_the_next(parts, source, write):
    templates = Templates(write({f"messages/{name}": text for name, text in parts.items()}), RenderMonitor())
    text = templates.compile(source, html=True)
    first, other, again = (
        text.render({**templates.globals, **values}) for values in (VALUES, {**VALUES, "t": "other", "u": 1}, VALUES)
    )
    assert first == again == told(Stock, parts, source)[1]
    assert other == templates.compile(source, html=True).render({**templates.globals, **VALUES, "t": "other", "u": 1})


@given(BLOCKS, TEXTS, BLOCKS, st.booleans())
def test_any_template_is_the_text_that_jinja_renders(base, part, child, extends):
    own = ("{% extends 'base' %}" if extends else "") + child
    # What is included or imported must not include or import itself.
    part = part.replace("{% include 'p' %}", "").replace("{% from 'q' import k with context %}{{ k() }}", "")
    parts = {"base": base, "p": part, "q": f"{part}{{% macro k() %}}{part}{{% endmacro %}}"}
    assert told(Environment, parts, own) == told(Stock, parts, own)
