"""What a template may not do: print what is not a text, differ from run to run, grow without bounds."""

from __future__ import annotations

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.declare.template.language import MAX_RENDERED, TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates

VALUES = {"n": None, "l": [1, None], "c": {"a": None, "b": "x"}, "t": "x", "yes": True, "k": {"a": 1, "b": 2}}

DOUBLE = "{% set v = namespace(s='ab') %}{% for i in range(60) %}"

# Every one of these would put None, a Python repr or an address of memory before a customer.
NO_TEXT = [
    "{{ n }}",
    "{{ l[1] }}",
    "{{ c.a }}",
    "{{ none }}",
    "{{ None }}",
    "{{ 'a' ~ none }}",
    "{{ 'a' ~ l }}",
    "{{ none ~ none ~ 'x' }}",
    "{{ l }}",
    "{{ c }}",
    "{{ (1, 2) }}",
    "{{ l | string }}",
    "{{ l | join }}",
    "{{ [l] | join }}",
    "{{ k.items() | join }}",
    "{{ [none] | join(',') }}",
    "{{ 'ab' | list | join(none) }}",
    "{{ [c] | join(',', attribute='a') }}",
    "{{ none | upper }}",
    "{{ l | upper }}",
    "{{ none | safe }}",
    "{{ l | safe }}",
    "{{ none | e }}",
    "{{ none | trim }}",
    "{{ none | title }}",
    "{{ none | replace('N', 'x') }}",
    "{{ 'x' | replace('x', none) }}",
    "{{ none | urlencode }}",
    "{{ {'a': none} | urlencode }}",
    "{{ {'a': l} | xmlattr }}",
    "{{ none | striptags }}",
    "{{ none | urlize }}",
    "{{ none | center(9) }}",
    "{{ 'a b c d' | truncate(3, end=none, leeway=0) }}",
    "{{ '%s' % none }}",
    "{{ '%s' % l }}",
    "{{ '%s %s' % (1, none) }}",
    "{{ '%(a)s' % {'a': none} }}",
    "{{ '%r' % 'x' }}",
    "{{ '%s' | format(none) }}",
    "{{ '%s' | format(l) }}",
    "{{ '%(a)s' | format(a=none) }}",
    "{{ '%a' | format('x') }}",
    "{{ '{}'.format(none) }}",
    "{{ '{!r}'.format('x') }}",
    "{{ '{a}'.format(a=l) }}",
    "{{ '{.upper}'.format('x') }}",
    "{{ '{0[a]}'.format(c) }}",
    "{{ ', '.join([none]) }}",
    "{{ ', '.join(k.items()) }}",
    "{{ l | map('string') | join }}",
    "{{ l | pprint }}",
    "{{ 1e308 * 10 }}",
    "{{ 'nan' | float }}",
    "{{ (-1) ** 0.5 }}",
    "{{ t.upper }}",
    "{{ t.upper ~ '' }}",
    "{{ t.encode() }}",
    "{{ range }}",
    "{{ range(3) }}",
    "{{ namespace(a=1) }}",
    "{{ cycler('a') | string }}",
    "{{ joiner('a') | string }}",
    "{{ dict(a=1) | string }}",
    "{{ self }}",
    "{{ self | string }}",
    "{% for x in t %}{{ loop }}{% endfor %}",
    "{% for x in t %}{{ loop ~ x }}{% endfor %}",
    "{% macro m() %}x{% endmacro %}{{ m }}",
    "{% macro m() %}x{% endmacro %}{{ m | string }}",
    "{% macro m() %}{{ caller }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% set x %}{{ none }}{% endset %}{{ x }}",
    "{% filter upper %}{{ none }}{% endfilter %}",
    "{{ l | map('upper') | list }}",
    "{{ k.keys() }}",
    "{{ k | items }}",
    "{{ [{'a': 1}] | groupby('a') | first }}",
    "{{ l | batch(1) | first }}",
    "{{ l | select('none') | first ~ 'x' }}",
    "{{ missing }}",
    "{{ missing | string }}",
    "{{ missing ~ '' }}",
    "{{ [missing] | join }}",
    "{{ '%s' % missing }}",
    "{{ '{}'.format(missing) }}",
    "{{ missing.part }}",
    "{{ missing + 1 }}",
    "{{ missing() }}",
    "{{ missing | upper }}",
    "{{ missing | length }}",
    "{{ missing in t }}",
    "{{ t.__class__ }}",
    "{{ t.format.__globals__ }}",
]


