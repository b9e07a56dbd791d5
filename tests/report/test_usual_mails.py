"""Mails as the usual editors and frameworks write them: the comment has their texts, and hardly a word about them.

An alarm that most honest mails raise is worth nothing. All layouts and texts were written for this test.
"""

import re
from pathlib import Path

import pytest

from runner.preview.body_checks import find_hidden_links
from runner.report.html_text import visible_text
from tests.support import golden

MAILS = sorted((Path(__file__).parent / "usual_mails").glob("*.html"))
# What is no alarm: what the mail loads, and what is not displayed or only for some readers.
FACTS = (
    "title", "link", "image [^:]*", "picture", "a style sheet", "in Outlook alone", "not in Outlook", "struck", "v",
    "not displayed", "other colours in a dark theme", "at the right", "in the colour of its background without .*",
    "on a background of its own",
)  # fmt: skip
# At most this many in one of them, and these alone.
ALARMS = {
    "beefree-offer": {"styled with word-break", "styled with width"},
    "cerberus-hybrid": {"styled with max-height, overflow"},
    "office-letter": {"styled with text-indent, mso-list", "styled with mso-list"},
    "shop-order": {"styled with white-space"},
}


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_the_text_of_a_usual_mail(path: Path) -> None:
    text = visible_text(path.read_text("utf-8"), show_values=False)
    golden.check(f"usual_mails/{path.stem}.txt", f"{text}\n")
    marks = set(re.findall(r"\[([^\[\]:]+)(?=[:\]])", text))
    assert {mark for mark in marks if not re.fullmatch("|".join(FACTS), mark)} == ALARMS.get(path.stem, set())


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_no_link_of_a_usual_mail_is_hidden(path: Path) -> None:
    assert find_hidden_links(path.read_text("utf-8")) == {}
