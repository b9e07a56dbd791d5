"""A body that another reader of HTML may read in another way is known by its tags, without a list of such cases."""

from pathlib import Path

import pytest

from runner.mail_display.html_events import read_events
from runner.mail_display.plain_reading import is_read_in_one_way
from tests.support.project import ROOT

PLAIN = [
    "", "Hi", "<p>Hi", "<p>a<p>b", "<ul><li>a<li>b</ul>", "<P CLASS=x>Hi</p >", "3 < 5 &amp; 7", "a<br/>b<BR>c",
    "<table><tr><td>a<td>b<tr><td>c</table>", "<dl><dt>a<dd>b</dl>", "<a href='x>y' title=\"it's\">z</a>",
    "<!DOCTYPE html><html><head><title>T</title><style>a > b {}</style></head><body><p>Hi</p></body></html>",
    "<!-- a -- b --><p>Hi</p>", "<!--[if mso]><p>x<![endif]--><p>Hi</p>", "<!--[if !mso]><!-->Hi<!--<![endif]-->",
    "<![if !mso]><p>Hi</p><![endif]>",
]  # fmt: skip
# What JustHTML and chromium 156 read in two ways, and what is like it.
REPAIRED = [
    "<p>Hi</p><!--!><p>x</p><!-- -->", "<p>Hi</p><!-->x<!-- -->", "<!--->x-->", "<!-- a --!>x", "<!-----!>x<!-- -->",
    "<!-----!>x<!-- -->?",

    "<!--<!---!>x<!-- -->", "<script></script '>x", "<title></title '>x", "<style></style '>x", "<xmp><b></xmp '>x",
    "<p>Hi</p><td style='display:none'>x</td>", "<p>Hi</p><tr hidden>x</tr>", "<tbody hidden>x</tbody>",
    "<table>x<tr><td>y</td></tr></table>",
    "<p>x</p><body style='color:#fff'>", "<b>x</b><html hidden>", "<math><mi><html hidden></mi></math>",
    "<svg><p>x</p></svg>", "<b><i>x</b></i>", "<p>a<div>b</p></div>", "<a href=x><a href=y>z</a></a>",
    "<p>x</p></div>", "<?php x ?>", "</ x>a", "a <b", "<textarea><b></textarea>", "<style><p>x</p></style>",
    "<p title='a'b>x</p>", "<p ='a'>x</p>",
    "<template><p>x</p></template></template>", "<select><div>x</select>",
    "<b>" * 300 + "x" + "</b>" * 300,
]  # fmt: skip


def is_plain(body: str) -> bool:
    return is_read_in_one_way(body, read_events(body))


@pytest.mark.parametrize("body", PLAIN)
def test_html_as_mails_have_it_is_read_in_one_way(body: str) -> None:
    assert is_plain(body)


@pytest.mark.parametrize("body", REPAIRED)
def test_html_that_a_reader_repairs_is_known(body: str) -> None:
    assert not is_plain(body)


LAYOUTS = [path for path in (ROOT / "tests/lint/corpus").glob("*.html") if "{%" not in path.read_text("utf-8")]


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.name)
def test_the_layouts_of_usual_tools_are_read_in_one_way(path: Path) -> None:
    assert is_plain(path.read_text("utf-8"))
