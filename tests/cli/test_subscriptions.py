"""`require_subscription`: who is not subscribed is excluded with the reason, and the plan says that it looks online."""

import json

import pytest

from runner.sandbox import Sandbox
from runner.sandbox.subscriptions import SubscriptionType
from tests.support.project import Folder

MESSAGE = """\
name: {name}
message_type: email
subject: Hi
body: <p>Hello</p>
from: {{type: admin, id: "394051"}}
require_subscription: {subscription}
to:
  - {{type: user, email: ann@example.com}}
  - {{type: user, email: bo@example.com}}
  - {{type: user, email: missing@example.com}}
  - {{type: user, email: spam@example.com}}
"""
TYPES = (
    SubscriptionType("4", "Offers", "opt_out"),
    SubscriptionType("5", "Digest", "opt_in"),
    SubscriptionType("6", "Old", "opt_in", "archived"),
    SubscriptionType("7", "Twice", "opt_in"),
    SubscriptionType("8", "Twice", "opt_out"),
)


def declare(folder: Folder, subscription: str = "Digest", name: str = "news", more: str = "") -> None:
    folder.message(MESSAGE.format(name=name, subscription=subscription) + more, name)


@pytest.fixture
def intercom(intercom: Sandbox) -> Sandbox:
    intercom.subscriptions.types = TYPES
    intercom.subscriptions.choices = {"ann@example.com": ["Offers", "Digest"]}
    return intercom


def asked(intercom: Sandbox) -> int:
    """How many requests there were for the subscriptions of a contact."""
    return len([entry for entry in intercom.log if entry["path"].endswith("/subscriptions")])


@pytest.mark.parametrize(
    ("subscription", "actions", "reason"),
    [
        ("Digest", ["send", "excluded"], "not opted in to Digest"),
        ("Offers", ["excluded", "send"], "opted out of Offers"),
    ],
)
def test_only_who_consented_gets_it(
    folder: Folder, intercom: Sandbox, subscription: str, actions: list[str], reason: str
) -> None:
    declare(folder, subscription)
    planned = json.loads(folder.run("plan", "--online", "--format", "json").out)
    assert planned["messages"][0]["require_subscription"] == subscription
    rows = planned["deliveries"]
    assert [row["action"] for row in rows] == [*actions, "refused", "excluded"]
    (excluded,) = [row for row in rows if row.get("code") == "contact_not_subscribed"]
    assert (excluded["reason"], excluded["action"]) == (reason, "excluded")
    assert asked(intercom) == 2  # of those who are excluded or refused anyway, none is asked for
    ran = folder.run("apply", "--yes", "--new-lock")
    assert (ran.code, len(intercom.messages)) == (3, 1)
    assert reason in ran.out
    assert asked(intercom) == 2  # plan --online has them in the cache


def test_a_limit_counts_only_the_subscribed(folder: Folder, intercom: Sandbox) -> None:
    declare(folder, "Offers")
    assert folder.run("apply", "--yes", "--new-lock", "--limit", "1").code == 0
    assert asked(intercom) == 2
    assert len(intercom.messages) == 1


def test_two_recipients_that_are_one_contact_are_asked_for_once(folder: Folder, intercom: Sandbox) -> None:
    twins = "  - {type: user, email: resident-01@sandbox.example}\n  - {type: user, user_id: resident-01}\n"
    declare(folder, "Offers", more=twins)
    planned = json.loads(folder.run("plan", "--online", "--format", "json").out)
    assert planned["deliveries"][-1]["code"] == "same_contact"
    assert asked(intercom) == 3


def test_who_is_excluded_does_not_hide_when_the_message_expires(folder: Folder, intercom: Sandbox) -> None:
    assert intercom.messages == []
    declare(folder, more="expires: 2999-12-24\n")
    out = folder.run("plan", "--online").out
    assert "excluded: not opted in to Digest" in out
    assert "expires 2999-12-24" in out


def test_a_contact_that_is_gone_meanwhile_is_not_taken_for_subscribed(folder: Folder, intercom: Sandbox) -> None:
    declare(folder, "Offers")
    contact = folder.run("plan", "--online") and intercom.log[-1]["path"].split("/")[2]
    for file in (folder.path / ".msgrun").glob("contacts-*"):
        file.unlink()
    intercom.trouble.replace({"routes": {f"GET /contacts/{contact}/subscriptions": {"next": ["404"]}}})
    ran = folder.run("plan", "--online")
    assert "excluded: without subscriptions that can be read" in ran.out


@pytest.mark.parametrize(
    ("subscription", "message", "hint"),
    [
        ("Digets", "the workspace has no subscription type named Digets", "did you mean Digest?"),
        ("Xyz", "the workspace has no subscription type named Xyz", "there are Digest, Offers, Twice"),
        ("Old", "the subscription type Old is not live: its state is archived", "there are Digest, Offers, Twice"),
        ("Twice", "2 subscription types are named Twice: 7, 8", "rename all but one in Intercom"),
    ],
)
def test_a_name_that_is_not_one_live_type_is_an_error_with_its_place(
    folder: Folder, intercom: Sandbox, subscription: str, message: str, hint: str
) -> None:
    declare(folder, subscription)
    for command in (("plan", "--online"), ("apply", "--yes", "--new-lock")):
        ran = folder.run(*command)
        assert ran.code == 1
        assert f"messages/news.yaml:6:23: error: {message} [subscription-unknown]" in ran.out
        assert f"hint: {hint}" in ran.out
    assert intercom.messages == []


def test_offline_the_plan_says_that_it_is_looked_up_online(folder: Folder) -> None:
    declare(folder)
    for form in ("text", "markdown"):
        assert "nly with the subscription Digest, looked up when online" in folder.run("plan", "--format", form).out


def test_the_digests_do_not_depend_on_it(folder: Folder) -> None:
    digests = set()
    for name in ("Digest", "Offers"):
        declare(folder, name)
        digests.add(json.loads(folder.run("plan", "--format", "json").out)["digest"])
    assert len(digests) == 1


def test_the_sandbox_has_every_type_that_is_named(folder: Folder) -> None:
    declare(folder, "Whatever")
    assert "2 to send" in folder.run("--sandbox", "plan", "--online").out


def test_a_redirected_message_asks_for_no_subscription(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", "environments: {staging: {redirect: {type: user, id: t1}}}\n")
    declare(folder, "Xyz")
    ran = folder.run("-e", "staging", "plan", "--online")
    assert (ran.code, "4 to send" in ran.out, "Xyz" in ran.out) == (0, True, False)
    assert asked(intercom) == 0
