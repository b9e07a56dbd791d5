"""Unknown deliveries are found by what their claims hold, and only ever become sent."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from runner.deliver import reconcile
from runner.deliver.reconcile import ReconcileResult, prepare_reconciliation
from runner.errors import LedgerUnavailable, RateExhausted, RunStopped
from runner.intercom.client import HttpTransport
from runner.intercom.conversations import Conversations
from runner.intercom.lookups import Workspace
from runner.intercom.rate_limit import RateLimiter
from runner.ledger.lockfile.ledger import open_lockfile
from runner.ledger.record import Header, Record, salt_check
from runner.sandbox import Sandbox, Trouble
from tests.support.proof import one_of

FLAG = {"create_conversation_without_contact_reply": "true"}
TWO = "- {type: user, id: aaa1}\n- {type: user, id: aaa2}"
SEARCH = "POST /conversations/search"


def reconciled(project, wait=0.0, message=None, *, dry_run=False, told=None) -> ReconcileResult:
    clock = project.clock()
    transport = project.transport or HttpTransport(project.sandbox.url, "token")
    conversations = Conversations(Workspace(transport, RateLimiter(clock, 1.0, None), clock))
    with open_lockfile(project.places, project.settings.salt, "reconcile", clock.now()) as ledger:
        work = prepare_reconciliation(ledger.facts, message, project.settings.salt)
        write = (lambda *_: None) if dry_run else ledger.append
        tell = (lambda *args: told.append(args)) if told is not None else lambda *_: None
        if work.pending:
            work.search(conversations, clock, wait, write, tell)
        return work.result()


def append(project, *records: Record) -> None:
    if not project.places.exists:
        project.places.lockfile.write_bytes(Header("", salt_check("")).to_line())
    with open_lockfile(project.places, project.settings.salt, "test", datetime.now(UTC)) as ledger:
        ledger.append(*records)


def opened(project, contact="aaa1", body="Ponies", sender=394051) -> str:
    """A message that somebody else sent."""
    payload = {"message_type": "inapp", "body": body, "from": {"type": "admin", "id": sender}}
    payload |= {"to": {"type": "user", "id": contact}, "create_conversation_without_contact_reply": True}
    headers = {"Authorization": "Bearer x", "Intercom-Version": "2.14"}
    return str(requests.post(f"{project.sandbox.url}/messages", json=payload, headers=headers, timeout=10).json()["id"])


def counts(found: ReconcileResult) -> tuple[int, int, int]:
    return len(found.sent), len(found.duplicates), len(found.unknown)


def test_what_was_sent_is_found_with_its_id_and_what_was_not_stays_unknown(project):
    project.declare(TWO, **FLAG)
    project.trouble("500_after", "500_before")
    project.apply()
    assert project.statuses() == ["unknown", "unknown"]
    found = reconciled(project)
    assert counts(found) == (1, 0, 1)
    assert project.statuses() == ["sent", "unknown"]
    (sent,) = [record for record in project.records() if record.status == "sent"]
    (made,) = project.made
    claim = next(record for record in project.records() if record.status == "claimed" and record.key == sent.key)
    assert (sent.id, sent.by, sent.attempt, sent.contact) == (made["id"], "reconcile", claim.attempt, "aaa1")
    assert (sent.sender, sent.conversation) == ("", False)
    assert found.unknown[0].reason == reconcile.NO_CONVERSATION
    assert [record.status for record in project.records()].count("released") == 0
    assert counts(reconciled(project)) == (0, 0, 1)


def test_an_email_with_markup_is_found_though_intercom_wraps_its_texts(project):
    project.declare(message_type="email", subject="'Tom &  Jerry'", body="'<p>1 &lt; 2</p><p>new</p>'", **FLAG)
    project.trouble("drop_after")
    project.apply()
    assert counts(reconciled(project)) == (1, 0, 0)


def test_a_recipient_by_address_is_found_by_the_contact_that_it_was_sent_to(project):
    project.declare("- {type: user, email: ann@example.com}", **FLAG)
    project.trouble("cut_json")
    project.apply()
    assert counts(reconciled(project)) == (1, 0, 0)


def test_a_claim_that_nothing_followed_is_found_also_when_it_was_compacted(project):
    project.declare(TWO, **FLAG)
    project.trouble("500_after", "500_after")
    project.apply()
    lines = project.places.lockfile.read_text().splitlines(keepends=True)
    first = next(line for line in lines if '"unknown"' in line)
    project.places.lockfile.write_text("".join(line for line in lines if line != first))
    with open_lockfile(project.places, "", "compact", datetime.now(UTC)) as ledger:
        ledger.compact()
    assert sorted(record.status for record in project.records()) == ["claimed", "unknown"]
    assert counts(reconciled(project)) == (2, 0, 0)


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_the_declaration_may_change_or_vanish_meanwhile(change, project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    if change == "edited":
        project.declare(body="Horses", **FLAG)
    else:
        (project.root / "messages/seed.yaml").unlink()
    assert counts(reconciled(project)) == (1, 0, 0)


def test_it_looks_again_until_the_index_knows_it(project):
    project.really_sleeps = True
    with Sandbox(rate_limit=1_000_000, trouble=Trouble(next=["500_after"]), search_lag=1.0) as sandbox:
        project.sandbox = sandbox
        project.declare(**FLAG)
        project.apply()
        assert counts(reconciled(project, 0.0)) == (0, 0, 1)
        began, told = time.monotonic(), []
        assert counts(reconciled(project, 30.0, told=told)) == (1, 0, 0)
        assert time.monotonic() - began < 10
        assert told == [(1, 2.0)]


def test_it_looks_for_what_is_missing_only_with_pauses_that_grow_and_end_with_the_wait(project):
    project.declare(TWO, **FLAG)
    project.trouble("500_after", "500_before")
    project.apply()
    told = []
    reconciled(project, 60.0, told=told)
    assert [round(seconds) for _, seconds in told] == [2, 4, 8, 15, 30, 1]
    assert {left for left, _ in told} == {1}
    searches = [entry for entry in project.sandbox.log if entry["path"] == "/conversations/search"]
    assert len(searches) == 7
    assert searches[0]["payload"]["query"]["operator"] == "OR"
    assert searches[1]["payload"]["query"]["operator"] == "AND"


def test_two_matches_are_a_duplicate_that_the_ledger_knows_from_then_on(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    other = opened(project)
    found = reconciled(project)
    assert counts(found) == (0, 1, 0)
    (state,) = project.facts.duplicates()
    assert [record.id for record in state.sent_records] == [project.made[0]["id"], other]
    assert {record.attempt for record in state.sent_records} == {"RUN1-1", f"RUN1-1~{other}"}
    assert reconciled(project) == ReconcileResult()


@pytest.mark.parametrize("other", [{"contact": "aaa2"}, {"body": "Horses"}, {"sender": 7}])
def test_other_peoples_conversations_prove_nothing(other, project):
    project.declare(**FLAG)
    project.trouble("500_before")
    project.apply()
    opened(project, **other)
    assert counts(reconciled(project)) == (0, 0, 1)


def test_a_conversation_at_another_time_proves_nothing(project, monkeypatch):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    for name, long in (("CLOCK_SKEW", -3600.0), ("LATE_ARRIVAL", -3600.0)):
        with monkeypatch.context() as patched:
            patched.setattr(reconcile, name, long)
            assert counts(reconciled(project)) == (0, 0, 1)
    assert counts(reconciled(project)) == (1, 0, 0)


def test_a_conversation_that_the_ledger_knows_belongs_to_somebody_else(project):
    project.declare(name="first", **FLAG)
    project.apply()
    project.declare(name="second", **FLAG)
    project.trouble("500_before")
    project.apply(allow_repeat=True)
    assert len(project.made) == 1
    assert counts(reconciled(project)) == (0, 0, 1)


def test_the_same_text_twice_by_two_attempts_finds_each_its_own(project):
    project.declare(name="first", **FLAG)
    project.declare(name="second", **FLAG)
    project.trouble("500_after", "500_after")
    project.apply()
    assert counts(reconciled(project)) == (2, 0, 0)
    sent = {record.message: record.id for record in project.records() if record.status == "sent"}
    assert list(sent.values()) == [made["id"] for made in project.made]
    assert project.facts.duplicates() == []


@pytest.mark.parametrize("message", [None, "second"])
def test_one_conversation_that_fits_two_attempts_is_nobodys(message, project):
    project.declare(name="first", **FLAG)
    project.declare(name="second", **FLAG)
    project.trouble("500_after", "500_before")
    project.apply()
    found = reconciled(project, message=message)
    assert found.sent == []
    assert {unfound.reason for unfound in found.unknown} == {
        f"message {project.made[0]['id']} fits it, and 1 other unknown attempts as well"
    }
    assert project.statuses() == ["unknown", "unknown"]


def test_of_one_message_only_that_is_written_which_was_asked_for(project):
    project.declare(name="first", **FLAG)
    project.declare(name="second", **FLAG)
    project.trouble("500_after", "500_after")
    project.apply()
    assert counts(reconciled(project, message="second")) == (1, 0, 0)
    sent = [record for record in project.records() if record.status == "sent"]
    assert [(record.message, record.id) for record in sent] == [("second", project.made[1]["id"])]


def second_attempt(project) -> None:
    """As if two machines had sent the delivery without knowing of each other."""
    claim = next(record for record in project.records() if record.status == "claimed")
    append(project, replace(claim, attempt="OTHER-1"))


def test_one_message_for_two_attempts_at_one_delivery_settles_it_when_the_time_is_over(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    second_attempt(project)
    told = []
    assert counts(reconciled(project, 10.0, told=told)) == (1, 0, 0)
    assert len(told) == 3
    assert project.statuses() == ["sent"]


def test_two_messages_for_two_attempts_at_one_delivery_are_a_duplicate(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    second_attempt(project)
    opened(project)
    assert counts(reconciled(project)) == (0, 1, 0)
    assert len(project.facts.duplicates()) == 1


def test_without_the_flag_nothing_is_searched(project):
    project.declare()
    project.trouble("500_after")
    project.apply()
    before = len(project.sandbox.log)
    found = reconciled(project, 60.0)
    assert "create_conversation_without_contact_reply was not set" in found.unknown[0].reason
    assert len(project.sandbox.log) == before
    assert project.slept == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"contact": ""}, "names no contact"),
        ({"text": ""}, "lacks sender, text or time"),
        ({"at": "yesterday"}, reconcile.NO_TIMESTAMP),
    ],
)
def test_a_claim_that_says_too_little_is_not_searched_for(change, reason, project):
    record = Record("a" * 32, "X-1", "claimed", "seed", 1, "id:aaa1", "aaa1", text="t", at="2026-11-22T10:00:00Z")
    append(project, replace(record, sender="1", conversation=True, **change))
    (unfound,) = reconciled(project).unknown
    assert reason in unfound.reason


@pytest.mark.parametrize("step", one_of(29, 3))
def test_an_outcome_that_a_power_cut_tore_at_any_byte_does_not_hide_its_claim(step, project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    whole = project.places.lockfile.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    for end in range(begin, len(whole), step):
        project.places.lockfile.write_bytes(whole[:end])
        assert counts(reconciled(project, dry_run=True)) == (1, 0, 0), whole[begin:end]


def test_a_dry_run_finds_the_same_and_writes_nothing(project):
    project.declare(TWO, **FLAG)
    project.trouble("500_after", "500_after")
    project.apply()
    before = project.places.lockfile.read_bytes()
    assert counts(reconciled(project, dry_run=True)) == (2, 0, 0)
    assert project.places.lockfile.read_bytes() == before


def test_many_are_found_with_fifteen_a_search(project):
    project.declare("\n".join(f"- {{type: user, id: p{number}}}" for number in range(40)), **FLAG)
    project.trouble(*["500_after"] * 40)
    project.apply()
    assert counts(reconciled(project)) == (40, 0, 0)
    assert sum(entry["path"] == "/conversations/search" for entry in project.sandbox.log) == 3


def test_429_and_500_while_searching_are_waited_for(project):
    project.declare(**FLAG)
    project.trouble("500_after", routes={SEARCH: {"next": ["429", "500_before", "drop_before"]}})
    project.apply()
    assert counts(reconciled(project)) == (1, 0, 0)


@pytest.mark.parametrize(("kind", "error"), [("429", RateExhausted), ("500_before", RunStopped), ("401", RunStopped)])
def test_a_search_that_does_not_come_through_changes_nothing(kind, error, project):
    project.declare(**FLAG)
    project.trouble("500_after", routes={SEARCH: {"share": {kind: 1.0}}})
    project.apply()
    before = project.places.lockfile.read_bytes()
    with pytest.raises(error):
        reconciled(project)
    assert project.places.lockfile.read_bytes() == before


def test_what_cannot_be_written_is_not_told_as_found(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    clock = project.clock()
    conversations = Conversations(
        Workspace(HttpTransport(project.sandbox.url, "t"), RateLimiter(clock, 1.0, None), clock)
    )
    work = prepare_reconciliation(project.facts, None, "")

    def full(*_: Record) -> None:
        raise LedgerUnavailable("full")

    with pytest.raises(LedgerUnavailable):
        work.search(conversations, clock, 0.0, full, lambda *_: None)
    assert counts(work.result()) == (0, 0, 1)


def test_an_old_attempt_does_not_take_what_a_newer_one_made(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    claim = next(record for record in project.records() if record.status == "claimed")
    month_ago = datetime.now(UTC) - timedelta(days=30)
    append(project, replace(claim, key="b" * 32, message="old", attempt="OLD-1", at=f"{month_ago:%Y-%m-%dT%H:%M:%SZ}"))
    found = reconciled(project)
    assert [state.record.message for state in found.sent] == ["seed"]
    assert [unfound.record.message for unfound in found.unknown] == ["old"]
