from __future__ import annotations

import pytest

ONE = "name: m\nmessage_type: email\nfrom: {type: admin, id: 1}\nexpires: 2999-12-01\n"
ONE += "create_conversation_without_contact_reply: true\nsubject: Hello\nto: {type: user, id: u1}\n"
CSV = ONE.replace("to: {type: user, id: u1}", "to: {csv: ../a.csv, type: user, id: '{{ id }}'}")


def told(found):
    return sorted((problem.code, str(problem.place), problem.recipient) for problem in found)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("body: |\n  <p>a</p>\n  <p>b <i>c</p>\n", "10:8"),
        ("body: >\n  <p>a</p>\n\n  <p>b\n  <i>c</p>\n", "12:3"),
        ("body: <p>b <i>c</p>\n", "8:12"),
        ("body: '<p>b ''x'' <i>c</p>'\n", "8:19"),
        ('body: "<p class=\\"a\\">b <i>c</p>"\n', "8:25"),
        ('body: "<p>b <i>d</i>\\\n  <i>c</p>"\n', "9:3"),
        ("body: |-\n\n    <p>a</p>\n    <b>x</b><p>b <i>c</p>\n", "11:18"),
    ],
)
def test_the_place_is_that_of_the_tag_whatever_the_scalar(body, place, lint):
    found = [str(p.place) for p in lint(ONE + body) if p.code == "unclosed-tag"]
    assert found == [f"messages/m.yaml:{place}"]


def test_a_fault_in_an_include_is_told_there_and_one_after_it_here(lint):
    files = {"messages/m.html": 'x\n{% include "p/foot.html" %} <i>y', "messages/p/foot.html": "\n <b>z"}
    found = lint(ONE + "body_file: m.html\n", files=files)
    assert told(found) == [
        ("unclosed-tag", "messages/m.html:2:29", ""),
        ("unclosed-tag", "messages/p/foot.html:2:2", ""),
    ]


@pytest.mark.parametrize("body", ["Hi &#{};", '<p title="&#{};">Hi</p>', '<a href="https://a.example/?&#{};">x</a>'])
def test_a_number_of_thousands_of_digits_is_a_character_that_was_lost(lint, body):
    found = lint(ONE + f"body: '{body.format('1' * 5000)}'\n")
    assert {problem.code for problem in found} <= {"mojibake"}


def test_recipients_who_show_the_same_are_counted_and_the_first_is_named(lint):
    rows = "".join(f"u{n},{'nan' if n % 2 else 'Ann'}\n" for n in range(9))
    found = lint(CSV + "body: <p>Hi {{ name }}</p>\n", files={"a.csv": f"id,name\n{rows}"})
    assert told(found) == [("null-text", "messages/m.yaml:8:13", "row 3 of a.csv, and 3 more recipients")]
    rows = "".join(f"u{n},NULL\n" for n in range(9))
    found = lint(CSV + "body: <p>Hi {{ name }}</p>\n", files={"a.csv": f"id,name\n{rows}"})
    assert told(found) == [("null-text", "messages/m.yaml:8:13", "all 9 recipients")]


def test_a_value_that_is_only_tested_or_not_used_is_nobodys_trouble(codes):
    files = {"a.csv": "id,plan,other\nu1,None,nan\nu2,pro,x\n"}
    body = "body: <p>{% if plan == 'None' %}None of it{% else %}{{ plan }}{% endif %}</p>\n"
    assert codes(CSV + "body: <p>{% if plan %}paid{% endif %}</p>\n", files=files) == []
    assert codes(CSV + "body: <p>{{ plan if plan != 'None' else 'free' }}</p>\n", files=files) == []
    assert codes(CSV + body.replace("None of it", "nothing"), files=files) == []


@pytest.mark.parametrize("name", ["Ann None", "None", "nan nan", "null Smith", "undefined", "Ann Lee NULL"])
def test_a_value_that_a_program_made_of_nothing_is_found(name, codes):
    to = [{"type": "user", "id": "u1", "vars": {"name": name}}]
    assert codes(body="<p>Hi {{ name }}</p>", to=to) == ["null-text"]
    assert codes(subject="Hi {{ name | upper }}", to=to) == ["null-text"]


def test_values_that_all_get_alike_are_found_where_they_are_printed(lint):
    given = {"base": "http://localhost:3000", "host": "staging.example.com", "nick": "{nick}"}
    body = "<p><a href='{{ base }}/x'>a</a> https://{{ host }}/y {{ nick }}</p>"
    found = lint(body=body, vars=given)
    assert [problem.code for problem in sorted(found, key=lambda p: p.place.sort_key)] == [
        "local-link", "staging-link", "single-brace",
    ]  # fmt: skip


