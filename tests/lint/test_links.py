"""Links that cannot work are found, each with a step that mends it; links that work are left alone."""

from __future__ import annotations

import pytest

from runner.lint.links import check_anchor_url, check_query_value

BROKEN = {
    "empty-link": ["", "  "],
    "malformed-link": [
        *(
            "htps://example.com",
            "htpps://example.com",
            "hhtps://example.com",
            "ttps://example.com",
            "httsp://example.com",
        ),
        *(
            "httpss://example.com",
            "htp://example.com",
            "http//example.com",
            "https//example.com",
            "https;//example.com",
        ),
        *("https:/example.com", "https:example.com", "https:\\\\example.com", "https:///example.com", "https://"),
        *(
            "http://http://example.com",
            "https://https//example.com",
            "https://http://example.com",
            "http://",
            "https://?a=1",
        ),
        *(
            "https:// example.com",
            "https://example..com",
            "https://.example.com",
            "https://example.com./x",
            "https://example,com",
        ),
        *("https://exam ple.com/x", "https://wwww.example.com", "maito:ann@example.com", "mailto://ann@example.com"),
        *("mailto:", "tel:", "mailto:mailto:ann@example.com", "mailto:https://example.com", "mail:ann@example.com"),
    ],
    "unencoded-value": ["https://example.com/a b", "https://example.com/?a=b c", "https://example.com/a\n  b"],
    "relative-link": [
        *("/account", "account", "./a.html", "../a", "?a=1", "index.html", "www.example.com", "example.com/x"),
        *("//example.com/x", "ann@example.com", "app.example.io"),
    ],
    "local-link": [
        *(
            "http://localhost:3000",
            "https://127.0.0.1/x",
            "https://[::1]/",
            "https://10.0.0.8",
            "https://192.168.1.1/a",
        ),
        *("https://intranet/x", "https://build01:8080", "https://shop.local", "https://shop.corp/x", "https://0.0.0.0"),
        *("file:///C:/a.html", "C:\\Users\\ann\\a.html", "\\\\server\\share", "about:blank", "https://169.254.1.1"),
        *("https://100.64.0.1/x", "https://shop.internal", "https://x.ngrok.io", "https://2130706433/"),
    ],
    "script": ["javascript:void(0)", "JavaScript:go()", "vbscript:x"],
    "staging-link": ["https://staging.example.com/x"],
    "http-link": ["http://example.com"],
}


@pytest.mark.parametrize(("code", "url"), [(code, url) for code, urls in BROKEN.items() for url in urls])
def test_a_link_that_cannot_work_is_found(code, url):
    fault = check_anchor_url(url)
    assert fault is not None
    assert fault.code == code


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.com", "https://example.com/a?b=1&c=2#d", "HTTPS://EXAMPLE.COM/X", " https://example.com "),
        *(
            "https://user@example.com:8443/x",
            "https://müller.example",
            "https://xn--mller-kva.example",
            "https://8.8.8.8/x",
        ),
        *("https://www2.example.com", "https://w.example.com", "https://web.archive.org/web/2020/https://example.com"),
        *("mailto:ann@example.com", "mailto:?subject=Look", "tel:+4930123", "sms:+4930123", "#top", "sms:?body=Hi"),
        *("slack://open", "zoommtg://join", "market://details?id=x", "itms-apps://x", "whatsapp://send", "geo:1,2"),
        *(
            "maps:q=x",
            "intercom://x",
            "com.example.app://open",
            "fb://page/1",
            "tg://x",
            "spotify:track:1",
            "webcal://example.com/a.ics",
        ),
        *(
            "\ufffc\ufffc\ufffc",
            "https://\ufffc\ufffc",
            "https://\ufffc.example.com/\ufffc",
            "\ufffc/account",
            "https://a.example.com/\ufffc?e=\ufffc",
        ),
        "https://[2001:4860:4860::8888]/x",
    ],
)
def test_a_link_that_works_is_left_alone(url):
    assert check_anchor_url(url) is None


