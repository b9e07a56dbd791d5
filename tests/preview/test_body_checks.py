"""What is checked of a body is what is sent, and what is shown of it is masked."""

import pytest

from runner.compare.link_hosts import find_host
from runner.preview.body_checks import check_body, find_hidden_links, split_address
from runner.privacy import Private, Text

LINK = '<a href="https://example.com/leave">Leave</a>'


def find(body: str) -> list[str]:
    return [*find_hidden_links(body).values()]


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (f'<p style="display:none">{LINK}</p>', "not displayed"),
        (f'<div style="opacity:0"><table><tr><td>{LINK}</table></div>', "styled with opacity"),
        (f'<p style="max-height:0;overflow:hidden">{LINK}</p>', "styled with max-height"),
        (f'<p style="font-size:1px">{LINK}</p>', "in a size of 1 pixels"),
        (f"<p hidden>{LINK}</p>", "not displayed"),
        (LINK.replace("<a", '<a style="color:#fff"'), "in the colour of its background"),
        (f"<style>p{{margin:0}}</style><p style='display:none'>{LINK}</p>", "not displayed"),
    ],
)
def test_what_hides_a_link_is_named(body: str, how: str) -> None:
    assert find(body) == [how]


@pytest.mark.parametrize(
    "body",
    [
        LINK,
        f'<p style="display:none">Preview text<p>{LINK}',
        f"<style>p{{background:#000}}</style><p>{LINK.replace('<a', '<a style=color:#fff')}</p>",
        f'<div style="display:none">Preview text</div>{LINK}',
        f'<p style="font-size:12px;color:#666;text-align:center;min-width:100%">{LINK}</p>',
        f'<table><tr><td bgcolor="#000000">{LINK.replace("<a", "<a style=color:#fff")}</td></table>',
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


def test_links_and_images_have_their_texts() -> None:
    checks = check_body(
        '<a href="https://example.com/a">Our <b>page</b></a><a href="#">x</a>'
        '<img src="http://h.example/a.png"><img src="https://h.example/b.png" alt="B">',
        is_email=True, show_values=True,
    )  # fmt: skip
    assert [(link.address, link.text) for link in checks.links] == [("https://example.com/a", "Our page"), ("#", "x")]
    assert [(image.address, image.text) for image in checks.images] == [
        ("http://h.example/a.png", ""), ("https://h.example/b.png", "B"),
    ]  # fmt: skip


def test_plain_text_has_links_too() -> None:
    checks = check_body("See https://example.com/a.", is_email=True, show_values=True)
    assert [link.address for link in checks.links] == ["https://example.com/a"]


def test_a_value_in_a_link_is_masked_and_counts_for_the_size() -> None:
    body = Text(('<a href="', Private("localhost:3000/ann"), '">x</a>'))
    checks = check_body(body, is_email=True, show_values=False)
    assert checks.links[0].address == "***"
    assert checks.size == len('<a href="localhost:3000/ann">x</a>')


def test_what_clients_lack_is_named_with_its_source() -> None:
    checks = check_body('<div style="display: flex"><video></video></div>', is_email=True, show_values=True)
    assert [note.feature for note in checks.clients] == ["display: flex", "<video>"]
    assert all(note.source.startswith("https://www.caniemail.com/features/") for note in checks.clients)
    assert not check_body('<div style="display: flex">', is_email=False, show_values=True).clients


def test_a_link_to_a_new_host_comes_first_and_a_repeated_one_is_listed_once() -> None:
    many = "".join(f'<a href="https://a.example/{number}">{number}</a>' for number in range(120))
    new = '<!--[if mso]><v:rect href="https://evil.test/o"></v:rect><![endif]-->'
    new += '<a href="https://evil.test"><img alt="Buy"></a>'
    body = f"{many}{new}{new}"
    checks = check_body(body, is_email=True, show_values=True, new_hosts=frozenset({"evil.test"}))
    assert [(link.text, link.target[1]) for link in checks.links[:3]] == [
        ("(image: Buy)", "evil.test"), ("(in Outlook alone)", "evil.test"), ("0", "a.example"),
    ]  # fmt: skip
    assert [link.is_new_host for link in checks.links[:3]] == [True, True, False]
    assert (len(checks.links), checks.unlisted_links) == (100, 22)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://shop.example/a?b=@c#d", "shop.example"),
        ("https://shop.example@evil.test/shop.example", "evil.test"),
        ("https://a@b@evil.test?x", "evil.test"),
        ("https:/\\evil.test\\shop.example", "evil.test"),
        ("https:evil.test", "evil.test"),
        (" \x01hT\ntp://evil.\ttest:8080/x", "evil.test"),
        ("//evil.test", "evil.test"),
        ("\\\\evil.test/a", "evil.test"),
        ("mailto:ann@shop.example", ""),
        ("/path", ""),
        ("#", ""),
        ("", ""),
    ],
)
def test_the_host_is_where_a_browser_goes(address: str, host: str) -> None:
    assert split_address(address)[1] == host


def test_a_host_beyond_ascii_has_its_name_in_the_dns() -> None:
    assert split_address("https://sh\u043ep.example/a")[1] == "sh\u043ep.example (xn--shp-ted.example)"


def test_a_long_address_is_shortened_in_its_middle_and_a_long_host_is_not() -> None:
    host = "a" * 200 + ".example"
    start, shown, rest = split_address(f"https://{'u' * 90}@{host}/begin{'x' * 300}end")
    assert shown == host
    assert (start[:9], start[-2:], len(start)) == ("https://u", "u@", 40)
    assert (rest[:6], rest[-3:], len(rest)) == ("/begin", "end", 44)
    assert "…" in start
    assert "…" in rest


def test_a_host_is_compared_in_lower_case_without_the_dot_at_its_end() -> None:
    assert find_host("HTTPS://Evil.Test./x") == "evil.test"
