"""A file that stands in for its text is recognised, and honest text is left alone."""

from __future__ import annotations

import time

import pytest

from runner.declare.pointers_and_conflicts import find_conflict, find_stand_in


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n", (2, 1)),
        ("<<<<<<< HEAD\nb\n>>>>>>> x\n", (1, 1)),
        ("a\n  <<<<<<< HEAD\n  b\n  =======\n", (2, 3)),
        ("a\n\t=======\nc\n\t>>>>>>> x", (2, 2)),
        ("<<<<<<<\r\na\r\n=======\r\nb\r\n>>>>>>>\r\n", (1, 1)),
        ("NEWS\n=======\nx\n<<<<<<< HEAD\na\n||||||| base\nb\n=======\nc\n>>>>>>> x\n", (4, 1)),
    ],
)
def test_two_marks_of_a_merge_in_their_order_are_a_conflict(text, place):
    problem = find_conflict("a.html", text)
    assert problem
    assert (problem.place.line, problem.place.column) == place


@pytest.mark.parametrize(
    "text",
    [
        "=======\nNEWS\n=======\n",
        ">>>>>>> quoted\n",
        ">>>>>>> quoted\n=======\n",
        "<<<<<<< sale >>>>>>>\n",
        "<<<<<<<\nsale\n>>>>>>>\n",
        "=======\nsale\n>>>>>>>\n",
        "<<<<<<<< HEAD\n========\n>>>>>>>> x\n",
        "see <<<<<<< HEAD\n=======\n",
    ],
)
def test_one_mark_alone_is_text(text):
    assert find_conflict("a.html", text) is None


@pytest.mark.parametrize(
    "start",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
        b"version https://hawser.github.com/spec/v1\r\noid sha256:4d7a\r\nsize 1\r\n",
        b"version http://git-media.io/v/2\noid sha256:4d7a\nsize 1\n",
        b"version https://git-lfs.github.com/spec/v1\next-0-a sha256:1\next-1-b sha256:2\noid sha256:4d7a\n",
        b"/annex/objects/SHA256E-s31390--f50d7ac.html",
    ],
)
def test_pointers_of_all_versions_are_recognised(start):
    assert find_stand_in(start)


@pytest.mark.parametrize(
    "start", [b"version https://git-lfs.github.com/spec/v1 is\noid 1", b"see /annex/objects/x", b"/annex/objects/x is"]
)
def test_a_text_about_pointers_is_none(start):
    assert find_stand_in(start) is None


def test_many_marks_take_linear_time():
    start = time.perf_counter()
    find_conflict("a.html", "<<<<<<< a\n" * 200_000)
    find_conflict("a.html", ">>>>>>> a\n" * 200_000)
    find_stand_in(b"version https://x\n" + b"ext-\n" * 100_000)
    assert time.perf_counter() - start < 5