def test_links_in_values_are_found_by_scheme_and_host(lint):
    rows = (
        "u1,https://example.com/1,x.example.com\nu2,http://example.com/2,qa.example.com\nu3,https://10.0.0.1/3,y.com\n"
    )
    files = {"a.csv": f"id,link,host\n{rows}"}
    body = "body: |\n  <p><a href='{{ link }}'>x</a> https://{{ host }}/</p>\n  <img src='{{ link }}' alt=''>\n"
    found = told(lint(CSV + body, files=files))
    assert found == [
        ("http-link", "messages/m.yaml:9:15", "row 3 of a.csv"),
        ("local-link", "messages/m.yaml:9:15", "row 4 of a.csv"),
        ("staging-link", "messages/m.yaml:9:41", "row 3 of a.csv"),
    ]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ('<p>Hi {{ n | default("") }}, x</p>', "Hi ,"),
        ("<p>Hi {% if n %}{{ n }}{% endif %}, x</p>", "Hi ,"),
        ('<p>{{ n | default("") }}, hello</p>', ", hello"),
        ('<p>the {{ n | default("") }} plan</p>', "the  plan"),
        ('<p>it ({{ n | default("") }}) is</p>', "it () is"),
        ('<p>Thanks, {{ n | default("") }}</p>', "Thanks,"),
        ('<p>Bonjour {{ n | default("") }} !</p>', "Bonjour"),
    ],
)
def test_what_an_empty_value_leaves_is_found_for_those_who_have_none(body, left, lint):
    files = {"a.csv": "id,n\nu1,Ann\nu2,\nu3,\n"}
    (found,) = lint(CSV + f"body: '{body}'\n", files=files)
    assert (found.code, found.recipient) == ("empty-value", "row 3 of a.csv, and 1 more recipient")
    assert left.split()[0] in found.message


def test_what_an_empty_value_leaves_in_a_subject_is_found(codes):
    files = {"a.csv": "id,n\nu1,Ann\nu2,\n"}
    for subject in ("{{ n | default('') }}, news", "News for you, {{ n | default('') }}", "The {{ n | d('') }} news"):
        text = CSV.replace("subject: Hello", f'subject: "{subject}"') + "body: x\n"
        assert codes(text, files=files) == ["empty-value"]


def test_tags_that_pair_for_some_only_are_told_with_who_they_are(lint):
    body = "body: |\n  <p>{% if a %}<b>{% endif %}x{% if b %}</b>{% endif %}</p>\n"
    files = {"a.csv": "id,a,b\nu1,1,1\nu2,1,\nu3,,1\nu4,,\nu5,1,\n"}
    assert told(lint(CSV + body, files=files)) == [
        ("stray-tag", "messages/m.yaml:9:41", "row 4 of a.csv"),
        ("unclosed-tag", "messages/m.yaml:9:16", "row 3 of a.csv, and 1 more recipient"),
    ]


def test_markup_in_values_is_read_for_every_recipient(lint):
    to = [
        {"type": "user", "id": f"u{number}", "vars": {"h": markup}}
        for number, markup in enumerate(["<b>a</b>", "<b>a", "<script>x</script>", "<img src='https://x.com/a.png'>"])
    ]
    found = lint(body="<p>{{ h | safe }}</p>", to=to)
    assert sorted((problem.code, problem.recipient) for problem in found) == [
        ("image-alt", "recipient 4"), ("script", "recipient 3"), ("unclosed-tag", "recipient 2"),
    ]  # fmt: skip


def test_a_parent_template_and_macros_are_read_too(lint):
    files = {
        "messages/base.html": "<div>{% block main %}{% endblock %}<a href='http://example.com'>x</a></div>",
        "messages/m.html": '{% extends "base.html" %}{% block main %}<p>Hi <b>you</p>{% endblock %}',
    }
    assert [(code, place) for code, place, _ in told(lint(ONE + "body_file: m.html\n", files=files))] == [
        ("http-link", "messages/base.html:1:36"), ("unclosed-tag", "messages/m.html:1:48"),
    ]  # fmt: skip
    files = {"messages/f.html": "{% macro go(u) %}<a href='{{ u }}'>go</a>{% endmacro %}"}
    body = "body: |\n  {% from \"f.html\" import go %}<p>{{ go('http://example.com') }}</p>\n"
    assert [problem.code for problem in lint(ONE + body, files=files)] == ["http-link"]


def test_a_subject_of_a_value_is_measured_for_every_recipient(lint):
    files = {"a.csv": f"id,s\nu1,short\nu2,{'long ' * 30}\nu3,VERY LOUD NEWS\n"}
    found = lint(CSV.replace("subject: Hello", "subject: '{{ s }}'") + "body: x\n", files=files)
    assert told(found) == [
        ("long-subject", "messages/m.yaml:6:11", "row 3 of a.csv"),
        ("shouting-subject", "messages/m.yaml:6:11", "row 4 of a.csv"),
    ]


def test_many_recipients_make_few_findings(lint):
    rows = "".join(f"u{n},\n" for n in range(3000))
    body = "body: \"<p>{{ n | default('') }}, {a}</p>\"\n"
    found = lint(CSV + body, files={"a.csv": f"id,n\n{rows}"}, unsubscribe_above=2999)
    assert sorted(problem.code for problem in found) == ["empty-value", "no-unsubscribe", "single-brace"]