@pytest.mark.parametrize("source", NO_TEXT)
@pytest.mark.parametrize("html", [True, False])
def test_what_is_no_text_is_never_printed(render, source, html):
    with pytest.raises(TemplateFault):
        render(source, html=html, **VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 9 ** 99999 }}",
        "{{ ((9 ** 64) ** 64) ** 64 }}",
        "{% set v = namespace(n=9) %}{% for i in range(60) %}{% set v.n = v.n * v.n %}{% endfor %}",
        "{{ 'ab' * 900000 }}",
        "{{ 900000 * 'ab' }}",
        "{{ [1] * 9000000 }}",
        "{% set v = namespace(s='ab') %}{% for i in range(60) %}{% set v.s = v.s + v.s %}{% endfor %}",
        "{% set v = namespace(s='ab') %}{% for i in range(60) %}{% set v.s = v.s ~ v.s %}{% endfor %}{{ v.s }}",
        "{% set v = namespace(s=[1]) %}{% for i in range(60) %}{% set v.s = v.s + v.s %}{% endfor %}",
        DOUBLE + "{% set v.s = v.s | replace('a', 'aaaaaaaaaaaaaaaaaaaa') %}{% endfor %}",
        DOUBLE + "{% set v.s = v.s.replace('a', 'aaaaaaaaaaaaaaaaaaaa') %}{% endfor %}",
        DOUBLE + "{% set v.s %}{{ v.s }}{{ v.s }}{% endset %}{% endfor %}",
        "{% set s = 'ab' * 90000 %}{% set x %}{% for i in range(99999) %}{{ s }}{% endfor %}{% endset %}",
        "{% macro m(s) %}{{ s }}{{ s }}{% endmacro %}{{ m(m(m('ab' * 300000))) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x'.center(1000000000) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'.zfill(1000000000) }}",
        "{{ ('\t' * 100000).expandtabs(100000) }}",
        "{{ ('x' * 100000).translate({120: 'y' * 100000}) }}",
        "{{ 'x\ny' | indent(1000000000) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%.999999999f' % 1.5 }}",
        "{{ '%*d' % (999999999, 1) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:999999999}'.format('x') }}",
        "{{ '{:{}}'.format('x', '999999999') }}",
        "{{ ('x' * 100000).join(['a'] * 100000) }}",
        "{{ (['a'] * 100000) | join('x' * 100000) }}",
        "{{ [1] | batch(1000000000, 'x') | first }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{{ 1 | round(99999999, 'ceil') }}",
        "{{ [1] | tojson(indent=1000000000) }}",
        "{{ [[1], [2]] | sum(start=[]) }}",
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{{ '' }}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ 'x' * 2000000 }}",
    ],
)
def test_nothing_grows_without_bounds(render, source):
    with pytest.raises(TemplateFault):
        render(source)


@pytest.mark.parametrize(
    "source", ["{{ a.keys() - b.keys() }}", "{{ lipsum() }}", "{{ [1, 2] | random }}", "{{ now() }}"]
)
def test_chance_order_and_clock_are_out_of_reach(render, source):
    with pytest.raises(TemplateFault):
        render(source, a={"x": 1}, b={})