@pytest.mark.parametrize(
    ("url", "mended"),
    [
        ("htps://example.com", "https://"),
        ("www.example.com/x", "https://www.example.com/x"),
        ("//example.com", "https://example.com"),
        ("ann@example.com", "mailto:ann@example.com"),
        ("maito:ann@example.com", "mailto:"),
    ],
)
def test_the_hint_has_the_link_that_is_meant(url, mended):
    fault = check_anchor_url(url)
    assert fault is not None
    assert fault.hint == f"write {mended}"
    assert (
        check_anchor_url(mended if "." in mended else f"{mended}{'ann@' if mended[0] == 'm' else ''}example.com")
        is None
    )


# Links with the one that is meant, which is in the hint or follows from it.
MENDED = [
    ("mailto:bo(at)example.com", "as in mailto:help@example.com", "mailto:help@example.com"),
    ("mailto:Bo Smith", "as in mailto:help@example.com", "mailto:help@example.com"),
    ("mailto:bo@localhost", "as in mailto:help@example.com", "mailto:help@example.com"),
    ("mailto:bo@example.com,al", "as in mailto:help@example.com", "mailto:bo@example.com,help@example.com"),
    ("mailto:bo@example.com&subject=Hi", "write ? in place of the first &", "mailto:bo@example.com?subject=Hi"),
    ("mailto:", "as in mailto:help@example.com", "mailto:help@example.com"),
    ("MAILTO: ", "as in mailto:help@example.com", "mailto:help@example.com"),
    ("mailto://bo@example.com", "remove //", "mailto:bo@example.com"),
    ("mailto:mailto:bo@example.com", "remove the first mailto:", "mailto:bo@example.com"),
    ("mailto:https://example.com", "remove the first mailto:", "https://example.com"),
    ("tel:call us", "as in tel:+4930123456", "tel:+4930123456"),
    ("tel:", "as in tel:+4930123456", "tel:+4930123456"),
    ("tel://+4930123", "remove //", "tel:+4930123"),
    ("sms:Bo", "as in sms:+4930123456", "sms:+4930123456"),
    ("tel:+49 (0) 30 123", "as in tel:+4930123456", "tel:+4930123456"),
    ("https://example.com/?a=1?b=2", "write & in place of the second ?", "https://example.com/?a=1&b=2"),
    ("https://example.com/a?utm_a=1&c=d?b=2", "write & in place of the second ?", "https://example.com/a?c=d&b=2"),
    ("https://example.com/a&utm_source=b", "write ? in place of the first &", "https://example.com/a?utm_source=b"),
    ("https://example.com/a b", "write %20 in place of the space", "https://example.com/a%20b"),
    ("cid:logo", "put the file on a host with https://", "https://example.com/logo.png"),
]


@pytest.mark.parametrize(("url", "hint", "mended"), MENDED)
def test_the_hint_followed_to_the_letter_mends_the_link(url, hint, mended):
    fault = check_anchor_url(url)
    assert fault is not None
    assert hint in fault.hint
    assert check_anchor_url(mended) is None


@pytest.mark.parametrize(
    "url",
    [
        *("mailto:bo@example.com?subject=Hi there&body=a?b", "mailto:a@example.com,b@example.co.uk;c@example.com"),
        *("mailto:%22a%20b%22@example.com".replace("%22a%20b%22", "a.b+c"), "mailto:ann@müller.example"),
        *("tel:1-800-FLOWERS", "tel:+1 (555) 123-4567", "tel:*21#", "tel:110", "tel:+49-30-123;ext=5", "tel:123,,4#"),
        *("mailto:\ufffc", "tel:\ufffc", "mailto:\ufffc@example.com", "tel:+49\ufffc", "mailto:a@\ufffc"),
        *(
            "https://example.com/?next=/a?b=c",
            "https://example.com/?u=https://example.com/?a=b",
            "https://a.example.com/?q=why?",
        ),
        *("https://example.com/AT&T", "https://example.com/#/a?b=c?d=e", "https://example.com/a&b=c"),
    ],
)
def test_unusual_links_that_work_are_left_alone(url):
    assert check_anchor_url(url) is None


def test_an_image_of_an_attachment_is_found(codes):
    assert codes(body="<p><img src='cid:logo@example.com' alt=''></p>") == ["malformed-link"]
    assert codes(body="<p><img src='https://example.com/a b.png' alt=''></p>") == ["unencoded-value"]


