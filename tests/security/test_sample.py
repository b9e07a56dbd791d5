"""What a reviewer reads in the comment is what is sent: nothing in it is hidden, and nothing hides it."""

import os
import re
import unicodedata
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone
from tests.support.project import run_in_process

NEVER_SEEN = "\u3164\ufe0f\u115f\u1160\uffa0\u034f\u2800\u180b"

# Texts whose "evil" was hidden, or that hold what nobody sees.
TEXTS = [
    "Hello \ue0f0evil\ue0f1 there", "\ue0f0evil\ue0f1\ue0f2", '{{ "\\ue0f0" }}evil{{ "\\ue0f1" }}',
    "{{ '\\ue0f0evil\\ue0f1' }}", "{{ '\\x65vil' }}", "pay\u200bpal evil", "ok\u3164evil", "Hi \ufe0fevil",
    "soft\u00adhyphen evil", "a\u2060b evil", "a\u180eb evil", "\u115fevil", "\u2066evil\u2069", "\u202eevil",
    "a\ufeffevil", "a\U000e0065\U000e0076evil", "\U000f0000evil", "a\u034fb evil", "a\u2800evil", "&#8203;evil",
    "&zwnj;" * 40 + "evil", "a\u200d evil", "evil\u2028x", "\u206aevil",
]  # fmt: skip


def quoted(text: str) -> str:
    """The text as a scalar of YAML, with escapes."""
    return '"' + "".join(f"\\U{ord(each):08X}" if each in '"\\' or each > "~" else each for each in text) + '"'


def declared(body: str, subject: str = "S", to: str = "{type: user, id: a1}") -> str:
    return (
        f"name: a\nmessage_type: email\nsubject: {quoted(subject)}\nbody: {quoted(body)}\n"
        f'from: {{type: admin, id: "1"}}\nto: {to}\n'
    )


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it has no sandbox
    clone.write("msgrun.yaml", "")
    clone.write("messages.lock", HEADER % salt_check(""))
    return clone


