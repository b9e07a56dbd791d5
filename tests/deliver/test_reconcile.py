"""Unknown deliveries are found by what their claims hold, and only ever become sent."""

import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from runner.deliver import reconcile, searchable_attempt
from runner.deliver.reconcile import ReconcileResult, prepare_reconciliation
from runner.errors import LedgerUnavailable, RateExhausted, RunStopped
from runner.intercom.client import HttpTransport
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Reply
from runner.intercom.workspace import Workspace
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
    workspace = Workspace(transport, RateLimiter(clock, 1.0, None), clock)
    with open_lockfile(project.places, project.settings.salt, "reconcile", clock.now()) as ledger:
        work = prepare_reconciliation(ledger.facts, message, project.settings.salt)
        write = (lambda *_: None) if dry_run else ledger.append
        tell = (lambda *args: told.append(args)) if told is not None else lambda *_: None
        if work.pending:
            work.search(workspace, clock, wait, write, tell)
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
    assert (sent.sender, sent.opens_conversation) == ("", False)
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
            patched.setattr(searchable_attempt, name, long)
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
        ({"at": "yesterday"}, searchable_attempt.NO_TIMESTAMP),
    ],
)
def test_a_claim_that_says_too_little_is_not_searched_for(change, reason, project):
    record = Record("a" * 32, "X-1", "claimed", "seed", 1, "id:aaa1", "aaa1", text="t", at="2026-11-22T10:00:00Z")
    append(project, replace(record, sender="1", opens_conversation=True, **change))
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
    workspace = Workspace(HttpTransport(project.sandbox.url, "t"), RateLimiter(clock, 1.0, None), clock)
    work = prepare_reconciliation(project.facts, None, "")

    def full(*_: Record) -> None:
        raise LedgerUnavailable("full")

    with pytest.raises(LedgerUnavailable):
        work.search(workspace, clock, 0.0, full, lambda *_: None)
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


@dataclass
class Between:
    """Intercom, where contacts were merged since. `gone`: contacts that it knows no more; `answer` to reading those.

    A conversation is one with the contact that its own was merged into, and a search for the old contact finds nothing.
    """

    transport: HttpTransport
    merges: dict[str, str] = field(default_factory=dict)
    gone: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def exchange(self, method, path, body, version):
        contact = path.removeprefix("/contacts/")
        if path.startswith("/contacts/"):
            self.asked.append(contact)
        if contact in self.merges:
            link = f'</contacts/{self.merges[contact]}>; rel="canonical"'
            return Reply(410 if version == "2.16" else 404, {"link": link} if version == "2.16" else {}, b"{}")
        if contact in self.gone:
            return self.gone[contact]
        if path != "/conversations/search":
            return self.transport.exchange(method, path, body, version)
        text = json.dumps(body["query"])
        now = {contact for contact in self.merges.values() if f'"{contact}"' in text}
        before = [old for old, new in self.merges.items() if new in now]
        terms = body["query"]["value"] if body["query"]["operator"] == "OR" else [body["query"]]
        for term in list(terms):
            named = term["value"][0]
            terms += [{**term, "value": [{**named, "value": old}, *term["value"][1:]]} for old in before if named["value"] == self.merges[old]]  # fmt: skip # noqa: E501
        query = {"operator": "OR", "value": terms}
        reply = self.transport.exchange(method, path, {**body, "query": query}, version)
        page = json.loads(reply.body)
        for item in page["conversations"]:
            for one in item["contacts"]["contacts"]:
                one["id"] = self.merges.get(one["id"], one["id"])
        return Reply(200, {}, json.dumps(page).encode())


def between(project, **changes) -> Between:
    project.transport = Between(HttpTransport(project.sandbox.url, "t"), **changes)
    return project.transport


