"""A ledger on a branch of a bare remote, clones that apply, and the server whose log says what was made."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.forked import Forked
from tests.support.processes import SUPPORT, environment, start_intercom
from tests.support.project import ROOT, people_message

BRANCH = "msgrun-ledger"
SETTINGS = """\
salt: s3cret
LOCK
from: {type: admin, id: "394051"}
limits: {recipients_per_message: 1000000, recipients_per_apply: 1000000}
abort_if: {unknown: 1000000, refused: "100%", after: 1000000}
rate: {share: 1}
"""
WHO = {f"GIT_{role}_{what}": "t@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class BranchTeam:
    """A bare remote with a project, the server that counts, and clones."""

    root: Path
    recipients: int
    limit: int = 0
    latency: float = 0.01
    lock: str = "lock: git+origin"
    running: list[Forked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.origin, self.log = self.root / "origin.git", self.root / "made.jsonl"
        self.server = start_intercom(self.log, "--limit", str(self.limit), "--latency", str(self.latency))
        self.environment = environment(self.server.url) | WHO
        self.environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        self.git(self.root, "init", "-q", "--bare", "-b", "main", str(self.origin))
        author = self.root / "author"
        (author / "messages").mkdir(parents=True)
        (author / "msgrun.yaml").write_text(SETTINGS.replace("LOCK", self.lock))
        (author / "messages/news.yaml").write_text(people_message("news"))
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

    def share(self, clone: Path) -> None:
        """Commits everything in a clone, and pushes it."""
        self.git(clone, "add", "--all", "--", ":!.msgrun")
        self.git(clone, "commit", "-q", "-m", "change")
        self.git(clone, "push", "-q", "origin", "HEAD:main")

    def start(self, clone: Path, *args: str, **environment: str) -> Forked:
        """Starts the command in a clone; what it says is in `said` beside the clones."""
        with (self.root / f"{clone.name}.said").open("ab") as out:
            process = Forked(["-C", str(clone), *args], out, self.environment | environment, folder=self.root)
        self.running.append(process)
        return process

    def run(self, clone: Path, *args: str, **environment: str) -> tuple[int, str]:
        """Runs the command in a clone: its exit code, and what it said."""
        said = self.root / f"{clone.name}.said"
        before = said.stat().st_size if said.exists() else 0
        code = self.start(clone, *args, **environment).wait(timeout=300)
        return code, said.read_bytes()[before:].decode()

    def run_ahead(self, clone: Path, seconds: int, *args: str) -> tuple[int, str]:
        """As `run`, on a machine whose clock is so many seconds ahead."""
        done = subprocess.run(
            [sys.executable, "-m", "runner", "-C", str(clone), *args],
            env=self.environment | {"PYTHONPATH": f"{ROOT}:{SUPPORT / 'shim'}", "FAULTS_CLOCK": f"0:{seconds}"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout

    def made(self) -> Counter[str]:
        """How often each recipient's message was made, by the server."""
        whole, _, _ = (self.log.read_text() if self.log.exists() else "").rpartition("\n")  # no line being written
        return Counter(json.loads(line)["to"] for line in whole.splitlines())

    def wait_for(self, count: int, *processes: Forked) -> None:
        """Waits until so many messages were made, or all processes ended."""
        while sum(self.made().values()) < count and any(process.poll() is None for process in processes):
            time.sleep(0.005)

    def lines(self) -> list[dict[str, Any]]:
        """The headers and records on the remote's branch, read here by git alone; none while nobody has pushed it."""
        if not self.git(self.origin, "branch", "--list", BRANCH):
            return []
        return [json.loads(line) for line in self.git(self.origin, "show", f"{BRANCH}:messages.lock").splitlines()]

    def records(self) -> list[dict[str, Any]]:
        """The records on the remote's branch."""
        return [line for line in self.lines() if "key" in line]

    def ledger_id(self) -> str:
        """The id of the ledger on the remote's branch."""
        (found,) = {line["ledger"] for line in self.lines() if line.get("ledger")}
        return str(found)

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
        for process in self.running:
            process.kill()
            process.wait()
        self.server.close()
