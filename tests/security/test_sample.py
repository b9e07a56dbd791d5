"""What a reviewer reads in the comment is what is sent: nothing in it is hidden, and nothing hides it."""

import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest

from runner.compare.comparison import Comparison, MessageChange
from runner.declare.sample import Sample
from runner.ledger.record import salt_check
from runner.report.comparison_text import format_comparison
from runner.report.html_text import visible_text
from runner.report.markdown_escaping import code_block, is_cut
from tests.support.clones import HEADER, Clone
from tests.support.project import ROOT, run_in_process

NEVER_SEEN = "\ufffc\u2d7f\U0001107f\U0001d159\U00016fe4\u3164\ufe0f\u115f\u1160\uffa0\u034f\u2800\u180b"

# Texts whose "evil" was hidden, or that hold what nobody sees.
TEXTS = [
    "Hello \ue0f0evil\ue0f1 there", "\ue0f0evil\ue0f1\ue0f2", '{{ "\\ue0f0" }}evil{{ "\\ue0f1" }}',
    "{{ '\\ue0f0evil\\ue0f1' }}", "{{ '\\x65vil' }}", "pay\u200bpal evil", "ok\u3164evil", "Hi \ufe0fevil",
    "soft\u00adhyphen evil", "a\u2060b evil", "a\u180eb evil", "\u115fevil", "\u2066evil\u2069", "\u202eevil",
    "a\ufeffevil", "a\U000e0065\U000e0076evil", "\U000f0000evil", "a\u034fb evil", "a\u2800evil", "&#8203;evil",
    "&zwnj;" * 40 + "evil", "a\u200d evil", "\u206aevil", "evil\U0001d159x", "evil\U00016fe4x",
    "evil\ufffcx", "evil\u2d7fx", "evil\U0001107fx",
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
    assert "evil" in comment.partition("**Subject**")[2].partition("```")[0]
    assert "evil" in comment.partition("```text")[2].partition("```")[0]
    assert not [
        character for character in comment if unicodedata.category(character) in {"Cf", "Co"} or character in NEVER_SEEN
    ]


def test_a_line_separator_in_a_subject_is_refused(project: Clone) -> None:
    project.write("messages/a.yaml", declared("Hi", subject="evil\u2028x"))
    assert "There is no plan" in review(project)


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


IS_BO = "email == 'bo@example.com'"
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
    "texts that all get in a comment": f"<!-- evil good -->{{% if {IS_BO} %}}evil{{% else %}}good{{% endif %}}",
    "texts that all get in a longer word": f"devils, goods {{% if {IS_BO} %}}evil{{% else %}}good{{% endif %}}",
    "variables of the message": f"{{{{ bad if {IS_BO} else fine }}}}",
    "a variable that others have of their own": "{{ own }} evil",
    "a part of a variable": f"{{{{ both[5:] if {IS_BO} else both[:4] }}}}",
    "a number": f"{{{{ 1 if {IS_BO} else 1000 }}}} good evil",
    "a default that is a number": "{{ own | default(1000) }} good evil",
    "a sign": f"{{% if {IS_BO} %}}-{{% endif %}}50 good evil",
    "the start of a comment": f"good {{% if {IS_BO} %}}<!--{{% endif %}} words <!-- --> evil",
    "a text that is repeated": f"1{{% for _ in range(6 if {IS_BO} else 1) %}}0{{% endfor %}} good evil",
    "the order of texts": f"{{% for w in ['evil', 'good'] | sort(reverse={IS_BO}) %}}{{{{ w }}}} {{% endfor %}}",
    "an included file": f"{{% if {IS_BO} %}}{{% include 'evil.html' %}}{{% else %}}"
    "{% include 'good.html' %}{% endif %}",
    "a block of set": f"{{% set t %}}evil{{% endset %}}{{% set u %}}good{{% endset %}}{{{{ t if {IS_BO} else u }}}}",
    "behind many other texts": "".join(f"{{{{ 'x{number}' if false else '' }}}}" for number in range(300))
    + f"{{{{ 'evil' if {IS_BO} else 'good' }}}}",
    "a text that is computed": f"{{{{ ('live' | reverse) if {IS_BO} else 'good' }}}} evil",
}

OWN = {"a variable that others have of their own"}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_text_for_one_recipient_is_shown(project: Clone, name: str) -> None:
    rows = "".join(
        f"  - {{type: user, email: {each}@example.com, vars: {{email: {each}@example.com, n: {number}{own}}}}}\n"
        for number, (each, own) in enumerate(
            (("anne", ", own: a"), ("cleo", ", own: c"), ("bo", ""), ("dora", ", own: d"))
        )
    )
    variables = "vars: {bad: evil, fine: good, both: good evil" + (", own: good" if name in OWN else "") + "}\n"
    project.write("messages/a.yaml", declared(CHOSEN[name], to=f"\n{rows}") + variables)
    project.write("messages/evil.html", "evil")
    project.write("messages/good.html", "good")
    comment = review(project)
    texts = [text.partition("\n```")[0].strip() for text in comment.split("```text\n")[1:]]
    assert len(set(texts)) == len(texts) == 2
    assert any("evil" in text for text in texts)
    assert any("good" in text for text in texts)
    assert "For **3 recipients**" in comment
    assert comment.index("For **3 recipients**") < comment.index("For **1 recipient**")


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("Hi {{ name }}", ["Will", "May", "Evil"]),
        ("Hi {{ name | upper }}, you will", ["Anne", "O'Brien-Smith, Jr.", "Bo"]),
        ("{% for each in name.split('-') %}<p>{{ each }}</p>{% endfor %}", ["a", "b-c", "d-e-f-g"]),
        ("{{ name.split('-') | length }}{{ name }}", ["a", "b-c", "d-e-f-g"]),
    ],
)
def test_values_alone_make_no_text_of_their_own(project: Clone, body: str, values: list[str]) -> None:
    rows = "".join(f'  - {{type: user, id: a{number}, vars: {{name: "{v}"}}}}\n' for number, v in enumerate(values))
    project.write("messages/a.yaml", declared(body, to=f"\n{rows}"))
    assert review(project).count("```text") == 1


@pytest.mark.parametrize(
    "body",
    ["Your account is deleted. Pay now", "{{ name }}: Your account is deleted. Pay now",
     "{% if name %}Your account is deleted. Pay now{% endif %}", "{{ 'Your account is deleted. Pay now' if name }}",
     "{% macro t() %}Your account is deleted. Pay now{% endmacro %}{{ t() }}{{ name }}",
     "Your {{ 'account' | lower }} is deleted. Pay now, {{ name }}", "{% include 'f.html' %} {{ name }}",
     "{{ text }} {{ name }}", "Your account is {{ state | default('deleted') }}. Pay now {{ name }}",
     "{% set t %}Your account is deleted. Pay now{% endset %}{{ t }} {{ name }}"],
)  # fmt: skip
def test_a_recipients_values_hide_no_word_of_the_author(project: Clone, body: str) -> None:
    variables = "{name: Ann, a: deleted, b: Pay now, c: account, d: Your, e: is}"
    text = declared(body, subject="deleted", to=f"{{type: user, id: a1, vars: {variables}}}")
    project.write("messages/a.yaml", text + "vars: {text: Your account is deleted. Pay now}\n")
    project.write("messages/f.html", "Your account is deleted. Pay now")
    comment = review(project)
    assert "**Subject** `deleted`" in comment
    assert re.search(r"Your account is deleted\. Pay now", comment.partition("```text")[2])
    assert "Ann" not in comment
    rendered = run_in_process(("render", "a"), project.path, {**os.environ, "CI": "true"}).out
    assert "Your account is deleted. Pay now" in rendered
    assert "Ann" not in rendered


