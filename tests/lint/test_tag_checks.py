"""Lost quotes and misspelt attributes are found; attributes of other tools are not."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "body",
    [
        '<p><a href="https://example.com/upgrade>shop</a> now, or <a href="https://example.com">ask</a></p>',
        '<p><a href="https://example.com/upgrade>shop</a> <img src="https://example.com/a.png" alt=""></p>',
        "<p><a href='https://example.com/upgrade>shop</a> now, or <a href='https://example.com'>ask</a></p>",
        '<p><a href="https://example.com/upgrade>shop</a></p>',
        '<p><a href=https://example.com/upgrade">shop</a></p>',
        '<p><a href="https://example.com" class="x>shop</a> <b class="y">z</b></p>',
        '<p><img alt="Logo src="https://example.com/a.png"> <a href="https://example.com>x</a> <b class="y">z</b></p>',
    ],
)
def test_a_lost_quote_is_found(body, lint):
    found = lint(body=body)
    assert "unclosed-quote" in [f.code for f in found]


@pytest.mark.parametrize(
    "body",
    [
        '<p title="a > b"><a href="https://example.com/?q=a&amp;b">x</a></p>',
        "<p style='font-family:\"Open Sans\",sans-serif'>x</p>",
        '<p><img src="https://example.com/a.png" alt="1 &lt; 2"width="10"></p>',
        "<p><img src=https://example.com/a.png alt=Logo width=10></p>",
        '<p title="It\'s">x</p>',
        "<p><a href=https://example.com/?q='a'>x</a></p>",
    ],
)
def test_quotes_in_order_are_left_alone(body, codes):
    assert codes(body=body) == []


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ('<a herf="https://example.com">x</a>', "href"),
        ('<a hre="https://example.com">x</a>', "href"),
        ('<a hreff="https://example.com">x</a>', "href"),
        ('<a HERF="https://example.com">x</a>', "href"),
        ('<img scr="https://example.com/a.png" alt="">', "src"),
        ('<img sr="https://example.com/a.png" alt="">', "src"),
        ('<img src="https://example.com/a.png" atl="Logo">', "alt"),
        ('<img src="https://example.com/a.png" altt="Logo">', "alt"),
        ('<b sytle="color:red">x</b>', "style"),
        ('<b stlye="color:red">x</b>', "style"),
        ('<b clas="x">x</b>', "class"),
        ('<b calss="x">x</b>', "class"),
        ('<img src="https://example.com/a.png" alt="" widht="10">', "width"),
        ('<img src="https://example.com/a.png" alt="" heigth="10">', "height"),
        ('<a href="https://example.com" tagret="_blank">x</a>', "target"),
    ],
)
def test_a_misspelt_attribute_is_found_with_its_name(tag, meant, lint):
    (found,) = lint(body=f"<p>{tag}</p>")
    assert (found.code, found.hint) == ("misspelt-attribute", f"write {meant}")


@pytest.mark.parametrize("name", ["svg", "select", "dialog", "search", "marquee", "video", "button", "template"])
def test_an_element_that_mails_do_not_use_is_found(name, codes):
    assert codes(body=f"<div>Hi <{name}>x</{name}></div>") == ["uncommon-html"]
    assert codes(body='<p>Hi <svg><path d="M0 0"/><circle r="1"/></svg></p>') == ["uncommon-html"]


@pytest.mark.parametrize(
    "attributes",
    [
        'mc:edit="x" data-hre="y" aria-label="z" v-on:click="a"',
        'fillcolor="#fff" strokecolor="#000" arcsize="10%" inset="0" xmlns:v="urn"',
        'role="presentation" rel="x" rev="y" size="1" sizes="2" label="a" list="b" vspace="0" hspace="0" text="c"',
        'class="a" clas="b"',
        "editable repeater singleline nowrap background2 object label mc_edit c-style",
    ],
)
def test_attributes_of_other_tools_are_not(attributes, codes):
    assert codes(body=f"<p><b {attributes}>x</b></p>") == []
