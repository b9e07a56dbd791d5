"""A message is shown once for each text that its templates have for some recipients, with their number."""

import json
from pathlib import Path

import pytest

from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.project_reader import load_project
from runner.declare.settings import Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.plan import text_variants
from runner.plan.text_variants import TextVariants


def declared(root: Path, body: str, count: int = 10, to: str = "") -> Declaration:
    to = to or "".join(f"\n  - {{type: user, id: a{number}, vars: {{n: {number}}}}}" for number in range(count))
    (root / "messages").mkdir(exist_ok=True)
    (root / "messages/a.yaml").write_text(
        "name: a\nmessage_type: inapp\nfrom: {type: admin, id: 1}\nvars: {city: {a3: Paris}, team: Red}\n"
        f"body: |-\n  {body}\nto: {to}\n"
    )
    return load_project(Tree(root), Settings(), RenderMonitor()).declarations[0]


def variants(declaration: Declaration, sent_now: frozenset[str] = frozenset()) -> TextVariants:
    counted, authorship = TextVariants(), Authorship(declaration)
    for delivery in render_deliveries(declaration, ""):
        assert isinstance(delivery, Delivery)
        counted.add(authorship.comparable_text(delivery), delivery, is_sent_now=delivery.value in sent_now)
    return counted


def seen(declaration: Declaration) -> list[tuple[int, str]]:
    return [(variant.count, variant.delivery.payload["body"]) for variant in variants(declaration).by_count()]


BRANCHES = {
    "if": "{% if n == 3 %}evil{% else %}good{% endif %}",
    "if without else": "good{% if n == 3 %} evil{% endif %}",
    "elif": "{% if n == 99 %}x{% elif n == 3 %}evil{% else %}good{% endif %}",
    "an expression": "{{ 'evil' if n == 3 else 'good' }}",
    "an escaped literal": "{{ 'e&vil' if n == 3 else 'good' }}",
    "a filter": "{{ ('evil' if n == 3 else 'good') | upper }}",
    "or": "{{ (n == 3 and 'evil') or 'good' }}",
    "a mapping": "{{ {3: 'evil'}[n] | default('good') }}",
    "a list": "{{ ['good', 'evil'][(n == 3) | int] }}",
    "a loop": "good{% for _ in range(1 if n == 3 else 0) %} evil{% endfor %}",
    "set": "{% set t = 'evil' if n == 3 else 'good' %}{{ t }}",
    "a block of set": "{% set t %}{% if n == 3 %}evil{% else %}good{% endif %}{% endset %}{{ t }}",
    "a macro": "{% macro t() %}evil{% endmacro %}{{ t() if n == 3 else 'good' }}",
    "a variable of the message": "{{ city['a' ~ n] | default('good') }}",
    "a join": "{{ ['e', 'vil'] | join if n == 3 else 'good' }}",
}


@pytest.mark.parametrize("name", BRANCHES)
def test_each_branch_is_a_text_of_its_own(tmp_path: Path, name: str) -> None:
    texts = seen(declared(tmp_path, BRANCHES[name]))
    assert [count for count, _ in texts] == [9, 1]
    assert "good" in texts[0][1].lower()
    assert texts[1][1].lower() != "good"


@pytest.mark.parametrize("body", ["Hi {{ n }}", "Hi {{ n * 2 }} of {{ team }}", "{% if n >= 0 %}a{% endif %}", "Hi"])
def test_values_alone_are_no_branch(tmp_path: Path, body: str) -> None:
    assert [count for count, _ in seen(declared(tmp_path, body))] == [10]


AUDIENCES = {
    "a list": "[{type: user, id: a1}, {type: user, id: a2, vars: {team: Blue}}, {type: user, id: a3}]",
    "JSON lines": "{jsonl: ../audiences/a.jsonl, type: user, id: '{{ n }}'}",
}


@pytest.mark.parametrize("to", AUDIENCES)
def test_a_recipients_own_value_in_place_of_the_messages_is_a_text_of_its_own(tmp_path: Path, to: str) -> None:
    (tmp_path / "audiences").mkdir()
    rows = [{"n": f"a{number}"} for number in range(1, 2000)] + [{"n": "b", "team": "Blue"}]
    (tmp_path / "audiences/a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    declaration = declared(tmp_path, "Hi {{ team }}", to=AUDIENCES[to])
    assert [text for _, text in seen(declaration)] == ["Hi Red", "Hi Blue"]


def test_the_sample_is_a_delivery_that_is_sent_now(tmp_path: Path) -> None:
    (variant,) = variants(declared(tmp_path, "Hi"), sent_now=frozenset({"a4", "a5"})).by_count()
    assert variant.delivery.value == "a4"


def test_blocks_of_one_audience_add_up(tmp_path: Path) -> None:
    declaration = declared(tmp_path, BRANCHES["if"])
    counted = variants(declaration)
    counted.merge(variants(declaration))
    assert [variant.count for variant in counted.by_count()] == [18, 2]


def test_texts_beyond_the_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_variants, "_MAX_VARIANTS", 1)
    counted = variants(declared(tmp_path, BRANCHES["if"]))
    assert (len(counted.by_count()), counted.other_count) == (1, 1)


def test_long_texts_are_not_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_variants, "_MAX_CHARACTERS", 2_500)
    counted = variants(declared(tmp_path, "{{ 'x ' * 500 }}{% if n > 0 %}{{ 'y ' * n }}{% endif %}"))
    assert len(counted.variants) == 3
    assert counted.other_count == 7
