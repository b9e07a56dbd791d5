"""Identity and digests, by the vectors of the contract and for whatever text people write."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.audience.recipient import normalise_identifier
from runner.declare.delivery import render_deliveries
from runner.declare.keys_and_digests import MessageDigest, delivery_key, payload_hasher, plan_digest, text_hash

WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
RAW = st.binary(min_size=16, max_size=16)


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
    assert delivery_key(salt, name, revision, kind, value) == expected


def test_the_seed_has_the_digests_of_the_contract(declare, seed):
    (delivery,) = render_deliveries(declare(seed), "")
    message = MessageDigest()
    message.add(delivery.raw_key, delivery.raw_digest)
    found = message.value("seed", 1)
    assert delivery.digest == "v1:18d956e378d0a1091356030138bd787b"
    assert found == "sha256:10855d80d7d36aa29ac63cc866f6f8e11e64dda9f7b49fe0f3c9878a22bb3b0e"
    plan = plan_digest("default", "", [("seed", 1, found)])
    assert plan == "sha256:7acc4b89b134d1ece5f6fd78ca3c74e2598f1aba18f0065b7e62fa1732fce013"
    assert delivery.display_name == "id:536e564f316c83104c000020"
    assert payload_hasher("salt")(delivery.payload) != delivery.raw_digest


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
        once = normalise_identifier(kind, f" {word}\t")
        assert normalise_identifier(kind, once) == once
    assert normalise_identifier("email", word.upper()) == normalise_identifier("email", f"{word.upper()} ")


def test_the_text_hash_sees_what_a_reader_sees():
    sent = {"subject": "Hey", "body": "Ponies &amp; <b>horses</b>"}
    back = {"subject": "Hey ", "body": "<p>Ponies &  <b>horses</b></p>"}
    assert text_hash(sent, "s") == text_hash(back, "s")
    assert text_hash(sent, "s") != text_hash(sent, "t")
    assert text_hash(sent, "s") != text_hash({**sent, "body": "Ponies"}, "s")
