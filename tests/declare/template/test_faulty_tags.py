"""The tag that Jinja cannot parse is pointed at, also in a line of 20 kB."""

from __future__ import annotations

import time

import pytest

from runner.declare.template.faulty_tags import find_faulty_tag, find_open_block
from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates

LONG = "<p>{{ a }} and {% if a %}{{ b | upper }}{% elif b in a %}x{% else %}y{% endif %}</p>" * 250


@pytest.mark.parametrize(
    "tag",
    [
        *("{{::vm.name}}", '{{color:"red"}}', "{{#items}}", "{{!-- c --}}", "{{{ name }}}", "{{ a b }}", "{{ a; }}"),
        *(
            "{{ 'x }}",
            "{{}}",
            "{{ a ?? b }}",
            "{{ @index }}",
            "{{ a[0 }}",
            "{% foo %}",
            "{% if a = 'x' %}",
            "{{ “a” }}",
        ),
        *("{% else if a %}", "{% for a in %}", "{% elif %}", '{{${first_name} | default: "x"}}'),
    ],
)
def test_a_faulty_tag_is_found_among_sound_ones(write, tag):
    source = LONG + tag
    found = find_faulty_tag(source)
    assert found
    assert source[found.start() :] == tag
    with pytest.raises(TemplateFault) as raised:
        Templates(write({}), RenderMonitor()).compile(source, html=True)
    assert source.find(raised.value.name) >= len(LONG)
    assert raised.value.name


def test_sound_tags_are_none():
    assert find_faulty_tag(LONG[:5000] + "{% set a = 1 %}{% include 'a' %}{%- raw -%}{%+ endraw %}{%- else -%}") is None


def test_a_block_without_an_end_is_found_where_it_begins():
    block = find_open_block("{% if a %}{% for b in c %}{% endfor %}{% if d %}{% endif %}")
    assert block
    assert block[0] == "{% if a %}"
    assert find_open_block("{% if a %}{% endif %}") is None


def test_it_takes_linear_time():
    start = time.perf_counter()
    for text in ("{{" * 50_000, "{{ a b " * 50_000, "{% if " * 50_000, "{{{" * 50_000, "{{ ${" * 50_000):
        find_faulty_tag(text)
        find_open_block(text)
    assert time.perf_counter() - start < 10
