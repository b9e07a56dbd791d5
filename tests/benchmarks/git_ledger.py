"""The ledger on a git branch, measured: its rate beside the file ledger's, and what a batch costs as it grows.

    python tests/benchmarks/git_ledger.py --recipients 5000 --limit 1666
    python tests/benchmarks/git_ledger.py --sizes 10000,50000,100000,250000

The tests of races and crashes (tests/faults/test_branch.py) work with the same parts: a bare remote, clones of it, and
the server of the fault campaign, whose log is the witness: what was made, in its own process and its own file.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
BRANCH = "msgrun-ledger"
SETTINGS = """\
salt: s3cret
LOCK
from: {type: admin, id: "394051"}
limits: {recipients_per_message: 1000000, recipients_per_apply: 1000000}
abort_if: {unknown: 1000000, refused: "100%", after: 1000000}
rate: {share: 1}
"""
MESSAGE = """\
name: news
message_type: inapp
body: "Ponies for {{ who }}"
to: {csv: ../people.csv, type: user, id: "{{ who }}"}
"""
HASHES = (("digest", "v1:", 32), ("content", "", 32), ("text", "", 32), ("plan", "sha256:", 64))
WHO = {f"GIT_{role}_{what}": "t@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class Team:
    """A bare remote with a project, the server that counts, and clones."""

    root: Path
    recipients: int
    limit: int = 0
    latency: float = 0.01
    lock: str = "lock: git+origin"
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.origin, self.log = self.root / "origin.git", self.root / "made.jsonl"
        ours = re.compile(r"MSGRUN_|INTERCOM_|GITHUB_|GITLAB_|FAULTS_|CI$|CI_|(?i:.*_proxy$)")
        self.environment = {name: value for name, value in os.environ.items() if not ours.match(name)} | WHO
        self.environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        self.environment |= {"PYTHONPATH": str(ROOT), "INTERCOM_ACCESS_TOKEN": "x"}
        command = [sys.executable, str(ROOT / "tests/faults/server.py"), "--log", str(self.log)]
        command += ["--limit", str(self.limit), "--latency", str(self.latency)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.environment["INTERCOM_BASE_URL"] = f"http://127.0.0.1:{self.server.stdout.readline().split()[0]}"
        self.git(self.root, "init", "-q", "--bare", "-b", "main", str(self.origin))
        author = self.root / "author"
        (author / "messages").mkdir(parents=True)
        (author / "msgrun.yaml").write_text(SETTINGS.replace("LOCK", self.lock))
        (author / "messages/news.yaml").write_text(MESSAGE)
        self.people = [f"u{number:06}" for number in range(self.recipients)]
        (author / "people.csv").write_text("who\n" + "".join(f"{who}\n" for who in self.people))
        self.git(author, "init", "-q", "-b", "main")
        self.git(author, "add", ".")
        self.git(author, "commit", "-q", "-m", "project")
        self.git(author, "push", "-q", str(self.origin), "main")

    def git(self, folder: Path, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def clone(self, name: str, *options: str) -> Path:
        self.git(self.root, "clone", "-q", *options, self.origin.as_uri(), name)
        return self.root / name

    def start(self, clone: Path, *args: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts the command in a clone; what it says is in `said` beside the clones."""
        with (self.root / f"{clone.name}.said").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "runner", "-C", str(clone), *args],
                env=self.environment | environment, stdout=out, stderr=out, cwd=self.root,
            )  # fmt: skip
        self.running.append(process)
        return process

    def run(self, clone: Path, *args: str, **environment: str) -> tuple[int, str]:
        """Runs the command in a clone: its exit code, and what it said."""
        said = self.root / f"{clone.name}.said"
        before = said.stat().st_size if said.exists() else 0
        code = self.start(clone, *args, **environment).wait(timeout=300)
        return code, said.read_bytes()[before:].decode()

    def made(self) -> Counter[str]:
        """How often each recipient's message was made, by the server."""
        whole, _, _ = (self.log.read_text() if self.log.exists() else "").rpartition("\n")  # no line being written
        return Counter(json.loads(line)["to"] for line in whole.splitlines())

    def wait_for(self, count: int, *processes: subprocess.Popen[bytes]) -> None:
        """Waits until so many messages were made, or all processes ended."""
        while sum(self.made().values()) < count and any(process.poll() is None for process in processes):
            time.sleep(0.005)

    def records(self) -> list[dict[str, Any]]:
        """The records on the remote's branch, read here by git alone; none while nobody has pushed it."""
        if not self.git(self.origin, "branch", "--list", BRANCH):
            return []
        text = self.git(self.origin, "show", f"{BRANCH}:messages.lock")
        return [record for record in map(json.loads, text.splitlines()) if "key" in record]

    def known(self) -> dict[str, str]:
        """What the remote's ledger says of each recipient: sent, unknown, refused or free."""
        names = {self.key(who): who for who in self.people}
        rank = ["claimed", "unknown", "refused", "released", "sent"]
        attempts: dict[tuple[str, str], str] = {}
        for record in self.records():
            at = (names[record["key"]], record["attempt"])
            attempts[at] = max(attempts.get(at, "claimed"), record["status"], key=rank.index)
        found: dict[str, str] = {}
        order = ["released", "refused", "unknown", "sent"]
        for (who, _), status in attempts.items():
            now = status.replace("claimed", "unknown")
            found[who] = max(found.get(who, now), now, key=order.index)
        return found

    def faults(self) -> list[str]:
        """Duplicates, and what was made although the ledger does not tell, or tells otherwise."""
        made, known = self.made(), self.known()
        found = [f"{who} was made {count} times" for who, count in made.items() if count > 1]
        found += [f"{who}: made, and {known.get(who)}" for who in made if known.get(who) not in {"sent", "unknown"}]
        return found + [f"{who}: sent, and not made" for who, now in known.items() if now == "sent" and who not in made]

    @staticmethod
    def key(who: str) -> str:
        parts = json.dumps(["s3cret", "news", 1, "id", who], separators=(",", ":"))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    def close(self) -> None:
        for process in (*self.running, self.server):
            process.kill()
            process.wait()
        if self.server.stdout:
            self.server.stdout.close()