def review(project: Clone) -> str:
    """The comment on the pull request."""
    environ = {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"}
    return run_in_process(("plan", "--format", "markdown"), project.path, environ).out


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_text_with_hidden_characters_is_shown_with_them(project: Clone, text: str) -> None:
    project.write("messages/a.yaml", declared(text, subject=text))
    comment = review(project)
    if "error: " in comment:
        return  # refused
    assert "evil" in comment.partition("**Subject**")[2].partition("```")[0]
    assert "evil" in comment.partition("```text")[2].partition("```")[0]
    assert not [
        character for character in comment if unicodedata.category(character) in {"Cf", "Co"} or character in NEVER_SEEN
    ]


@pytest.mark.parametrize(
    "text",
    ["❤️ 👍🏽 👩‍👩‍👧 1️⃣ ™️ ↔️", "می‌خواهم", "क्‍ष", "葛󠄀城", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "Ünïcode — “quotes”, 10 €", "שלום עולם"],
)
def test_honest_text_is_shown_as_it_is(project: Clone, text: str) -> None:
    project.write("messages/a.yaml", declared(text))
    assert f"```text\n{text}\n```" in review(project)


ADDRESSES = [
    "ann\u200b@example.com", "ann@exam\u00adple.com", "\u202eann@example.com", "ann@example.com\u2060x", "a\u3164@b.c",
    "ann@\u180eexample.com", "a\ufeffnn@example.com", "a\ue0f0@b.c", "a\U000e0061@b.c", "a\u115f@b.c", "a\u034f@b.c",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES, ids=ascii)
@pytest.mark.parametrize("kind", ["email", "user_id", "id"])
def test_an_identifier_with_a_hidden_character_is_refused(project: Clone, address: str, kind: str) -> None:
    project.write("messages/a.yaml", declared("Hi", to=f"{{type: user, {kind}: {quoted(address)}}}"))
    ran = run_in_process(("validate", "--show-values"), project.path, dict(os.environ))
    assert ran.code == 1
    # U+FEFF is white space in the schema's dialect of regular expressions.
    assert "[identifier-invisible]" in ran.out or ("[email-form]" in ran.out and "\ufeff" in address)
    assert address not in ran.out


CHOSEN = {
    "an address": "{% if email == 'bo@example.com' %}evil{% else %}good{% endif %}",
    "an address in capitals": "{% if email | upper == 'BO@EXAMPLE.COM' %}evil{% else %}good{% endif %}",
    "an expression": "{{ 'evil' if email.startswith('bo@') else 'good' }}",
    "a mapping": "{{ {'bo@example.com': 'evil'}[email] | default('good') }}",
    "a list": "{{ ['good', 'evil'][(email == 'bo@example.com') | int] }}",
    "and": "good {{ (email == 'bo@example.com' and 'evil') or '' }}",
    "a loop": "good {% for _ in range(1 if email == 'bo@example.com' else 0) %}evil{% endfor %}",
    "set": "{% set t = 'evil' if email == 'bo@example.com' else 'good' %}{{ t }}",
    "a macro": "{% macro t() %}evil{% endmacro %}{{ t() if email == 'bo@example.com' else 'good' }}",
    "a part of the address": "{% if email[0] == 'b' %}evil{% else %}good{% endif %}",
    "its length": "{% if (email | length) == 14 %}evil{% else %}good{% endif %}",
    "a variable": "{% if n == 2 %}evil{% else %}good{% endif %}",
}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_text_for_one_recipient_is_shown(project: Clone, name: str) -> None:
    rows = "".join(
        f"  - {{type: user, email: {each}@example.com, vars: {{email: {each}@example.com, n: {number}}}}}\n"
        for number, each in enumerate(("anne", "cleo", "bo", "dora"))
    )
    project.write("messages/a.yaml", declared(CHOSEN[name], to=f"\n{rows}"))
    comment = review(project)
    assert "evil\n```" in comment
    assert "good\n```" in comment
    assert "For **3 recipients**" in comment
    assert comment.index("For **3 recipients**") < comment.index("For **1 recipient**")


def test_texts_that_are_cut_are_counted_with_their_recipients(project: Clone) -> None:
    body = "{% if n == 0 %}zero" + "".join(f"{{% elif n == {n} %}}text-{n}-" for n in range(1, 20)) + "{% endif %}"
    rows = "".join(f"  - {{type: user, id: a{number}, vars: {{n: {number % 20}}}}}\n" for number in range(45))
    project.write("messages/a.yaml", declared(body, to=f"\n{rows}"))
    comment = review(project)
    assert comment.count("For **3 recipients**") == 5
    assert "For **28 recipients** other texts of this message" in comment


def test_a_message_that_falls_off_the_table_is_counted_with_its_recipients(project: Clone) -> None:
    for number in range(400):
        text = declared("Hi", to=f"{{type: user, id: a{number}}}").replace("name: a", f"name: message-{number:060}")
        project.write(f"messages/m{number}.yaml", text)
    to = "[{type: user, id: b1}, {type: user, id: b2}]"
    project.write("messages/zz.yaml", declared("evil", to=to).replace("name: a", "name: zz"))
    comment = review(project)
    assert "| `zz` |" in comment, "the message with the most recipients comes first"
    assert "evil" in comment
    (count,) = re.findall(r"\| and (\d+) more messages, to \1 recipients \|", comment)
    assert comment.count("| `message-") + int(count) == 400


TWICE_READ = {
    "a head": "<head>evil</head>", "an empty comment": "<!-->evil<!-- -->", "another empty comment": "<!--->evil",
    "a comment that ends early": "<!-- a --!>evil", "two addresses": '<a href="https://evil.example" href="/b">b</a>',
    "two sources": '<img src="https://evil.example/a" src="/b">', "a text area": "<textarea><!--evil</textarea>",
    "plain text": "<plaintext><!--evil", "a comment for Outlook": "<!--[if mso]>evil<![endif]-->",
    "a base address": '<base href="https://evil.example">', "a field": '<input value="evil">',
    "a bogus end": "</p/<evil>evil", "CDATA": "<![CDATA[x]]>evil", "a script that ends early": "<script></script >evil",
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE_READ)
def test_the_text_is_read_as_a_browser_reads_it(project: Clone, name: str) -> None:
    project.write("messages/a.yaml", declared(f"<p>Hi</p>{TWICE_READ[name]}"))
    comment = review(project)
    assert "evil" in comment.partition("```text")[2].partition("```")[0]
