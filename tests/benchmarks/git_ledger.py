"""The ledger on a git branch, measured: its rate beside the file ledger's, and what a batch costs as it grows.

    python tests/benchmarks/git_ledger.py --recipients 5000 --limit 1666
    python tests/benchmarks/git_ledger.py --sizes 10000,50000,100000,247000

The tests of races and crashes (tests/faults/test_branch.py) work with the same parts: a bare remote, clones of it, and
the server of the fault campaign, whose log is the witness: what was made, in its own process and its own file.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from runner.git.repository import find_repository
from tests.support.branch_team import BRANCH, BranchTeam

HASHES = (("digest", "v1:", 32), ("content", "", 32), ("text", "", 32), ("plan", "sha256:", 64))


def rate(lock: str, recipients: int, limit: int, latency: float) -> float:
    """Messages a second of one apply, from the first one made to the last."""
    root = Path(tempfile.mkdtemp(prefix="git-ledger-"))
    team = BranchTeam(root, recipients, limit, latency, lock)
    try:
        clone = team.clone("runner")
        began = time.monotonic()
        code, said = team.run(clone, "apply", "--yes", "--new-lock")
        took = time.monotonic() - began
        assert code == 0, said
        assert set(team.made().values()) == {1}
        times = [json.loads(line)["at"] for line in team.log.read_text().splitlines()]
        span = max(times) - min(times)
        print(f"{lock or 'file':<18} {took:6.1f} s whole, {span:6.1f} s sending, {recipients / took:6.1f} a second")
        return recipients / took
    finally:
        team.close()
        shutil.rmtree(root)


def filled(team: BranchTeam, lines: int) -> int:
    """Gives the remote a ledger of so many lines, of a message that was sent before; returns its bytes."""
    check = hashlib.sha256(b"msgrun:s3cret").hexdigest()[:8]
    records = [json.dumps({"msgrun_lock": 1, "workspace": "acme", "salt_check": check})]
    for number in range(1, lines):
        key = hashlib.sha256(b"%d" % number).hexdigest()
        shown = {"key": key[:32], "attempt": f"01JDQ2Z7T0BJ9V5H1XK8W3R6EM-{number}", "status": "sent", "message": "old"}
        hashes = {name: f"{mark}{key[::-1][:size]}" for name, mark, size in HASHES}
        told = {"revision": 1, "to": f"id:{key[:24]}", "contact": key[:24], "id": str(number), **hashes}
        records.append(json.dumps({**shown, **told, "at": "2026-11-22T10:00:00Z"}, separators=(",", ":")))
    file = team.root / "ledger"
    file.write_text("\n".join(records) + "\n")
    blob = team.git(team.origin, "hash-object", "-w", str(file))
    (team.root / "tree").write_text(f"100644 blob {blob}\tmessages.lock\n")
    with (team.root / "tree").open() as tree:
        made = subprocess.run(
            ["git", "mktree"], cwd=team.origin, stdin=tree, capture_output=True, text=True, check=True
        )
    commit = team.git(team.origin, "commit-tree", made.stdout.strip(), "-m", "sent before")
    team.git(team.origin, "update-ref", f"refs/heads/{BRANCH}", commit)
    return file.stat().st_size


def grown(lines: int, limit: int) -> None:
    """Prints what a ledger of so many lines costs: to read it, and to push a batch."""
    from runner.ledger.branch.ledger import BranchLedger  # noqa: PLC0415
    from runner.ledger.branch.remote_file import RemoteFile  # noqa: PLC0415
    from runner.ledger.branch.shared_file import SharedFile  # noqa: PLC0415
    from runner.ledger.lock_address import parse_address  # noqa: PLC0415
    from runner.ledger.record import Record  # noqa: PLC0415

    root = Path(tempfile.mkdtemp(prefix="git-ledger-"))
    team = BranchTeam(root, 1000, limit, 0.15)
    try:
        size = filled(team, lines)
        clone = team.clone("runner", "--depth=1")
        os.environ |= {name: value for name, value in team.environment.items() if name.startswith("GIT_")}
        with contextlib.closing(RemoteFile(find_repository(clone), parse_address("git+origin", "messages"))) as remote:
            began = time.monotonic()
            ledger = BranchLedger(
                SharedFile(remote, "s3cret", lambda _: None), "s3cret", "apply", lambda: datetime.now(UTC)
            )
            ledger.refresh()
            read = time.monotonic() - began
            times = []
            for batch in range(7):
                claims = [Record(f"{batch:016}{n:016}", f"RUN-{batch}-{n}", "claimed", "m", 1) for n in range(100)]
                began = time.monotonic()
                ledger.commit([], claims)
                times.append(time.monotonic() - began)
        began = time.monotonic()
        code, said = team.run(team.clone("sender", "--depth=1"), "apply", "--yes")
        took = time.monotonic() - began
        assert code == 0, said
        assert set(team.made().values()) == {1}
        pushes = int(team.git(team.origin, "rev-list", "--count", BRANCH)) - 1 - len(times)
        middle = sorted(times)[len(times) // 2]
        print(
            f"{lines:>9,} lines, {size / 1e6:5.0f} MB: read in {read:5.2f} s, a batch in {middle:5.2f} s;"
            f" 1,000 messages in {took:5.1f} s and {pushes} pushes; load {os.getloadavg()[0]:.1f}"
        )
    finally:
        team.close()
        shutil.rmtree(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="", metavar="N,N", help="what a batch costs in ledgers of so many lines")
    parser.add_argument("--recipients", type=int, default=5000)
    parser.add_argument("--limit", type=int, default=1666)
    parser.add_argument("--latency", type=float, default=0.15)
    args = parser.parse_args()
    if args.sizes:
        for size in args.sizes.split(","):
            grown(int(size), args.limit)
        return
    file = rate("", args.recipients, args.limit, args.latency)
    branch = rate("lock: git+origin", args.recipients, args.limit, args.latency)
    print(f"{branch / file:.1%} of the file ledger's rate")


if __name__ == "__main__":
    main()
