"""A ledger that moves: killed at every step, or moved while others send, it sends nothing twice and forgets nobody."""

import json
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.forks import Forks
from tests.support.postgres import Server
from tests.support.project import people_message
from tests.support.proof import proofs

MOST = 300  # steps; a move has far fewer
PEOPLE = [f"p{number}" for number in range(8)]
SETTINGS = 'salt: rehearsal\nfrom: {type: admin, id: "394051"}\n# of ours\nlock: LOCK\n'


class KillableMove:
    """A project with a remote, whose ledger of the kind `old` knows of half of the people. Each try begins with that.

    `clone` moves the ledger, and `stale` is a clone that hears nothing of it.
    """

    def __init__(self, root: Path, intercom: Sandbox, server: Server, old: str, new: str) -> None:
        self.root, self.intercom, self.server, self.forks = root, intercom, server, Forks()
        addresses = {"lockfile": "messages.lock", "branch": "git+origin", "database": f"{server.lock}#moving"}
        self.old, self.new = addresses[old], addresses[new]
        self.has_database = "database" in {old, new}
        self.clone, self.stale = root / "now/clone", root / "now/stale"
        (self.clone / "messages").mkdir(parents=True)
        self.git(root, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", "now/origin.git")
        self.git(self.clone, "init", "--quiet", "--initial-branch=main", "--template=")
        self.git(self.clone, "remote", "add", "origin", (root / "now/origin.git").as_uri())
        (self.clone / ".gitignore").write_text(".msgrun/\n")
        (self.clone / "msgrun.yaml").write_text(SETTINGS.replace("LOCK", self.old))
        (self.clone / "messages/news.yaml").write_text(people_message("news"))
        (self.clone / "people.csv").write_text("who\n" + "".join(f"{who}\n" for who in PEOPLE))
        self.share()
        self.run(0, "lock", "begin")
        self.share()
        self.run(0, "apply", "--yes", "--limit", str(len(PEOPLE) // 2))
        self.share()
        self.git(root / "now", "clone", "--quiet", "--template=", (root / "now/origin.git").as_uri(), "stale")
        self.records = self.exported()
        self.sent_before, self.begun = len(intercom.messages), len(intercom.messages)
        shutil.copytree(root / "now", root / "before", symlinks=True)
        if self.has_database:
            self._postgres().rows(f"CREATE DATABASE {server.database}_before TEMPLATE {server.database}")

    def begin_anew(self) -> None:
        """As if no move had ever begun."""
        shutil.rmtree(self.root / "now")
        shutil.copytree(self.root / "before", self.root / "now", symlinks=True)
        self.begun = len(self.intercom.messages)
        if self.has_database:
            name = self.server.database
            self._postgres().rows(f"DROP DATABASE {name} WITH (FORCE)")
            self._postgres().rows(f"CREATE DATABASE {name} TEMPLATE {name}_before")

    def close(self) -> None:
        self.forks.close()
        if self.has_database:
            self._postgres().rows(f"DROP DATABASE {self.server.database}_before")

    def git(self, folder: Path, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def share(self) -> None:
        """Commits everything, and pushes it."""
        self.git(self.clone, "add", "--all")
        self.git(self.clone, "commit", "--quiet", "--allow-empty", "--message", "change")
        self.git(self.clone, "push", "--quiet", "origin", "HEAD:main")

    def run(self, code: int, *args: str, **environment: str) -> str:
        ran, said = self.forks.run(self.clone, *args, **environment)
        assert ran == code, said
        return said

    def exported(self) -> set[str]:
        return {line for line in self.run(0, "lock", "export").splitlines() if '"key"' in line}

    def sends(self, folder: Path, **environment: str) -> bool:
        """Tries to send one message. Returns whether it was sent; if not, the command was refused with a hint."""
        before = len(self.intercom.messages)
        code, said = self.forks.run(folder, "apply", "--yes", "--limit", "1", **environment)
        assert (code, len(self.intercom.messages) - before) in {(0, 1), (5, 0), (6, 0)}, said
        assert code == 0 or "hint: " in said
        return code == 0

    def check(self, current: str, other: str, *, is_moved: bool) -> None:
        """That the one ledger takes claims and has all records, and the other one refuses; then sends the rest."""
        self.share()
        if is_moved:
            assert not self.sends(self.stale)
        assert not self.sends(self.clone, MSGRUN_LOCK=other)
        assert f"lock: {current}\n" in (self.clone / "msgrun.yaml").read_text()
        self.run(0, "apply", "--yes")
        assert self.run(0, "apply", "--yes").endswith("nothing to do\n")
        messages = self.intercom.messages
        made = Counter(
            found["payload"]["to"]["id"] for found in (*messages[: self.sent_before], *messages[self.begun :])
        )
        assert made == Counter(PEOPLE)
        known = self.exported()
        assert self.records <= known
        assert {json.loads(line)["contact"] for line in known if json.loads(line)["status"] == "sent"} == set(PEOPLE)

    def _postgres(self) -> Server:
        return Server(self.server.folder, self.server.bin, self.server.port)


@pytest.fixture
def move(old: str, new: str, tmp_path: Path, intercom: Sandbox, server: Server) -> Iterator[KillableMove]:
    one = KillableMove(tmp_path.resolve(), intercom, server, old, new)
    yield one
    one.close()


PAIRS = [("lockfile", "branch"), ("branch", "database"), ("database", "lockfile")]
PAIRS += [(new, old) for old, new in PAIRS]
# What follows the kill: the command again, its cancelling, or everybody who tries to send and then the command again.
WAYS = [(*pair, then, "before", 1) for pair in PAIRS for then in ("again", "cancel", "send")]
WAYS += [(*pair, then, "half", 1) for pair in PAIRS for then in ("again", "cancel")]


@pytest.mark.parametrize(
    ("old", "new", "then", "where", "stride"),
    [("lockfile", "branch", "again", "before", 9), ("database", "branch", "cancel", "before", 9), *proofs(WAYS)],
)
def test_killed_at_every_step_of_a_move_one_ledger_takes_claims_and_has_all_records(then, where, stride, move):
    killed = 0
    for number in range(1, MOST, stride):
        move.begin_anew()
        code, said = move.forks.run(move.clone, "lock", "move", move.new, "--yes", die=f"{number}:{where}")
        if code != -signal.SIGKILL:
            assert code == 0, said
            move.check(move.new, move.old, is_moved=True)
            break
        killed += 1
        print(number)
        if then == "send":
            sending = {lock for lock in (move.old, move.new) if move.sends(move.clone, MSGRUN_LOCK=lock)}
            assert len(sending) <= 1
        target = move.old if then == "cancel" else move.new
        code, said = moved(move, target)
        assert code == 0, said
        move.check(target, move.new if then == "cancel" else move.old, is_moved=then != "cancel")
    assert 2 <= killed < MOST // stride  # else this proves little


def moved(move: KillableMove, address: str) -> tuple[int, str]:
    """Moves the ledger. A git that still goes on by itself may be in its way for a moment."""
    for _ in range(5):
        code, said = move.forks.run(move.clone, "lock", "move", address, "--yes")
        if code != 6:
            break
        time.sleep(0.2)
    return code, said
