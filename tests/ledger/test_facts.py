"""A ledger is a set of facts: no order, no repetition and no torn line changes what it says."""

import hashlib
import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import LedgerUnavailable
from runner.ledger import fact_reader
from runner.ledger.facts import Facts
from runner.ledger.key_state import State
from runner.ledger.record import RANK, Header, Record, salt_check
from tests.support.laws import costly
from tests.support.ledgers import read, written

# How sure a ledger is that a delivery must not be sent: the fold must never step down because bytes were lost.
SAFETY = {None: 0, "free": 0, "refused": 1, "unknown": 2, "sent": 3}

short = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=4)
records = st.builds(
    Record,
    key=st.sampled_from(["k1", "k2", "k3"]),
    attempt=st.sampled_from(["A-1", "A-2", "B-1"]),
    status=st.sampled_from(sorted(RANK)),
    message=st.sampled_from(["", "seed", "news"]),
    revision=st.integers(0, 2),
    contact=st.sampled_from(["", "c1", "c2"]),
    id=st.sampled_from(["", "2001", "2002"]),
    digest=st.sampled_from(["", "v1:a", "v1:b"]),
    content=st.sampled_from(["", "x", "y"]),
    at=st.sampled_from(["", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z"]),
    code=short,
    opens_conversation=st.booleans(),
    extra=st.sampled_from(["", '{"later":[{"key":1}]}', '{"note":"{\\"key\\": 2}"}']),
)

# On a torn line, a record that has another brace in it is read as an open claim.
flat_records = records.filter(lambda record: record.to_line().count(b"{") + record.to_line().count(b"}") == 2)
headers = st.builds(Header, st.sampled_from(["", "acme", "zz"]), st.sampled_from(["", "9165df25"]))
facts = st.lists(st.one_of(records, headers), max_size=12)


def fold(found: Facts) -> dict[str, State | None]:
    return {key: found.state(key) for key in sorted(found)}


def meaning(found: Facts) -> tuple[object, ...]:
    """Everything that somebody may ask of a ledger."""
    asked = [(name, revision) for name in ("", "seed", "news") for revision in range(3)]
    return (
        fold(found),
        frozenset(found.headers),
        [state.record for state in found.duplicates()],
        [found.keys_of(*message) for message in asked],
        [found.revisions_with(content) for content in ("", "x", "y")],
        [found.has_reached(*message, contact) for message in asked for contact in ("c1", "c2")],
    )


@given(facts, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_what_a_ledger_says(members, chance):
    shuffled = [*members, *members]
    chance.shuffle(shuffled)
    assert meaning(read(written(members))) == meaning(read(written(shuffled)))


@given(facts, facts)
def test_the_union_of_two_ledgers_says_what_the_set_of_their_facts_says(ours, theirs):
    both = read(written(ours))
    both.read(written(theirs), "the journal", 2)
    assert meaning(both) == meaning(read(written([*theirs, *ours])))
    assert meaning(both) == meaning(read(written(list(dict.fromkeys([*ours, *theirs])))))


@given(records)
def test_a_record_comes_back_from_its_line_as_it_was(member):
    assert list(read(member.to_line()).records()) == [member]


@given(st.dictionaries(short.filter(lambda name: name not in Record.__slots__), st.one_of(st.integers(0, 99), short)))
def test_fields_of_a_newer_version_survive_reading_and_writing(unknown):
    line = json.dumps({**unknown, "key": "k1", "attempt": "A-1", "status": "sent"}).encode()
    (member,) = read(line).records()
    again = json.loads(member.to_line())
    assert {name: again[name] for name in unknown} == unknown


@costly(0.3)
@given(st.lists(st.one_of(records, headers), min_size=1, max_size=3))
def test_a_lockfile_cut_at_any_byte_loads_and_forgets_no_whole_line(members):
    data = written(members)
    for cut in range(len(data) + 1):
        part = data[:cut]
        found = read(part)
        assert len(found.torn_lines) <= 1
        whole = read(part[: part.rfind(b"\n") + 1])
        for key in whole:
            assert SAFETY[found.state(key).status] >= SAFETY[whole.state(key).status] or part[-1:] == b"}"


@given(flat_records, flat_records, flat_records, st.integers(1, 30), st.binary(max_size=3))
def test_whole_records_glued_to_a_torn_one_are_all_kept(torn, second, third, cut, noise):
    torn_bytes = torn.to_line()[: -1 - cut] + noise.replace(b"\n", b"").replace(b"\\", b"").replace(b'"', b"")
    found = read(torn_bytes + second.to_line().rstrip() + third.to_line())
    whole = set(read(written([second, third])).records())
    assert whole <= set(found.records()) or (torn.key, torn.attempt) in {(one.key, one.attempt) for one in whole}
    assert found.torn_lines == ["messages.lock:1"]


def test_a_record_with_a_list_on_a_torn_line_is_an_open_claim(record):
    key = "5c" * 16
    line = record(key, status="sent", extra='{"later":[{"id":1}]}').to_line().rstrip()
    for torn in (line + line, b"{" + line, line + b"{"):
        assert read(torn).state(key).status == "unknown"


def test_two_whole_records_on_one_line_are_both_kept_and_told(record):
    data = record("k1", status="sent", id="1").to_line().rstrip() + record("k2", status="sent", id="2").to_line()
    found = read(data)
    assert [found.state(key).status for key in ("k1", "k2")] == ["sent", "sent"]
    assert found.torn_lines == ["messages.lock:1"]


@pytest.mark.parametrize("before", [0, 1])
def test_a_record_with_a_comma_and_a_number_after_it_is_torn_and_kept(before, record):
    lines = [record(f"k{number}", status="sent").to_line() for number in range(before + 1)]
    found = read(b"".join(lines).rstrip() + b",0")
    assert found.torn_lines == [f"messages.lock:{before + 1}"]
    assert [one.status for one in found.records()] == ["sent"] * (before + 1)


def test_a_byte_order_mark_does_not_cost_the_header():
    found = read(b"\xef\xbb\xbf" + Header("acme", "9165df25").to_line())
    assert found.headers.merged("").workspace == "acme"


@pytest.mark.parametrize("line", [b"<<<<<<< HEAD", b"12", b"[]", b'"key"', b"\xff\xfe", b"{", b'{"a":' * 3000])
def test_a_line_that_is_no_record_is_told_and_survived(line, record):
    found = read(line + b"\n" + record(status="sent").to_line())
    assert found.torn_lines == ["messages.lock:1"]
    assert found.state("k1").status == "sent"


def test_lines_may_end_as_on_windows_and_be_blank(record):
    data = Header("acme").to_line() + b"\n  \n" + record(status="sent").to_line()
    found = read(data.replace(b"\n", b"\r\n"))
    assert found.torn_lines == []
    assert found.state("k1").status == "sent"


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["claimed"], "unknown"),
        (["claimed", "unknown"], "unknown"),
        (["claimed", "refused"], "refused"),
        (["claimed", "released"], "free"),
        (["claimed", "sent"], "sent"),
        (["unknown", "released"], "free"),
        (["unknown", "sent"], "sent"),
        (["refused", "released"], "free"),
        (["released", "sent"], "sent"),
    ],
)
def test_within_an_attempt_the_highest_status_holds(statuses, status, record):
    assert read(written([record(status=found) for found in statuses])).state("k1").status == status


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["sent", "claimed"], "sent"),
        (["claimed", "refused"], "unknown"),
        (["unknown", "released"], "unknown"),
        (["refused", "released"], "refused"),
        (["released", "released"], "free"),
    ],
)
def test_among_attempts_the_safest_holds(statuses, status, record):
    members = [record(attempt=f"A-{number}", status=found) for number, found in enumerate(statuses)]
    assert read(written(members)).state("k1").status == status