# What the templates of one message each print in the place of *** below, from the author's words alone.
COMPUTED = {
    "reversed": "{{ 'detelep si tnuocca ruoY' | reverse }}",
    "joined": "{{ ['Yo', 'ur', ' ac', 'count is pe', 'leted'] | join }}",
    "replaced": "{{ 'Yxur accxunt is peleted' | replace('x', 'o') }}",
    "parts": "{{ 'You' ~ 'r a' ~ 'ccount i' ~ 's pel' ~ 'eted' }}",
    "a format": "{{ 'You%s acc%s peleted' | format('r', 'ount is') }}",
    "a slice": "{{ 'xxYour account is peleted'[2:] }}",
    "a variable of the message": "{{ text[::-1] }}",
    "a loop": "{% for c in text | reverse %}{{ c }}{% endfor %}",
    "a namespace": "{% set s = namespace(t='') %}{% for c in text %}{% set s.t = c ~ s.t %}{% endfor %}{{ s.t }}",
    "a block": "{% set t %}{{ text }}{% endset %}{{ t | reverse }}",
    "a macro": "{% macro t() %}Yo{{ 'ur' }} acc{{ 'ount' }} is pe{{ 'leted' }}{% endmacro %}{{ t() }}",
    "with": "{% with t = text[::-1] %}{{ t }}{% endwith %}",
    "a mapping": "{{ {'a': 'Your account ' ~ 'is pe' ~ 'leted'}[('A' | lower)] }}",
    "numbers": "{{ '%c%c%c' | format(89, 111, 117) ~ 'r account is pe' ~ 'leted' }}",
    "a branch": "{{ text[::-1] if n else 'no' }}", "or": "{{ '' or text[::-1] }}",
    "an included file": "{% include 'f.html' %}",
    "a method": "{{ 'Your account %s'.replace('%s', 'is pe' ~ 'leted') }}",
    "a loop of two": "{% for a, b in [('Your ac', 'count'), (' is pe', 'leted')] %}{{ a ~ b }}{% endfor %}",
}  # fmt: skip
# Templates that may print "Pay now", with a value in the same expression.
JOINED = [
    "{{ 'Pa' ~ 'y no' ~ 'w' ~ n[:0] }}", "{{ ('wo' ~ 'n yaP' ~ n[:0])[::-1] }}",
    "{{ 'Pa%sow' | format('y n') ~ n[:0] }}", "{{ ['Pa', n[:0], 'y now'] | join }}",
    "{{ ('Pxy nxw' ~ n[:0]) | replace('x', 'a') }}",
    "{% macro t(a) %}Pa{{ a[:0] }}y n{{ a[:0] }}ow{% endmacro %}{{ t(n) }}",
    "{% set t %}Pa{{ n[:0] }}y n{{ n[:0] }}ow{% endset %}{{ t }}",
    "{% set s = namespace(t=n[:0]) %}{% for c in 'xyaP' %}{% set s.t = c ~ s.t %}{% endfor %}{{ s.t }}",
    "{% filter reverse %}wo{{ n[:0] }}n yaP{% endfilter %}",
    "{% macro t() %}{{ caller() | reverse }}{% endmacro %}{% call t() %}won yaP{{ n[:0] }}{% endcall %}",
    "{% from 'm.html' import t as u %}{{ u(n) }}",
    "{% import 'm.html' as m %}{{ m.t(n) }}", "{{ '1' ~ '000' ~ n[:0] }}",
    "{{ text[::-1] ~ n[:0] }}", "{{ '%c%c' | format(80, 97) ~ n[:0] }}",
    "{% if n %}{% set t = 'Pa' %}{% endif %}{{ (t ~ n[:0] ~ 'y') }}",
    "{{ (n[:0] ~ 'wolg')[::-1] ~ ('ay' | replace('a', 'P')) }}",
    "{{ 'Hi' if n }}{{ 'Pa' ~ 'y now' ~ n[:0] }}",
]  # fmt: skip
HONEST = [
    "Hi {{ n | default('there') }}", "Hi {{ m | default('there') | title }}", "{{ 'Hi ' ~ n ~ ', bye' }}",
    "{{ n.split()[0] }}", "{{ n[:4] | upper }}", "{% for w in n.split() %}{{ loop.index ~ w }} {% endfor %}",
    "{{ '%s: %s' | format(n, n) }}", "{% set w = n or 'you' %}{{ w }}", "{{ {'Zoe Quill': 'Pro'}[n] ~ '' }}",
    "{% macro link(to) %}<a href='https://a.example/?n={{ to }}'>Go, {{ to }}</a>{% endmacro %}{{ link(n) }}",
]  # fmt: skip


def sample_texts(project: Clone, bodies: Iterable[str]) -> list[str]:
    """What the comment has of messages with these bodies: the text, and what follows."""
    for number, body in enumerate(bodies):
        text = declared(f"{body}.", to="{type: user, id: q7, vars: {n: Zoe Quill}}").replace(
            "name: a", f"name: m{number:02}"
        )
        project.write(f"messages/m{number:02}.yaml", f"{text}vars: {{text: detelep si tnuocca ruoY}}\n")
    project.write("messages/f.html", "{{ 'Your acc' ~ 'ount is pe' ~ 'leted' }}")
    project.write("messages/m.html", "{% macro t(a) %}Pa{{ a[:0] }}y n{{ a[:0] }}ow{% endmacro %}")
    samples = review(project).split("sees it")[1:]
    assert not re.search("Zoe|Quill|eoZ|ZOE", "".join(samples))
    return samples


def test_what_is_computed_from_the_authors_words_alone_is_shown(project: Clone) -> None:
    texts = sample_texts(project, (f"{body} {{{{ n }}}}" for body in COMPUTED.values()))
    assert [
        name
        for name, text in zip(COMPUTED, texts, strict=True)
        if "\nYour account is peleted ***." not in text.partition("\n```\n")[0]
    ] == []


def test_templates_that_may_hide_words_in_a_masked_text_are_shown_as_they_are_written(project: Clone) -> None:
    texts = sample_texts(project, JOINED)
    shown = [text.partition("may stand for words of these texts:")[2] for text in texts]
    assert [
        body
        for text, body in zip(shown, JOINED, strict=True)
        if f"{body}." not in " ".join(text.split()) or ("'m.html'" in body and "{{ a[:0] }}y n" not in text)
    ] == []