def rate(lock: str, recipients: int, limit: int, latency: float) -> float:
    """Messages a second of one apply, from the first one made to the last."""
    root = Path(tempfile.mkdtemp(prefix="git-ledger-"))
    team = Team(root, recipients, limit, latency, lock)
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


def filled(team: Team, lines: int) -> int:
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
    from runner.ledger import git  # noqa: PLC0415  # only here; the rest knows the product from outside
    from runner.ledger.branch import Branch  # noqa: PLC0415
    from runner.ledger.record import Record  # noqa: PLC0415
    from runner.ledger.remote import Remote, address  # noqa: PLC0415

    root = Path(tempfile.mkdtemp(prefix="git-ledger-"))
    team = Team(root, 1000, limit, 0.15)
    try:
        size = filled(team, lines)
        clone = team.clone("runner", "--depth=1")
        os.environ |= {name: value for name, value in team.environment.items() if name.startswith("GIT_")}
        with Remote(git.repository(clone), address("git+origin", "messages.lock")) as remote:
            began = time.monotonic()
            ledger = Branch(remote, clone / "rescue", "s3cret", "apply", lambda _: None)
            read = time.monotonic() - began
            times = []
            for batch in range(7):
                claims = [Record(f"{batch:016}{n:016}", f"RUN-{batch}-{n}", "claimed", "m", 1) for n in range(100)]
                began = time.monotonic()
                ledger.write(*claims)
                times.append(time.monotonic() - began)
        began = time.monotonic()
        code, said = team.run(team.clone("sender", "--depth=1"), "apply", "--yes", MSGRUN_GIT_RECORDS="1000000")
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