def test_a_key_of_which_nothing_is_known_has_no_state():
    assert Facts().state("k1") is None


def test_two_attempts_sent_with_different_ids_are_a_duplicate(record):
    once = [record(status="sent", id="1"), record(status="sent", id="1", content="new", by="accept")]
    assert read(written(once)).duplicates() == []
    twice = [*once, record(attempt="RUN-2", status="sent", id="2")]
    assert [state.record.key for state in read(written(twice)).duplicates()] == ["k1"]


def test_the_same_id_twice_or_none_at_all_is_no_duplicate(record):
    same = [record(status="sent", id="1"), record(attempt="RUN-2", status="sent", id="1")]
    adopted = [record(status="sent", id="1"), record(attempt="RUN-2", status="sent", by="adopt")]
    assert read(written(same)).duplicates() == []
    assert read(written(adopted)).duplicates() == []


def test_a_contact_is_reached_by_whatever_was_or_may_have_been_sent_to_it(record):
    for status, reached in [("sent", True), ("claimed", True), ("unknown", True), ("refused", False)]:
        found = read(record(status=status, contact="c1").to_line())
        assert found.has_reached("seed", 1, "c1") is reached
        assert not found.has_reached("seed", 1, "c1", except_key="k1")
        assert not found.has_reached("seed", 2, "c1")


