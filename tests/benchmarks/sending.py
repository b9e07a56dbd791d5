"""How fast messages are sent: against a strict rate limit, against nothing but a loop, and into the ledger alone.

    python tests/benchmarks/sending.py [limit|bare|ledger|memory …]

`limit`: 150 ms latency and strict windows of 167 and of 1,666; made in whole windows against what was allowed, the
429s, and the processor time of the whole command. Goals: 99 %, under 0.1 %, 30 % of a core at 167 in ten seconds.
`bare`: an instant server without a limit, in turn msgrun and a loop of `requests.Session`s without a ledger, with as
many threads; the median of the ratios. Goal: 0.85.
`ledger`: claims and outcomes of 32 deliveries at a time, as apply writes them. Goal: 10,000 deliveries a second.
`memory`: what the process holds while it sends 200,000 messages, from the first to the last: bytes a delivery.
"""

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner.deliver.threads import MAX_THREADS
from runner.ledger.lockfile.files import LockfilePaths
from runner.ledger.lockfile.ledger import open_lockfile
from runner.ledger.record import Record
from tests.support.fault_campaign import FaultCampaign

WINDOWS = 8  # of ten seconds; the first and the last are not whole
BARE = """\
import sys, threading, requests
url, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
numbers = iter(range(count))
lock = threading.Lock()
def send():
    session = requests.Session()
    session.headers["Authorization"] = "Bearer x"
    session.headers["Intercom-Version"] = "2.14"
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        who = f"u{number:05}"
        body = {"message_type": "inapp", "body": f"Ponies for {who}", "from": {"type": "admin", "id": 394051},
                "to": {"type": "user", "id": who}, "template": "plain"}
        session.post(url + "/messages", json=body, timeout=60).raise_for_status()
lanes = [threading.Thread(target=send) for _ in range(threads)]
[lane.start() for lane in lanes]
[lane.join() for lane in lanes]
"""


def at_the_limit(limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        people = limit * WINDOWS
        campaign = FaultCampaign(
            Path(folder).resolve(),
            people,
            email=False,
            seed="1",
            rate=100_000,
            limit=limit,
            latency=0.15,
            faults="",
            is_measured=True,
        )
        try:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.monotonic()
            campaign.end(campaign.start())
            seconds = time.monotonic() - started
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            counts = campaign.counts()
        finally:
            campaign.close()
    whole = [count for _, count in sorted(campaign.windows.items())][1:-1]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    throttled = counts.get("429 of the limit", 0)
    print(
        f"{limit:>5} in 10 s: {100 * sum(whole) / (limit * len(whole)):.2f} % of the limit over {10 * len(whole)} s, "
        f"429s {100 * throttled / counts['requests']:.3f} %, processor {100 * used / seconds:.0f} % of a core, "
        f"made {sum(campaign.windows.values())} of {people}, windows {whole}"
    )


def against_a_loop(people: int = 4000, runs: int = 5) -> None:
    pairs = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            campaign = FaultCampaign(
                Path(folder).resolve(),
                people,
                email=False,
                seed="1",
                rate=10_000_000,
                latency=0,
                faults="",
                is_measured=True,
            )
            try:
                campaign.end(campaign.start())
                ours = rate(campaign.log)
                campaign.log.write_text("")
                command = [sys.executable, "-c", BARE, campaign.url, str(people), str(MAX_THREADS)]
                subprocess.run(command, check=True)
                pairs.append((ours, rate(campaign.log)))
            finally:
                campaign.close()
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"without a limit: {ratio:.2f} of a bare loop ({ours:.0f} and {bare:.0f} a second, {MAX_THREADS} threads)")


def while_it_sends(people: int = 200_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        campaign = FaultCampaign(
            Path(folder).resolve(),
            people,
            email=False,
            seed="1",
            rate=10_000_000,
            latency=0,
            faults="",
            is_measured=True,
        )
        seen: list[tuple[int, int]] = []  # bytes of the server's log, KiB of the process
        try:
            process = campaign.start()
            while process.poll() is None:
                if size := campaign.size():
                    seen.append((size, resident(process.pid)))
                time.sleep(0.2)
            campaign.end(process)
            made = len(campaign.made())
        finally:
            campaign.close()
    seen = [(size * made // seen[-1][0], kilobytes) for size, kilobytes in seen if kilobytes]
    begin = next(found for found in seen if found[0] >= made // 20)  # whatever is imported and buffered is there now
    slope = 1024 * (seen[-1][1] - begin[1]) / (seen[-1][0] - begin[0])
    most = max(kilobytes for _, kilobytes in seen)
    print(
        f"memory: {begin[1] / 1024:.1f} MiB after {begin[0]:,} messages, {seen[-1][1] / 1024:.1f} MiB after "
        f"{seen[-1][0]:,}, at most {most / 1024:.1f} MiB: {slope:.0f} bytes a delivery"
    )


def resident(process: int) -> int:
    """KiB of memory of a process; 0 once it has ended. Linux."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def rate(log: Path) -> float:
    """Messages a second, between the first and the last that the server made."""
    at = [json.loads(line)["at"] for line in log.read_text().splitlines()]
    return (len(at) - 1) / (at[-1] - at[0])


def ledger_alone(deliveries: int = 40_000, threads: int = 32) -> None:
    for journal in (False, True):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            root = Path(folder)
            places = LockfilePaths(root / "messages.lock", root / "journal" if journal else None, "messages.lock")
            claims = [
                Record(
                    key=f"{number:032x}", attempt=f"run-{number}", status="claimed", message="news", revision=1,
                    to=f"id:{number}", contact=f"{number}", digest="v1:" + "a" * 32, content="b" * 32, text="c" * 32,
                    plan="sha256:" + "d" * 64, at="2026-11-22T10:00:00Z", sender="394051",
                )
                for number in range(deliveries)
            ]  # fmt: skip
            with open_lockfile(places, "", "benchmark", datetime.now(UTC)) as ledger:
                started = time.perf_counter()
                outcomes: list[Record] = []
                for start in range(0, deliveries, threads):
                    group = claims[start : start + threads]
                    ledger.commit(outcomes, group)
                    outcomes = [replace(claim, status="sent", id="2001", sender="") for claim in group]
                ledger.commit(outcomes, [])
                seconds = time.perf_counter() - started
        told = "lockfile and journal" if journal else "lockfile"
        print(f"ledger alone: {deliveries / seconds:,.0f} deliveries a second ({told}, {os.uname().sysname})")


def main() -> None:
    wanted = sys.argv[1:] or ["ledger", "bare", "limit"]
    if "ledger" in wanted:
        ledger_alone()
    if "bare" in wanted:
        against_a_loop()
    if "memory" in wanted:
        while_it_sends()
    if "limit" in wanted:
        at_the_limit(167)
        at_the_limit(1666)


if __name__ == "__main__":
    main()
