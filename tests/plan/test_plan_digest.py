"""A digest is agreed to: it changes exactly when something that would be sent does, and with nothing else."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from runner.declare.audience.recipient import normalise_identifier
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.project_reader import load_project
from runner.declare.settings import Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.plan import plan as planning
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a message declares; `people` are (kind, value, name), and `salt` and `who` come from msgrun.yaml."""

    people: tuple[tuple[str, str, str], ...]
    body: str = "Hi {{ name }}, {{ who }}"
    kind: str = "email"
    subject: str = "Hey"
    template: str = "plain"
    sender: tuple[str, str] = ("id", "1")
    role: str = "user"
    opens: bool = False
    revision: int = 1
    salt: str = "s"
    who: str = "we"

    def document(self, *, shuffled: bool) -> dict[str, Any]:
        people = [{"type": self.role, kind: value, "vars": {"name": name}} for kind, value, name in self.people]
        email = {"subject": self.subject, "template": self.template} if self.kind == "email" else {}
        more = {"create_conversation_without_contact_reply": True} if self.opens else {}
        return {
            "name": "m", "message_type": self.kind, "body": self.body, "revision": self.revision,
            "from": dict([("type", "admin"), self.sender]), **email, **more, "to": people[::-1] if shuffled else people,
        }  # fmt: skip


values = st.sampled_from(["a", "A", "b", "é", "e\u0301", " a "])
people = st.tuples(st.sampled_from(["id", "user_id"]), values, st.sampled_from(["Ann", "Bo", "<b>"]))
declared = st.builds(
    Declared,
    people=st.lists(
        people, min_size=1, max_size=4, unique_by=lambda one: (one[0], normalise_identifier(one[0], one[1]))
    ).map(tuple),
    body=st.sampled_from(
        ["Hi {{ name }}, {{ who }}", "Hi {{ name }}", "Hi", "Hi {{ name | upper }}", "{% if 1 %}Hi{% endif %}"]
    ),
    kind=st.sampled_from(["email", "inapp", "in_app"]),
    subject=st.sampled_from(["Hey", "Hey {{ name }}"]),
    template=st.sampled_from(["plain", "personal"]),
    sender=st.sampled_from([("id", "1"), ("id", "2"), ("email", "1@x"), ("name", "1")]),
    role=st.sampled_from(["user", "contact", "lead"]),
    opens=st.booleans(),
    revision=st.integers(1, 2),
    salt=st.sampled_from(["s", "t"]),
    who=st.sampled_from(["we", "they"]),
)
differences = st.sampled_from([field for field in Declared.__dataclass_fields__ if field != "people"])


def made(root: Path, what: Declared, facts: Facts, now: datetime, *, shuffled: bool) -> tuple[Plan, set[str]]:
    """The plan, and every declared delivery as its key and payload."""
    text = yaml.safe_dump(what.document(shuffled=shuffled), allow_unicode=True)
    (root / "messages" / "m.yaml").write_text(text, encoding="utf-8")
    settings = Settings(salt=what.salt, vars={"who": what.who})
    project = load_project(Tree(root), settings, RenderMonitor())
    found, problems = planning.make_plan(project, facts, now, PlanOptions())
    assert [problem for problem in (*project.problems, *problems) if problem.is_error] == []
    (declaration,) = project.declarations
    rows = [each for each in render_deliveries(declaration, settings.salt) if isinstance(each, Delivery)]
    return found, {f"{row.key} {sorted(row.payload.items())!r}" for row in rows}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("digests")
    (root / "messages").mkdir()
    return root


@given(declared, declared, st.lists(differences, max_size=3), st.data())
@example(Declared((("id", "a", "Ann"),)), Declared((("id", "a", "Ann"),), kind="inapp"), [], None)
def test_a_messages_digest_changes_exactly_when_a_declared_delivery_does(root, one, other, taken, data):
    """Two declarations of which some parts are the same: as digests, and as what would be sent."""
    mixed = replace(one, **{name: getattr(other, name) for name in taken})
    second = replace(mixed, people=other.people) if data and data.draw(st.booleans()) else mixed
    first_plan, first = made(root, one, Facts(), NOW, shuffled=False)
    second_plan, then = made(root, second, Facts(), NOW, shuffled=True)
    same = one.salt == second.salt and first == then
    assert (first_plan.messages[0].digest == second_plan.messages[0].digest) is same
    assert (first_plan.digest == second_plan.digest) is same


@given(
    declared,
    st.lists(st.sampled_from(["claimed", "sent", "unknown", "refused", "released"]), max_size=4),
    st.timedeltas(timedelta(days=-900), timedelta(days=900)),
    st.booleans(),
)
def test_order_ledger_and_clock_never_matter(root, what, history, later, shuffled):
    before, _ = made(root, what, Facts(), NOW, shuffled=False)
    facts = Facts()
    for delivery, status in zip(before.messages[0].deliveries, history, strict=False):
        facts.add(Record(delivery.key, "run-1", status, message="m", revision=what.revision, digest="v1:0"))
    after, _ = made(root, what, facts, NOW + later, shuffled=shuffled)
    assert after.messages[0].plan_entry == before.messages[0].plan_entry
    assert after.digest == before.digest
