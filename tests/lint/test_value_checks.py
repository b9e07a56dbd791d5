"""What is in the values of single recipients: entities of HTML, and bodies that grow too long."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("value", ["Fish &amp; Chips", "O&#39;Brien", "caf&eacute;", "a&nbsp;b", "&lt;3"])
def test_an_entity_in_a_value_is_found_where_it_is_shown(value, lint):
    to = [{"type": "user", "id": f"u{n}", "vars": {"n": text}} for n, text in enumerate(("R&D; AT&T", value))]
    for texts in ({"body": "<p>Hi {{ n }}</p>"}, {"subject": "News for {{ n }}"}):
        (found,) = lint(to=to, **texts)
        assert (found.code, found.recipient) == ("entity-shown", "recipient 2")
    assert lint(to=to, body="<p>Hi {{ n | safe }}</p>") == []
    assert lint(to=to, body="<p>{% if n %}Hi{% endif %}</p>") == []


def test_an_entity_is_found_in_a_subject_and_in_a_body_without_tags(lint):
    (found,) = lint(subject="Terms &amp; conditions of R&D")
    assert (found.code, found.severity, found.hint) == ("entity-shown", "error", "write the character itself: &")
    (found,) = lint(body="Fish &amp; chips")
    assert (found.code, found.severity) == ("entity-shown", "warning")
    assert lint(body="Fish & chips, R&D; AT&T &nosuch; &") == []
    assert lint(body="<p>Fish &amp; chips</p>") == []


def test_a_body_that_gmail_clips_is_found_by_its_bytes_and_in_emails_only(lint):
    to = [
        {"type": "user", "id": f"u{n}", "vars": {"n": text}} for n, text in enumerate(("a", "x" * 60_000, "ä" * 60_000))
    ]
    (found,) = lint(to=to, body="<p>{{ n }}</p>")
    assert (found.code, found.recipient, found.message) == ("clipped-body", "recipient 3", "this body has 117 KB")
    assert lint(to=to, body="<p>{{ n }}</p>", message_type="inapp", subject=None) == []


def test_a_recipient_with_several_faults_at_one_place_counts_once(lint):
    value = "[FIRST_NAME] *|LNAME|* %EMAIL%"
    (found,) = lint(body="<p>Hi {{ n }}</p>", to={"type": "user", "id": "u1", "vars": {"n": value}})
    assert "more" not in str(found.recipient)
    to = [
        {"type": "user", "id": f"u{number}", "vars": {"n": n}} for number, n in enumerate(("Ann", value, value, "Bo"))
    ]
    (found,) = lint(body="<p>Hi {{ n }}</p>", to=to)
    assert found.recipient == "recipient 2, and 1 more recipient"