def test_an_import_remembers_nothing_of_an_earlier_render(write):
    macros = "{% set v = namespace(n=0) %}{% macro next() %}{% set v.n = v.n + 1 %}{{ v.n }}{% endmacro %}"
    macros += "{% set turn = cycler('a', 'b') %}"
    templates = Templates(write({"messages/m.j2": macros}), RenderMonitor())
    text = templates.compile("{% import 'm.j2' as m %}{{ m.next() }}{{ m.next() }}{{ m.turn.next() }}", html=True)
    assert [text.render(dict(templates.globals)) for _ in range(3)] == ["12a"] * 3


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ missing | default('there') }}", "there"),
        ("{{ l[1] | default('there') }}", "there"),
        ("{{ c.zzz | d('there') }}", "there"),
        ("{{ '' | default('there', true) }}", "there"),
        ("{{ 'y' if l[1] is defined else 'n' }}", "n"),
        ("{{ 'y' if missing is undefined else 'n' }}", "y"),
        ("{{ 'y' if missing == other else 'n' }}", "y"),
        ("{{ missing or 'there' }}", "there"),
        ("{{ 'abc' | replace('b', '<') }}", "a&lt;c"),
        ("{{ 'a b c d e' | truncate(3, leeway=0) }}", "..."),
        ("{{ 'abc def' | wordwrap(3) }}", "abc\ndef"),
        ("{{ 'a\nb' | indent(2, true) }}", "  a\n  b"),
        ("{{ '%.2f' | format(2.5) }} {{ '%5d' % 3 }} {{ '{:>3}'.format('x') }}", "2.50     3   x"),
        ("{{ '%(a)s' % {'a': 'x'} }}", "x"),
        ("{{ ['a', 1, '<'] | join(', ') }}", "a, 1, &lt;"),
        ("{{ [{'a': 1}, {'a': 2}] | join('+', attribute='a') }}", "1+2"),
        ("{{ ', '.join(['a', 'b']) }}", "a, b"),
        ("{{ [1, 2] | sum }}", "3"),
        ("{{ [{'a': 1}] | sum(attribute='a') }}", "1"),
        ("{{ {'href': '/x'} | xmlattr }}", ' href="/x"'),
        ("{{ 'a b' | urlencode }} {{ {'a': 'b c'} | urlencode }}", "a%20b a=b+c"),
        ("{{ [1, 2, 3] | batch(2) | map('join', '-') | join(' ') }}", "1-2 3"),
        ("{{ 2.345 | round(1) }} {{ 2 ** 10 }} {{ 6 * 7 }} {{ 7 % 4 }} {{ 5 - 3 }} {{ 1 + 2 }}", "2.3 1024 42 3 2 3"),
        ("{{ 'a' + 'b' }} {{ ([1] + [2]) | join }} {{ 'ab' * 2 }}", "ab 12 abab"),
        ("{{ {'a': [1, none]} | tojson }}", "{&#34;a&#34;: [1, null]}"),
        ("{{ 'Ann' ~ ' ' ~ 3 ~ '<b>' }}", "Ann 3&lt;b&gt;"),
        ("{{ 'Tea at 0x1234567' }}, 1234567 is 100%", "Tea at 0x1234567, 1234567 is 100%"),
        ("{{ 'call 1234567, 100%' | upper }} {{ 'x %'.upper() }}", "CALL 1234567, 100% X %"),
    ],
)
def test_what_people_write_still_works(render, source, shown):
    if "tojson" in source:
        shown = '{"a": [1, null]}'
    assert render(source, **VALUES) == shown


