"""Problems of recipients are told once for all, and the first twenty of each kind."""

from __future__ import annotations

import pytest

from runner.declare.recipient_problems import find_recipient_problems

HEAD = "name: a\nmessage_type: email\nsubject: Hey\nfrom: {type: admin, id: 1}\n"
TO = 'to: {csv: ../a.csv, type: user, email: "{{ email }}"}\n'


@pytest.fixture
def told(declare):
    def told(text, **files):
        taken = []
        problems = find_recipient_problems(declare(text, **files), "", taken.append)
        return [(problem.code, problem.recipient, problem.message) for problem in problems], len(taken)

    return told


def test_what_all_recipients_show_is_told_once(told):
    problems, taken = told(f"{HEAD}body: Hi {{{{ x }}}}\n{TO}", **{"a.csv": "email\na@b\nb@b\nc@b\n"})
    assert problems == [("undefined-variable", "all 3 recipients", "x has no value")]
    assert taken == 0


def test_both_texts_of_a_recipient_are_told_and_count_as_one(told):
    text = HEAD.replace("Hey", '"{{ x }}"') + f"body: Hi {{{{ y }}}}\nmax_recipients: 2\n{TO}"
    problems, _ = told(text, **{"a.csv": "email\na@b\nb@b\n"})
    assert [problem[:2] for problem in problems] == [
        ("undefined-variable", "all 2 recipients"),
        ("undefined-variable", "all 2 recipients"),
    ]
    alone = text.replace(TO, "to: {type: user, id: a}\n").replace("max_recipients: 2", "max_recipients: 1")
    assert [problem[:2] for problem in told(alone)[0]] == [("undefined-variable", "")] * 2


def test_of_many_problems_of_a_kind_the_first_twenty_are_told(told):
    rows = "".join(f"x{i}\n" for i in range(30))
    problems, taken = told(f"{HEAD}body: Hi\n{TO}", **{"a.csv": f"email\na@b\n{rows}"})
    assert len(problems) == 21
    assert problems[-1][2] == "and 10 more recipients with a problem of this kind"
    assert taken == 1


def test_a_name_that_is_only_tested_is_warned_of(told):
    problems, taken = told(f"{HEAD}body: Hi{{% if x %}}!{{% endif %}}\n{TO}", **{"a.csv": "email\na@b\n"})
    assert problems == [("unknown-variable", "", "nothing gives x a value")]
    assert taken == 1


def test_rows_that_are_no_recipients_count(told):
    problems, _ = told(f"{HEAD}body: Hi\nmax_recipients: 1\n{TO}", **{"a.csv": "email\na@b\nb@b,1\n"})
    assert [code for code, *_ in problems] == ["csv-row", "too-many-recipients"]


def test_an_empty_audience_is_warned_of(told):
    problems, _ = told(f"{HEAD}body: Hi\n{TO}", **{"a.csv": "email\n"})
    assert [code for code, *_ in problems] == ["no-recipients"]