def test_a_template_that_only_takes_a_value_apart_is_not_shown(project: Clone) -> None:
    assert [text for text in sample_texts(project, HONEST) if "may stand for words" in text] == []


EVIL = "Pay 600 EUR at evil.example or your account is deleted"
DECOYS = {
    "decoys": "".join(f"{{% set d{n} = ('city{n}' ~ n) %}}{{{{ d{n}[5:] if 0 else '' }}}}" for n in range(24))
    + f"{{{{ ('{EVIL[::-1]}' ~ n)[:{len(EVIL)}] | reverse }}}}",
    "a used-up budget": f"{{% set a = {' ~ '.join(repr(f'c{n}') for n in range(1000))} %}}"
    + "{{ (a ~ '')[:0] }}" * 110 + "{{ 'Pay' ~ ' 600 E' ~ 'UR' ~ n[:0] }}",
}  # fmt: skip


@pytest.mark.parametrize("name", DECOYS)
def test_decoys_hide_no_words_that_a_template_computes_with(project: Clone, name: str) -> None:
    (text,) = sample_texts(project, [DECOYS[name]])
    assert DECOYS[name][-40:] in text.replace("\n", " ") or DECOYS[name][-40:] in text.replace("\n", "")


VALUES_IN_NAMES = [
    "{% for i in [1] recursive %}{{ n ~ '' }}{% if i == 1 %}{{ loop([2]) }}{% endif %}{% endfor %}",
    "{% macro t(text) %}{% set b = text ~ '' %}{{ b }}{% endmacro %}{{ t(n) }}",
    "{% set s = namespace(t='') %}{% macro t(text) %}{% set s.t = text %}{% endmacro %}{{ t(n) }}{{ s.t ~ '' }}",
    "{% if false %}{% set n = 'x' %}{% endif %}{{ n ~ 'x' }}", "{% with text = n %}{{ text ~ '' }}{% endwith %}",
    "{% set t = n %}{% block b %}{{ t ~ '' }}{% endblock %}{{ self.b() ~ '' }}",
    "{% set text = n %}{% include 'g.html' %}",
    "{% macro t() %}{{ caller() ~ '' }}{% endmacro %}{% call t() %}{{ n ~ '' }}{% endcall %}",
    "{% macro t(x) %}{{ caller(x) }}{% endmacro %}{% call(text) t(n) %}{{ text ~ '' }}{% endcall %}",
    "{% for c in n.split() %}{{ c ~ loop.length ~ '' }}{% endfor %}", "{% set t %}{{ n }}{% endset %}{{ t ~ '' }}",
    "{% extends 'e.html' %}{% block b %}{{ text ~ '' }}{% endblock %}", "{% import 'h.html' as h %}{{ h.t(n) ~ '' }}",
    "{% macro t() %}{{ kwargs.text ~ varargs[0] }}{% endmacro %}{{ t(n, text=n) ~ '' }}",
]  # fmt: skip


def test_a_value_in_a_name_that_the_template_sets_is_masked(project: Clone) -> None:
    project.write("messages/g.html", "{{ text ~ '' }}")
    project.write("messages/e.html", "{% set text = n %}{% block b %}{% endblock %}")
    project.write("messages/h.html", "{% macro t(text) %}{{ text ~ '' }}{% endmacro %}")
    assert len(sample_texts(project, VALUES_IN_NAMES)) == len(VALUES_IN_NAMES)


def test_a_message_that_opens_a_conversation_says_so(project: Clone) -> None:
    project.write("messages/a.yaml", declared("Hi"))
    assert "opens a conversation" not in review(project)
    project.write("messages/a.yaml", declared("Hi") + "create_conversation_without_contact_reply: true\n")
    assert "opens a conversation" in review(project)


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("x", "x\u200by", "<U+200B>"),
        ("x", "\u202ex", "<U+202E>"),
        ("<b>x", "<b>x\ue0f0", "<U+E0F0>"),
        ("{{ 'a' if n == 2 else 'b' }}", "{{ 'evil' if n == 2 else 'b' }}", "or the texts of other recipients"),
    ],
)
def test_a_change_is_not_said_to_be_none(project: Clone, before: str, now: str, shown: str) -> None:
    to = "[{type: user, id: a1, vars: {n: 1}}, {type: user, id: b2, vars: {n: 2}}]"
    project.write("messages/a.yaml", declared(before, to=to))
    for arguments in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *arguments], cwd=project.path, check=True)
    project.write("messages/a.yaml", declared(now, to=to))
    environ = {**os.environ, "CI": "true"}
    comment = run_in_process(("plan", "--format", "markdown", "--against", "HEAD"), project.path, environ).out
    diff = comment.partition("```diff")[2].partition("```")[0]
    assert shown in (diff or comment.partition("```")[0])


def test_a_value_that_a_block_uses_before_the_template_sets_it_makes_a_text_of_its_own(project: Clone) -> None:
    body = "{% block a %}{% if vip %}EVIL {{ vip }}{% else %}good{% endif %}{% endblock %}{% set vip = '' %}"
    to = "[{type: user, id: a1, vars: {vip: ''}}, {type: user, id: a2, vars: {vip: Secretword}}]"
    project.write("messages/a.yaml", declared(body, to=to))
    comment = review(project)
    assert "EVIL ***" in comment
    assert "\ngood\n" in comment
    assert "Secretword" not in comment


SIGNS = [
    "\N{REVERSED HAND WITH MIDDLE FINGER EXTENDED}",
    " !",
    "?!",
    "\u2192",
    "\u20ac",
    "-",
    ")",
    "@",
    ":",
    "/",
    "\u2212",
]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_that_is_joined_to_a_value_for_one_recipient_is_shown(project: Clone, sign: str) -> None:
    body = "Dear {{ n ~ ('" + sign + "' if k == 'b' else '') }}, bye"
    to = "".join(f"\n  - {{type: user, id: a{number}, vars: {{n: {n}, k: {k}}}}}" for number, n, k in
                 [(1, "Ann", "a"), (2, "Bo", "b"), (3, "Cy Lee", "a")])  # fmt: skip
    project.write("messages/a.yaml", declared(body, to=to))
    comment = review(project)
    assert f"Dear ***{sign}, bye" in comment
    assert "For **2 recipients**" in comment
    assert not re.search("Ann|Bo|Cy|Lee", comment.partition("```text")[2])


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("{{ n * (-1 if k == 'b' else 1) }}", "-***"),
        ("{{ ('+' if k == 'b' else '-') ~ n }}", "+***"),
        ("{{ '(' ~ n ~ ')' if k == 'b' else n }}", "(***)"),
        ("{{ n ~ '/' ~ n if k == 'b' else n }}", "***/***"),
        ("{{ n ~ ('&minus;' if k == 'b' else '') | safe }}", "***"),
    ],
)
def test_a_sign_before_or_between_the_values_of_one_recipient_makes_a_text_of_its_own(
    project: Clone, body: str, shown: str
) -> None:
    to = "".join(
        f"\n  - {{type: user, id: a{n}, vars: {{n: {n}, k: {k}}}}}" for n, k in [(500, "a"), (600, "b"), (70, "a")]
    )
    project.write("messages/a.yaml", declared(f"Pay {body} EUR", to=to))
    comment = review(project)
    assert f"\nPay {shown} EUR\n" in comment
    assert "For **2 recipients**" in comment