MEMBERS = {
    "m": {"n": "<x>", "items": 1, "get": "g", "_private": 2, "a b": 3, "x": {"copy": 4}, "i": 5},
    "i": 7,
    "f": 0.5,
}


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        *("{{ m.n }}", "{{ m | items | list | length }}", "{{ m['n'] }}", "{{ m['items'] }}", "{{ m._private }}"),
        *("{{ m.x | length }}", "{{ m['a b'] }}", "{% for k, v in m.x | items %}{{ k }}{{ v }}{% endfor %}"),
        *("{{ i + 1 }}", "{{ i - f }}", "{{ true + 1 }}", "{{ -i }}", "{{ f + f }}", "{{ m.i + i }}", "{{ i * 2 }}"),
        *(
            "{{ m.n | upper }}",
            "{{ m.n | e }}",
            "{{ m.n | safe | title }}",
            "{{ i | string }}",
            "{{ m.n | trim('<') }}",
        ),
        *(
            "{{ m.n | upper | indent }}",
            "{{ (m.n | e) | upper }}",
            "{{ '%' | format }}",
            "{{ m.n | truncate(2, true, '') }}",
        ),
    ],
)
def test_what_is_computed_in_a_hurry_is_what_jinja_computes(render, source, html):
    jinja = ImmutableSandboxedEnvironment(autoescape=html)
    try:
        expected = jinja.from_string(source).render(**MEMBERS)
    except (TypeError, ValueError):
        expected = None
    try:
        assert render(source, html=html, **MEMBERS) == expected
    except TemplateFault:
        assert expected is None


@pytest.mark.parametrize(
    "source", ["{{ m.__class__ }}", "{{ m.none }}", "{{ m.clear() }}", "{{ m.keys }}", "{{ m.x }}"]
)
def test_a_mapping_gives_its_members_and_no_more(render, source):
    with pytest.raises(TemplateFault):
        render(source, **MEMBERS)


@pytest.mark.parametrize(
    "name", ["items", "keys", "values", "get", "count", "index", "copy", "pop", "title", "upper", "real"]
)
@pytest.mark.parametrize("value", [{}, {"a": 1}, [], [1], "x", 5, True], ids=repr)
@pytest.mark.parametrize("form", ["v.NAME", "v['NAME']", "v | attr('NAME')", "[v] | map(attribute='NAME') | first"])
def test_an_attribute_is_data_and_never_a_method_of_python(render, name, value, form):
    expression = form.replace("NAME", name)
    if isinstance(value, dict):
        assert render(f"{{% if {expression} %}}yes{{% else %}}no{{% endif %}}", v=value) == "no"
    assert render(f"{{% if {expression} is defined %}}yes{{% else %}}no{{% endif %}}", v=value) == "no"
    assert render(f"{{{{ {expression} | default('none') }}}}", v=value) == "none"
    assert render(f"{{{{ {expression} }}}}", v={name: "its own"}) == "its own"


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("s.length", "| length"),
        ("s.size > 3", "| length"),
        ("s.length == 3", "| length"),
        ("s.length != 3", "| length"),
        ("3 == s.length", "| length"),
        ("s.title", "title()"),
        ("l.size", "| length"),
        ("l.first", "| first"),
        ("l.last and true", "| last"),
        ("not l.count", "| length"),
        ("l.name or s", "default"),
        ("n.real", "default"),
        ("s | attr('length')", "| length"),
    ],
)
def test_a_test_of_a_part_that_a_text_or_list_never_has_is_an_error(render, expression, hint):
    with pytest.raises(TemplateFault) as raised:
        render(f"a{{% if {expression} %}}b{{% endif %}}", s="Bo", l=["x"], n=5)
    assert (raised.value.code, hint in raised.value.hint) == ("undefined-variable", True)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{% for k, v in order.items() %}{{ k }}{% endfor %}", "| items"),
        ("{{ order.keys() }}", "{% for key in"),
        ("{{ order.values() }}", "| items"),
        ("{{ order.get('id') }}", "default('there')"),
        ("{{ name.title }}", "title()"),
        ("{{ lines.count }}", "| length"),
        ("{{ lines.append(1) }}", "default"),
        ("{{ order.id }}", "default"),
    ],
)
def test_a_method_that_is_no_data_is_an_error_with_what_to_write_instead(render, source, hint):
    with pytest.raises(TemplateFault) as raised:
        render(source, order={"n": 1}, name="ann", lines=[1])
    assert (raised.value.code, hint in raised.value.hint) == ("undefined-variable", True)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ name.title() }} {{ name.upper().lower() }} {{ ' x '.strip() }}", "Ann Lee ann lee x"),
        ("{{ name.split(' ')[0] }} {{ name.replace('Lee', 'Li').title() }}", "ann Ann Lee"),
        ("{{ (name | upper).title() }} {{ (name | safe).upper() }}", "Ann Lee ANN LEE"),
        ("{% if name.startswith('a') %}a{% endif %}", "a"),
        ("{% for n in [1, 2] %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{{ loop.last | int }}{% endfor %}", "1a02b1"),
        ("{% set v = namespace(n=1) %}{% set c = cycler('a', 'b') %}{{ v.n }}{{ c.next() }}{{ c.current }}", "1ab"),
        ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}", "x"),
        ("{% macro m() %}x{% endmacro %}{{ m.name is defined | int }}{{ m.name | default('-') }}", "0-"),
        ("{% for n in [1, 2] %}{% if loop.changed(n) %}{{ loop.previtem | default(0) }}{% endif %}{% endfor %}", "01"),
        ("{% for n in [1, 2] %}{{ loop['revindex'] }}{{ loop.nextitem | default('-') }}{% endfor %}", "221-"),
        ("{% for n in [1] recursive %}{{ loop.depth }}{{ loop.depth0 }}{{ loop.length }}{% endfor %}", "101"),
        ("{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{% set _ = c.reset() %}{{ c.current }}", "121"),
        ("{% set j = joiner('+') %}{% for n in [1, 2] %}{{ j() }}{{ n }}{% endfor %}", "1+2"),
        ("{% set v = namespace(n=1) %}{% if not v.items %}{{ v['n'] }}{% endif %}", "1"),
        ("{% for g in [{'k': 'a', 'n': 1}] | groupby('k') %}{{ g.grouper }}{{ g.list | length }}{% endfor %}", "a1"),
        ("{% block b %}x{% endblock %}{{ self.b() }}", "xx"),
        ("{{ dict(a=1).a }}{% for n in range(2) %}{{ n }}{% endfor %}", "101"),
    ],
)
def test_a_method_of_a_text_may_be_called_and_jinjas_own_objects_have_attributes(render, source, shown):
    assert render(source, name="ann lee") == shown


