"""Filters leave out whom they say, count them, and hold for every order of the rows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.audience.selection import Split, Tally
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.recipient_problems import find_recipient_problems

HEAD = "name: a\nmessage_type: email\nsubject: Hey\nbody: Hi\nfrom: {type: admin, id: 1}\n"
PERCENTS = st.one_of(st.integers(1, 99), st.sampled_from(["0.5", "33.33", "12.5"]))
IDENTITIES = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)


@given(IDENTITIES, PERCENTS, st.text(max_size=5))
def test_everybody_is_in_exactly_one_part(people, percent, draw):
    share = Fraction(str(percent))
    parts = range(1, -int(-100 // share) + 1)
    for person in people:
        assert sum(Split(share, part, draw, "salt").contains("user_id", person) for part in parts) == 1


@given(IDENTITIES, st.integers(1, 49))
def test_the_first_part_of_a_larger_percentage_holds_that_of_a_smaller_one(people, percent):
    small, large = Split(Fraction(percent), 1), Split(Fraction(percent * 2), 1)
    assert all(large.contains("id", person) for person in people if small.contains("id", person))


def test_a_part_has_about_the_size_that_it_says_and_another_draw_another_one():
    people = [str(number) for number in range(10_000)]
    first = {person for person in people if Split(Fraction(10), 1).contains("id", person)}
    other = {person for person in people if Split(Fraction(10), 1, "other").contains("id", person)}
    assert 900 < len(first) < 1100
    assert 60 < len(first & other) < 140
    assert first != {person for person in people if Split(Fraction(10), 1, "", "salt").contains("id", person)}


def test_an_address_is_in_one_part_however_it_is_written():
    for number in range(50):
        split = Split(Fraction(50), 1)
        assert split.contains("email", f"u{number}@b") == split.contains("email", f" U{number}@B ")


@pytest.fixture
def planned(declare):
    """The recipients that a `to` declares of some rows, and how many were left out, by reason."""

    def planned(options, rows, **files):
        text = f'{HEAD}to: {{csv: ../a.csv, type: user, user_id: "{{{{ id }}}}", {options}}}\n'
        tally = Tally()
        found = list(render_deliveries(declare(text, **{"a.csv": "id,email,plan\n" + rows, **files}), "", tally))
        assert all(isinstance(each, Delivery) for each in found)
        return [each.value for each in found], dict(tally.left_out)

    return planned


def test_each_filter_counts_whom_it_leaves_out(planned):
    rows = "1,a@b,pro\n2,b@b,free\n3,c@b,pro\n4,A@B,pro\n5,d@b,pro\n5,e@b,pro\n"
    options = "where: \"plan == 'pro'\", exclude: ../no.csv, unique_by: email, duplicates: first"
    found, left_out = planned(options, rows, **{"no.csv": "user_id\n3\n"})
    assert found == ["1", "5"]
    assert left_out == {"where": 1, "exclude": 1, "unique_by": 1, "duplicates": 1}


def test_the_first_row_that_is_wanted_is_kept_and_not_the_first_row(planned):
    found, left_out = planned("where: \"plan == 'pro'\", duplicates: first", "1,a@b,free\n1,b@b,pro\n1,c@b,pro\n")
    assert (found, left_out) == (["1"], {"where": 1, "duplicates": 1})


def test_waves_of_a_split_keep_the_same_one_of_a_household(planned):
    rows = "".join(f"{number},h{number // 3}@b,pro\n" for number in range(300))
    waves = [planned(f"unique_by: email, split: {{percent: 30, part: {part}}}", rows)[0] for part in (1, 2, 3, 4)]
    everybody = [person for wave in waves for person in wave]
    assert sorted(everybody, key=int) == [str(number) for number in range(0, 300, 3)]


def test_whoever_is_left_out_has_no_part_in_the_digest(folder):
    folder.write("msgrun.yaml", "from: {type: admin, id: '1'}\n")
    folder.write("a.csv", "id\n1\n2\n")
    folder.message('name: a\nmessage_type: inapp\nbody: Hi\nto: {csv: ../a.csv, type: user, user_id: "{{ id }}"}\n')
    both = folder.run("plan").out
    folder.write("a.csv", "id\n1\n")
    one = folder.run("plan").out
    folder.write("a.csv", "id\n1\n2\n")
    folder.write("no.csv", "user_id\n2\n")
    folder.write("msgrun.yaml", "from: {type: admin, id: '1'}\nsuppress: no.csv\n")
    suppressed = folder.run("plan").out
    assert "left out: 1 by suppress in msgrun.yaml" in suppressed
    assert suppressed.splitlines()[-1] == one.splitlines()[-1] != both.splitlines()[-1]


def test_what_is_left_out_is_in_every_form_of_the_plan(folder):
    folder.write("a.csv", "id,plan\n1,pro\n2,free\n3,free\n")
    folder.message(
        "name: a\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\n"
        'to: {csv: ../a.csv, type: user, user_id: "{{ id }}", where: "plan == \'pro\'"}\n'
    )
    assert "left out: 2 by where" in folder.run("plan").out
    assert "Left out: 2 by where" in folder.run("plan", "--format", "markdown").out
    assert '"where": 2' in folder.run("plan", "--format", "json").out


def test_nobody_who_is_suppressed_is_sent_to(folder, intercom):
    folder.write("msgrun.yaml", "suppress: no.csv\n")
    folder.write("no.csv", "id\n b2\n")
    folder.message(
        "name: a\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\n"
        "to: [{type: user, id: a1}, {type: user, id: b2}]\n"
    )
    assert folder.run("apply", "--yes").code == 0
    assert [message["payload"]["to"]["id"] for message in intercom.messages] == ["a1"]


def test_wave_after_wave_everybody_gets_it_once(folder, intercom):
    people = [f"c{number:02}" for number in range(40)]
    folder.write("a.csv", "id\n" + "\n".join(people) + "\n")
    text = (
        "name: a\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\n"
        'to: {csv: ../a.csv, type: user, id: "{{ id }}"'
    )
    counts = []
    for wave in ("percent: 20, part: 1", "percent: 20, part: 4", "percent: 60, part: 1", ""):
        split = f", split: {{{wave}}}" if wave else ""
        folder.message(f"{text}{split}}}\n")
        assert folder.run("apply", "--yes").code == 0
        counts.append(len(intercom.messages))
    assert sorted(message["payload"]["to"]["id"] for message in intercom.messages) == people
    assert counts == sorted(set(counts))


@pytest.mark.proof
def test_eighteen_thousand_problems_are_told_in_few_lines(declare):
    rows = "".join(f"{number}\n,x\n,\n" for number in range(6_000))
    problems = find_recipient_problems(
        declare(f'{HEAD}to: {{csv: ../a.csv, type: user, user_id: "{{{{ id }}}}"}}\n', **{"a.csv": "id,n\n" + rows}),
        "",
        lambda _: None,
    )
    assert len(problems) == 42
    assert [problem.message for problem in problems if problem.message.startswith("and ")] == [
        "and 5,980 more recipients with a problem of this kind",
        "and 11,980 more recipients with a problem of this kind",
    ]


def test_a_kind_of_problem_that_comes_late_is_told_too(declare):
    rows = "x\n" * 30 + "1,2,3\n" * 2
    text = f'{HEAD}to: {{csv: ../a.csv, type: user, email: "{{{{ id }}}}"}}\n'
    problems = find_recipient_problems(declare(text, **{"a.csv": "id\n" + rows}), "", lambda _: None)
    assert [problem.place.line for problem in problems if problem.code == "csv-row"] == [32, 33]
