"""A run: it sends what was planned and nothing else, stops when it must, and forgets no outcome."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.sending_times import parse_quiet_hours
from runner.declare.settings import AbortConditions
from runner.deliver.run import Run
from runner.errors import LedgerUnavailable, RateExhausted, RunStopped
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.sandbox.trouble_kinds import TROUBLE_KINDS
from tests.support.laws import costly

FOUR = "\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(4))


def people(count: int) -> str:
    return "\n".join(f"- {{type: user, id: b{number:03}}}" for number in range(count))


def sent_to(project) -> list[str]:
    return [message["contact"] for message in project.made]


def test_everything_planned_is_sent_once_and_a_second_run_sends_nothing(project):
    project.declare(FOUR)
    project.declare(FOUR, name="news")
    done = project.apply()
    assert (done.planned, done.sent, done.remaining) == (8, 8, 0)
    assert project.apply().sent == 0
    assert len(project.made) == 8


def test_a_limit_sends_the_first_and_leaves_the_rest(project):
    project.declare(FOUR)
    done = project.apply(limit=3)
    assert (done.sent, done.remaining, done.stop) == (3, 0, None)
    assert project.apply(limit=3).sent == 1
    assert sent_to(project) == ["aaa0", "aaa1", "aaa2", "aaa3"]


def test_three_unknown_in_a_row_stop_the_run(project):
    project.change(abort_conditions=AbortConditions())
    project.declare(people(10))
    project.trouble("500_after", "ok", "500_after", "500_after", "500_after")
    done = project.apply()
    assert (done.sent, len(done.unknown), done.remaining) == (1, 4, 5)
    assert done.stop.kind == "error"
    assert "3 unknown in a row" in done.stop.message


def test_recipients_without_a_contact_between_them_do_not_hide_unknown_outcomes(project):
    project.change(abort_conditions=AbortConditions())
    pairs = [
        f"- {{type: user, email: p{n}@x.example}}\n- {{type: user, email: missing{n}@x.example}}" for n in range(8)
    ]
    project.declare("\n".join(pairs))
    project.trouble(*["500_after"] * 8)
    done = project.apply()
    assert (len(done.unknown), len(done.refused)) == (3, 2)
    assert (done.remaining, done.unrecorded_refusals) == (5, 6), "what the check refused is not left to send"


def test_a_fifth_refused_stops_the_run_once_fifty_were_tried(project):
    project.change(abort_conditions=AbortConditions())
    project.declare(people(60))
    project.trouble(*["400"] * 12)
    done = project.apply()
    assert (done.tried, len(done.refused), done.stop.kind) == (50, 12, "error")


def test_fewer_refusals_than_a_fifth_stop_nothing(project):
    project.change(abort_conditions=AbortConditions())
    project.declare(people(60))
    project.trouble(*["400"] * 9)
    assert (project.apply().stop, len(project.made)) == (None, 51)


def test_where_no_refusal_is_borne_none_is_needed_to_go_on(project):
    project.change(abort_conditions=AbortConditions(refused=0.0, after=1))
    project.declare(FOUR)
    assert project.apply().sent == 4


def test_a_message_that_expires_during_the_run_goes_to_nobody_else(project):
    soon = project.began + timedelta(seconds=100)
    project.declare(FOUR, expires=f"{soon:%Y-%m-%dT%H:%M:%SZ}")
    project.declare(name="z-later")
    project.progress = lambda done: project.slept.append(200.0) if done.sent == 2 else None
    done = project.apply()
    assert sent_to(project) == ["aaa0", "aaa1", "aaa1"]
    assert (done.sent, done.expired, done.remaining, done.stop) == (3, 2, 0, None)
    assert done.warnings == ["seed expired during the run: 2 deliveries were not sent"]


def test_a_message_that_expires_while_it_waits_for_the_rate_limit_is_not_posted(project):
    soon = project.began + timedelta(seconds=60)
    project.declare(FOUR, expires=f"{soon:%Y-%m-%dT%H:%M:%SZ}")
    project.declare(name="z-later")
    project.trouble("ok", *["429_bare"] * 7)
    done = project.apply()
    assert sent_to(project) == ["aaa0", "aaa1"]
    assert (done.sent, done.released, done.expired, done.remaining, done.stop) == (2, 1, 3, 0, None)
    assert project.statuses() == ["sent", "free", "sent"]


def test_a_stop_file_is_asked_for_before_every_post(project):
    project.declare(FOUR)
    project.stop_file = lambda: len(project.made) >= 2
    done = project.apply()
    assert (done.sent, done.remaining, done.stop.kind) == (2, 2, "later")


def test_quiet_hours_that_begin_during_a_run_put_the_rest_off(project):
    project.began = datetime(2026, 11, 28, 19, 59, 59, tzinfo=UTC)
    project.change(quiet_hours=parse_quiet_hours({"from": "20:00", "to": "08:00", "timezone": "UTC"}))
    project.declare(FOUR)
    project.progress = lambda _: project.slept.append(1.0) if project.made else None
    summary = project.apply()
    assert (summary.sent, summary.remaining, summary.stop.kind) == (1, 3, "later")
    assert summary.stop.message == "quiet hours until 2026-11-29 08:00 (UTC)"
    assert "claimed" not in {record.status for record in project.facts.records()}


def test_a_stop_file_that_appears_after_the_claim_releases_it(project):
    project.declare(FOUR)
    project.stop_file = lambda: any(record.status == "claimed" for record in project.records())
    done = project.apply()
    assert (done.sent, done.released, done.stop.kind) == (0, 1, "later")
    (released,) = [record for record in project.records() if record.status == "released"]
    assert released.by == "run"
    assert project.made == []


def test_a_signal_ends_the_run_in_order(project):
    project.declare(FOUR)
    project.signal = lambda: 15 if project.made else 0
    done = project.apply()
    assert (done.sent, done.stop.kind, done.stop.signal) == (1, "signal", 15)
    assert project.statuses() == ["sent"]


def test_a_denied_token_stops_the_run_and_nothing_is_lost(project):
    project.declare(FOUR)
    project.trouble("ok", "401")
    done = project.apply()
    assert (done.sent, done.released, done.remaining, done.stop.kind) == (1, 1, 3, "error")
    assert project.apply().sent == 3


def test_a_template_that_changes_after_the_plan_is_not_sent(project):
    project.declare("{csv: ../people.csv, type: user, id: '{{ id }}'}", body="'{{ text }}'")
    project.write("people.csv", "id,text\naaa1,one\naaa2,two\n")
    done = project.apply(lambda: project.write("people.csv", "id,text\naaa1,one\naaa2,changed\n"))
    assert (done.stop.kind, project.made, project.records()) == ("guard", [], [])


@pytest.mark.parametrize("content", ["id,text\naaa1,one\n", "id,text\naaa2,two\naaa1,one\n", "id,text\naaa1\n"])
def test_an_audience_that_changes_after_the_plan_is_not_sent_to(content, project):
    project.declare("{csv: ../people.csv, type: user, id: '{{ id }}'}", body="'{{ text }}'")
    project.write("people.csv", "id,text\naaa1,one\naaa2,two\n")
    done = project.apply(lambda: project.write("people.csv", content))
    assert done.stop.kind == "guard"
    assert project.made == []


def test_recipients_of_every_kind_are_found_each_by_its_own_kind(project):
    project.declare(
        """
        - {type: user, id: aaa1}
        - {type: user, email: ann@example.com}
        - {type: user, user_id: "25"}
        - {type: contact, user_id: lead-7}
        """
    )
    done = project.apply()
    assert (done.sent, done.warnings) == (4, [])
    queries = [entry["payload"]["query"] for entry in project.sandbox.log if "search" in entry["path"]]
    terms = [term for query in queries for term in ([query] if "field" in query else query["value"])]
    assert [(term["field"], term["value"]) for term in terms] == [
        ("id", "aaa1"),
        ("email", "ann@example.com"),
        ("external_id", "25"),
        ("external_id", "lead-7"),
    ]
    roles = [message["payload"]["to"]["type"] for message in project.made]
    assert roles == ["user", "user", "user", "lead"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("email: missing@example.com", "contact_not_found"),
        ("email: twin@example.com", "contact_ambiguous"),
        ("user_id: missing-25", "contact_not_found"),
    ],
)
def test_none_or_several_contacts_are_refused_without_a_claim(address, code, project):
    project.declare(f"- {{type: user, {address}}}")
    done = project.apply()
    (record,) = project.records()
    assert (record.status, record.code, [told.record for told in done.refused]) == ("refused", code, [record])
    assert project.made == []
    assert project.apply().refused == []


def test_two_contacts_with_one_address_are_named(project):
    project.declare("- {type: user, email: twin@example.com}")
    said = project.apply().refused[0].detail
    assert said.count("5e115e11") == 2


def test_of_a_user_and_a_lead_with_one_address_the_declared_role_counts(project):
    project.declare("- {type: user, email: pair@example.com}")
    project.apply()
    assert project.made[0]["payload"]["to"]["type"] == "user"


def test_another_role_than_declared_is_sent_with_the_real_one(project):
    project.declare("- {type: user, email: lead@example.com}")
    project.apply()
    assert project.made[0]["payload"]["to"]["type"] == "lead"


def test_in_an_older_version_the_address_goes_out_as_declared(project):
    project.change(api_version="1.4")
    project.declare("- {type: user, email: ann@example.com}")
    assert project.apply().sent == 1
    assert project.made[0]["payload"]["to"] == {"type": "user", "email": "ann@example.com"}


def test_one_contact_under_two_addresses_gets_one_message(project):
    project.declare("- {type: user, email: ann@example.com}")
    project.apply()
    contact = project.made[0]["contact"]
    project.declare(f"- {{type: user, email: ann@example.com}}\n- {{type: user, id: {contact}}}")
    assert project.apply(allow_readdress=True).sent == 0
    assert project.checked.counts["excluded"] == 1
    assert len(project.made) == 1
    project.declare(f"- {{type: user, id: {contact}}}", revision="2")
    assert project.apply().sent == 1


def test_one_contact_under_two_addresses_of_one_run_gets_one_message(project):
    project.declare("- {type: user, email: ann@example.com}\n- {type: user, email: bo@example.com}")
    probe = project.apply()
    contact = project.made[0]["contact"]
    assert probe.sent == 2
    project.declare(
        f"- {{type: user, id: {contact}}}\n- {{type: user, email: ann@example.com}}", name="other", body="No"
    )
    assert project.apply().sent == 1
    assert [planned.code for planned in project.checked.messages[0].deliveries] == ["", "same_contact"]


def test_an_address_never_reaches_the_lockfile(project):
    project.declare(
        '- {type: user, email: ann.lee@example.com, vars: {who: Ann Lee}}\n- {type: user, user_id: "missing-25"}',
        body="'Hi {{ who | default(1) }}'",
    )
    project.trouble("400")
    project.apply()
    text = project.places.lockfile.read_text().lower()
    # As words: the letters may stand inside a run's id, which is random.
    assert not re.search(r"\b(ann|lee|ann\.lee)\b", text)
    assert "example.com" not in text
    assert "missing-25" not in text
    assert '"to":"email:~' in text


def test_an_outcome_that_the_ledger_does_not_take_is_handed_over_and_ends_the_run(project, monkeypatch):
    project.declare(FOUR)
    write = LockfileLedger.commit

    def full(ledger, outcomes, claims):
        if outcomes:
            raise LedgerUnavailable("the disk is full")
        write(ledger, outcomes, claims)

    monkeypatch.setattr(LockfileLedger, "commit", full)
    done = project.apply()
    assert (done.stop.kind, done.sent, len(project.made)) == ("ledger", 1, 1)
    assert [record.status for record in done.unwritten] == ["sent"]
    monkeypatch.undo()
    assert project.statuses() == ["unknown"]


def test_without_a_claim_on_disk_nothing_is_posted(project, monkeypatch):
    project.declare(FOUR)

    def full(*_):
        raise LedgerUnavailable("the disk is full")

    monkeypatch.setattr(LockfileLedger, "commit", full)
    done = project.apply()
    assert (done.stop.kind, project.made, done.unwritten) == ("ledger", [], [])


def test_claims_that_may_stand_although_nothing_was_posted_are_released(project, monkeypatch):
    project.declare(FOUR)
    write, failures = LockfileLedger.commit, []

    def left(ledger, outcomes, claims):
        write(ledger, outcomes, claims)
        if claims and not failures:
            failures.append(1)
            raise ClaimsUncertain("the disk is failing")

    monkeypatch.setattr(LockfileLedger, "commit", left)
    project.threads = 3
    done = project.apply()
    assert (done.stop.kind, project.made, done.unwritten, done.remaining) == ("ledger", [], [], 4)
    assert set(project.statuses()) == {"free"}
    assert {record.by for record in project.records() if record.status == "released"} == {"run"}
    assert project.apply().sent == 4


def test_a_disk_that_fails_while_a_run_ends_for_another_reason_does_not_keep_it_from_ending(project, monkeypatch):
    project.declare(FOUR)
    project.signal = lambda: 15 if project.made else 0
    write = LockfileLedger.commit

    def full(ledger, outcomes, claims):
        if outcomes:
            raise LedgerUnavailable("the disk is full")
        write(ledger, outcomes, claims)

    monkeypatch.setattr(LockfileLedger, "commit", full)
    done = project.apply()
    assert (done.stop.kind, done.stop.signal, len(done.unwritten), len(project.made)) == ("signal", 15, 1, 1)


@pytest.mark.parametrize(("number", "kind", "sent", "unknown"), [(0, "error", 2, 0), (2, "signal", 1, 1)])
def test_a_signal_shortens_the_wait_for_what_is_on_its_way_after_an_error(number, kind, sent, unknown, project):
    project.declare(FOUR)
    project.threads = 2
    project.trouble("ok", "slow:2", "401")
    stopped: list[bool] = []

    def told(done):
        if done.stop:
            stopped.append(True)
            project.slept.append(4.0)  # so a round takes four seconds more

    project.progress = told
    project.signal = lambda: number if stopped else 0
    done = project.apply()
    assert (done.stop.kind, done.stop.signal) == (kind, number)
    assert (done.sent, len(done.unknown), done.released) == (sent, unknown, 1)


@pytest.mark.parametrize(("kind", "stop"), [("401", RunStopped), ("429", RateExhausted), ("500_before", RunStopped)])
def test_recipients_that_cannot_be_looked_up_stop_the_run_before_any_claim(kind, stop, project):
    project.declare("- {type: user, email: ann@example.com}")
    project.sandbox.trouble.replace({"routes": {"POST /contacts/search": {"share": {kind: 1.0}}}})
    with pytest.raises(stop):
        project.apply()
    assert project.records() == []


def test_a_bug_between_claim_and_outcome_leaves_the_delivery_unknown(project, monkeypatch):
    project.declare()

    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "_record", bug)
    with pytest.raises(ZeroDivisionError):
        project.apply()
    monkeypatch.undo()
    assert project.statuses() == ["unknown"]
    assert project.apply().sent == 0


kinds = st.sampled_from([kind for kind in TROUBLE_KINDS if not kind.startswith("slow")])


@costly(0.2)
@given(st.lists(st.lists(kinds, max_size=12), min_size=1, max_size=4), st.integers(1, 8))
def test_no_delivery_is_made_twice_whatever_the_answers(project, rounds, limit):
    project.places.lockfile.unlink(missing_ok=True)
    project.runs += 1
    name = f"law-{project.runs}"
    for old in (project.root / "messages").iterdir():
        old.unlink()
    project.declare(people(6) + "\n- {type: user, email: ann@example.com}", name=name, body=name)
    before = len(project.made)
    for troubles in rounds:
        project.trouble(*troubles)
        project.apply(limit=limit, retry_refused=True)
    project.trouble()
    project.apply()
    made = sent_to(project)[before:]
    assert len(made) == len(set(made))
    facts = project.facts
    known = {state.record.contact for key in facts if (state := facts.state(key)).status in {"sent", "unknown"}}
    assert set(made) <= known


def test_in_quiet_hours_only_messages_that_ignore_them_are_sent_and_the_others_are_not_claimed(project):
    project.began = datetime(2026, 11, 28, 22, tzinfo=UTC)
    project.change(quiet_hours=parse_quiet_hours({"from": "20:00", "to": "08:00", "timezone": "UTC"}))
    project.declare(FOUR, name="news")
    project.declare(FOUR, name="outage", body="Down", quiet_hours="ignore")
    summary = project.apply()
    assert (summary.sent, summary.remaining, summary.stop.kind) == (4, 4, "later")
    assert summary.stop.message == "quiet hours until 2026-11-29 08:00 (UTC)"
    assert {record.message for record in project.records()} == {"outage"}


def test_quiet_hours_that_begin_after_a_claim_release_it_and_other_messages_go_on(project):
    project.began = datetime(2026, 11, 28, 19, 59, 59, tzinfo=UTC)
    project.change(quiet_hours=parse_quiet_hours({"from": "20:00", "to": "08:00", "timezone": "UTC"}))
    project.declare(FOUR, name="news")
    project.declare(FOUR, name="outage", body="Down", quiet_hours="ignore")
    project.stop_file = lambda: project.slept.append(1.0) if project.records() else False
    summary = project.apply()
    assert (summary.sent, summary.released, summary.remaining, summary.stop.kind) == (4, 1, 4, "later")
    assert {record.status for record in project.facts.records() if record.message == "news"} == {"released"}
