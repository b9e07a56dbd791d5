"""When messages were sent and to whom, by whatever attempts and from whatever copy of the ledger."""

import orjson

from runner.ledger.facts import Facts
from runner.ledger.history import RecentSendings, latest_states, sent_revisions, sent_times, states_of_contacts
from runner.ledger.record import Record


def record(key: str, attempt: str, status: str, at: str, message: str = "news", **more: object) -> Record:
    values = {"revision": 1, "content": "c", **more}
    return Record(key * 32, attempt, status, message, at=at, **values)  # type: ignore[arg-type]


def read(*records: Record) -> Facts:
    facts = Facts()
    facts.read(b"".join(one.to_line() for one in records), "messages.lock", 1)
    return facts


RECORDS = [
    record("a", "1", "claimed", "2026-01-01T00:00:00Z"),
    record("a", "1", "sent", "2026-01-02T00:00:00Z", contact="c1"),
    record("b", "2", "sent", "2026-03-01T00:00:00Z", content="edited", contact="c2"),
    record("b", "3", "sent", "2026-04-01T00:00:00Z", content="edited", contact="c2"),  # a second attempt
    record("c", "4", "refused", "2026-05-01T00:00:00Z", contact="c1"),
    record("d", "5", "sent", "2025-01-01T00:00:00Z", revision=2),
    record("e", "6", "sent", "2024-01-01T00:00:00Z", "tips"),
    record("f", "7", "claimed", "2026-06-01T00:00:00Z"),
]
TIMES = {
    ("news", 1): ("2026-01-02T00:00:00Z", "2026-04-01T00:00:00Z"),
    ("news", 2): ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("tips", 1): ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
}


def test_the_times_of_sending_are_those_of_all_sent_records_wherever_their_lines_are() -> None:
    in_memory = Facts()
    for one in RECORDS:
        in_memory.add(one)
    spaced = Facts()
    lines = (orjson.dumps(one.to_dict(), option=orjson.OPT_INDENT_2).replace(b"\n", b" ") for one in RECORDS)
    spaced.read(b"\n".join(lines), "messages.lock", 1)
    for facts in (read(*RECORDS), read(*reversed(RECORDS)), in_memory, spaced):
        assert sent_times(facts) == TIMES
        assert sent_revisions(facts) == TIMES.keys()
    assert sent_times(read(RECORDS[0])) == {}


def test_a_record_without_a_time_has_none() -> None:
    assert sent_times(read(record("a", "1", "sent", ""))) == {}
    assert sent_times(read(record("a", "1", "sent", "", code='"at":"1999"'))) == {}


def test_the_latest_deliveries_of_a_message_come_first() -> None:
    facts = read(*RECORDS)
    assert [state.record.key[0] for state in latest_states(facts, "news", 9, "sent")] == ["b", "a", "d"]
    assert [state.record.key[0] for state in latest_states(facts, "news", 2, "sent", "refused")] == ["c", "b"]
    assert [state.record.key[0] for state in latest_states(facts, "news", 9, "unknown")] == ["f"]
    assert latest_states(facts, "news", 0, "sent") == []
    assert latest_states(facts, "other", 9, "sent") == []


def test_deliveries_are_found_by_the_contact_that_a_record_names() -> None:
    facts = read(*RECORDS)
    assert {state.record.key[0] for state in states_of_contacts(facts, ["c1"])} == {"a", "c"}
    assert [state.record.key[0] for state in states_of_contacts(facts, ["c2", "c3"])] == ["b"]
    assert list(states_of_contacts(facts, [])) == []


def test_what_was_decided_later_is_no_time_of_sending() -> None:
    accepted = record("a", "1", "sent", "2027-01-01T00:00:00Z", by="accept", content="new")
    acknowledged = record("b", "3", "sent", "2027-01-01T00:00:00Z", by="person", code="duplicate")
    for facts in (read(*RECORDS, accepted, acknowledged), read(acknowledged, accepted, *RECORDS)):
        assert sent_times(facts) == TIMES
        assert [state.record.key[0] for state in latest_states(facts, "news", 9, "sent")] == ["b", "a", "d"]
    spaced = Facts()
    spaced.read(orjson.dumps(accepted.to_dict(), option=orjson.OPT_INDENT_2).replace(b"\n", b" "), "messages.lock", 1)
    in_memory = Facts()
    in_memory.add(accepted)
    assert sent_times(spaced) == sent_times(in_memory) == {}


def test_what_a_contact_was_sent_since_a_time_counts_once_a_delivery_and_not_what_was_refused_or_redirected() -> None:
    facts = read(
        *RECORDS,
        record("1", "8", "claimed", "2026-03-15T00:00:00Z", "tips", contact="c2"),
        record("2", "9", "sent", "2026-03-20T00:00:00Z", "tips", contact="c2", redirected=True),
        record("3", "A", "released", "2026-03-20T00:00:00Z", "tips", contact="c2"),
        record("4", "B", "sent", "2026-02-01T00:00:00Z", "old", contact="c2"),
        record("4", "B", "sent", "2026-03-20T00:00:00Z", "old", contact="c2", by="accept"),
    )
    recent = RecentSendings(facts, "2026-03-01T00:00:00Z")
    times = [(one.message, one.at) for one in recent.records_of("c2")]
    assert times == [("tips", "2026-03-15T00:00:00Z"), ("news", "2026-04-01T00:00:00Z")]
    assert recent.records_of("c1") == recent.records_of("nobody") == []
