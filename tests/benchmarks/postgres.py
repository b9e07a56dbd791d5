"""Four applies of one saved plan at once, on one PostgreSQL ledger, against an instant server with Intercom's limit.

    python tests/benchmarks/postgres.py [--people 20000] [--workers 4] [--kill-every 3]

Every few seconds one worker is killed and another one started in its place. The server's log is the witness: it prints
the share of the limit that was used, the share of 429s, and how many were made twice or are forgotten.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.postgres import Server, created  # noqa: E402

LIMIT = 1666  # requests in ten seconds
QUIET = 12.0  # seconds without a send, after which everything is sent
SETTINGS = """\
salt: s3cret
workspace: acme
abort_if: {{unknown: 1000, refused: "100%", after: 1000}}
limits: {{recipients_per_message: 1000000, recipients_per_apply: 1000000}}
rate: {{share: 1}}
lock: {lock}
"""
MESSAGE = """\
name: seed
message_type: inapp
body: "Ponies for {{ who }}"
from: {type: admin, id: "394051"}
to: {csv: ../people.csv, type: user, id: "{{ who }}"}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("people", 20_000), ("workers", 4), ("kill-every", 3), ("limit", LIMIT)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    server = created()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), server, options)
    finally:
        server.remove()


def measure(root: Path, server: Server, options: argparse.Namespace) -> None:
    (root / "messages").mkdir()
    (root / "messages" / "seed.yaml").write_text(MESSAGE)
    (root / "people.csv").write_text("who\n" + "".join(f"p{number}\n" for number in range(options.people)))
    (root / "msgrun.yaml").write_text(SETTINGS.format(lock=server.lock))
    command = [sys.executable, str(HERE.parent / "faults" / "server.py"), "--log", str(root / "made.jsonl")]
    intercom = subprocess.Popen([*command, "--limit", str(options.limit)], stdout=subprocess.PIPE, text=True)
    assert intercom.stdout is not None
    environment = {name: value for name, value in os.environ.items() if not re.match(r"MSGRUN_|INTERCOM_|CI$", name)}
    port = intercom.stdout.readline().split()[0]
    environment |= {"INTERCOM_BASE_URL": f"http://127.0.0.1:{port}", "INTERCOM_ACCESS_TOKEN": "x"}
    msgrun = [sys.executable, "-m", "runner", "-C", str(root)]
    workers: list[subprocess.Popen[bytes]] = []

    def work(*more: str) -> subprocess.Popen[bytes]:
        out = (root / f"worker{sum(1 for _ in root.iterdir())}.txt").open("wb")
        return subprocess.Popen([*msgrun, "apply", "--yes", *more], env=environment, stdout=out, stderr=out)

    try:
        assert work("--new-lock", "--limit", "1").wait() == 0
        subprocess.run([*msgrun, "plan", "--out", str(root / "plan.json")], env=environment, check=True, stdout=-3)
        arguments = ("--plan", str(root / "plan.json"))
        workers.extend(work(*arguments) for _ in range(options.workers))
        chance, kills, next_kill = random.Random(1), 0, time.monotonic() + 3 + options.kill_every
        made = root / "made.jsonl"
        while any(worker.poll() is None for worker in workers):
            time.sleep(0.1)
            if time.time() - made.stat().st_mtime > QUIET:  # the killed ones' leases are all that is waited for
                server.rows("UPDATE msgrun.runs SET beat = 'epoch' WHERE beat < clock_timestamp() - interval '6 s'")
            elif options.kill_every and time.monotonic() > next_kill:
                next_kill += options.kill_every
                at = chance.randrange(len(workers))
                if workers[at].poll() is None:
                    workers[at].kill()
                    workers[at].wait()
                    kills += 1
                    workers[at] = work(*arguments)
        report(root, server, options, kills)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts") as answered:
            counts = json.load(answered)
        print(f"429s {counts.get('429 of the limit', 0) / counts['requests']:.2%} of {counts['requests']} requests")
    finally:
        for worker in workers:
            worker.kill()
        intercom.terminate()
        intercom.communicate()


def report(root: Path, server: Server, options: argparse.Namespace, kills: int) -> None:
    made = [json.loads(line) for line in (root / "made.jsonl").read_text().splitlines()]
    times = Counter(entry["to"] for entry in made)
    known = Counter(row[0] for row in server.rows("SELECT status FROM msgrun.report"))
    rows = server.rows("SELECT contact FROM msgrun.report WHERE status IN ('sent', 'unknown', 'sending')")
    contacts = {row[0] for row in rows}
    whole = Counter(int(entry["at"]) // 10 for entry in made)
    began = max(int(entry["at"]) // 10 for entry in made[:2])  # the first is the canary, before the workers
    inner = [whole[window] for window in sorted(whole)[:-1] if window > began] or [0]
    left = known["unknown"] / kills if kills else 0.0
    print(f"{len(made)} made of {options.people}, {kills} workers killed; the ledger: {dict(known)}")
    print(f"unknown for each worker killed {left:.1f}; load of the machine {os.getloadavg()[0]:.1f}")
    print(f"made twice {sum(count - 1 for count in times.values())}, forgotten {len(times.keys() - contacts)}")
    print(f"of the limit {sum(inner) / len(inner) / options.limit:.1%} (whole windows: {inner})")


if __name__ == "__main__":
    main()
