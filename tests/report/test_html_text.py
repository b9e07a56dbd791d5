"""What a reader sees of a body: its text, line by line, and where its links lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.html_text import visible_text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Hi Ann,\n\n  two   spaces \nend", "Hi Ann,\n\n  two   spaces\nend"),
        ("<p>Hi <b>Ann</b>,</p><p>it is\n  over.</p>", "Hi Ann,\n\nit is over."),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>end", "- a\n- b\n\nend"),
        ('<a href="https://a.example/x">here</a>.', "here (https://a.example/x)."),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<p>a <img src="https://t.example/1.gif"></p>', "a [image without alt: https://t.example/1.gif]"),
        ('<img alt="Logo" src="/l.png">', "[image Logo: /l.png]"),
        ("<style>p{}</style><p>a</p><script>b()</script>", "a"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("<p>unclosed <b>tag", "unclosed tag"),
        ("", ""),
    ],
)
def test_the_text_of_a_body(body: str, text: str) -> None:
    assert visible_text(body) == text


@given(st.text(alphabet="<>/ab&;\"'=! \n-?"))
def test_no_body_is_too_broken_to_be_read(body: str) -> None:
    assert isinstance(visible_text(body), str)