def test_a_link_of_a_recipient_is_found_without_its_value_in_the_hint(lint):
    to = [
        {"type": "user", "id": f"u{n}", "vars": {"u": u}}
        for n, u in enumerate(("mailto:a@b.example", "mailto:bo(at)x.de"))
    ]
    (found,) = lint(body='<p><a href="{{ u }}">x</a></p>', to=to)
    assert (found.code, found.hint, found.recipient) == (
        "malformed-link", "write it as in mailto:help@example.com", "recipient 2",
    )  # fmt: skip
    assert "bo" not in str(found.message)


@pytest.mark.parametrize("value", [
    "“https://example.com”", "”https://example.com”", "„https://example.com“", "\u2018https://example.com\u2019",
    "«https://example.com»", "&quot;https://example.com&quot;", "&ldquo;https://example.com&rdquo;", "`https://example.com`",
    "″https://example.com″",
])  # fmt: skip
def test_quotes_that_html_does_not_know_are_found_with_the_ones_that_it_does(lint, value):
    (found,) = lint(body=f"<p><a href={value} class={value}>x</a></p>")
    assert (found.code, found.hint) == ("unclosed-quote", 'write href="…", with the straight quote " on both sides')
    assert lint(body='<p><a href="https://example.com" title="“Hi” = «Bo», a=“b”">x</a></p>') == []


@pytest.mark.parametrize(
    "value", ["a+b@example.com", "R&D", "50% off", "a b", "#1", "Zoë", "a\\b", '"x"', "<x>", "100%"]
)
def test_a_value_that_means_something_else_in_a_query_is_found(value):
    fault = check_query_value(value, "x")
    assert fault is not None
    assert fault.hint == "write {{ x | urlencode }}"


@pytest.mark.parametrize(
    "value", ["ann@example.com", "a-b_c.d~e", "a%2Bb%40example.com", "12,5", "a/b:c?d", "536e564f", "a=b"]
)
def test_a_value_that_a_query_keeps_is_left_alone(value):
    assert check_query_value(value, "x") is None


BODY = "<p><a href='https://example.com/?e={{ email }}&amp;n={{ n }}'>x</a> https://example.com/?a=1&amp;n={{ n }}</p>"


def test_a_value_in_a_query_is_found_for_its_recipients_wherever_the_link_stands(lint):
    to = [
        {"type": "user", "id": f"u{number}", "vars": {"email": email, "n": n}}
        for number, (email, n) in enumerate(
            [("ann@example.com", "7"), ("a+b@example.com", "x y"), ("c+d@example.com", "1")]
        )
    ]
    found = lint(body=BODY, to=to)
    assert [(f.code, f.place.column, f.recipient) for f in found] == [
        ("unencoded-value", 42, "recipient 2, and 1 more recipient"), ("unencoded-value", 60, "recipient 2"),
        ("unencoded-value", 106, "recipient 2"),
    ]  # fmt: skip
    encoded = BODY.replace("email }}", "email | urlencode }}").replace("n }}", "n | lower | urlencode }}")
    assert lint(body=encoded, to=to) == []
    assert lint(body="<p>Mail {{ email }}, about {{ n }}?</p>", to=to) == []
    assert lint(body="<p><a href='https://example.com/{{ n }}/?{{ n }}#{{ n }}'>x</a></p>", to=to) == []


def test_a_link_of_a_value_is_checked_for_every_recipient(lint):
    links = ["https://example.com", "", "/account", "www.example.com", "htps://example.com", "mailto:ann@example.com"]
    to = [{"type": "user", "id": f"u{number}", "vars": {"u": link or " "}} for number, link in enumerate(links)]
    found = lint(body="<p><a href=\"{{ u }}\">x</a> <a href='{{ u }}/a'>y</a></p>", to=to)
    assert sorted((f.code, f.recipient) for f in found) == [
        ("empty-link", "recipient 2"),
        ("malformed-link", "recipient 5"),
        ("relative-link", "recipient 3, and 1 more recipient"),
    ]


def test_only_links_that_are_clicked_need_a_host(codes):
    assert codes(body="<link href='a.css' rel='stylesheet'><p background='x.png'><a name='top'>x</a></p>") == []
    assert codes(body="<p><a href='{{ product }}'>x</a></p>", vars={"product": "/shop"}) == ["relative-link"]
