"""What a document becomes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.declare.declaration_parser import without_nulls


def test_moments_are_utc(declare, seed):
    found = declare(seed + "expires: 2026-12-01t18:00:00+01:00\nnot_before: 2026-11-24\n")
    assert found.expires == datetime(2026, 12, 1, 17, tzinfo=UTC)
    assert found.not_before == datetime(2026, 11, 24, tzinfo=UTC)
    assert found.place.line == 1


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("Ponies", "Horses"), False),
        (("Hey", "Ho"), False),
        (("template: plain", "template: personal"), False),
        (('"394051"', "394052"), False),
        (('"394051"', "394051"), True),
        (("name: seed", "name: other"), True),
        (("id: 536e564f316c83104c000020", "id: x"), True),
        (("template: plain\n", ""), True),
    ],
)
def test_the_content_is_what_the_author_wrote_but_for_recipients(declare, seed, change, same):
    assert (declare(seed).content == declare(seed.replace(*change)).content) == same


def test_the_content_has_the_includes_and_the_variables(declare, seed):
    text = seed.replace("Ponies, cute small horses or something more sinister?", "\"{% include 'f.html' %}{{ a }}\"")
    one = declare(text + "vars: {a: 1}\n", **{"messages/f.html": "x"}).content
    two = declare(text + "vars: {a: 1}\n", **{"messages/f.html": "y"}).content
    three = declare(text + "vars: {a: 2}\n", **{"messages/f.html": "y"}).content
    assert len({one, two, three}) == 3


def test_nulls_go_from_mappings_at_any_depth():
    assert without_nulls({"a": None, "b": {"c": None, "d": [None, {"e": None}]}}) == {"b": {"d": [None, {}]}}


def test_a_file_that_cannot_be_read_is_a_problem(read, seed, monkeypatch):
    from runner.declare.tree import NotReadable, Tree  # noqa: PLC0415

    text = seed.replace("body: Ponies, cute small horses or something more sinister?", "body_file: b.html")
    read_bytes = Tree.read

    def refuse(tree, path):
        if path.endswith(".html"):
            raise NotReadable("file-unreadable", "denied")
        return read_bytes(tree, path)

    monkeypatch.setattr(Tree, "read", refuse)
    (problem,) = read({"messages/a.yaml": text, "messages/b.html": "x"}).problems
    assert problem.code == "file-unreadable"