@pytest.mark.parametrize(
    "text",
    [
        "'evil' ~ '.example'", "'elpmaxe.live' | reverse", "['evil', '.example'] | join", "'xevil.example'[1:]",
        "'evil.%s' | format('example')", "'evil.example: ' ~ n", "('evil.' ~ 'example ' ~ n) | title",
    ],
)  # fmt: skip
@pytest.mark.parametrize("rare", [1, 40])
def test_of_many_texts_one_that_an_expression_makes_is_shown(project: Clone, text: str, rare: int) -> None:
    greetings = "".join(f"{{% {'el' if k else ''}if k == {k} %}}Greeting {k}{{% endif %}}" for k in range(9))
    greetings = greetings.replace("{% endif %}{% elif", "{% elif")
    to = "".join(
        f"\n  - {{type: user, id: a{number}, vars: {{n: Zoe{number}, k: {min(number, 8)}}}}}"
        for number in range(8 + rare)
    )
    project.write("messages/a.yaml", declared(f"{greetings} {{{{ {text} if k == 8 else '' }}}} {{{{ n }}}}", to=to))
    assert "evil.example" in review(project).lower()


@pytest.mark.parametrize(
    "text", ["('Pa' ~ 'y n' ~ 'ow' ~ n[:0]) if k == 2 else n", "(n ~ 'Pa' ~ 'y now')[start:end]",
             "{2: 'Pa' ~ 'y now' }[k] | default(n)"],
)  # fmt: skip
def test_words_that_are_masked_for_a_later_recipient_alone_are_shown(project: Clone, text: str) -> None:
    rows = [(1, "Ann", 0, 3), (2, "Bob", 3, 10), (3, "Cid", 0, 3)]
    to = "".join(
        f"\n  - {{type: user, id: a{k}, vars: {{k: {k}, n: {n}, start: {start}, end: {end}}}}}"
        for k, n, start, end in rows
    )
    project.write("messages/a.yaml", declared(f"Hi {{{{ {text} }}}}", to=to))
    comment = review(project)
    assert ("For **1 recipient**" in comment, f"```html\nHi {{{{ {text} }}}}\n" in comment) == (True, True)


def test_a_long_message_leaves_room_for_the_texts_of_others(project: Clone) -> None:
    branches = "".join(f"{{% {'el' if number else ''}if k == '{number}' %}}t{number}" for number in range(6))
    to = "".join(f"\n  - {{type: user, id: a{number}, vars: {{k: '{number % 6}'}}}}" for number in range(20))
    project.write("messages/big.yaml", declared(branches + "{% endif %}" + "lorem ipsum " * 600, to=to))
    to = "".join(f"\n  - {{type: user, id: a{number}}}" for number in range(19))
    project.write("messages/evil.yaml", declared("EVIL " * 300, to=to).replace("name: a", "name: evil"))
    comment = review(project)
    assert len(comment) < 60_000
    assert comment.count("EVIL") == 600  # the text and its source, whole
    for number in range(6):
        assert f"\nt{number}lorem" in comment
    assert "more messages" not in comment


def test_many_messages_are_each_shown_in_brief_or_counted(project: Clone) -> None:
    for number in range(150):
        project.write(
            f"messages/m{number}.yaml", declared(f"text {number} " * 400).replace("name: a", f"name: m{number}")
        )
    comment = review(project)
    assert len(comment) < 60_000
    shown = len(re.findall("sees it", comment))
    assert shown > 50
    assert f"and {150 - shown:,} more messages, whose texts there is no room for" in comment


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ('<a href="https://p\u0430ypal.com">pay</a>', "pay (https://p\u0430ypal.com, which is xn--pypal-4ve.com)"),
        ('<a href="https://m\u00fcller.example">pay</a>', "which is xn--mller-kva.example"),
        # Browsers no longer map these two to "ss", which Python's codec does.
        ('<a href="https://bank-gie\u00dfe.example">x</a>', "which is xn--bank-giee-n1a.example"),
        ('<a href="https://\uff50ay.example">x</a>', "whose host browsers read as another one"),
        ("<p dir=rtl>pay 100</p>", "[in another direction: pay 100]"),
        ("<p dir=ltr>pay 100</p>", "\npay 100\n"),
    ],
)  # fmt: skip
def test_what_only_looks_like_another_is_named(project: Clone, body: str, seen: str) -> None:
    project.write("messages/a.yaml", declared(body))
    assert seen in review(project)


