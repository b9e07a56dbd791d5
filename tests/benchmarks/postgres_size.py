"""What a batch costs the PostgreSQL ledger, and how long it takes to read, with more and more deliveries in it.

    python tests/benchmarks/postgres_size.py [10000 100000 1000000]

A real server on this machine, its disk's fsync included. Every delivery has two facts, as an apply leaves them.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from measuring import Command, peak, run

from runner.ledger.lock_address import parse_address
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.record import Record
from runner.sandbox import Sandbox
from tests.support.postgres import Server, created
from tests.support.project import ROOT, people_message

SETTINGS = """\
salt: s3cret
workspace: acme
limits: {{recipients_per_message: 2000000, recipients_per_apply: 2000000}}
lock: {lock}
"""
# Whatever the first delivery's lines say, for as many more; the key is the contract's.
FILL = """
WITH people AS (
    SELECT 'p' || n AS who, 'FILLED-' || n AS attempt,
        left(encode(sha256(convert_to('["s3cret","seed",1,"id","p' || n || '"]', 'UTF8')), 'hex'), 32) AS key
    FROM generate_series(%s::bigint, %s::bigint) AS n
), filled AS (
    INSERT INTO msgrun.deliveries SELECT key, 'sent', pg_current_xact_id() FROM people RETURNING key
) INSERT INTO msgrun.facts SELECT people.key, people.attempt, rank, message, revision, who, replace(
    replace(replace(line, facts.key, people.key), facts.attempt, people.attempt), contact || '"', who || '"'
) FROM people, msgrun.facts WHERE facts.key = %s"""
BATCHES, WRITERS = 60, 4


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    with tempfile.TemporaryDirectory() as folder, Sandbox(workspace="acme", rate_limit=10**9) as intercom:
        os.environ |= {"INTERCOM_BASE_URL": intercom.url, "INTERCOM_ACCESS_TOKEN": "x"}
        server = created()
        try:
            begin(Path(folder), server, sizes[0])
            at = 1
            for size in sizes:
                write(Path(folder), size)
                ((key,),) = server.rows("SELECT key FROM msgrun.deliveries LIMIT 1")
                server.rows(FILL, at, size - 1, key)
                server.rows("VACUUM ANALYZE")
                at = size
                measure(Path(folder), server, size)
        finally:
            server.remove()


def write(root: Path, people: int) -> None:
    (root / "people.csv").write_text("who\n" + "".join(f"p{number}\n" for number in range(people)))


def msgrun(root: Path, *words: str) -> Command:
    return Command([sys.executable, "-m", "runner", "-C", str(root), *words], ROOT)


def begin(root: Path, server: Server, people: int) -> None:
    """A project whose first delivery was really sent, so that the others can look like it."""
    (root / "messages").mkdir()
    (root / "messages" / "seed.yaml").write_text(people_message("seed"))
    (root / "msgrun.yaml").write_text(SETTINGS.format(lock=server.lock))
    write(root, people)
    run(msgrun(root, "apply", "--yes", "--new-lock", "--limit", "1"))


def measure(root: Path, server: Server, size: int) -> None:
    (tables,), *_ = server.rows(
        "SELECT pg_total_relation_size('msgrun.facts') + pg_total_relation_size('msgrun.deliveries')"
    )
    told = [f"{size:>9,} deliveries, {tables / 2**20:,.0f} MiB in the database"]
    for name in ("plan", "status"):
        command = msgrun(root, name)
        told.append(f"{name} {run(command).wall:.1f} s, {peak(command).all:.0f} MiB")
    for many in (10, 100):
        ledger = opened(server)
        cost = statistics.median(batch(ledger, f"{size}b{many}", many, at) for at in range(BATCHES))
        ledger.close()
        told.append(f"a batch of {many} {1000 * cost:.1f} ms")
    told.append(f"{many_at_once(server, size):,.0f} deliveries a second by {WRITERS}")
    print(f"{'; '.join(told)}; load {os.getloadavg()[0]:.1f}", flush=True)
    server.rows("DELETE FROM msgrun.facts WHERE attempt LIKE '%%x%%'")
    server.rows(
        "DELETE FROM msgrun.deliveries WHERE NOT EXISTS (SELECT FROM msgrun.facts WHERE facts.key = deliveries.key)"
    )


def opened(server: Server) -> PostgresLedger:
    """The ledger without its facts: what is claimed here is new to it."""
    ledger = PostgresLedger(parse_address(server.lock, "messages"), "s3cret", "benchmark")
    ledger._snapshot = "1:1:"  # a snapshot before everything
    return ledger


def batch(ledger: PostgresLedger, run_id: str, many: int, at: int) -> float:
    """Seconds that outcomes and claims of a batch take, as apply writes them together."""
    claims = [claim(f"{run_id}-{at}x{number}") for number in range(many)]
    outcomes = [replace(claim(f"{run_id}-{at - 1}x{number}"), status="sent", id="2001") for number in range(many)]
    began = time.perf_counter()
    assert ledger.commit(outcomes if at else [], claims) == frozenset()
    return time.perf_counter() - began


def many_at_once(server: Server, size: int) -> float:
    """Deliveries a second that four writers claim and settle, in batches of 100."""

    def work(writer: int) -> None:
        ledger = opened(server)
        for at in range(BATCHES):
            batch(ledger, f"{size}w{writer}", 100, at)
        ledger.close()

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(WRITERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return WRITERS * BATCHES * 100 / (time.perf_counter() - began)


def claim(attempt: str) -> Record:
    """A claim as long as usual ones are."""
    key = hashlib.md5(attempt.encode(), usedforsecurity=False).hexdigest()
    return Record(
        key=key, attempt=attempt, status="claimed", message="seed", revision=1, to=f"id:{key}", contact=key,
        digest=f"v1:{key}", content=key, text=key, plan=f"sha256:{key * 2}", at="2026-11-22T10:00:00Z",
    )  # fmt: skip


if __name__ == "__main__":
    main()
