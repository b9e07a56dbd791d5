"""A project whose ledger moves in the middle of sending: file, git branch, PostgreSQL, in any order."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.clones import Clone
from tests.support.project import people_message

MESSAGE = people_message("news")
PEOPLE = [f"p{number:03}" for number in range(120)]
BREAKERS = 'abort_if: {unknown: 1000, refused: "100%", after: 1000}\n'
# Of each part of the campaign: one refused, one made without an answer, one not made, and without an answer either.
TROUBLE = {
    f"p{start + at:03}": what
    for start in range(0, 120, 30)
    for at, what in ((4, "422"), (11, "500_after"), (17, "500_before"), (23, "500_before"))
}


@dataclass
class MovingLedger:
    """A project whose ledger is where `move` put it last, and what was ever decided by hand."""

    clone: Clone
    folder: Path
    count: int = 0
    decided: Counter[str] = field(default_factory=Counter)

    def run(self, code: int, *args: str) -> str:
        ran = self.clone.msgrun(*args)
        assert ran.code == code, ran.out + ran.err
        return ran.out + ran.err

    def exported(self) -> list[bytes]:
        """Every record of the ledger, in an order of their own."""
        self.count += 1
        path = self.folder / f"{self.count}.lock"
        self.run(0, "lock", "export", str(path))
        return sorted(line for line in path.read_bytes().splitlines() if b'"key"' in line)

    def send(self, limit: int) -> None:
        self.run(4, "apply", "--yes", "--limit", str(limit))

    def decide(self, *options: str) -> None:
        """Settles what Intercom did not make as not sent, and one that it made as sent."""
        made = {found["payload"]["to"]["id"]: found["id"] for found in self.clone.intercom.messages}
        for record in json.loads(self.run(0, "status", "--format", "json"))["deliveries"]:
            who = record.get("contact", "")
            if record["status"] in {"sent", "refused"} or who in self.decided:
                continue
            outcome = ["--sent", made[who]] if who in made else ["--not-sent"]
            if who in made and self.decided["made"]:
                continue  # stays unknown
            self.run(0, "resolve", record["key"], *outcome, "--yes", *options)
            self.decided.update([who, "made"] if who in made else [who])
            return

    def move(self, lock: str) -> None:
        """Moves the ledger, and shares that; before and after, each exports the same records."""
        before = self.exported()
        self.run(0, "lock", "move", lock, "--yes")
        self.share()
        assert self.exported() == before
        assert "is the current ledger" in self.run(0, "lock", "move", "--yes", lock)
        assert "has every record of" in self.run(0, "lock", "import", str(self.folder / f"{self.count - 1}.lock"))
        self.run(0, "lock", "verify")

    def share(self) -> None:
        """Commits what changed, and pushes it."""
        self.clone.git("add", "--all")
        self.clone.git("commit", "--quiet", "--allow-empty", "--message", "change")
        self.clone.git("push", "--quiet", "origin", "HEAD:main")

    def settings(self, lock: str) -> None:
        """Edits `lock:` of msgrun.yaml, and nothing else."""
        self.clone.remove_settings("lock")
        text = (self.clone.path / "msgrun.yaml").read_text("utf-8")
        self.clone.write("msgrun.yaml", text + (f"lock: {lock}\n" if lock else ""))

    def recipients(self) -> set[int]:
        """How often anybody was sent to."""
        return set(Counter(found["payload"]["to"]["id"] for found in self.clone.intercom.messages).values())
