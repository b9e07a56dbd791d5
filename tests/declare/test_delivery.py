"""Deliveries: what is rendered for whom, in which form, and what is wrong with it."""

from __future__ import annotations

import html
import string

from hypothesis import given
from hypothesis import strategies as st

from runner.declare.delivery import render_deliveries
from runner.declare.keys_and_digests import MessageDigest
from runner.errors import Problem

MESSAGE = """\
name: a
message_type: email
subject: "Hi {{ word }}"
body: "<p>{{ word }}</p>{% if word %} {{ word | default('x') }}{% endif %}"
from: {type: admin, id: 1}
to: {csv: ../a.csv, type: user, user_id: "u-{{ word }}"}
"""


@given(st.text(string.printable, min_size=1, max_size=20).filter(lambda text: text.split() == [text.strip()]))
def test_the_same_input_renders_the_same_bytes_and_a_value_is_escaped(declare, word):
    cell = '"' + word.strip().replace('"', '""') + '"'
    declaration = declare(MESSAGE, **{"a.csv": f"word\n{cell}\n"})
    first, second = list(render_deliveries(declaration, "")), list(render_deliveries(declaration, ""))
    assert first == second
    if isinstance(first[0], Problem):
        assert "{{" in word or "{%" in word
        return
    shown = html.escape(word.strip()).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    assert first[0].payload["body"] == f"<p>{shown}</p> {shown}"
    assert first[0].payload["subject"] == f"Hi {word.strip()}"


def test_rows_may_move(declare):
    rows = ["ann", "bo", "cy"]
    digests = set()
    for order in (rows, rows[::-1]):
        declaration = declare(MESSAGE, **{"a.csv": "word\n" + "\n".join(order) + "\n"})
        message = MessageDigest()
        for delivery in render_deliveries(declaration, "s"):
            message.add(delivery.raw_key, delivery.raw_digest)
        digests.add(message.value("a", 1))
    assert len(digests) == 1


def test_the_payload_has_the_fields_of_the_reference_in_their_order(declare, seed):
    text = seed.replace("type: user", "type: lead") + "create_conversation_without_contact_reply: true\n"
    (delivery,) = render_deliveries(declare(text), "")
    flag = "create_conversation_without_contact_reply"
    assert list(delivery.payload) == ["message_type", "subject", "body", "template", "from", "to", flag]
    assert delivery.payload["to"]["type"] == "contact"
    inapp = seed.replace("email", "in_app").replace("template: plain\n", "").replace("subject: Hey\n", "")
    (delivery,) = render_deliveries(declare(inapp), "")
    assert delivery.payload["message_type"] == "inapp"
    assert list(delivery.payload) == ["message_type", "body", "from", "to"]


def test_half_a_surrogate_pair_made_by_a_template_is_a_problem(declare, seed):
    text = seed.replace("Ponies, cute small horses or something more sinister?", "\"{{ '\\\\ud83d' }}\"")
    (problem,) = render_deliveries(declare(text), "")
    assert problem.code == "not-a-text"


def test_an_address_is_shown_by_its_key(declare, seed):
    (delivery,) = render_deliveries(declare(seed.replace("id: 536e564f316c83104c000020", "email: ann@example.com")), "")
    assert delivery.display_name == f"email:~{delivery.key[:8]}"


def test_after_a_render_that_takes_too_long_no_other_is_tried(declare):
    from runner.declare.template.render_monitor import RenderTimeout  # noqa: PLC0415

    declaration = declare(MESSAGE, **{"a.csv": "word\nann\nbo\n"})

    class Slow(str):
        __slots__ = ()

        def __html__(self):
            raise RenderTimeout

    declaration.variables["word"] = Slow("x")
    rows = iter(declaration.audience.recipients())
    first = next(rows)
    first.vars["word"] = Slow("x")

    class Once:
        def recipients(self, _):
            return iter([first, first])

        def label(self, number):
            return f"row {number}"

    object.__setattr__(declaration, "audience", Once())
    assert [problem.code for problem in render_deliveries(declaration, "")] == ["too-slow"]
