"""The PostgreSQL ledger against a real server: who claims what, and what becomes of it when something dies."""

import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.facts import Facts
from runner.ledger.ledger import pin_workspace
from runner.ledger.lock_address import DatabaseAddress, parse_address
from runner.ledger.lockfile.files import LockfilePaths
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.ledger.mark import MoveMark
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.record import RANK, Header, Record, salt_check
from tests.support.ledger_contexts import ID_A, ID_B
from tests.support.ledgers import commit, commit_limited
from tests.support.postgres import Server, created
from tests.support.proof import one_of

KEYS = [f"{number:032x}" for number in range(400)]
Open = Callable[..., PostgresLedger]


@pytest.fixture
def opened(server: Server, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the test's own ledger once more, as another process would."""
    schema = f"s{abs(hash(request.node.nodeid)):x}"
    ledgers = []

    def begin(who: str = "one", port: int = 0, **options: object) -> PostgresLedger:
        lock = server.lock.replace(f":{server.port}", f":{port or server.port}")
        ledgers.append(PostgresLedger(address(f"{lock}#{schema}"), "", who, **options))
        start(ledgers[-1])
        return ledgers[-1]

    yield begin
    for ledger in ledgers:
        ledger._lease._connection._retry_seconds = 0.2
        ledger.close()


def address(lock: str) -> DatabaseAddress:
    found = parse_address(lock, "messages")
    assert isinstance(found, DatabaseAddress)
    return found


def start(ledger: PostgresLedger) -> None:
    """Opens the ledger, and starts it if there is none."""
    ledger.open()
    if not ledger.exists:
        ledger.create(Header("", salt_check("")))


def made(key: str, attempt: str, status: str = "claimed", **fields: object) -> Record:
    return Record(key=key, attempt=attempt, status=status, **{"message": "seed", "revision": 1, **fields})


def claims(run: str, keys: list[str]) -> list[Record]:
    return [made(key, f"{run}-{number}", plan="p" * 20) for number, key in enumerate(keys)]


class Proxy:
    """A TCP proxy to the server. `cut` ends it all; `mute`: what the server answers from now on never arrives.

    `every`: of the answers to statements that write, one in so many never arrives, and the connection is cut.
    """

    def __init__(self, port: int) -> None:
        self.is_mute = False
        self.every = 0
        self.cuts = 0
        self._writes = 0
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        links, self._links = self._links, []
        for link in links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def refuse(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self.refuse()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            self._links += [near, far]
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:  # noqa: FBT001
        try:
            while data := source.recv(65536):
                if not is_answer and (b"SELECT claim(" in data or b"SELECT record(" in data):
                    self._writes += 1
                    if self.every and self._writes % (self.every + 1) == 1:
                        self.cuts += 1
                        self.is_mute = True
                if is_answer and self.is_mute:
                    self.is_mute = False
                    self.cut()
                    return
                target.sendall(data)
        except OSError:
            pass
        finally:
            for link in (source, target):
                link.close()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    one = Proxy(server.port)
    yield one
    one.close()


def test_a_ledger_that_was_never_begun_is_no_empty_one(server):
    ledger = PostgresLedger(address(f"{server.lock}#nothing_here"), "", "one")
    ledger.open()
    assert not ledger.exists
    ledger.create(Header("", salt_check("")))
    ledger.open()
    assert ledger.exists
    ledger.close()


def test_of_many_runs_that_want_a_delivery_one_gets_it(opened: Open):
    ledgers = [opened(f"run {number}", include_live_claims=False) for number in range(4)]
    got: Counter[str] = Counter()

    def drain(number: int) -> None:
        for start in range(0, len(KEYS), 50):
            batch = claims(f"R{number}S{start}", KEYS[start : start + 50])
            lost = commit(ledgers[number], *batch)
            got.update(claim.key for claim in batch if claim.attempt not in lost)

    threads = [threading.Thread(target=drain, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == Counter(KEYS)
    assert sorted(opened().facts) == KEYS


def test_a_claim_whose_answer_was_lost_is_found_again_and_not_taken_for_anothers(opened: Open, proxy: Proxy):
    ledger = opened("one", proxy.port)
    commit(ledger, *claims("R1", KEYS[:10]))
    proxy.is_mute = True
    assert commit(ledger, *(made(key, f"R1-x{key}") for key in KEYS[10:60])) == frozenset()
    assert not proxy.is_mute
    other = opened("two", include_live_claims=False)
    assert len(commit(other, *claims("R2", KEYS[:70]))) == 60
    facts = opened().facts
    assert all(len(facts.records_of(key)) == 1 for key in KEYS[:70])


def test_claims_that_may_have_been_made_are_told_when_the_server_stays_away(opened: Open, proxy: Proxy):
    ledger = opened("one", proxy.port, retry_seconds=1.0)
    commit(ledger, *claims("R1", KEYS[:1]))
    proxy.refuse()
    proxy.is_mute = True
    with pytest.raises(ClaimsUncertain):
        commit(ledger, *claims("R1", KEYS[1:5]))


def test_an_outcome_outlives_a_server_that_was_killed(own_server: Server):
    with contextlib.closing(PostgresLedger(address(own_server.lock), "", "one")) as ledger:
        start(ledger)
        commit(ledger, *claims("R1", KEYS[:20]))
        own_server.kill()
        threading.Timer(1.0, own_server.start).start()
        commit(ledger, *(made(key, f"R1-{number}", "sent", id=f"m{number}") for number, key in enumerate(KEYS[:20])))
    with contextlib.closing(PostgresLedger(address(own_server.lock), "", "two")) as other:
        other.open()
        facts = other.facts
    assert [facts.state(key).status for key in KEYS[:20]] == ["sent"] * 20


def test_a_living_runs_claim_is_taken_and_a_dead_ones_unknown(opened: Open):
    commit(opened("one"), *claims("R1", KEYS[:5]))
    two = opened("two", include_live_claims=False)
    assert len(two.facts) == 0
    assert len(commit(two, *claims("R2", KEYS[:6]))) == 5
    _age(two, "R1")
    two.refresh()
    assert [two.facts.state(key).status for key in KEYS[:5]] == ["unknown"] * 5
    assert len(commit(two, *claims("R3", KEYS[:5]))) == 5


def test_a_claim_can_be_settled_by_others_only_when_its_run_is_dead(opened: Open):
    commit(opened("the sender"), *claims("R1", KEYS[:1]))
    two = opened("two")
    released = made(KEYS[0], "R1-0", "released", by="person")
    with pytest.raises(GuardRefused, match="the sender"):
        two.append(released)
    assert opened().facts.state(KEYS[0]).status == "unknown"
    _age(two, "R1")
    two.append(released)
    assert opened().facts.state(KEYS[0]).status == "free"


def test_a_run_that_was_taken_for_dead_claims_and_posts_no_more(opened: Open):
    ledger = opened("one", heartbeat=0.1)
    commit(ledger, *claims("R1", KEYS[:1]))
    assert ledger.has_valid_claims
    _age(ledger, "R1")
    ledger._lease._thread.join(5)
    assert not ledger.has_valid_claims
    with pytest.raises(LedgerUnavailable, match="did not hear"):
        commit(ledger, made(KEYS[1], "R1-1"))


def test_what_another_run_settled_since_the_plan_was_made_is_not_sent_again(opened: Open):
    one, two = opened("one", include_live_claims=False), opened("two", include_live_claims=False)
    commit(one, *claims("R1", KEYS[:2]))
    commit(one, made(KEYS[0], "R1-0", "refused", code="no"), made(KEYS[1], "R1-1", "released", by="run"))
    assert len(commit(two, *claims("R2", KEYS[:2]))) == 2
    two.refresh()
    assert commit(two, *claims("R3", KEYS[:2])) == frozenset()


def test_one_contact_gets_a_revision_once_whoever_has_its_other_address(opened: Open):
    one, two = opened("one"), opened("two", include_live_claims=False)
    assert commit(one, made(KEYS[0], "R1-0", contact="c1")) == frozenset()
    assert commit(two, made(KEYS[1], "R2-0", contact="c1"), made(KEYS[2], "R2-1", contact="c2")) == {"R2-0"}
    commit(one, made(KEYS[0], "R1-0", "released", contact="c1", by="run"))
    assert commit(two, made(KEYS[1], "R2-2", contact="c1")) == frozenset()
    assert commit(two, made(KEYS[3], "R2-3", contact="c1", revision=2)) == frozenset()
    commit(one, made(KEYS[4], "R1-4", contact="tester", redirected=True))
    assert commit(two, made(KEYS[5], "R2-5", contact="tester", redirected=True)) == frozenset()


def test_frequency_leaves_a_contact_to_the_run_that_sent_to_it_since_the_plan_was_made(opened: Open):
    one, two = opened("one", include_live_claims=False), opened("two", include_live_claims=False)
    commit(one, *(made(KEYS[number], f"R1-{number}", contact=f"c{number}") for number in range(3)))
    limited = [made(KEYS[10 + number], f"R2-{number}", contact=f"c{number}", message="other") for number in range(4)]
    assert commit_limited(two, limited[0], limited[3]) == {"R2-0"}
    assert commit(two, made(KEYS[20], "R2-4", contact="c2", message="urgent")) == frozenset()
    two.refresh()  # a claim of a run that is alive is in no plan, so it counts as long as it is open
    assert commit_limited(two, *limited[:2]) == {"R2-0", "R2-1"}
    commit(one, made(KEYS[0], "R1-0", "sent", id="m1", contact="c0"))
    commit(one, made(KEYS[1], "R1-1", "released", contact="c1", by="run"))
    assert commit_limited(two, *limited[:2]) == {"R2-0"}
    two.refresh()  # now the plan has counted it
    assert commit_limited(two, limited[0]) == frozenset()


def test_a_ledger_belongs_to_one_workspace(opened: Open):
    one, two = opened(), opened()
    pin_workspace(one, "acme")
    pin_workspace(one, "acme")
    with pytest.raises(GuardRefused, match="belongs to workspace acme"):
        pin_workspace(two, "other")


def test_it_holds_the_same_facts_as_a_lockfile(
    opened: Open, places: LockfilePaths, hold: Callable[[LockfilePaths], LockfileLedger]
):
    records = [
        *claims("R1", KEYS[:4]),
        made(KEYS[0], "R1-0", "sent", id="m1", at="2026-11-22T10:00:00Z", contact="c1"),
        made(KEYS[0], "R2-0", "sent", id="m2", to='email:~"\\ \u2028ü'),
        made(KEYS[1], "R1-1", "unknown", request_id="r"),
        made(KEYS[2], "R1-2", "refused", code="not_found", extra='{"new":[1,"\\\\."]}'),
    ]
    ledger = opened()
    ledger.append(*records, *records)
    with hold(places) as lockfile:
        lockfile.append(*records)
        fresh = opened().facts
        assert list(fresh.compacted_records()) == list(lockfile.facts.compacted_records())
        assert fresh.duplicates() == lockfile.facts.duplicates() != []
    before, after = ledger.compact()
    assert (before, after) == (8, 5)
    assert list(opened().facts.compacted_records()) == list(fresh.compacted_records())


def test_a_newer_form_of_the_tables_is_left_alone(opened: Open):
    ledger = opened()
    ledger._connection.fetch_rows("INSERT INTO migrations VALUES (99) RETURNING version")
    with pytest.raises(LedgerUnavailable, match="version 99"):
        ledger.open()


MOVED = MoveMark(1, "moved", "git+origin")
ADD_HEADER = "SELECT * FROM add_header('', '', %s, %s, %s, %s)"


def test_a_ledger_that_moved_takes_outcomes_and_no_claims_until_it_is_back(opened: Open):
    one, two = opened("one"), opened("two")
    pin_workspace(one, "acme")
    commit(one, *claims("R1", KEYS[:3]))
    assert [two.write_header(Header(mark=MOVED)) for _ in range(2)] == [MOVED, MOVED]
    with pytest.raises(LedgerUnavailable, match="moved to git\\+origin"):
        commit(one, *claims("R1", KEYS[3:5]))
    assert commit(one, made(KEYS[0], "R1-0", "sent", id="m1")) == frozenset()
    one.refresh()
    assert (one.facts.mark, len(one.facts)) == (MOVED, 3)
    assert one.facts.headers.merged("").workspace == "acme"
    one.compact()
    assert opened("three").facts.mark == MOVED
    back = MoveMark(2, "current", "git+origin")
    two.refresh()
    assert two.write_header(Header(mark=back)) == back
    assert commit(one, *claims("R1", KEYS[3:5])) == frozenset()
    assert opened("four").facts.mark == back


def test_a_ledger_that_is_being_filled_takes_records_and_no_claims(opened: Open):
    filling, other = opened("one"), opened("two")
    pending = MoveMark(1, "pending", "messages.lock")
    assert filling.write_header(Header(ledger=ID_A, mark=pending)) == pending
    filling.append(made(KEYS[0], "R1-0", "sent", id="m1"))
    with pytest.raises(LedgerUnavailable, match=r"lacks records: its move from messages\.lock did not end"):
        commit(other, *claims("R2", KEYS[1:3]))
    filling.write_header(Header(mark=replace(pending, status="current")))
    assert commit(other, *claims("R2", KEYS[1:3])) == frozenset()


def test_a_lower_mark_and_what_is_known_already_add_no_row(opened: Open, server: Server):
    ledger, current = opened("one"), MoveMark(2, "current", "messages.lock")
    for header in (Header("acme"), Header(ledger=ID_A), Header(mark=current)):
        ledger.write_header(header)
    table = f"{ledger._connection._address.schema}.headers"
    before = server.rows(f"SELECT count(*) FROM {table}")
    other = opened("two")
    lower = [MoveMark(1, "moved", "x"), MoveMark(2, "pending", "x"), MoveMark(2, "current", "x")]
    headers = [Header("acme"), Header("acme", ledger=ID_A), *(Header(mark=mark) for mark in lower)]
    assert {other.write_header(header) for header in headers} == {current}
    assert server.rows(f"SELECT count(*) FROM {table}") == before


def schema_link(ledger: PostgresLedger, server: Server) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the ledger's tables whose transaction stays open until it is committed."""
    return psycopg.connect(server.lock, options=f"-c search_path={ledger._connection._address.schema}")


def test_of_two_marks_at_once_the_first_holds_and_the_second_hears_it(opened: Open, server: Server):
    two = opened("two")
    heard: list[MoveMark] = []
    with schema_link(two, server) as first:
        first.execute(ADD_HEADER, ("", 1, "moved", "git+origin"))
        moving = threading.Thread(target=lambda: heard.append(two.write_header(Header(mark=MoveMark(1, "moved", "x")))))
        moving.start()
        moving.join(0.5)
        assert moving.is_alive()
        first.commit()
        moving.join(10)
    assert heard == [MOVED]
    assert opened("three").facts.mark == MOVED


def test_of_two_ids_at_once_the_second_is_refused(opened: Open, server: Server):
    two = opened("two")
    refused: list[str] = []

    def name() -> None:
        try:
            two.write_header(Header(ledger=ID_B))
        except GuardRefused as error:
            refused.append(error.message)

    with schema_link(two, server) as first:
        first.execute(ADD_HEADER, (ID_A, 0, "current", ""))
        naming = threading.Thread(target=name)
        naming.start()
        naming.join(0.5)
        first.commit()
        naming.join(10)
    assert refused == [f"the ledger has the id {ID_A}, not {ID_B}"]
    assert opened("three").facts.headers.merged("").ledger == ID_A


@pytest.mark.parametrize("seed", one_of(1, 2, 3, 4))
def test_connections_that_mark_a_ledger_at_the_same_time_agree(opened: Open, seed: int):
    chance = random.Random(seed)
    statuses = ("pending", "current", "moved")
    marks = [MoveMark(chance.randint(1, 2), chance.choice(statuses), f"{number}.lock") for number in range(8)]
    ledgers, heard = [opened(f"run {number}") for number in range(8)], dict[int, MoveMark]()

    def write(number: int) -> None:
        heard[number] = ledgers[number].write_header(Header(mark=marks[number]))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = opened("last").facts.mark
    assert last in marks
    assert last.rank[:2] == max(mark.rank[:2] for mark in marks)
    for number, mark in enumerate(marks):
        assert last.rank[:2] >= heard[number].rank[:2] >= mark.rank[:2]
        assert heard[number] == last or heard[number].rank[:2] < last.rank[:2]


CLAIM = "SELECT claim('R1', pg_current_snapshot(), false, %s, %s, %s, %s, %s, %s, %s)"


def claim_values(key: str) -> tuple[list[Any], ...]:
    (claim,) = claims("R1", [key])
    return [claim.key], [claim.attempt], ["seed"], [1], [""], [claim.to_line().decode().strip()], [False]


def test_a_mark_waits_for_the_claims_that_are_just_being_made(opened: Open, server: Server):
    one, two = opened("one"), opened("two")
    commit(one, *claims("R1", KEYS[:1]))
    with schema_link(one, server) as claiming:
        assert claiming.execute(CLAIM, claim_values(KEYS[1])).fetchall() == []
        moving = threading.Thread(target=two.write_header, args=[Header(mark=MOVED)])
        moving.start()
        moving.join(0.5)
        assert moving.is_alive()
        claiming.commit()
        moving.join(10)
    two.refresh()
    assert (two.facts.mark, len(two.facts)) == (MOVED, 2)


@pytest.mark.parametrize("status", ["moved", "pending"])
def test_a_claim_that_waits_for_a_mark_is_refused_once_that_one_holds(opened: Open, server: Server, status: str):
    one = opened("one")
    commit(one, *claims("R1", KEYS[:1]))
    refused: list[str] = []

    def claim() -> None:
        try:
            commit(one, *claims("R1", KEYS[1:3]))
        except LedgerUnavailable as error:
            refused.append(error.message)

    with schema_link(one, server) as marking:
        marking.execute(ADD_HEADER, ("", 1, status, "git+origin"))
        claiming = threading.Thread(target=claim)
        claiming.start()
        claiming.join(0.5)
        assert claiming.is_alive()
        marking.commit()
        claiming.join(10)
    assert len(refused) == 1
    assert "git+origin" in refused[0]
    assert len(opened("two").facts) == 1


@pytest.mark.parametrize("rounds", one_of(10, 100))
def test_claims_that_race_with_a_mark_are_all_made_before_it_or_refused(opened: Open, server: Server, rounds: int):
    one, two = opened("one"), opened("two")
    commit(one, *claims("R0", KEYS[:1]))
    for turn in range(1, rounds + 1):
        mark, key = MoveMark(turn, "moved", "git+origin"), [f"{turn:031x}f"]
        moving = threading.Thread(target=two.write_header, args=[Header(mark=mark)])
        moving.start()
        try:
            commit(one, *(made(name, f"R0-{turn}") for name in key))
            is_claimed = True
        except LedgerUnavailable as error:
            assert "moved to git+origin" in error.message  # noqa: PT017  # most rounds raise nothing
            is_claimed = False
        moving.join(10)
        count = server.rows(f"SELECT count(*) FROM {one._connection._address.schema}.facts WHERE key = %s", key[0])
        assert count == [(int(is_claimed),)]
        with pytest.raises(LedgerUnavailable, match="moved"):
            commit(one, made(KEYS[-1], f"R0-late{turn}"))
        two.write_header(Header(mark=MoveMark(turn + 1, "current", "git+origin")))
        two.refresh()


def test_what_others_are_sending_is_told_with_who_they_are(opened: Open):
    one, two = opened("one"), opened("two")
    commit(one, *claims("R1", KEYS[:3]), made(KEYS[3], "R1-9", message="other"))
    commit(one, made(KEYS[0], "R1-0", "sent", id="m1"), made(KEYS[1], "R1-1", "unknown"))
    assert two.other_runs(["seed"]) == {"one": 1}
    assert one.other_runs(["seed"]) == {}
    _age(one, "R1")
    assert two.other_runs(["seed"]) == {}


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """A server and its standby, which has every commit before its answer."""
    primary = created()
    standby = primary.standby()
    yield primary, standby
    standby.remove()
    primary.remove()


def both(first: Server, second: Server) -> str:
    return f"postgresql://msgrun@127.0.0.1:{first.port},127.0.0.1:{second.port}/postgres"


@pytest.mark.proof
def test_claims_and_outcomes_go_on_at_the_standby_that_took_over(pair: tuple[Server, Server]):
    primary, standby = pair
    with pytest.raises(LedgerUnavailable, match=r"127\.0\.0\.1.*(hot standby|read-only)"):
        PostgresLedger(address(standby.lock), "", "one", retry_seconds=0.5).create(Header())
    with contextlib.closing(PostgresLedger(address(both(standby, primary)), "", "one")) as ledger:
        start(ledger)
        commit(ledger, *claims("R1", KEYS[:20]))
        primary.kill()
        threading.Timer(1.0, standby.promote).start()
        commit(ledger, *(made(key, f"R1-{number}", "sent", id="m") for number, key in enumerate(KEYS[:20])))
        assert commit(ledger, *(made(key, f"R1-x{key}") for key in KEYS[:30])) == {f"R1-x{key}" for key in KEYS[:20]}
        ledger.refresh()
        assert [ledger.facts.state(key).status for key in KEYS[:30]] == ["sent"] * 20 + ["unknown"] * 10


def test_a_server_that_became_read_only_under_a_connection_is_left_for_one_that_is_not(opened: Open):
    ledger = opened()
    commit(ledger, *claims("R1", KEYS[:1]))
    # As a server that was demoted says.
    ledger._connection._connection.execute("SET default_transaction_read_only TO on")
    assert commit(ledger, *(made(key, f"R1-x{key}") for key in KEYS[1:3])) == frozenset()
    assert len(opened().facts) == 3


@pytest.mark.parametrize("answers", one_of(3, 1, 2, 5, 8, 13))
def test_a_run_whose_connection_is_cut_again_and_again_loses_and_doubles_nothing(
    opened: Open, proxy: Proxy, answers: int
):
    ledger = opened("one", proxy.port)
    proxy.every = answers
    for number, key in enumerate(KEYS[:30]):
        assert commit(ledger, made(key, f"R1-{number}")) == frozenset()
        commit(ledger, made(key, f"R1-{number}", "sent", id=f"m{number}"))
    assert proxy.cuts > 0
    facts = opened().facts
    assert [facts.state(key).status for key in KEYS[:30]] == ["sent"] * 30
    assert all(len(facts.records_of(key)) <= 2 for key in KEYS[:30])
    assert facts.duplicates() == []


def _age(ledger: PostgresLedger, run: str) -> None:
    """Lets a run's last beat be long ago, and its lease over."""
    update = "UPDATE runs SET beat = 'epoch' WHERE run = %s RETURNING run"
    assert ledger._connection.fetch_rows(update, (run,)) == [(run,)]


def test_a_ledger_that_is_read_while_it_is_written_is_whole(opened: Open):
    ledger = opened()
    ledger.append(*(made(key, f"R-{key}", "sent", id=key) for key in KEYS))
    assert sum(1 for _ in opened().facts.records()) == len(KEYS)


def test_what_is_read_is_what_all_facts_together_say(opened: Open, server: Server, tmp_path: Path):
    chance, ledger = random.Random(7), opened()
    records = [
        made(
            key,
            f"R{attempt}-{key}",
            status,
            at=f"2026-11-22T10:00:0{number}Z",
            **({"id": key} if status == "sent" else {}),
        )
        for key in KEYS
        for attempt in range(chance.randint(1, 3))
        for number, status in enumerate(chance.sample(sorted(RANK), chance.randint(1, 5)))
    ]
    ledger.append(*records)
    whole = Facts()
    (tmp_path / "whole").write_bytes(b"".join(record.to_line() for record in records))
    whole.read_file(tmp_path / "whole", "whole")
    read, held = opened().facts, server.rows(f"SELECT count(*) FROM {ledger._connection._address.schema}.facts")[0][0]
    assert list(read.compacted_records()) == list(whole.compacted_records())
    lines = [[sorted(record.to_line() for record in facts.records_of(key)) for key in KEYS] for facts in (read, whole)]
    assert lines[0] == lines[1]
    assert sum(1 for key in KEYS for _ in read.records_of(key)) < held == len(records)


def test_a_role_with_the_documented_rights_sends(opened: Open, server: Server):
    ledger = opened()
    schema = ledger._connection._address.schema
    sending = server.documented_role(schema)
    with contextlib.closing(PostgresLedger(address(f"{sending}#{schema}"), "", "sender")) as sender:
        sender.open()
        pin_workspace(sender, "acme")
        assert commit(sender, *claims("S1", KEYS[:3])) == frozenset()
        commit(sender, made(KEYS[0], "S1-0", "sent", id="m1"))
        with pytest.raises(LedgerUnavailable, match="denied"):
            sender.compact()


def test_a_database_whose_records_do_not_end_is_not_copied_to_the_disk(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = opened()
    ledger.append(*(made(key, f"one-{number}", "sent") for number, key in enumerate(KEYS)))
    monkeypatch.setattr("runner.ledger.postgres.ledger._MAX_COPIED", 10_000)
    with pytest.raises(LedgerUnavailable, match="GiB of records"):
        ledger.refresh()
    monkeypatch.setattr("runner.ledger.postgres.ledger.MAX_HEADERS", 0)
    with pytest.raises(LedgerUnavailable, match="headers that msgrun did not write"):
        ledger.refresh()
    monkeypatch.undo()
    ledger.refresh()
    assert len(ledger.facts) == len(KEYS)


def test_a_header_that_another_program_wrote_is_refused_and_not_printed(opened: Open) -> None:
    ledger = opened()
    table = f"{ledger._connection._address.schema}.headers"
    ledger._connection.fetch_rows(f"UPDATE {table} SET workspace = repeat('x', 100000) RETURNING 1")
    with pytest.raises(LedgerUnavailable, match="headers that msgrun did not write") as refused:
        ledger.refresh()
    assert len(str(refused.value)) < 500


def test_a_header_whose_id_is_a_path_is_refused(opened: Open) -> None:
    ledger = opened()
    table = f"{ledger._connection._address.schema}.headers"
    ledger._connection.fetch_rows(f"UPDATE {table} SET ledger = '/tmp/x/a' RETURNING 1")
    with pytest.raises(LedgerUnavailable, match="headers that msgrun did not write"):
        ledger.refresh()