MACRO = "{% macro m(a) %}x{% endmacro %}"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        *(
            (f"{MACRO}{{% if m.{name} %}}x{{% endif %}}", "a macro has no parts")
            for name in ("name", "arguments", "caller")
        ),
        *(
            (f"{MACRO}{{% if not m.{name} %}}x{{% endif %}}", "no parts")
            for name in ("catch_kwargs", "explicit_caller", "x")
        ),
        (f"{MACRO}{{{{ m.name }}}}", "a macro has no parts: to print what it makes, call it"),
        (f"{MACRO}{{% if m['name'] %}}x{{% endif %}}", "a macro has no parts"),
        (f"{MACRO}{{% if m | attr('name') %}}x{{% endif %}}", "a macro has no parts"),
        (f"{MACRO}{{% if m.name == 'm' %}}x{{% endif %}}", "a macro has no parts"),
        ("{% macro m() %}{% if caller.name %}x{% endif %}{% endmacro %}{% call m() %}y{% endcall %}", "no parts"),
        ("{% for n in [1] %}{% if loop.cycle %}x{% endif %}{% endfor %}", "it is called: cycle(…)"),
        ("{% for n in [1] %}{% if loop.changed %}x{% endif %}{% endfor %}", "it is called: changed(…)"),
        ("{% for n in [1] %}{% if loop.frist %}x{% endif %}{% endfor %}", "did you mean first?"),
        ("{% for n in [1] %}{% if loop.items %}x{% endif %}{% endfor %}", "did you mean nextitem?"),
        ("{% set c = cycler(1) %}{% if c.items %}x{% endif %}", "there is current"),
        ("{% set c = cycler(1) %}{% if c.pos %}x{% endif %}", "there is current"),
        ("{% set c = cycler(1) %}{% if c.next %}x{% endif %}", "it is called: next(…)"),
        ("{% set j = joiner() %}{% if j.used %}x{% endif %}", "a joiner has no parts"),
        ("{% set j = joiner() %}{% if j.sep %}x{% endif %}", "a joiner has no parts"),
        ("{% block b %}x{% endblock %}{% if self.b %}x{% endif %}", "it is called: self.b(…)"),
        ("{% if dict.get %}x{% endif %}", "default"),
        ("{% if range.count %}x{% endif %}", "default"),
        ("{% if ([1] | map('upper')).close %}x{% endif %}", "default"),
        ("{% if ([1] | select).send() %}x{% endif %}", "default"),
    ],
)
def test_what_jinjas_own_objects_have_beyond_data_is_an_error_also_in_a_test(render, source, hint):
    with pytest.raises(TemplateFault) as raised:
        render(source)
    assert (raised.value.code, hint in raised.value.hint) == ("undefined-variable", True)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ lines.5 }}", "there is no 5 in this value"),
        ("{{ lines[5] }}", "there is no 5 in this value"),
        ("{{ lines[-9] }}", "there is no *** in this value"),
        ("{{ order['size of it'] }}", "there is no size of it in this value"),
        ("{{ order[0] }}", "there is no 0 in this value"),
        ("{{ order[name] }}", "there is no *** in this value"),
        ("{{ order[name ~ 'x'] }}", "there is no *** in this value"),
        ("{{ name.7.3 }}", "there is no 7 in this value"),
        ("{{ order | attr('size') }}", "there is no size in this value"),
        ("{{ order | attr(name) }}", "there is no *** in this value"),
        ("{{ lines | attr(name) }}", "there is no *** in this value"),
        ("{{ name | attr(name) }}", "there is no *** in this value"),
        ("{{ name | attr(name=name) }}", "there is no *** in this value"),
    ],
)
def test_a_key_that_the_template_has_is_shown_and_one_of_a_value_is_masked(render, source, shown):
    with pytest.raises(TemplateFault) as raised:
        render(source, lines=[1], order={"n": 1}, name="ann")
    assert str(raised.value.message) == shown


