"""A sample shows what the author wrote; what is the recipient's own is marked, also where a template took it apart."""

from pathlib import Path

import pytest

from runner.declare.declaration import Declaration
from runner.declare.keys_and_digests import delivery_key
from runner.declare.project_reader import load_project
from runner.declare.sample import render_sample
from runner.declare.settings import Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.privacy import reveal_or_mask


def declared(root: Path, body: str, to: str, subject: str = "News") -> Declaration:
    (root / "messages").mkdir(exist_ok=True)
    text = f"name: news\nmessage_type: email\nsubject: '{subject}'\nbody: '{body}'\nfrom: {{type: admin, id: 1}}\n"
    (root / "messages" / "news.yaml").write_text(f"{text}vars: {{product: Ponies}}\nto: {to}\n")
    return load_project(Tree(root), Settings(), RenderMonitor()).declarations[0]


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        ("Hi {{ name }}, {{ product }} is up", "Hi ***, Ponies is up"),
        ("Hi {{ name.split()[0] }}", "Hi ***"),
        ("Hi {{ name | upper }}", "Hi ***"),
        ("It took {{ minutes * 60 }} seconds", "It took *** seconds"),
        ("Hi {{ nick }}!", "Hi ***!"),
        ('<a href="https://a.example/{{ minutes }}">x</a>', '<a href="https://a.example/***">x</a>'),
    ],
)
def test_what_the_author_did_not_write_is_masked(tmp_path: Path, body: str, masked: str) -> None:
    to = '{type: user, email: ann@example.com, vars: {name: Ann Lee, minutes: 45, nick: "O&Brien <3"}}'
    found = render_sample(declared(tmp_path, body.replace("'", "''"), to), "")
    assert found
    assert reveal_or_mask(found.body, show_values=False).replace("*** ***", "***").replace(" &lt;***", "") == masked
    assert "***" not in reveal_or_mask(found.body, show_values=True)


def test_an_id_is_shown_and_another_address_is_not(tmp_path: Path) -> None:
    listed = "[{type: user, id: a1}, {type: user, email: bo@example.com}]"
    news = declared(tmp_path, "x", listed)
    first = render_sample(news, "")
    assert first
    assert reveal_or_mask(first.to, show_values=False) == "id:a1"
    second = render_sample(news, "", delivery_key("", "news", 1, "email", "bo@example.com"))
    assert second
    assert reveal_or_mask(second.to, show_values=False).startswith("email:~")
    assert reveal_or_mask(second.to, show_values=True) == "bo@example.com"


def test_a_recipient_with_a_fault_is_no_sample(tmp_path: Path) -> None:
    listed = "[{type: user, id: a1}, {type: user, id: b2, vars: {name: Bo}}]"
    found = render_sample(declared(tmp_path, "Hi {{ name }}", listed), "")
    assert found
    assert found.value == "b2"
    assert render_sample(declared(tmp_path, "Hi {{ nobody }}", listed), "") is None
