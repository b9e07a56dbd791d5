from __future__ import annotations

import pytest

from tests.lint import realistic


@pytest.mark.parametrize("name", realistic.BODIES)
def test_a_body_as_people_write_it_has_no_findings(name, lint):
    to = [
        {"type": "user", "id": f"u{number}", "vars": {**realistic.VARS, **own}}
        for number, own in enumerate(realistic.PEOPLE)
    ]
    assert lint(body=realistic.BODIES[name], to=to) == []
    assert lint(message_type="inapp", subject=None, body=realistic.BODIES[name], vars=realistic.VARS) == []


@pytest.mark.parametrize("subject", realistic.SUBJECTS)
def test_a_subject_as_people_write_it_has_no_findings(subject, lint):
    to = [
        {"type": "user", "id": f"u{number}", "vars": {**realistic.VARS, **own}}
        for number, own in enumerate(realistic.PEOPLE)
    ]
    assert lint(subject=subject, to=to) == []


def test_a_body_from_a_file_and_an_audience_from_a_table_have_none_either(lint):
    header = ",".join(realistic.PEOPLE[0])
    rows = "".join(f"u{n},{','.join(v or '' for v in own.values())}\n" for n, own in enumerate(realistic.PEOPLE))
    names = ("plain-text", "french", "optional-part", "whitespace-control", "none-in-prose", "macro", "set-and-with")
    body = "".join(f"<div>{realistic.BODIES[name]}</div>" for name in names)
    files = {"audiences/a.csv": f"id,{header}\n{rows}", "messages/m.html.j2": body}
    to = {"csv": "../audiences/a.csv", "type": "user", "id": "{{ id }}"}
    given = {name: value for name, value in realistic.VARS.items() if name not in realistic.PEOPLE[0]}
    assert lint(body=None, body_file="m.html.j2", to=to, vars=given, files=files) == []