def test_the_salt_check_of_an_empty_salt_is_9165df25():
    assert salt_check("") == "9165df25"


@pytest.mark.parametrize(
    "line",
    [
        b'{"msgrun_lock":2}',
        b'{"key":"k1","attempt":"A-1","status":"forwarded"}',
        b'{"key":"k1","attempt":"A-1","status":["sent"]}',
        b'{"key":"k1","attempt":"A-1"}',
        b'{"key":"","attempt":"A-1","status":"sent"}',
        b'{"key":"k1","attempt":7,"status":"sent"}',
        b'{"key":"k1","attempt":"A-1","status":"sent","revision":"one"}',
        b'{"key":"k1","attempt":"A-1","status":"sent","contact":5}',
    ],
)
def test_what_a_newer_version_may_have_meant_is_never_guessed(line):
    with pytest.raises(LedgerUnavailable, match=r"messages\.lock:2"):
        read(b"\n" + line)


def test_the_line_of_a_record_is_the_documented_one(record: Callable[..., Record]):
    line = record(status="sent", to="id:536e", contact="536e", id="2001", at="2026-11-22T10:00:00Z").to_line()
    assert line == (
        b'{"key":"k1","attempt":"RUN-1","status":"sent","message":"seed","revision":1,"to":"id:536e",'
        b'"contact":"536e","id":"2001","at":"2026-11-22T10:00:00Z"}\n'
    )


def test_a_damaged_record_whose_key_can_be_read_is_unknown_not_forgotten():
    key = "a" * 32
    line = Record(key, "run-1", "sent", message="seed", revision=1, to="id:x", id="2001", digest="v1:0").to_line()
    for cut in range(line.index(b'"attempt"'), len(line) - 2):
        state = read(Header().to_line() + line[:cut]).state(key)
        assert state.status == "unknown"
        assert state.open_attempts[0].message in {"seed", ""}
    assert state.open_attempts[0].attempt == "run-1"
    assert read(line[:-20] + b"\n" + line).state(key).status == "sent"


# A model of the fold, by the words of the contract alone: every line parsed, everything kept, nothing compact.

hexadecimal = st.sampled_from([f"{number:032x}" for number in (1, 2, 2**127, 2**128 - 1)])
usual = st.builds(
    Record,
    key=hexadecimal,
    attempt=st.sampled_from(["A-1", "A-2", "B-1"]),
    status=st.sampled_from(sorted(RANK)),
    message=st.sampled_from(["seed", "news"]),
    revision=st.integers(1, 2),
    contact=st.sampled_from(["", "c1", "c2"]),
    id=st.sampled_from(["", "2001", "2002"]),
    content=st.sampled_from(["x", "y"]),
    code=short,
)
endings = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n"])
shapes = st.sampled_from(
    [
        lambda line: line,
        lambda line: json.dumps(json.loads(line)).encode(),
        lambda line: json.dumps(dict(sorted(json.loads(line).items(), reverse=True)), ensure_ascii=False).encode(),
    ]
)
rows = st.lists(st.tuples(st.one_of(usual, usual, records, headers), shapes, endings), max_size=12)


