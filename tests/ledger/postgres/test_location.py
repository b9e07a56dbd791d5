"""Commands on a ledger in a real PostgreSQL, as its user sees them."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runner.ledger.lock_address import DatabaseAddress, parse_address
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.record import Header, Record, salt_check
from runner.sandbox import Sandbox
from tests.support.ledgers import commit
from tests.support.postgres import Server
from tests.support.project import Folder, Ran

LIST = """\
name: list
message_type: inapp
body: hi
from: {type: admin, id: "394051"}
to: [{type: user, id: a1}, {type: user, id: a2}, {type: user, id: a3}]
"""
WITHOUT_PSYCOPG = "import sys; sys.modules['psycopg'] = None; from runner.__main__ import main; main()"


@pytest.fixture
def lock(server: Server, folder: Folder, request: pytest.FixtureRequest) -> str:
    """A project whose ledger is a schema of its own, without a lockfile beside it."""
    found = f"{server.lock}#s{abs(hash(request.node.nodeid)):x}"
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", f"workspace: acme\nlock: {found}\n")
    folder.message(LIST)
    return found


@pytest.fixture
def other(lock: str) -> Iterator[Callable[[], PostgresLedger]]:
    """Another run on the same ledger."""
    ledgers = []

    def begin() -> PostgresLedger:
        address = parse_address(lock, "messages")
        assert isinstance(address, DatabaseAddress)
        ledgers.append(PostgresLedger(address, "", "msgrun apply, process 7 on builder"))
        ledgers[-1].create(Header("", salt_check("")))
        return ledgers[-1]

    yield begin
    for ledger in ledgers:
        ledger.close()


def claimed(ledger: PostgresLedger, folder: Folder) -> list[Record]:
    """Claims of everything that is declared."""

    plan = json.loads(folder.run("plan", "--format", "json").out)
    claims = [
        Record(key=found["key"], attempt=f"OTHER-{number}", status="claimed", message="list", revision=1)
        for number, found in enumerate(plan["deliveries"])
    ]
    assert commit(ledger, *claims) == frozenset()
    return claims


def sent(claims: list[Record]) -> list[Record]:
    return [
        Record(key=claim.key, attempt=claim.attempt, status="sent", message="list", revision=1, id=f"m{number}")
        for number, claim in enumerate(claims)
    ]


def dead(ledger: PostgresLedger) -> None:
    ledger._connection.fetch_rows("UPDATE runs SET beat = 'epoch' RETURNING run")


def test_no_message_about_a_database_speaks_of_a_lockfile(folder: Folder, lock: str, intercom: Sandbox):
    ran = [folder.run("plan"), folder.run("status"), folder.run("apply", "--yes"), folder.run("lock", "begin")]
    ran += [folder.run("apply", "--yes", "--limit", "2"), folder.run("plan"), folder.run("status")]
    ran += [folder.run("lock", name) for name in ("show", "verify", "stats", "compact", "begin")]
    ran.append(folder.run("lock", "move", "--yes", lock))
    ran += [folder.run("reconcile"), folder.run("resolve", "ab", "--not-sent"), folder.run("adopt", "list", "--yes")]
    assert [one.code for one in ran] == [0, 0, 5, 0, 0, 0, 0, *[0] * 6, 0, 64, 0]
    for one in ran:
        assert "lockfile" not in one.out + one.err
    assert len(intercom.messages) == 2
    assert not (folder.path / "messages.lock").exists()
    assert lock in folder.run("lock", "stats").out.replace("postgresql://", "postgresql://msgrun@")


def test_msgrun_lock_overrides_what_the_project_says(
    folder: Folder, lock: str, server: Server, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    folder.write("msgrun.yaml", "workspace: acme\nlock: messages.lock\n")
    monkeypatch.setenv("MSGRUN_LOCK", lock.replace("msgrun@", "msgrun:s3cret@"))
    ran = folder.run("apply", "--yes", "--new-lock")
    assert (ran.code, len(intercom.messages)) == (0, 3)
    assert not (folder.path / "messages.lock").exists()
    schema = lock.partition("#")[2]
    assert server.rows(f"SELECT status, count(*) FROM {schema}.deliveries GROUP BY 1") == [("sent", 3)]
    assert "s3cret" not in ran.out + ran.err + folder.run("status").out


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        (64, "host=127.0.0.1 password=s3cret dbname=x"),
        (64, "PostgreSQL://ann:s3cret@127.0.0.1/x"),
        (64, "postgresql://ann:s3cret/@127.0.0.1/x"),
        (64, "postgresql://ann:s3cret?x@127.0.0.1/x"),
        (64, "postgresql://ann:#s3cret@127.0.0.1/x"),
        (6, "postgresql://ann:s3cret@127.0.0.1:1/x"),
        (64, "postgresql://ann@127.0.0.1:1/x?password=s3cret&unheard=of"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, code: int, bad: str
):
    monkeypatch.setenv("MSGRUN_LOCK", bad)
    ran = folder.run("status")
    assert ran.code == code
    assert "hint: " in ran.err
    assert "s3cret" not in ran.out + ran.err


@pytest.mark.usefixtures("lock")
def test_without_the_extra_the_way_to_it_is_told(folder: Folder):
    command = [sys.executable, "-c", WITHOUT_PSYCOPG, "-C", str(folder.path), "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert done.stderr == "error: a PostgreSQL ledger needs psycopg\n  hint: pip install 'msgrun[postgres]'\n"


def test_a_role_with_the_documented_rights_does_a_whole_apply(
    folder: Folder, lock: str, server: Server, intercom: Sandbox
):
    assert folder.run("lock", "begin").code == 0
    schema = lock.partition("#")[2]
    sending = server.documented_role(schema)
    role = sending.partition("//")[2].partition("@")[0]
    folder.write("msgrun.yaml", f"workspace: acme\nlock: {sending}#{schema}\n")
    ran = folder.run("apply", "--yes")
    assert (ran.code, len(intercom.messages)) == (0, 3), ran.err
    assert folder.run("apply", "--yes").out.endswith("nothing to do\n")
    assert [folder.run(*words).code for words in (("status",), ("lock", "verify"), ("lock", "export"))] == [0, 0, 0]
    server.rows(f"REVOKE ALL ON {schema}.runs FROM {role}")
    folder.message(LIST.replace("name: list", "name: second").replace("hi", "hello"), "second")
    refused = folder.run("apply", "--yes")
    assert (refused.code, len(intercom.messages)) == (6, 3)
    assert "docs/scaling.md says which grants it takes" in refused.err


def test_resolve_leaves_a_claim_to_the_run_that_lives(folder: Folder, other: Callable[[], PostgresLedger]):
    ledger = other()
    claimed(ledger, folder)
    ran = folder.run("status")
    assert "3 of the unknown are just being sent, by msgrun apply, process 7 on builder" in ran.err
    words = ("resolve", "--message", "list", "--all", "--not-sent", "--yes")
    ran = folder.run(*words)
    assert ran.code == 5
    assert "being sent right now, by msgrun apply, process 7 on builder" in ran.err
    assert [state.status for state in ledger.facts.states_with("unknown")] == []
    ledger._connection.fetch_rows("UPDATE runs SET who = repeat('a run ', 1000000) RETURNING run")
    assert [len(folder.run(command).err) < 1000 for command in ("plan", "status")] == [True, True]
    dead(ledger)
    assert folder.run(*words).code == 0
    assert "just being sent" not in folder.run("status").err


def applied(folder: Folder, *more: str) -> Ran:
    return folder.run("apply", "--yes", *more)


def test_an_apply_waits_for_what_others_are_sending_and_all_is_well(
    folder: Folder, other: Callable[[], PostgresLedger], intercom: Sandbox
):
    ledger = other()
    claims = claimed(ledger, folder)
    began = time.monotonic()
    timer = threading.Timer(2.0, lambda: commit(ledger, *sent(claims)))
    timer.start()
    ran = applied(folder)
    timer.join()
    assert (ran.code, intercom.messages) == (0, [])
    assert time.monotonic() - began >= 2
    assert "0 sent by this run, 3 claimed by other runs" in ran.out


def test_an_apply_that_outlives_another_says_what_that_one_left_unknown(
    folder: Folder, other: Callable[[], PostgresLedger], intercom: Sandbox
):
    ledger = other()
    claimed(ledger, folder)
    timer = threading.Timer(1.0, lambda: dead(ledger))
    timer.start()
    ran = applied(folder)
    timer.join()
    assert (ran.code, intercom.messages) == (4, [])
    assert "3 of the plan unknown: msgrun status lists them" in ran.out


def test_an_apply_with_a_deadline_says_who_is_still_sending(
    folder: Folder, other: Callable[[], PostgresLedger], intercom: Sandbox
):
    claimed(other(), folder)
    ran = applied(folder, "--deadline", "2s")
    assert (ran.code, intercom.messages) == (75, [])
    assert "3 of the plan still being sent, by msgrun apply, process 7 on builder" in ran.out
