"""Identity and digests, by the vectors of the contract and for whatever text people write."""

from __future__ import annotations

import html
import string
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.declare.delivery import (
    MessageDigest,
    deliveries,
    digest,
    key,
    normalised,
    plan_digest,
    text_hash,
)
from runner.errors import Problem

WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
RAW = st.binary(min_size=16, max_size=16)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("salt", "name", "revision", "kind", "value", "expected"),
    [
        ("", "seed", 1, "id", "536e564f316c83104c000020", "3215e97fae6137100a3e78e8529ac85e"),
        ("s3cret", "outage-apology", 2, "email", "ann@example.com", "51a5472ae52e41708e27309e785f98b5"),
        ("s3cret", "outage-apology", 2, "email", " Ann@Example.COM ", "51a5472ae52e41708e27309e785f98b5"),
        ("s3cret", "news/in-app", 1, "user_id", "Zoë-25", "2572ff4560e412005a4054af259d9753"),
        (
            "s3cret",
            "news/in-app",
            1,
            "user_id",
            unicodedata.normalize("NFD", "Zoë-25"),
            "2572ff4560e412005a4054af259d9753",
        ),
    ],
)
def test_keys_are_those_of_the_contract(salt, name, revision, kind, value, expected):
    assert key(salt, name, revision, kind, value) == expected


def test_the_seed_has_the_digests_of_the_contract(declare, seed):
    (delivery,) = deliveries(declare(seed), "")
    message = MessageDigest()
    message.add(delivery.raw_key, delivery.raw_digest)
    found = message.value("seed", 1)
    assert delivery.digest == "v1:18d956e378d0a1091356030138bd787b"
    assert found == "sha256:10855d80d7d36aa29ac63cc866f6f8e11e64dda9f7b49fe0f3c9878a22bb3b0e"
    plan = plan_digest("default", "", [("seed", 1, found)])
    assert plan == "sha256:7acc4b89b134d1ece5f6fd78ca3c74e2598f1aba18f0065b7e62fa1732fce013"
    assert delivery.shown == "id:536e564f316c83104c000020"
    assert digest(delivery.payload, "") == delivery.digest
    assert digest(delivery.payload, "salt") != delivery.digest


def test_a_plan_is_free_of_the_order_of_its_messages():
    messages = [("b", 1, "sha256:1"), ("a", 2, "sha256:2")]
    assert plan_digest("live", "acme", messages) == plan_digest("live", "acme", messages[::-1])
    assert plan_digest("live", "acme", messages) != plan_digest("live", "", messages)


@given(st.lists(st.tuples(RAW, RAW), max_size=20), st.randoms())
def test_a_message_digest_is_free_of_order(pairs, chance):
    one, other = MessageDigest(), MessageDigest()
    for pair in pairs:
        one.add(*pair)
    chance.shuffle(pairs)
    for pair in pairs:
        other.add(*pair)
    assert one.value("a", 1) == other.value("a", 1)
    assert one.value("a", 1) != one.value("a", 2)


@given(WORDS)
def test_normalising_twice_changes_nothing(word):
    for kind in ("id", "user_id"):
        once = normalised(kind, f" {word}\t")
        assert normalised(kind, once) == once
    assert normalised("email", word.upper()) == normalised("email", f"{word.upper()} ")


def test_the_text_hash_sees_what_a_reader_sees():
    sent = {"subject": "Hey", "body": "Ponies &amp; <b>horses</b>"}
    back = {"subject": "Hey ", "body": "<p>Ponies &  <b>horses</b></p>"}
    assert text_hash(sent, "s") == text_hash(back, "s")
    assert text_hash(sent, "s") != text_hash(sent, "t")
    assert text_hash(sent, "s") != text_hash({**sent, "body": "Ponies"}, "s")


MESSAGE = """\
name: a
message_type: email
subject: "Hi {{ word }}"
body: "<p>{{ word }}</p>{% if word %} {{ word | default('x') }}{% endif %}"
from: {type: admin, id: 1}
to: {csv: ../a.csv, type: user, user_id: "u-{{ word }}"}
"""


@QUICK
@given(st.text(string.printable, min_size=1, max_size=20).filter(lambda text: text.split() == [text.strip()]))
def test_the_same_input_renders_the_same_bytes_and_a_value_is_escaped(declare, word):
    cell = '"' + word.strip().replace('"', '""') + '"'
    declaration = declare(MESSAGE, **{"a.csv": f"word\n{cell}\n"})
    first, second = list(deliveries(declaration, "")), list(deliveries(declaration, ""))
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
        for delivery in deliveries(declaration, "s"):
            message.add(delivery.raw_key, delivery.raw_digest)
        digests.add(message.value("a", 1))
    assert len(digests) == 1


def test_the_payload_has_the_fields_of_the_reference_in_their_order(declare, seed):
    text = seed.replace("type: user", "type: lead") + "create_conversation_without_contact_reply: true\n"
    (delivery,) = deliveries(declare(text), "")
    flag = "create_conversation_without_contact_reply"
    assert list(delivery.payload) == ["message_type", "subject", "body", "template", "from", "to", flag]
    assert delivery.payload["to"]["type"] == "contact"
    inapp = seed.replace("email", "in_app").replace("template: plain\n", "").replace("subject: Hey\n", "")
    (delivery,) = deliveries(declare(inapp), "")
    assert delivery.payload["message_type"] == "inapp"
    assert list(delivery.payload) == ["message_type", "body", "from", "to"]


def test_half_a_surrogate_pair_made_by_a_template_is_a_problem(declare, seed):
    text = seed.replace("Ponies, cute small horses or something more sinister?", "\"{{ '\\\\ud83d' }}\"")
    (problem,) = deliveries(declare(text), "")
    assert problem.code == "not-a-text"


def test_an_address_is_shown_by_its_key(declare, seed):
    (delivery,) = deliveries(declare(seed.replace("id: 536e564f316c83104c000020", "email: ann@example.com")), "")
    assert delivery.shown == f"email:~{delivery.key[:8]}"


def test_after_a_render_that_takes_too_long_no_other_is_tried(declare):
    from runner.declare.language import RenderTooLong  # noqa: PLC0415

    declaration = declare(MESSAGE, **{"a.csv": "word\nann\nbo\n"})

    class Slow(str):
        __slots__ = ()

        def __html__(self):
            raise RenderTooLong

    declaration.values["word"] = Slow("x")
    rows = iter(declaration.audience.recipients())
    first = next(rows)
    first.vars["word"] = Slow("x")

    class Once:
        def recipients(self, _):
            return iter([first, first])

        def label(self, number):
            return f"row {number}"

    object.__setattr__(declaration, "audience", Once())
    assert [problem.code for problem in deliveries(declaration, "")] == ["too-slow"]