def laid_out(chosen: list[tuple[Record | Header, Callable[[bytes], bytes], bytes]]) -> bytes:
    return b"".join(shape(member.to_line().rstrip()) + ending for member, shape, ending in chosen)


def tops(data: bytes) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By key and attempt the values at the attempt's top."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for line in data.splitlines():
        value = json.loads(line) if line.strip() else {"msgrun_lock": 1}
        if "msgrun_lock" not in value:
            found.setdefault(value["key"], {}).setdefault(value["attempt"], []).append(value)
    for attempts in found.values():
        for attempt, values in attempts.items():
            top = max(RANK[value["status"]] for value in values)
            attempts[attempt] = [value for value in values if RANK[value["status"]] == top]
    return found


def settled(attempts: dict[str, list[dict[str, Any]]]) -> str:
    statuses = {values[0]["status"] for values in attempts.values()}
    unknown = "unknown" if statuses & {"claimed", "unknown"} else ""
    return "sent" if "sent" in statuses else unknown or ("refused" if "refused" in statuses else "free")


def told(found: Facts, keys: list[str]) -> dict[str, Any]:
    """What a ledger says that the model says as well."""
    messages = [("seed", 1), ("seed", 2), ("news", 1), ("news", 2)]
    states = {key: found.state(key) for key in keys}
    raw = {key: bytes.fromhex(key) for key in keys if len(key) == 32}
    return {
        "keys": sorted(found),
        "values": {
            key: sorted(json.dumps(one.to_dict(), sort_keys=True) for one in states[key].attempts) for key in keys
        },
        "status": {key: states[key].status for key in keys},
        "raw": {key: found.status(raw[key]) for key in raw},
        "unknown": sorted(state.record.key for state in found.states_with("unknown")),
        "twice": sorted(state.record.key for state in found.duplicates()),
        "of": [sorted(found.keys_of(*message)) for message in messages],
        "contents": {key: [found.was_sent_with(raw[key], content) for content in ("x", "y")] for key in raw},
        "reached": [
            found.has_reached(*message, who, except_key=key)
            for message in messages
            for who in ("c1", "c2")
            for key in keys
        ],
    }


def expected(data: bytes) -> dict[str, Any]:
    model = tops(data)
    keys = sorted(model)
    status = {key: settled(model[key]) for key in keys}
    flat = {key: [value for values in model[key].values() for value in values] for key in keys}
    held = {key: flat[key] + open_claims(data, key, model[key]) for key in keys}
    messages = [("seed", 1), ("seed", 2), ("news", 1), ("news", 2)]

    def is_twice(key: str) -> bool:
        sent = [(value["attempt"], value["id"]) for value in flat[key] if value["status"] == "sent" and "id" in value]
        ids = {attempt: {found for name, found in sent if name == attempt} for attempt, _ in sent}
        return any(one != other for one in ids.values() for other in ids.values())

    def is_of(value: dict[str, Any], message: tuple[str, int]) -> bool:
        return (value.get("message", ""), value.get("revision", 0)) == message

    def is_reached(message: tuple[str, int], who: str, but: str) -> bool:
        others = [key for key in keys if key != but and status[key] in {"sent", "unknown"}]
        return any(is_of(value, message) and value.get("contact") == who for key in others for value in held[key])

    def is_sent_with(key: str, content: str) -> bool:
        return any((value["status"], value.get("content")) == ("sent", content) for value in flat[key])

    raw = [key for key in keys if len(key) == 32]
    return {
        "keys": keys,
        "values": {key: sorted({json.dumps(normal(value), sort_keys=True) for value in flat[key]}) for key in keys},
        "status": status,
        "raw": {key: status[key] for key in raw},
        "unknown": [key for key in keys if status[key] == "unknown"],
        "twice": [key for key in keys if is_twice(key)],
        "of": [[key for key in keys if any(is_of(value, message) for value in held[key])] for message in messages],
        "contents": {key: [is_sent_with(key, content) for content in ("x", "y")] for key in raw},
        "reached": [is_reached(message, who, key) for message in messages for who in ("c1", "c2") for key in keys],
    }


