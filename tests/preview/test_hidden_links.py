"""A link that its reader may not see is found, whatever hides it."""

import pytest

from runner.lint.html import parse_html
from runner.preview.hidden_links import find_hidden_links

LINK = '<a href="https://example.com/leave">Leave</a>'


def find(body: str) -> list[str]:
    return [*find_hidden_links(parse_html(body)).values()]


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (f'<p style="display:none">{LINK}</p>', "not displayed"),
        (f'<div style="opacity:0"><table><tr><td>{LINK}</table></div>', "styled with opacity"),
        (f'<p style="max-height:0;overflow:hidden">{LINK}</p>', "styled with max-height"),
        (f'<p style="font-size:1px">{LINK}</p>', "in a size of 1 pixels"),
        (f"<p hidden>{LINK}</p>", "not displayed"),
        (LINK.replace("<a", '<a style="color:#fff"'), "in the colour of its background"),
    ],
)
def test_what_hides_a_link_is_named(body: str, how: str) -> None:
    assert find(body) == [how]


@pytest.mark.parametrize(
    "body",
    [
        LINK,
        f'<p style="display:none">Preview text<p>{LINK}',
        f'<div style="display:none">Preview text</div>{LINK}',
        f'<p style="font-size:12px;color:#666;text-align:center;opacity:.8;min-width:100%">{LINK}</p>',
        f'<td bgcolor="#000000">{LINK.replace("<a", "<a style=color:#fff")}</td>',
        LINK.replace(
            "<a", '<a style="display:inline-block;padding:12px 24px;background:#1a73e8;color:#fff;border-radius:4px"'
        ),
    ],
)
def test_a_link_in_the_usual_styles_is_seen(body: str) -> None:
    assert find(body) == []


def test_a_link_that_is_seen_elsewhere_is_not_hidden() -> None:
    assert find(f'<div style="display:none">{LINK}</div>{LINK}') == []


def test_no_tag_looks_through_all_open_elements() -> None:
    """Else a body of a mebibyte would take an hour."""
    body = "<g>" * 10_000 + "<p>" + "</x>" * 10_000 + LINK
    assert find(body) == []
