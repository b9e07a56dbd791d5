"""Four applies of one saved plan at once, on one PostgreSQL ledger, against an instant server with Intercom's limit.

    python tests/benchmarks/postgres.py [--people 20000] [--workers 4] [--kill-every 3] [--latency 0.15]

Every few seconds one worker is killed and another one started in its place. The server's log is the witness: it prints
the share of the limit that was used, the share of 429s, and how many were made twice or are forgotten.
"""

import argparse
import json
import os
import random
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

from tests.support.postgres import Server, created
from tests.support.postgres_fleet import PostgresFleet

LIMIT = 1666  # requests in ten seconds
QUIET = 12.0  # seconds without a send, after which everything is sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("people", 20_000), ("workers", 4), ("kill-every", 3), ("limit", LIMIT)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--latency", type=float, default=0.15)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    server = created()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), server, options)
    finally:
        server.remove()


def measure(root: Path, server: Server, options: argparse.Namespace) -> None:
    rate = f"{{share: {options.share}}}"
    fleet = PostgresFleet(root, server, options.people, limit=options.limit, latency=options.latency, rate=rate)
    try:
        fleet.begin()
        workers = [fleet.work() for _ in range(options.workers)]
        chance, kills, next_kill = random.Random(1), 0, time.monotonic() + 3 + options.kill_every
        while any(worker.poll() is None for worker in workers):
            time.sleep(0.1)
            if time.time() - fleet.log.stat().st_mtime > QUIET:  # the killed ones' leases are all that is waited for
                server.rows("UPDATE msgrun.runs SET beat = 'epoch' WHERE beat < clock_timestamp() - interval '6 s'")
            elif options.kill_every and time.monotonic() > next_kill:
                next_kill += options.kill_every
                at = chance.randrange(len(workers))
                if workers[at].poll() is None:
                    workers[at].kill()
                    workers[at].wait()
                    kills += 1
                    workers[at] = fleet.work()
        report(root, server, options, kills)
        with urllib.request.urlopen(f"{fleet.intercom.url}/counts") as answered:
            counts = json.load(answered)
        print(f"429s {counts.get('429 of the limit', 0) / counts['requests']:.2%} of {counts['requests']} requests")
    finally:
        fleet.close()


def report(root: Path, server: Server, options: argparse.Namespace, kills: int) -> None:
    made = [json.loads(line) for line in (root / "made.jsonl").read_text().splitlines()]
    times = Counter(entry["to"] for entry in made)
    known = Counter(row[0] for row in server.rows("SELECT status FROM msgrun.deliveries"))
    rows = server.rows(
        "SELECT DISTINCT contact FROM msgrun.deliveries JOIN msgrun.facts USING (key)"
        " WHERE status IN ('sent', 'unknown')"
    )
    contacts = {row[0] for row in rows}
    whole = Counter(int(entry["at"]) // 10 for entry in made)
    began = max(int(entry["at"]) // 10 for entry in made[:2])  # the first is the canary, before the workers
    inner = [whole[window] for window in sorted(whole)[:-1] if window > began] or [0]
    left = known["unknown"] / kills if kills else 0.0
    print(f"{len(made)} made of {options.people}, {kills} workers killed; the ledger: {dict(known)}")
    print(f"unknown for each worker killed {left:.1f}; load of the machine {os.getloadavg()[0]:.1f}")
    print(f"made twice {sum(count - 1 for count in times.values())}, forgotten {len(times.keys() - contacts)}")
    budget = options.limit * options.share
    print(f"of limit x share {sum(inner) / len(inner) / budget:.1%} (whole windows: {inner})")


if __name__ == "__main__":
    main()