def open_claims(data: bytes, key: str, attempts: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The claims that stand beside their unknown outcomes: reconcile needs them."""
    values = [json.loads(line) for line in data.splitlines() if line.strip()]
    claims = [value for value in values if (value.get("key"), value.get("status")) == (key, "claimed")]
    return [value for value in claims if attempts[value["attempt"]][0]["status"] == "unknown"]


def normal(value: dict[str, Any]) -> dict[str, Any]:
    """Without the empty fields, which say nothing."""
    return {name: found for name, found in value.items() if found}


@given(rows, rows, st.integers(1, 400), st.booleans())
def test_a_ledger_says_what_a_plain_model_of_the_fold_says(tmp_path_factory, ours, theirs, block, is_file):
    first, second = laid_out(ours), laid_out(theirs)
    found = Facts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runner.ledger.lines._BLOCK_SIZE", block)
        patch.setattr("runner.ledger.lines._USUAL_LINE_SIZE", block)
        for place, data in ((1, first), (2, second)):
            path = tmp_path_factory.mktemp("ledger") / "messages.lock"
            path.write_bytes(data)
            if is_file:
                found.read_file(path, "messages.lock", place)
            else:
                found.read(data, "messages.lock", place)
        model = expected(first + b"\n" + second)
        assert found.torn_lines == []
        assert told(found, model["keys"]) == model
        lacking = [json.dumps(record.to_dict(), sort_keys=True) for record in found.missing_from(1)]
        assert {one for values in expected(first)["values"].values() for one in values}.isdisjoint(lacking)
        missing = b"".join(record.to_line() for record in found.missing_from(1))
        assert told(read(first + b"\n" + missing), model["keys"])["status"] == model["status"]
        compacted = read(b"".join(record.to_line() for record in found.compacted_records()))
        again = told(compacted, model["keys"])
        assert {name: again[name] for name in ("values", "status", "twice")} == {
            name: model[name] for name in ("values", "status", "twice")
        }


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("has_header", [True, False])
def test_a_formatter_that_spreads_records_over_lines_never_frees_a_delivery(indent, has_header, record):
    key = "a" * 32
    members = [record(key, status="sent", id="1"), record("b" * 32, status="claimed")]
    data = b"".join(json.dumps(member.to_dict(), indent=indent).encode() + b"\n" for member in members)
    found = read((Header("acme").to_line() if has_header else b"") + data)
    assert [found.state(name).status for name in (key, "b" * 32)] == [
        "sent" if indent is None else "unknown",
        "unknown",
    ]


def test_lines_of_a_formatter_without_any_key_are_no_lockfile():
    with pytest.raises(LedgerUnavailable, match="no line of it can be read"):
        read(b'{\n  "msgrun_lock": 1,\n  "workspace": "acme"\n}\n')


def test_an_object_over_two_lines_is_not_balanced_by_two_on_another(record):
    keys = [f"{number:032x}" for number in range(4)]
    lines = [record(key, status="sent", id="1").to_line().rstrip() for key in keys]
    half = lines[0].index(b'"message":"') + 12
    data = b"\n".join([lines[0][:half], lines[0][half:], lines[1] + b"," + lines[2], lines[3]])
    found = read(data + b"\n")
    assert [found.state(key).status for key in keys] == ["unknown", "sent", "sent", "sent"]


def test_a_file_that_an_editor_changes_in_place_meanwhile_is_told(tmp_path, record):
    path = tmp_path / "messages.lock"
    members = [record(f"{number:032x}", status="sent", content="x", contact=f"c{number}") for number in range(3)]
    path.write_bytes(written(members))
    found = Facts()
    found.read_file(path, "messages.lock")
    for data in (written(members[1:]), b""):
        path.write_bytes(data)
        with pytest.raises(LedgerUnavailable, match="changed while it was read"):
            found.state(members[0].key)
        with pytest.raises(LedgerUnavailable, match="changed while it was read"):
            found.has_reached("seed", 1, "c2")


@given(facts)
def test_counting_and_listing_agree_with_the_state_of_every_key(members: list[Record | Header]) -> None:
    found = read(written(members))
    states = [state for state in fold(found).values() if state]
    held = [(state.record.message, state.record.revision, state.status) for state in states]
    assert found.counts() == Counter(held)
    for status in ("sent", "unknown", "refused", "free"):
        for message in (None, "seed"):
            listed = list(found.states_with(status, message=message))
            wanted = [one for one in states if one.status == status and message in (None, one.record.message)]
            assert sorted(listed, key=lambda one: one.record.key) == wanted
            names = [(one.record.message, one.record.revision) for one in listed]
            assert names == sorted(names)


def test_listing_and_compaction_go_by_key_whatever_the_order_in_which_keys_came() -> None:
    keys = [hashlib.md5(str(number).encode()).hexdigest() for number in range(600)]
    found = read(written([Record(key=key, attempt="A-1", status="sent", message="seed") for key in keys]))
    assert [state.record.key for state in found.states_with("sent")] == sorted(keys)
    assert [record.key for record in found.compacted_records()] == sorted(keys)


@pytest.mark.proof
def test_claims_that_were_followed_take_no_room(tmp_path, record):
    sent = [record(key=f"{number:032x}", attempt=f"A-{number}", status="sent") for number in range(4000)]
    sizes = []
    for members in (sent, [fact for each in sent for fact in (replace(each, status="claimed", id=""), each)]):
        path = tmp_path / f"{len(members)}.lock"
        path.write_bytes(written(members))
        tracemalloc.start()
        found = Facts()
        found.read_file(path, "l")
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert {found.status(bytes.fromhex(each.key)) for each in sent} == {"sent"}
    assert sizes[1] < 1.3 * sizes[0]


def test_torn_lines_of_megabytes_are_not_all_searched(monkeypatch):
    assert fact_reader.MAX_TORN_SIZE == fact_reader.MAX_LINE
    monkeypatch.setattr(fact_reader, "MAX_TORN_SIZE", 4_000)
    line = b'{"' * 1_500 + b"\n"
    assert read(line).torn_lines == ["messages.lock:1"]
    with pytest.raises(LedgerUnavailable, match="MiB of torn lines"):
        read(line * 2)


def test_thousands_of_attempts_of_one_key_are_read_in_linear_time():
    def ledger(count):
        return b"".join(
            Record("ab" * 16, f"A-{number}", status, "seed", 1, id=str(number)).to_line()
            for number in range(count)
            for status in ("claimed", "sent")
        )

    began = time.process_time()
    state = read(ledger(8_000)).state("ab" * 16)
    assert time.process_time() - began < 8  # it took 60 s
    assert len(state.attempts) == 8_000


def test_hundreds_of_different_records_of_one_attempt_are_not_compared_with_each_other():
    lines = [
        Record("ab" * 16, "A-1", "sent", at=f"2026-11-22T10:00:00.{number:03}Z").to_line() for number in range(201)
    ]
    assert len(read(b"".join(lines[:200])).state("ab" * 16).attempts) == 200
    with pytest.raises(LedgerUnavailable, match="more than 200 different records of one attempt"):
        read(b"".join(lines))