def test_changed_guards_leave_the_comment_short_enough_to_be_posted(project: Clone) -> None:
    project.write("messages/a.yaml", declared("Hi"))
    project.write("msgrun.yaml", "lock: messages.lock\nenvironments:\n  live: {workspace: acme}\n")
    for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "a commit"]):
        subprocess.run(["git", "-C", str(project.path), *args], check=True)
    others = "".join(f'  a{number:02}: {{lock: "{number:02}{"x" * 200}.lock"}}\n' for number in range(99))
    project.write("msgrun.yaml", f"lock: messages.lock\nenvironments:\n  live: {{workspace: evil}}\n{others}")
    environ = {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"}
    comment = run_in_process(("plan", "--against", "main", "--format", "markdown"), project.path, environ).out
    assert len(comment) < 60_000
    assert "`environments.live.workspace`: `acme` → `evil`" in comment.partition("> - `environments.a00`")[0]
    assert re.search(r"> - and \d+ more changed guards", comment)


def test_texts_that_are_cut_are_counted_with_their_recipients(project: Clone) -> None:
    body = "{% if n == 0 %}zero" + "".join(f"{{% elif n == {n} %}}text-{n}-" for n in range(1, 30)) + "{% endif %}"
    rows = "".join(f"  - {{type: user, id: a{number}, vars: {{n: {number % 30}}}}}\n" for number in range(45))
    project.write("messages/a.yaml", declared(body, to=f"\n{rows}"))
    comment = review(project)
    assert (comment.count("For **2 recipients**"), comment.count("For **1 recipient**")) == (15, 5)
    assert "For **10 recipients** other texts of the same templates" in comment
    assert "text-29-" in comment.partition("\nAs written:\n")[2]
    assert "not all is shown" not in comment


def test_no_branch_hides_behind_combinations_of_others(project: Clone) -> None:
    letters = "abcd"
    body = "".join(
        f"{{% if {letter} %}}<p>with {letter}</p>{{% else %}}<p>no {letter}</p>{{% endif %}}" for letter in letters
    )
    body += "{% if a and b and c %}{% if e %}<p>EVIL</p>{% endif %}{% endif %}"
    rows = [{letter: bool(number >> index & 1) for index, letter in enumerate(letters)} for number in range(16)]
    people = [{**row, "e": False} for row in rows for _ in range(2)] + [{**rows[15], "e": True}]
    to = "".join(f"\n  - {{type: user, id: a{n}, vars: {json.dumps(row)}}}" for n, row in enumerate(people))
    project.write("messages/a.yaml", declared(body, to=to))
    comment = review(project)
    assert "EVIL" in comment
    assert all(f"\n{word} {letter}\n" in comment for word in ("with", "no") for letter in letters)
    assert re.search(r"For \*\*\d+ recipients\*\* other texts of the same templates", comment)
    assert "{% if a and b and c %}" in comment.partition("\nAs written:\n")[2]
    assert "not all is shown" not in comment


LETTERS = "the quick brown fox jumps over a lazy dog. 0123456789"
EVIL = "pay 600 eur to evil.example now"
DIGIT = "{{ ['', '1', '2', '3', '4', '5', '6', '7', '8'][k] }}"
FROM_PARTS = {
    "letters": (f"{{% for c in ('{EVIL}' if k == 0 else '{LETTERS}') %}}{{{{ c }}}}{{% endfor %}} {{{{ k }}}}", EVIL),
    "a word": (
        f"Your account is {{% if k > 4 %}}not {{% endif %}}{{{{ 'deleted' if k in [0, 5] else 'active' }}}}.{DIGIT}",
        "Your account is deleted.",
    ),
    "a link": (
        f"<a href='https://{{% for c in ('evil' if k == 0 else 'live') %}}{{{{ c }}}}{{% endfor %}}.it'>{DIGIT}</a>",
        "https://evil.it",
    ),
}


@pytest.mark.parametrize("name", FROM_PARTS)
def test_a_text_is_not_known_because_its_parts_are(project: Clone, name: str) -> None:
    body, seen = FROM_PARTS[name]
    counts = [1, *[3] * 8]
    people = [number for number, count in enumerate(counts) for _ in range(count)]
    to = "".join(f"\n  - {{type: user, id: a{n}, vars: {{k: {number}}}}}" for n, number in enumerate(people))
    project.write("messages/a.yaml", declared(body, to=to))
    assert seen in review(project)


def test_each_text_that_the_words_of_a_query_make_is_shown(project: Clone) -> None:
    padding = "a customer of the autumn campaign " * 200
    text = f"case when id = 'a1' then 'nice to see you' else '{EVIL}' end"
    query = f"select id, /* {padding} */ {text} as note from 'audiences/a.csv'"
    to = f"{{sql: {quoted(query)}, type: user, id: '{{{{ id }}}}'}}"
    project.write("audiences/a.csv", "id\na1\na2\na3\n")
    project.write("messages/a.yaml", declared("Hello {{ note }}", to=to))
    comment = review(project)
    assert "For **2 recipients**" in comment
    assert f"Hello {EVIL}" in comment


def test_a_cell_is_not_taken_for_the_text_of_all_because_its_words_are_in_the_query(project: Clone) -> None:
    query = "select id, note from 'audiences/a.csv' where note <> 'nice to not see you'"
    project.write("audiences/a.csv", f"id,note\na1,nice to see you\na2,{EVIL}\na3,{EVIL}\n")
    to = f"{{sql: {quoted(query)}, type: user, id: '{{{{ id }}}}'}}"
    project.write("messages/a.yaml", declared("Hello {{ note }}", to=to))
    comment = review(project)
    assert "For **2 recipients**" in comment
    assert "Hello ***" in comment


@pytest.mark.parametrize("key", ["quiet_hours", "frequency"])
@pytest.mark.parametrize("audience", ["{intercom: {segment: Trial}}", "{type: user, id: a1}"])
def test_a_rule_that_a_message_ignores_is_named_before_it_has_anything_to_send(
    project: Clone, audience: str, key: str
) -> None:
    project.write("messages/a.yaml", declared("Hi", to=audience) + f"{key}: ignore\nnot_before: 2999-12-24\n")
    comment = review(project).replace("\\", "")
    assert f"({key}: ignore)" in comment


def test_a_message_that_falls_off_the_table_is_counted_with_its_recipients(project: Clone) -> None:
    for number in range(400):
        text = declared("Hi", to=f"{{type: user, id: a{number}}}").replace("name: a", f"name: message-{number:060}")
        project.write(f"messages/m{number}.yaml", text)
    to = "[{type: user, id: b1}, {type: user, id: b2}]"
    project.write("messages/zz.yaml", declared("evil", to=to).replace("name: a", "name: zz"))
    comment = review(project)
    assert "| `zz`<br>" in comment, "the message with the most recipients comes first"
    assert "evil" in comment
    (count,) = re.findall(r"\| and (\d+) more messages, to \1 recipients: ", comment)
    assert comment.count("| <code>message-") + int(count) == 400


TWICE_READ = {
    "a head": "<head>evil</head>", "an empty comment": "<!-->evil<!-- -->", "another empty comment": "<!--->evil",
    "a comment that ends early": "<!-- a --!>evil", "two addresses": '<a href="https://evil.example" href="/b">b</a>',
    "two sources": '<img src="https://evil.example/a" src="/b">', "a text area": "<textarea><!--evil</textarea>",
    "plain text": "<plaintext><!--evil", "a comment for Outlook": "<!--[if mso]>evil<![endif]-->",
    "a base address": '<base href="https://evil.example">', "a field": '<input value="evil">',
    "a link without an end": '<a href="https://evil.example">Click',
    "a link in a link": '<a href="https://evil.example">a<a href="/b">b</a>',
    "a link of a drawing": '<svg><a xlink:href="https://evil.example"><text>x</text></a></svg>',
    "a source of a picture": '<picture><source srcset="https://evil.example/a"><img src="/b"></picture>',
    "an image for large screens": '<img srcset="https://evil.example 2x" src=/b>',
    "a form": '<form action="https://evil.example"><button>Go</button></form>',
    "a button": '<button formaction="https://evil.example">Go</button>',
    "a frame": '<iframe src="https://evil.example"></iframe>',
    "another page": '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "a bogus end": "</p/<evil>evil", "CDATA": "<![CDATA[x]]>evil", "a script that ends early": "<script></script >evil",
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE_READ)
def test_the_text_is_read_as_a_browser_reads_it(project: Clone, name: str) -> None:
    project.write("messages/a.yaml", declared(f"<p>Hi</p>{TWICE_READ[name]}"))
    comment = review(project)
    assert "evil" in comment.partition("```text")[2].partition("```")[0]


@pytest.mark.parametrize("between", ["&nbsp;" * 300, "\u2003" * 300, "." * 300, "&emsp;." * 200])
def test_no_text_is_far_to_the_right(project: Clone, between: str) -> None:
    project.write("messages/a.yaml", declared(f"good{between}evil"))
    lines = review(project).partition("```text\n")[2].partition("\n```")[0].split("\n")
    assert lines[-1].endswith("evil")
    assert max(map(len, lines)) <= 100


DISPLAYED_DIFFERENTLY = {
    "struck": "<s>evil</s>", "deleted": "<del>evil</del>",
    "no opacity": '<i style="opacity:0">evil</i>',
    "a comment in a style": '<i style="display:/**/none">evil</i>', "an escape": '<i style="dis\\70lay:none">evil</i>',
    "no height": '<i style="max-height: 0; overflow: hidden">evil</i>', "Outlook": '<i style="mso-hide:all">evil</i>',
    "beside the page": '<i style="position:absolute;left:-9999px">evil</i>',
    "no size": '<i style="font:0/0 a">evil</i>',
    "far away": '<i style="transform:translate(-99em)">evil</i>', "no colour": '<i style="color:#0000">evil</i>',
    "an escape that is not a number": '<i style="d\\isplay:none">evil</i>',
    "struck by its style": '<i style="text-decoration:line-through">evil</i>', "a direction": "<bdo dir=rtl>evil</bdo>",
}  # fmt: skip


@pytest.mark.parametrize("name", DISPLAYED_DIFFERENTLY)
def test_what_is_displayed_in_another_way_is_in_brackets(project: Clone, name: str) -> None:
    project.write("messages/a.yaml", declared(f"Hi {DISPLAYED_DIFFERENTLY[name]} you"))
    assert re.search(r"Hi \[[A-Za-z0-9, -]+: (?:\[[a-z ]+: )?evil\]+ you", review(project))


# Texts that a browser shows in the colour of their background, or where a reader does not look.
NOT_SEEN = [
    # Any letters are a colour in HTML.
    "<font color=fffffffff>evil</font>", "<font color='#FFFFFFFFFFFF'>evil</font>", "<font color='f f f'>evil</font>",
    "<table bgcolor=fff><td>evil</table>", "<table><td bgcolor=000000000>evil", "<body text='#FFFFFFFFFFFF'>evil",
    "<body bgcolor='#000000000'>evil", "<body link=white><a href=/>evil</a>", "<body vlink=white><a href=/>evil</a>",
    "<body alink=white><a href=/>evil</a>", "<p style='background-image:linear-gradient(#000,#000)'>evil",
    # The colour of an element that has none of its own is that of the one around it.
    "<font color=white><span color=black>evil", "<table bgcolor=#000><td><p bgcolor=#fff>evil",
    "<table bgcolor=#000><td><div style='background:#fff'><script></script></div><p>evil</table>",
    "<table><col bgcolor=#000><td>evil</table>", "<p style='background-color:hsl(0,0%,0%)'>evil",
    "<p style='background-color:#000f'>evil", "<p style='background:#000;background:nothing'>evil",
    "<font color=white><p style='color:000000'>evil", "<p style='color:#fff'><b style='color:rgb(\u0660,0,0)'>evil",
    # Far to the right, and far below.
    "<sub style='font-size:16px'>" * 150 + "evil",
    "<table cellpadding=90><td>" * 9 + "evil", "<table cellpadding=4000><td>evil</table>",
    "<table cellspacing=4000><td>evil</table>", "<table border=4000><td>evil</table>", "<body leftmargin=4000>evil",
    "<table><td height=9000 valign=bottom>evil</table>", "<table height=9000><td>evil</table>",
    "<table><td style='height:1900px'>evil</table>", "<p style='line-height:5000px'>evil",
    "<pre>Hi" + "\n" * 300 + "evil</pre>",
    "<p style='white-space:pre'>Hi" + "\n" * 300 + "evil", "<br>" * 300 + "evil",
    "<p>&nbsp;</p>" * 300 + "evil", "<p><br></p>" * 300 + "evil", "<div style='height:1900px'></div>evil",
    "<div style='padding-top:190px'></div>" * 10 + "evil", "<table><td height=9000></table>evil",
    "<pre>" + "\n<b></b>" * 300 + "evil</pre>",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_SEEN, ids=lambda body: body[-60:])
def test_what_a_recipient_does_not_see_is_named(body: str) -> None:
    text = visible_text(f"<p>Hello</p>{body}", show_values=False)
    marks = "styled|in the colour|on a background|above or below|after|with wide|below|picture|col with"
    assert re.search(rf"\[({marks})[^\[]*?(: |\]\s*)(?:Hello\s+|Hi\s+|⋯ |[_\[\]])*evil", text)


SEEN = [
    "<body link=#0563C1 vlink=#954F72><a href=/>{}</a>", "<body bgcolor=#000 text=#fff link=white><p>{}",
    "<table bgcolor=''><td bgcolor=transparent>{}</table>", "<table bgcolor=ffffff><td><font color=333333>{}</table>",
    "<body bgcolor=#000><table><td background=''><font color=#FFF>{}</table>", "<p style='background:none'>{}",
    "<ul><li><ul><li><ol><li>{}</ol></ul></ul>", "<blockquote>" * 5 + "{}", "<table><td height=400>{}</table>",
    "<table height='100%' cellpadding=20 cellspacing=10 border=1><td>{}</table>", "<br>" * 8 + "{}",
    "<pre>a\n\n  b" + "\n" * 20 + "</pre>{}", "<p hidden>x<script></script></p>{}",
    "<div style='display:none'>" + "&nbsp;&zwnj;" * 900 + "<br>" * 90 + "</div>{}", "<p>&nbsp;</p>" * 4 + "{}",
    ("<table cellpadding=0 cellspacing=0 width=600><td style='padding:20px'>") * 8 + "{}",
]  # fmt: skip


@pytest.mark.parametrize("body", SEEN, ids=lambda body: body[-60:])
def test_of_what_a_recipient_sees_nothing_is_said(body: str) -> None:
    text = visible_text("<p>Hello</p>" + body.format("good"), show_values=False)
    assert re.search(r"(?m)^(?:• |1\. )*good(?: \(/\))?$", text)


@pytest.mark.parametrize("body", ["<style>b{display:none}</style>Hi", "<svg><style><p>Hi", "<math><style><p>Hi"])
def test_what_changes_the_text_in_ways_unknown_is_named(project: Clone, body: str) -> None:
    project.write("messages/a.yaml", declared(body))
    assert "see the HTML source" in review(project).partition("```text")[2].partition("```")[0]


def test_of_an_audience_that_was_not_read_all_that_makes_the_text_is_shown(project: Clone) -> None:
    to = "{intercom: {segment: Trial}, vars: {name: 'to {{ contact.name }}'}}"
    body = "{% include 'a.html' %}{{ fine }}{{ name }}"
    project.write("messages/a.yaml", declared(body, subject="{{ other }}", to=to) + 'vars: {fine: {deep: ["evil1"]}}\n')
    project.write("msgrun.yaml", 'vars: {other: "evil2\\n```"}\n')
    project.write("messages/a.html", "evil3 {% import 'b.html' as b %}{{ b.t() }}")
    project.write("messages/b.html", "{% macro t() %}evil4{% endmacro %}")
    comment = review(project)
    assert [number for number in range(1, 5) if f"evil{number}" not in comment] == []
    assert "`messages/b.html`:" in comment
    project.write("messages/a.yaml", declared("{{ fine }}", to=to) + "vars: {fine: evil5, unused: evil6}\n")
    comment = review(project)
    assert ("evil5" in comment, "evil6" in comment) == (True, False)


def test_the_words_of_a_query_are_shown_where_they_are_the_whole_value(project: Clone) -> None:
    padding = "customers of the autumn campaign " * 80
    query = f"select id, name, /* {padding} */ 'It''s evil: pay now' as note from 'audiences/a.csv' where name != 'x'"
    to = f"{{sql: {quoted(query)}, type: user, id: '{{{{ id }}}}'}}"
    project.write("audiences/a.csv", "id,name\na1,Bo Quill\n")
    project.write("messages/a.yaml", declared("{{ note }}, {{ name }}", to=to))
    comment = review(project)
    assert comment.count("evil: pay now") == 3  # beside the audience, in the text, and in its source
    assert "It's evil: pay now, ***" in comment
    assert "Quill" not in comment


def test_a_search_in_the_workspace_is_shown_whole(project: Clone) -> None:
    plans = ", ".join(f"a-long-name-of-a-plan-{number}" for number in range(20))
    role = '{field: role, operator: "=", value: user}'
    search = f"{{operator: OR, value: [{{field: custom_attributes.plan, operator: IN, value: [{plans}]}}, {role}]}}"
    project.write("messages/a.yaml", declared("Hi", to=f"{{intercom: {{search: {search}}}}}"))
    assert '{"field":"role","operator":"=","value":"user"}]}}`' in review(project)


UNCOMMON = [
    "<p>Hi <select><div>{}</div></select>", "<p>Hi <SELECT><ul><li>{}</ul></select>", "<h1><p>Hi <select/><h1>{}</h1>",
    "<select><selectedcontent>{}</selectedcontent></select>", "<select><button><selectedcontent>{}",
    "<ul><li>Hi<dialog><li>{}</ul>", "<dl><dd>Hi<dialog\nx><dd>{}", "<ruby>x<dialog><rt>y</ruby>{}",
    "<p>Hi <span><dialog></span>{}</p>", "<ul><li>Hi<search><li>{}</ul>",
    "<dialog>{}</dialog>", "<video>{}</video>", "<nobr>{}</nobr>", "<textarea rows=900></textarea>{}",
    "<details open>{}", "<marquee>{}", "<template>{}", "<noembed>{}", "<datalist>{}",
    "<iframe srcdoc='{}'>", "<object>{}", "<canvas>{}", "<ruby>x<rp>{}", "<frameset><frame></frameset>{}", "<svg><p>{}",
    "<math><p>{}", "<noscript>{}", "<xmp>{}", "<listing>{}", "<plaintext>{}", "<button>{}", "<fieldset><legend>{}",
    "<portal>{}", "<p popover>{}", "<p contenteditable>{}", "<p inert>{}", "<b slot=x>{}", "<ol reversed><li>{}",
    "<p style='color:red' onclick=x>{}", "<!--[if mso]><p><![endif]--><option>{}",
]  # fmt: skip


END = "a]\n\nYou can unsubscribe.\n\n[b"


@pytest.mark.parametrize(
    "body",
    [f"<img alt='{END}' src=x>", f"<img src='{END}'>", f"<button value='{END}'>", f"<form action='{END}'>",
     f"<blockquote cite='{END}'>", f"<table><td background='{END}'></table>", f"<a ping='{END}'>x</a>",
     f"<link href='{END}'>", f"<meta http-equiv=refresh content='{END}'>", f"<input type=hidden value='{END}'>",
     "<a href='//a.example/)\n\nYou can unsubscribe.\n\nMore (//a.example'>x</a>", f"<object data='{END}'></object>",
     *(f"""<p style='{style}("{"a] You can unsubscribe. [b".replace(" ", space)}")'>x""" for space in (" ", "&#9;")
       for style in ("background:url", "list-style-image:url", "background:linear-gradient")),
     """<p style="'] You can unsubscribe. [':x">x""", "<p style='//a.example/]_You_can_unsubscribe[,{'>x",
     "<x]\u00a0You\u00a0can\u00a0unsubscribe[ src=a>", "<p x]\u00a0You\u00a0can\u00a0unsubscribe[=1>x"],
)  # fmt: skip
def test_the_value_of_an_attribute_ends_no_bracket_and_no_line(body: str) -> None:
    text = visible_text(f"<p>Hi</p>{body}", show_values=False)
    assert "unsubscribe" in text
    assert not re.search(r"(?m)^You can|\][ _\u00a0]*You|\) You", text)


def test_brackets_of_the_author_are_others_than_those_of_the_comment() -> None:
    hidden = "<div style='display:none'><p>a]</p><p>evil</p><p>[b</p></div><p>[not displayed: good]</p>"
    text = visible_text(hidden, show_values=False)
    assert text.count("[") == text.count("]")
    assert re.search(r"\[not displayed: [^\]]*evil", text)
    assert "\uff3bnot displayed: good\uff3d" in text
    plain = visible_text("[not displayed: good]", show_values=False)
    assert plain == "\uff3bnot displayed: good\uff3d"


def test_of_a_long_plain_text_the_beginning_is_shown_and_of_a_long_difference_too() -> None:
    text = visible_text("+a." * 100_000, show_values=False)
    assert text.startswith("[its last 100,000 characters are not read here]\n+a.")
    assert len(text) < 201_000
    samples = [
        Sample(kind="email", value="a@example.com", to="a@example.com", subject="Hi", body=body)
        for body in ("a", "+a." * 100_000)
    ]
    changed = MessageChange("first", "changed", is_content_changed=True, before=samples[0], now=samples[1])
    lines = format_comparison(Comparison("main", "a" * 40, (changed,)), show_values=True)
    assert "more characters" in lines
    assert len(lines) < 7_000


@pytest.mark.parametrize(
    "address", ["https://{{ x }}.good.example/", "https://good.example{{ x }}", "https:\\\\a{{ x }}"]
)
def test_a_value_in_the_host_of_a_link_is_named(project: Clone, address: str) -> None:
    to = "{type: user, id: a1, vars: {x: '.evil.example/'}}"
    project.write("messages/a.yaml", declared(f'<a href="{address}">a</a>', to=to))
    assert "whose host depends on a recipient's value)" in review(project)
    project.write("messages/a.yaml", declared('<a href="https://good.example/{{ x }}">a</a>', to=to))
    assert "whose host depends" not in review(project)


def test_a_message_whose_end_is_not_read_counts_as_cut() -> None:
    body = "<!--{}--><p>Hi</p><p>evil</p>"
    assert is_cut(code_block(visible_text(body.format("x" * 200_000), show_values=False)))
    assert not is_cut(code_block(visible_text(body.format("x"), show_values=False)))


@pytest.mark.parametrize("scheme", ["dark", "only dark", "DARK"])
def test_a_page_that_is_always_dark_is_named(scheme: str) -> None:
    body = "<meta name=color-scheme content='{}'><p>evil</p>"
    dark = "[a dark page in all themes: see the preview]\n\n[in the colour of its background: evil]"
    assert visible_text(body.format(scheme), show_values=False) == dark
    assert visible_text(body.format("light"), show_values=False) == "evil"


@pytest.mark.parametrize("body", UNCOMMON)
def test_what_mails_do_not_use_is_named_above_the_text(body: str) -> None:
    text = visible_text(f"<p>Hello</p>{body.format('evil')}", show_values=False)
    assert re.match(r"\[(<|the attribute ).* may be displayed in another way than shown here", text)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/lint/corpus").glob("*.html")), ids=lambda path: path.stem)
def test_nothing_that_honest_mails_use_is_named_above_the_text(path: Path) -> None:
    body = re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert "another way" not in visible_text(body, show_values=False)


def test_a_value_is_no_name_above_the_text(project: Clone) -> None:
    bodies = ("<b {{ x }}>Hi</b>", "<{{ x }}>Hi", "<p a{{ x }}b=1>Hi")
    for body in bodies:
        project.write("messages/a.yaml", declared(body, to="{type: user, id: a1, vars: {x: secretword}}"))
        assert "secretword" not in review(project)


@pytest.mark.parametrize("style", ["border-width:0", "min-width:0", "opacity:1", "line-height:1", "margin:0 5px"])
def test_an_honest_style_hides_nothing(project: Clone, style: str) -> None:
    project.write("messages/a.yaml", declared(f'<p style="{style}">Hi</p>'))
    assert "```text\nHi\n```" in review(project)


# Bodies in which a recipient's value ends a comment, a tag, an attribute or a style, though it is escaped.
BUILT = {
    "the end of a comment": ("<!-- note {{ x }}>evil<!-- -->", "--"),
    "another end of a comment": ("<!-- note {{ x }}>evil<!-- -->", "--!"),
    "an empty comment": ("<!--{{ x }}>evil<!-- -->", ""),
    "an attribute without quotes": ("<a data-x={{ x }}href=//evil.example href=//good.example>shop</a>", "a "),
    "an address without quotes": ("<a href={{ x }}>evil</a>", "a style=display:none"),
    "a tag": ("<title><{{ x }}title>evil<title></title>", "/"),
    "the name of a tag": ("<{{ x }}>evil", "b"),
    "the name of an end tag": ("<b hidden>evil</{{ x }}>evil", "b"),
    "the name of an attribute": ("<b {{ x }}>evil</b>", "hidden"),
    "an attribute that is joined": ("<b hid{{ x }}>evil</b>", "den"),
    "the end of a tag": ("<b {{ x }}>evil</b>", "/"),
    "a comment that begins": ("<{{ x }}>evil", "!--"),
    "an instruction": ("<{{ x }}>evil", "?"),
    "a style sheet": ("<style>{{ x }}</style>evil", "*{display:none}"),
    "an end tag with an attribute": ("</p {{ x }}>evil", "a"),
    "a character": ("&{{ x }};evil", "lt"),
    "the number of a character": ("&#{{ x }};evil", "10"),
    "a value that is HTML": ("{{ x | safe }}evil", "<b hidden>"),
}  # fmt: skip


@pytest.mark.parametrize("value", ["own", "other"])
@pytest.mark.parametrize("name", BUILT)
def test_a_value_that_may_build_html_is_named_and_read_as_it_is_sent(project: Clone, name: str, value: str) -> None:
    body, own = BUILT[name]
    value = own if value == "own" else "plain"
    project.write("messages/a.yaml", declared(body, to=f"{{type: user, id: a1, vars: {{x: {quoted(value)}}}}}"))
    comment = review(project)
    text = comment.partition("```text")[2].partition("```")[0]
    if (name, value) != ("a value that is HTML", "plain"):  # what its tags are is shown
        assert "a recipient's value stands where HTML is built" in text
    assert "evil" in text or value == "plain"


STYLED = {
    '<p style="{{ x }}">evil</p>': "color:red", '<p style="color:{{ x }}">evil</p>': "red;display:none",
    '<p dir="{{ x }}">evil</p>': "rtl", "<p dir='{{ x }}'>evil</p>": "ltr", '<font face="{{ x }}">evil</font>': "Arial",
    '<td width="{{ x }}">evil</td>': "100", '<font size="{{ x }}">evil</font>': "3",
    '<p hidden="{{ x }}">evil</p>': "xyz",
    '<table align="{{ x }}"><tr><td>evil</table>': "left", '<p align="{{ x }}">evil</p>': "left",
    '<p popover="{{ x }}">evil</p>': "auto",
}  # fmt: skip


@pytest.mark.parametrize("body", STYLED)
def test_a_value_that_says_how_a_text_is_displayed_is_named(project: Clone, body: str) -> None:
    to = f"{{type: user, id: a1, vars: {{x: {quoted(STYLED[body])}}}}}"
    project.write("messages/a.yaml", declared(f"<table><tr>{body}" if "<td" in body else body, to=to))
    text = review(project).partition("```text")[2].partition("```")[0]
    assert re.search(r"\[[^\]]*(value|attribute|not displayed)[^\]]*: [^\]]*evil\]", text)
    assert STYLED[body] not in text.replace("with a recipient's value as", "")


@pytest.mark.parametrize(
    ("body", "value", "shown"),
    [
        ("<p>Hi {{ x }}, bye</p>", "Ann & Bo <3", "Hi ***, bye"), ("<p>Hi {{ x }}</p>", "", "Hi ***"),
        ('<p>Hi</p><a href="{{ x }}">Go</a>', "https://a.example/?a=1&b=2", "Hi\n\nGo (***)"),
        ('<p><a href="https://a.example/?n={{ x }}">Go</a>', "1 2", "Go (https://a.example/?n=***)"),
        ('<a href="mailto:{{ x }}">{{ x }}</a>', "ann@example.com", "***"), ("<b>{{ x }}</b>", "--", "***"),
        ("<!-- {{ x }} --><p>Hi {{ x }}</p>", "Ann", "Hi ***"), ("<table><tr><td>{{ x }}</table>", "a\r\nb", "***"),
        ('<p class="{{ x }}" title="{{ x }}">Hi</p>', "it's", "Hi"), ("<pre>{{ x }}</pre>", "a</b>", "***"),
        ("<p>{{ x }}{{ x }}</p>", "\n", "******"), ('<img alt="{{ x }}" src="/a">', "<b>", "[image ***: /a]"),
    ],
)  # fmt: skip
def test_a_value_that_is_text_is_masked_and_nothing_is_said(project: Clone, body: str, value: str, shown: str) -> None:
    project.write("messages/a.yaml", declared(body, to=f"{{type: user, id: a1, vars: {{x: {quoted(value)}}}}}"))
    assert f"```text\n{shown}\n```" in review(project)


def test_a_recipient_with_its_own_value_of_a_variable_of_the_message_has_a_text_of_its_own(project: Clone) -> None:
    to = "[{type: user, id: a1}, {type: user, id: b2, vars: {product: evil.example}}, {type: user, id: c3}]"
    project.write("messages/a.yaml", declared("{{ product }} was down", to=to) + "vars: {product: Ponies}\n")
    comment = run_in_process(("plan", "--format", "markdown"), project.path, {**os.environ, "CI": "true"}).out
    assert "For **2 recipients**, as `id:a1` sees it" in comment
    assert "For **1 recipient**, as `id:b2` sees it" in comment
