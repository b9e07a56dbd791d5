"""A plan: what would happen to every delivery, which guards say no and the way out, and a digest that lasts."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.delivery import render_deliveries
from runner.declare.project import Project
from runner.declare.project_reader import load_project
from runner.declare.settings import Limits, Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.errors import GuardRefused
from runner.ledger.facts import Facts
from runner.ledger.record import Header, Record, salt_check
from runner.plan import plan as planning
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.privacy import mark_private
from tests.support.laws import costly

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SEED = """\
name: {name}
revision: {revision}
message_type: inapp
body: {body}
from: {{type: admin, id: "394051"}}
{more}to:
{to}
"""


@dataclass
class Desk:
    """A project and a ledger, and the plan that they make."""

    root: Path
    settings: Settings = field(default_factory=Settings)
    facts: Facts = field(default_factory=Facts)

    def declare(
        self, *addresses: str, name: str = "seed", body: str = "Ponies", revision: int = 1, more: str = ""
    ) -> None:
        to = "\n".join(f"  - {{type: user, {address}}}" for address in addresses or ("id: aaa1",))
        text = SEED.format(name=name, body=body, revision=revision, more=more, to=to)
        (self.root / "messages" / f"{name}.yaml").write_text(text)

    def remove(self, name: str = "seed") -> None:
        (self.root / "messages" / f"{name}.yaml").unlink()

    def project(self) -> Project:
        return load_project(Tree(self.root), self.settings, RenderMonitor())

    def plan(self, now: datetime = NOW, **choices: Any) -> Plan:
        made, problems = planning.make_plan(self.project(), self.facts, now, PlanOptions(**choices))
        assert [problem for problem in problems if problem.is_error] == []
        return made

    def happened(self, status: str, name: str = "seed", **fields: Any) -> list[Record]:
        """Lets every delivery of a message have had an outcome."""
        (declaration,) = [found for found in self.project().declarations if found.name == name]
        records = [
            Record(
                key=delivery.key,
                attempt=f"RUN-{delivery.key[:6]}",
                status=status,
                message=name,
                revision=declaration.revision,
                to=delivery.display_name,
                contact=delivery.value if delivery.kind == "id" else "",
                digest=delivery.digest,
                content=declaration.content,
                at="2026-11-20T10:00:00Z",
                **fields,
            )
            for delivery in render_deliveries(declaration, self.settings.salt)
        ]
        for record in records:
            self.facts.add(record)
        return records

    def actions(self, **choices: Any) -> list[str]:
        return [delivery.action for message in self.plan(**choices).messages for delivery in message.deliveries]

    def guards(self, **choices: Any) -> list[str]:
        return [guard.code for guard in self.plan(**choices).guards]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "messages").mkdir()
    return Desk(tmp_path)


def test_what_nobody_knows_anything_of_is_to_send(desk):
    desk.declare("id: aaa1", "email: ann@example.com")
    plan = desk.plan()
    assert (desk.actions(), plan.counts["send"], plan.to_send) == (["send", "send"], 2, 2)
    shown = list(plan.messages[0].deliveries)[1].display_name
    assert plan.messages[0].first_recipients == ("aaa1", mark_private("ann@example.com", shown))


@pytest.mark.parametrize(
    ("status", "action"),
    [("sent", "sent"), ("claimed", "unknown"), ("unknown", "unknown"), ("refused", "refused"), ("released", "send")],
)
def test_what_is_known_decides_the_action(status, action, desk):
    desk.declare()
    desk.happened(status)
    assert desk.actions() == [action]
    assert desk.guards() == []


def test_a_change_of_the_text_after_sending_is_edited_and_nothing_goes_out(desk):
    desk.declare("id: aaa1", "id: aaa2")
    desk.happened("sent")
    desk.declare("id: aaa1", "id: aaa2", "id: aaa3", body="Cats")
    assert desk.actions() == ["edited", "edited", "send"]
    (guard,) = desk.plan().guards
    assert guard.code == "edited"
    assert all(way in guard.hint for way in ("revision", "undo", "msgrun accept seed"))


def test_a_raised_revision_is_the_way_to_send_an_edit(desk):
    desk.declare()
    desk.happened("sent")
    desk.declare(body="Cats", revision=2)
    assert (desk.actions(), desk.guards()) == (["send"], [])


def test_a_raised_revision_sends_the_same_text_again_without_asking(desk):
    desk.declare()
    desk.happened("sent")
    desk.declare(revision=2)
    assert (desk.actions(), desk.guards()) == (["send"], [])


def test_undoing_the_edit_is_a_way_out(desk):
    desk.declare()
    desk.happened("sent")
    desk.declare(body="Cats")
    desk.declare()
    assert (desk.actions(), desk.guards()) == (["sent"], [])


def test_a_change_of_a_recipients_own_data_is_no_edit(desk):
    desk.declare("id: aaa1, vars: {who: Ann}", body="'Hi {{ who }}'")
    desk.happened("sent")
    desk.declare("id: aaa1, vars: {who: Anne}", body="'Hi {{ who }}'")
    assert desk.actions() == ["sent"]


def test_an_expired_message_is_excluded_and_what_was_sent_of_it_stays_sent(desk):
    desk.declare("id: aaa1")
    desk.happened("sent")
    desk.declare("id: aaa1", "id: aaa2", body="Cats", more="expires: 2026-11-22T10:00:00Z\n")
    plan = desk.plan()
    assert [delivery.action for delivery in plan.messages[0].deliveries] == ["sent", "excluded"]
    assert list(plan.messages[0].deliveries)[1].reason == "expired on 2026-11-22T10:00:00Z"
    assert plan.guards == ()


def test_before_its_time_a_message_is_excluded(desk):
    desk.declare(more="not_before: 2026-11-22T11:00:00+01:00\n")
    assert desk.plan(NOW - timedelta(seconds=1)).counts == {"excluded": 1}
    assert desk.plan(NOW).counts == {"send": 1}


def test_a_refusal_is_final_for_its_digest_only(desk):
    desk.declare()
    desk.happened("refused", code="not_found")
    assert next(iter(desk.plan().messages[0].deliveries)).reason == "refused before: not_found"
    assert desk.actions(retry_refused=True) == ["send"]
    desk.declare(body="Cats")
    assert desk.actions() == ["send"]


def test_an_unknown_delivery_stays_unknown_whatever_is_asked_for(desk):
    desk.declare()
    desk.happened("unknown")
    desk.declare(body="Cats", more="expires: 2020-01-01\n")
    assert desk.actions(retry_refused=True, allow_repeat=True, allow_readdress=True) == ["unknown"]


def test_a_limit_takes_the_first_by_name_and_order(desk):
    desk.declare("id: aaa1", "id: aaa2", name="b")
    desk.declare("id: aaa1", "id: aaa2", name="a", body="Cats")
    plan = desk.plan(limit=3)
    assert (plan.to_send, plan.send_counts(), plan.counts["send"]) == (3, {"a": 2, "b": 1}, 4)


def test_over_the_limit_of_a_message_it_says_no_and_a_limit_is_the_way_out(desk):
    desk.settings = desk.settings._replace(limits=Limits(recipients_per_message=1))
    desk.declare("id: aaa1", "id: aaa2")
    (guard,) = desk.plan().guards
    assert (guard.code, "--limit 1" in guard.hint) == ("limit-message", True)
    assert desk.guards(limit=1) == []


def test_over_the_limit_of_a_run_it_says_no_and_a_limit_is_the_way_out(desk):
    desk.settings = desk.settings._replace(limits=Limits(recipients_per_apply=1))
    desk.declare(name="a")
    desk.declare(name="b", body="Cats")
    (guard,) = desk.plan().guards
    assert (guard.code, "--limit 1" in guard.hint) == ("limit-apply", True)
    assert desk.guards(limit=1) == []


def test_a_renamed_message_says_no_until_a_repeat_is_allowed(desk):
    desk.declare("id: aaa1", "id: aaa2")
    desk.happened("sent")
    desk.remove()
    desk.declare("id: aaa1", "id: aaa3", name="renamed")
    (guard,) = desk.plan().guards
    assert (guard.code, "--allow-repeat" in guard.hint, "under the name seed" in guard.message) == (
        "repeat",
        True,
        True,
    )
    assert [way.command for way in guard.ways_out] == [
        "name: seed",
        "msgrun apply messages/renamed.yaml --allow-repeat",
    ]
    assert desk.guards(allow_repeat=True) == []


def test_a_renamed_message_is_found_out_also_where_the_address_was_another(desk):
    desk.declare("email: ann@example.com")
    desk.happened("sent")
    record = next(desk.facts.records())
    desk.facts.add(replace(record, contact="aaa1"))
    desk.remove()
    desk.declare("id: aaa1", name="renamed")
    assert desk.guards() == ["repeat"]


def test_the_same_text_to_others_is_no_repeat(desk):
    desk.declare("id: aaa1")
    desk.happened("sent")
    desk.remove()
    desk.declare("id: aaa2", name="renamed")
    assert desk.guards() == []


def test_another_kind_of_address_says_no_until_it_is_allowed(desk):
    desk.declare("email: ann@example.com")
    desk.happened("sent")
    desk.declare('user_id: "25"')
    (guard,) = desk.plan().guards
    assert (guard.code, "--allow-readdress" in guard.hint) == ("readdress", True)
    assert desk.guards(allow_readdress=True) == []


def test_more_recipients_and_fewer_of_one_kind_are_no_readdressing(desk):
    desk.declare("id: aaa1", "id: aaa2")
    desk.happened("sent")
    desk.declare("id: aaa1", "id: aaa3")
    assert desk.guards() == []
    desk.declare("id: aaa1", "id: aaa2", "email: ann@example.com")
    assert desk.guards() == []


def test_the_lockfile_of_another_workspace_says_no(desk):
    desk.declare()
    desk.settings = desk.settings._replace(workspace="acme")
    desk.facts.add(Header("zz", salt_check("")))
    (guard,) = desk.plan().guards
    assert (guard.code, guard.message) == (
        "workspace",
        "msgrun.yaml names workspace acme, and the ledger belongs to zz",
    )
    assert desk.guards(sandbox=True) == []


def test_the_workspace_is_the_declared_one_else_the_ledgers(desk):
    desk.declare()
    assert desk.plan().workspace == ""
    desk.facts.add(Header("acme", ""))
    assert desk.plan().workspace == "acme"
    desk.settings = desk.settings._replace(workspace="acme")
    assert desk.plan().workspace == "acme"


def test_a_ledger_of_two_workspaces_or_another_salt_makes_no_plan(desk):
    desk.declare()
    desk.facts.add(Header("", "deadbeef"))
    with pytest.raises(GuardRefused, match="salt"):
        desk.plan()


def test_another_digest_than_the_expected_says_no(desk):
    desk.declare()
    digest = desk.plan().digest
    assert desk.guards(expect=digest) == []
    desk.declare(body="Cats")
    assert desk.guards(expect=digest) == ["digest"]


def test_more_recipients_than_confirmed_say_no_and_fewer_do_not(desk):
    desk.declare("id: aaa1", "id: aaa2")
    (guard,) = desk.plan(confirm_recipients=1).guards
    assert (guard.code, guard.hint) == ("recipients", "to send to all of them, pass --confirm-recipients 2")
    assert desk.guards(confirm_recipients=2) == desk.guards(confirm_recipients=3) == []
    assert desk.guards(confirm_recipients=1, limit=1) == []


def test_several_guards_are_all_told(desk):
    desk.declare()
    desk.happened("sent")
    desk.declare("id: aaa1", "id: aaa2", body="Cats")
    assert desk.guards(expect="sha256:other", confirm_recipients=0) == ["edited", "digest", "recipients"]


def test_the_vectors_of_the_contract(desk):
    desk.root.joinpath("messages", "seed.yaml").write_text(
        "name: seed\nmessage_type: email\nsubject: Hey\n"
        "body: Ponies, cute small horses or something more sinister?\ntemplate: plain\n"
        'from: {type: admin, id: "394051"}\nto: {type: user, id: 536e564f316c83104c000020}\n'
    )
    plan = desk.plan()
    (message,) = plan.messages
    (delivery,) = message.deliveries
    assert delivery.key == "3215e97fae6137100a3e78e8529ac85e"
    assert delivery.digest == "v1:18d956e378d0a1091356030138bd787b"
    assert message.digest == "sha256:10855d80d7d36aa29ac63cc866f6f8e11e64dda9f7b49fe0f3c9878a22bb3b0e"
    assert plan.digest == "sha256:7acc4b89b134d1ece5f6fd78ca3c74e2598f1aba18f0065b7e62fa1732fce013"


def digests(plan: Plan) -> tuple[str, list[tuple[str, str]]]:
    return plan.digest, [(message.name, message.digest) for message in plan.messages]


numbers = st.permutations(range(5))
slow = costly(0.4)


@slow
@given(numbers, numbers)
def test_the_order_of_recipients_and_files_changes_no_digest(tmp_path_factory, one, other):
    found = []
    for order, rename in ((range(5), False), (one, False), (other, True)):
        desk = Desk(tmp_path_factory.mktemp("order"))
        (desk.root / "messages").mkdir()
        for name in ("a", "b"):
            desk.declare(*(f"id: aaa{number}, vars: {{n: {number}}}" for number in order), name=name, body="'{{ n }}'")
        if rename:
            (desk.root / "messages" / "a.yaml").rename(desk.root / "messages" / "z.yml")
        found.append(digests(desk.plan()))
    assert found[0] == found[1] == found[2]


@slow
@given(
    st.lists(st.sampled_from(["sent", "unknown", "refused", "released"]), max_size=3),
    st.integers(1, 4),
    st.timedeltas(timedelta(days=-900), timedelta(days=900)),
)
def test_ledger_clock_and_limit_change_no_digest(tmp_path_factory, history, limit, later):
    desk = Desk(tmp_path_factory.mktemp("digest"))
    (desk.root / "messages").mkdir()
    desk.declare("id: aaa1", "id: aaa2", "id: aaa3", more="not_before: 2026-11-22\n")
    before = digests(desk.plan())
    for status in history:
        desk.happened(status)
    assert digests(desk.plan(NOW + later, limit=limit, retry_refused=True)) == before


def test_only_expiry_changes_the_digest_of_the_plan(desk):
    desk.declare(more="expires: 2026-11-22T10:00:00Z\n")
    early, late = desk.plan(NOW - timedelta(seconds=1)), desk.plan(NOW)
    assert early.digest != late.digest
    assert early.messages[0].digest == late.messages[0].digest
    desk.remove()
    assert desk.plan().digest == late.digest


@pytest.mark.parametrize("change", [{"environment": "staging"}, {"workspace": "acme"}])
def test_environment_and_declared_workspace_are_part_of_the_digest(change, desk):
    desk.declare()
    before = desk.plan().digest
    desk.settings = desk.settings._replace(**change)
    assert desk.plan().digest != before


def test_the_ledgers_workspace_is_no_part_of_the_digest(desk):
    desk.declare()
    before = desk.plan().digest
    desk.facts.add(Header("acme", ""))
    assert desk.plan().digest == before


def test_problems_of_recipients_are_given_back(desk):
    desk.declare("id: aaa1", "id: aaa1")
    _, problems = planning.make_plan(desk.project(), desk.facts, NOW, PlanOptions())
    assert [problem.code for problem in problems] == ["duplicate-recipient"]
