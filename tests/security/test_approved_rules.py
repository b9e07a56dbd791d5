"""What was approved holds: no commit after the approval lifts a rule that decides while a plan is sent."""

import json

import pytest

from runner.sandbox import Sandbox
from tests.support.project import SEED, Folder

QUIET = 'quiet_hours: {from: "00:00", to: "00:01", timezone: UTC}\n'
OTHER_QUIET = QUIET.replace("00:01", "00:02")
FREQUENCY = "frequency: {max: 1, per: 30d}\n"
EXPIRES = "expires: 2999-01-01\n"
NEWS = "require_subscription: News\n"
# msgrun.yaml and the end of the message: when the plan was saved, and at apply; and what apply names.
LIFTED = {
    "a subscription": (("", NEWS), ("", ""), "seed: require_subscription was News"),
    "another subscription": (("", NEWS), ("", "require_subscription: Other\n"), "and now it is Other"),
    "quiet hours": ((QUIET, ""), ("", ""), "quiet_hours was 00:00 to 00:01 (UTC)"),
    "other quiet hours": ((QUIET, ""), (OTHER_QUIET, ""), "now it is 00:00 to 00:02 (UTC)"),
    "quiet hours of a message": ((QUIET, ""), (QUIET, "quiet_hours: ignore\n"), "seed: quiet_hours was holds"),
    "frequency": ((FREQUENCY, ""), ("", ""), "frequency was 1 message in 30 days"),
    "another frequency": ((FREQUENCY, ""), (FREQUENCY.replace("1", "2"), ""), "now it is 2 messages in 30 days"),
    "frequency of a message": ((FREQUENCY, ""), (FREQUENCY, "frequency: ignore\n"), "seed: frequency was holds"),
    "who unsubscribed": (
        ("recipients: {unsubscribed: exclude}\n", ""), ("recipients: {unsubscribed: warn}\n", ""),
        "recipients.unsubscribed was not sent",
    ),
    "what stops a run": (("abort_if: {unknown: 1}\n", ""), ("", ""), "abort_if was 1 unknown"),
    "the end": (("", EXPIRES), ("", ""), "seed: expires was 2999-01-01"),
}  # fmt: skip
ADDED = {"a subscription": ("", NEWS), "quiet hours": (QUIET, ""), "frequency": (FREQUENCY, "")}


def write(folder: Folder, settings: str, more: str) -> None:
    folder.write("msgrun.yaml", settings)
    folder.message(SEED + more)


@pytest.mark.parametrize("name", LIFTED)
def test_a_rule_that_was_lifted_since_the_approval_refuses_the_plan(
    name: str, folder: Folder, intercom: Sandbox
) -> None:
    approved, now, said = LIFTED[name]
    write(folder, *approved)
    assert folder.run("plan", "--out", "plan.json").code == 0
    write(folder, *now)
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert (ran.code, intercom.messages) == (5, [])
    assert said in ran.out + ran.err, ran
    assert "approve the newest run" in ran.out + ran.err


@pytest.mark.parametrize("name", ADDED)
def test_a_rule_that_is_new_does_not_end_an_approval(name: str, folder: Folder, intercom: Sandbox) -> None:
    write(folder, "", "")
    assert folder.run("plan", "--out", "plan.json").code == 0
    write(folder, *ADDED[name])
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert "was saved" not in ran.out + ran.err
    assert ran.code != 5
    assert len(intercom.messages) == (name != "a subscription" or ran.code == 0)


def test_a_plan_with_rules_of_another_form_is_refused(folder: Folder) -> None:
    write(folder, "", "")
    folder.run("plan", "--out", "plan.json")
    saved = json.loads((folder.path / "plan.json").read_text())
    assert "abort_if" in saved["rules"][""]
    for rules in ([], {"": []}, "x", {"a": None}):
        folder.write("plan.json", json.dumps({**saved, "rules": rules}))
        ran = folder.run("apply", "--yes", "--plan", "plan.json")
        assert (ran.code, "its rules have the wrong form" in ran.out) == (1, True)
