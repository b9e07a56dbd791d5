from __future__ import annotations

import pytest

HEAD = "name: m\nmessage_type: email\nsubject: Hello\nfrom: {type: admin, id: 1}\nto: {type: user, id: u1}\n"
REST = "expires: 2999-12-01\ncreate_conversation_without_contact_reply: true\n"
LINK = "<p><a href='http://example.com'>x</a></p>"


@pytest.mark.parametrize(
    "body",
    [
        f'body: "{LINK}"  # msgrun: ignore=http-link\n',
        f'# msgrun: ignore=http-link\nbody: "{LINK}"\n',
        f'# msgrun: ignore=http-link\n# and why\n\nbody: "{LINK}"\n',
        f"body: |  # msgrun: ignore=image-alt, http-link\n  <p>a</p>\n  {LINK}\n",
        f"# msgrun: ignore=http-link\nbody: >\n  <p>a</p>\n\n  {LINK}\n",
        f"body: |\n  {{# msgrun: ignore=http-link #}}\n  {LINK}\n",
        f"body: |\n  {LINK} {{# msgrun: ignore=http-link #}}\n",
    ],
)
def test_a_comment_at_its_value_or_above_it_keeps_a_finding_silent(body, codes):
    assert codes(HEAD + body + REST) == []


@pytest.mark.parametrize(
    "body",
    [
        f'body: "{LINK}"  # msgrun: ignore=image-alt\n',
        f"body: |\n  {LINK}\n  # msgrun: ignore=http-link\n",
        f'body: "{LINK} # msgrun: ignore=http-link"\n',
        f"body: |\n  {LINK}\n# msgrun: ignore=http-link\n",
        f"body: |\n  {{# msgrun: ignore=http-link #}}\n  <p>a</p>\n  {LINK}\n",
    ],
)
def test_a_comment_of_another_rule_place_or_inside_a_text_does_not(body, codes):
    assert "http-link" in codes(HEAD + body + REST)


def test_above_the_first_key_it_is_about_the_whole_message(codes):
    text = HEAD + f'body: "{LINK}"\n'
    assert codes(text) == ["http-link", "no-conversation", "no-expires"]
    assert codes(f"# a message\n# msgrun: ignore=http-link,no-expires, no-conversation\n\n{text}") == []


def test_it_is_about_its_own_document_alone(codes):
    quiet = "# msgrun: ignore=http-link\n" + HEAD + f'body: "{LINK}"\n' + REST
    loud = (HEAD + f'body: "{LINK}"\n' + REST).replace("name: m", "name: n")
    assert codes(f"{quiet}---\n{loud}") == ["http-link"]
    assert codes(f"{loud}---\n{quiet}") == ["http-link"]
    assert codes(f"{quiet}--- # the second\n# msgrun: ignore=http-link\n{loud}") == []


def test_at_a_body_file_it_covers_the_file_and_what_it_includes(codes):
    files = {"messages/m.html": '{% include "foot.html" %}' + LINK, "messages/foot.html": LINK}
    assert codes(HEAD + "body_file: m.html\n" + REST, files=files) == ["http-link", "http-link"]
    assert codes(HEAD + "body_file: m.html  # msgrun: ignore=http-link\n" + REST, files=files) == []


def test_a_shared_part_is_told_once_and_ignored_only_by_who_says_so(lint):
    body = "body: '{% include \"foot.html\" %}'"
    other = (HEAD + body + "\n" + REST).replace("name: m", "name: n")
    files = {"messages/foot.html": LINK}
    (found,) = lint(HEAD + body + f"\n{REST}---\n{other}", files=files)
    assert str(found.place) == "messages/foot.html:1:4"
    assert len(lint(HEAD + body + f"  # msgrun: ignore=http-link\n{REST}---\n{other}", files=files)) == 1
    files = {"messages/foot.html": LINK + "{# msgrun: ignore=http-link #}"}
    assert lint(HEAD + body + f"\n{REST}---\n{other}", files=files) == []


def test_a_code_that_no_rule_has_is_told_with_the_nearest(lint):
    (found,) = lint(HEAD + "body: x  # msgrun: ignore=htp-link\n" + REST)
    assert (found.code, str(found.place), found.hint) == (
        "ignore-unknown",
        "messages/m.yaml:6:10",
        "did you mean http-link?",
    )
    (found,) = lint(HEAD + "body: x  # msgrun: ignore\n" + REST)
    assert found.code == "ignore-without-code"
    (found,) = lint(HEAD + "body: |\n  x {# msgrun: ignore=nothing-like-it #}\n" + REST)
    assert (found.code, str(found.place)) == ("ignore-unknown", "messages/m.yaml:7:5")


def test_a_comment_at_a_recipient_or_a_list_covers_what_is_in_it(codes):
    text = HEAD.replace("to: {type: user, id: u1}\n", "") + "body: <p>Hi {{ name }}</p>\n" + REST
    to = "to:\n  - {type: user, id: u1, vars: {name: None}}\n"
    assert codes(text + to) == ["null-text"]
    assert codes(text.replace("</p>", "</p>  # msgrun: ignore=null-text") + to) == []