@pytest.mark.parametrize("source", ["{{ name.encode() }}", "{{ name.__class__() }}", "{{ name.expandtabs(9) }}"])
def test_a_method_of_a_text_that_is_not_harmless_may_not_be_called(render, source):
    with pytest.raises(TemplateFault, match="not allowed"):
        render(source, name="ann")


@pytest.mark.parametrize(
    "source",
    [
        *("{{ yes }}", "{{ true }}", "{{ yes ~ '' }}", "{{ yes | string }}", "{{ [yes] | join }}", "{{ '%s' % yes }}"),
        *("{{ '{}'.format(yes) }}", "{{ '%s' | format(yes) }}", "{{ 1 == 1 }}", "{{ 'x'.isalpha() }}", "{{ yes | e }}"),
        *("{{ {'a': yes} | xmlattr }}", "{{ {'a': yes} | urlencode }}", "{{ 'x' | replace('x', yes) }}"),
        "{% autoescape false %}{{ yes }}{% endautoescape %}",
    ],
)
@pytest.mark.parametrize("html", [True, False])
def test_a_boolean_is_never_printed(render, source, html):
    with pytest.raises(TemplateFault) as raised:
        render(source, html=html, **VALUES)
    assert "'yes' if … else 'no'" in raised.value.hint


def test_a_boolean_may_be_tested_and_counted(render):
    assert (
        render("{{ 'yes' if yes else 'no' }}{{ yes | int }}{{ 'a b c d' | truncate(3, true, '') }}", **VALUES)
        == "yes1a b c d"
    )


def test_a_text_of_just_the_longest_length_is_rendered(render):
    assert len(render("{{ t * 1048575 }}x", t="x")) == MAX_RENDERED