def test_a_message_to_a_contact_that_was_merged_since_is_found_at_the_other_one(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    between(project, merges={"aaa1": "ccc3"})
    assert counts(reconciled(project)) == (1, 0, 0)
    (sent,) = [record for record in project.records() if record.status == "sent"]
    (made,) = project.made
    assert (sent.id, sent.contact, sent.to) == (made["id"], "ccc3", "id:aaa1")


def test_a_chain_of_merges_is_followed(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    network = between(project, merges={"aaa1": "bbb2", "bbb2": "ccc3"})
    reconciled(project)
    assert network.asked == ["aaa1", "bbb2", "ccc3"]


def test_contacts_of_what_is_found_are_not_asked_for(project):
    project.declare(TWO, **FLAG)
    project.trouble("500_after", "500_before")
    project.apply()
    network = between(project)
    assert counts(reconciled(project)) == (1, 0, 1)
    assert network.asked == ["aaa2"]


@pytest.mark.parametrize("made", ["500_after", "500_before"])
def test_of_two_contacts_that_were_merged_one_message_proves_nothing_and_two_prove_both(made, project):
    project.declare(TWO, body="Ponies", **FLAG)
    project.trouble("500_after", made)
    project.apply()
    between(project, merges={"aaa1": "ccc3", "aaa2": "ccc3"})
    assert counts(reconciled(project)) == ((2, 0, 0) if made == "500_after" else (0, 0, 2))


@pytest.mark.parametrize("named", [None, "first"])
def test_what_another_message_may_have_sent_to_the_merged_contact_is_not_taken_for_ours(named, project):
    project.declare("- {type: user, id: aaa1}", name="first", **FLAG)
    project.declare("- {type: user, id: aaa2}", name="second", **FLAG)
    project.trouble("500_before", "500_after")
    project.apply()
    between(project, merges={"aaa1": "ccc3", "aaa2": "ccc3"})
    found = reconciled(project, message=named)
    assert found.sent == []
    assert {"fits it, and 1 other" in unfound.reason for unfound in found.unknown} == {True}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply(404, {}, b"{}"), reconcile.CONTACT_GONE),
        (Reply(410, {}, b"{}"), reconcile.CONTACT_GONE),
        (Reply(403, {}, b"{}"), reconcile.CONTACT_UNREADABLE),
        (Reply(401, {}, b"{}"), reconcile.CONTACT_UNREADABLE),
    ],
)
def test_a_contact_that_cannot_be_followed_is_a_reason(answer, reason, project):
    project.declare(TWO, **FLAG)
    project.trouble("500_before", "500_before")
    project.apply()
    network = between(project, gone={"aaa1": answer, "aaa2": answer})
    found = reconciled(project)
    assert {unfound.reason for unfound in found.unknown} == {f"{reconcile.NO_CONVERSATION}; {reason}"}
    assert len(network.asked) == (1 if reason == reconcile.CONTACT_UNREADABLE else 2)


def test_what_is_not_found_may_have_become_a_ticket(project):
    project.declare(**FLAG)
    project.trouble("500_before")
    project.apply()
    (unfound,) = reconciled(project).unknown
    assert "became a ticket, which a token sees only with the scope Read tickets" in unfound.reason


def test_a_scope_that_is_missing_is_the_reason_and_not_that_nothing_was_found(project):
    project.declare(**FLAG)
    project.trouble("500_before")
    project.apply()
    message = "You do not have the required scope (read_conversations) to access this resource"
    error = {"type": "error.list", "errors": [{"code": "forbidden", "message": message}]}
    clock = project.clock()
    denied = Between(HttpTransport(project.sandbox.url, "t"), gone={"/conversations/search": Reply(403, {}, json.dumps(error).encode())})  # fmt: skip # noqa: E501
    work = prepare_reconciliation(project.facts, None, "")
    with pytest.raises(RunStopped) as caught:
        work.search(
            Workspace(denied, RateLimiter(clock, 1.0, None), clock), clock, 0.0, lambda *_: None, lambda *_: None
        )
    assert "give the app this permission" in caught.value.hint
    (unfound,) = work.result().unknown
    assert unfound.reason.startswith("Intercom could not be searched: POST /conversations/search: HTTP status 403")
    assert "read_conversations" in unfound.reason


def test_the_id_of_the_conversation_is_kept_where_it_comes(project):
    project.declare(**FLAG)
    project.trouble("500_after")
    project.apply()
    reconciled(project)
    (sent,) = [record for record in project.records() if record.status == "sent"]
    assert sent.conversation == str(int(sent.id) + 500_000)
