"""Templates: includes, faults at their lines, and nothing left open."""

from __future__ import annotations

import pytest

from runner.declare.template.condition import compile_condition
from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor, RenderTimeout
from runner.declare.template.template import Templates


@pytest.fixture
def templates(write):
    def templates(**includes):
        return Templates(
            write({f"messages/{name.replace('_', '.')}": text for name, text in includes.items()}), RenderMonitor()
        )

    return templates


def _fault(templates, source, html=True, **values):  # noqa: FBT002
    with pytest.raises(TemplateFault) as found:
        templates.compile(source, html=html).render({**templates.globals, **values})
    return found.value


def test_a_text_without_templates_has_its_line_ends_normalised(templates):
    assert templates().compile("a\r\nb\rc\n", html=True).render({}) == "a\nb\nc"


def test_names_and_parts_are_known(templates):
    text = templates(f_html="{{ y }}{% include 'g.html' %}", g_html="x").compile(
        "{{ x }}\n{{ z }}{% include 'f.html' %}{{ range(1) | join }}", html=True
    )
    assert text.variables == {"x": 1, "z": 2}
    assert list(text.includes) == ["f.html", "g.html"]


@pytest.mark.parametrize(
    ("source", "code", "line", "file"),
    [
        ("a\n{{ x", "template-syntax", 2, ""),
        ("a\n{% if %}", "template-syntax", 2, ""),
        ("a\n{{ x }", "template-syntax", 2, ""),
        ("a\n{{ x | nope }}", "template-syntax", 2, ""),
        ("a\n{{ x is nope }}", "template-syntax", 2, ""),
        ("a\n{{ missing }}", "undefined-variable", 2, ""),
        ("a\n{{ 1 / 0 }}", "template-error", 2, ""),
        ("a\n{{ 'x' + 1 }}", "template-error", 2, ""),
        ("a\n{{ '3' * 4 }}", "template-error", 2, ""),
        ("a\n{{ [1] | first(x=1) }}", "template-error", 2, ""),
        ("a\n{{ [3, 'x'] | sort | join }}", "template-error", 2, ""),
        ("a\n{{ 'x'.index('y') }}", "template-error", 2, ""),
        ("{% include 'f.html' %}", "undefined-variable", 2, "messages/f.html"),
        ("{% include 'bad.html' %}", "template-syntax", 1, "messages/bad.html"),
        ("{% import 'f.html' as f %}", "undefined-variable", 2, "messages/f.html"),
        ("a\n{% include x %}", "include-not-literal", 2, ""),
        ("a\n{% include 3 %}", "include-not-literal", 2, ""),
        ("a\n{% include 'nope.html' %}", "file-missing", 2, ""),
        ("a\n{% include ['nope.html', 'no.html'] %}", "file-missing", 2, ""),
        ("a\n{% include '../x' ignore missing %}", "file-outside", 2, ""),
        ("a\n{% include 'latin.html' %}", "not-utf-8", 1, "messages/latin.html"),
        ("a\n{% include 'a\0b' %}", "file-missing", 2, ""),
    ],
)
def test_a_fault_is_at_its_line(templates, source, code, line, file):
    every = templates(f_html="a\n{{ missing }}", bad_html="{% endif %}", latin_html=b"\xe4")
    fault = _fault(every, source)
    assert (fault.code, fault.line, fault.file) == (code, line, file)


def test_a_template_nested_too_deeply_is_no_crash(templates):
    assert _fault(templates(), "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}").code in {"template-syntax", "too-long"}
    assert _fault(templates(), "{% if x %}" * 3000 + "{% endif %}" * 3000).code == "template-syntax"


def test_a_fault_in_an_include_shows_its_line(templates):
    fault = _fault(templates(f_html="a\n  Hi {{ who }}"), "{% include 'f.html' %}")
    assert (fault.excerpt, fault.name) == ("  Hi {{ who }}", "who")


def test_an_include_may_be_missing_where_it_says_so(templates):
    every = templates(f_html="F")
    assert every.compile("{% include 'nope' ignore missing %}.", html=True).render({}) == "."
    assert every.compile("{% include ['nope', 'f.html'] %}", html=True).render({}) == "F"


def test_the_watch_sees_every_render_and_its_end(write):
    watch = RenderMonitor()
    seen = []

    class Slow:
        def __bool__(self):
            seen.append(watch.is_rendering)
            raise RenderTimeout

    every = Templates(write({}), watch)
    with pytest.raises(TemplateFault) as found:
        every.compile("{% if slow %}x{% endif %}", html=True).render({"slow": Slow()})
    assert found.value.code == "too-slow"
    assert (seen, watch.is_rendering, watch.render_count) == ([True], False, 1)


def test_an_identifier_that_is_one_variable_is_given_back(templates):
    text = templates().compile("{{ email }}", html=False)
    assert text.render({"email": "a<b"}) == "a<b"
    assert text.render({"email": 12}) == "12"
    assert text.render({"email": "x" * 2000}) == "x" * 2000
    assert _fault(templates(), "{{ email }}", html=False, email=None).code == "undefined-variable"
    assert _fault(templates(), "{{ email }}", html=False).code == "undefined-variable"
    assert templates().compile("{{ email }}", html=True).render({"email": "a<b"}) == "a&lt;b"


def test_what_a_value_holds_is_not_told_in_a_fault(templates):
    assert "secret" not in _fault(templates(), "{{ x.index('y') }}", x="secret").message


def test_what_a_template_sets_for_its_blocks_may_be_used_before_it_is_set(templates):
    every = templates(base="{% block b %}{% endblock %}")
    sets = "{% extends 'base' %}{% set t = u %}{% set v = v | default(1) %}"
    own = sets + "{% block b %}{{ t }}{{ v }}{{ w }}{% endblock %}"
    template = every.compile(own, html=True)
    assert set(template.variables) == {"t", "u", "v", "w"}
    assert template.assigned == {"t"}
    late = templates().compile("{% block b %}{% if vip %}x{% endif %}{% endblock %}{% set vip = '' %}", html=True)
    assert late.render({"vip": "yes"}) == "x"
    assert set(late.variables) == {"vip"}


@pytest.mark.parametrize("number", ["1" * 5000, "0x" + "f" * 5000, "0b" + "1" * 20_000])
def test_a_number_of_thousands_of_digits_is_a_fault(templates, number):
    with pytest.raises(TemplateFault, match="thousands of digits"):
        templates().compile(f"{{{{ {number} }}}}{{{{ n }}}}", html=True)
    with pytest.raises(TemplateFault, match="thousands of digits"):
        compile_condition(f"x == {number}", RenderMonitor())


def test_a_variable_in_the_filter_of_a_set_block_is_a_fault(templates):
    with pytest.raises(TemplateFault, match="cannot have a variable"):
        templates().compile("{% set x | replace('l', n) %}lit{% endset %}{{ x }}", html=True)
