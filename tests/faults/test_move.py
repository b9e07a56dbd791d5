"""A ledger that moves, killed at every step or while others send: nobody gets it twice, and nobody is forgotten."""

import contextlib
import json
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.clock import new_run_id
from runner.ledger.facts import Facts
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, salt_check
from runner.sandbox import Sandbox
from tests.support.branch_team import BranchTeam
from tests.support.forks import run_unwatched
from tests.support.postgres import Server
from tests.support.postgres_fleet import PostgresFleet
from tests.support.project import people_message
from tests.support.proof import proofs, table

MOST = 300  # steps; a move has far fewer
PEOPLE = [f"p{number}" for number in range(8)]
SETTINGS = 'salt: rehearsal\nfrom: {type: admin, id: "394051"}\n# of ours\nlock: LOCK\n'


class KillableMove:
    """A project with a remote, whose ledger of the kind `old` knows of half of the people. Each try begins with that.

    `clone` moves the ledger, and `stale` is a clone that hears nothing of it.
    """

    def __init__(self, root: Path, intercom: Sandbox, server: Server, old: str, new: str) -> None:
        self.root, self.intercom, self.server = root, intercom, server
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
        ran, said = run_unwatched(self.clone, *args, **environment)
        assert ran == code, said
        return said

    def exported(self) -> set[str]:
        return {line for line in self.run(0, "lock", "export").splitlines() if '"key"' in line}

    def sends(self, folder: Path, **environment: str) -> bool:
        """Tries to send one message. Returns whether it was sent; if not, the command was refused with a hint."""
        before = len(self.intercom.messages)
        code, said = run_unwatched(folder, "apply", "--yes", "--limit", "1", **environment)
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
WAYS = [(*pair, then, "before", 1) for pair in PAIRS for then in ("again", "cancel")]
WAYS += [(*pair, "send", "before", 3) for pair in PAIRS]
WAYS += [(*pair, then, "half", 1) for pair in PAIRS for then in ("again", "cancel")]


@pytest.mark.parametrize(
    ("old", "new", "then", "where", "stride"),
    [
        *proofs([("lockfile", "branch", "again", "before", 8)]),
        *table([("database", "branch", "cancel", "before", 8), *WAYS]),
    ],
)
def test_killed_at_every_step_of_a_move_one_ledger_takes_claims_and_has_all_records(then, where, stride, move):
    killed = 0
    for number in range(1, MOST, stride):
        move.begin_anew()
        code, said = run_unwatched(move.clone, "lock", "move", move.new, "--yes", die=f"{number}:{where}")
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
    least = 1 if where == "half" else 2  # a move writes one file of its own, msgrun.yaml
    assert least <= killed < MOST // stride  # else this proves little


def moved(move: KillableMove, address: str) -> tuple[int, str]:
    """Moves the ledger. A git that still goes on by itself may be in its way for a moment."""
    for _ in range(5):
        code, said = run_unwatched(move.clone, "lock", "move", address, "--yes")
        if code != 6:
            break
        time.sleep(0.2)
    return code, said


@contextlib.contextmanager
def paused(*processes: subprocess.Popen[Any]) -> Iterator[None]:
    """Stops processes in the middle of what they do, and lets them go on afterwards."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    assert all(process.poll() is None for process in processes)
    yield
    for process in processes:
        process.send_signal(signal.SIGCONT)


def settle(run: Any, way: str) -> list[dict[str, Any]]:
    """Sends the rest at the new ledger, when what the runs at the old one still did is known. Returns its records.

    `run` runs a command. To say that all unknown ones were not sent is safe: their late outcomes come first.
    """
    settled = ["--message", "news", "--all", "--not-sent", "--yes"] if way == "resolve" else ["--wait", "0"]
    code, said = run(way, *settled)
    assert code == 0, said
    code, said = run("apply", "--yes")
    assert code == 0, said
    code, said = run("lock", "export", "sent.lock")
    assert code == 0, said
    lines = (run.folder / "sent.lock").read_text().splitlines()
    return [json.loads(line) for line in lines if '"key"' in line]


class Runs:
    """Applies that are at work while their ledger moves, and the commands of who moves it."""

    def __init__(self, folder: Path, command: Any) -> None:
        self.folder, self.command = folder, command

    def __call__(self, *args: str) -> tuple[int, str]:
        return self.command(*args)


@pytest.mark.parametrize(
    ("new", "way", "is_early"),
    [*proofs([("branch", "resolve", False)]), *table((new, way, early) for new in ("branch", "lockfile", "database")
     for way in ("resolve", "reconcile") for early in (False, True))],
)  # fmt: skip
def test_workers_on_a_database_that_moves_stop_and_nobody_gets_it_twice(new, way, is_early, tmp_path, server):
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "fleet")], check=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "origin.git")], check=True)
    addresses = {"branch": f"git+{(tmp_path / 'origin.git').as_uri()}", "lockfile": "messages.lock"}
    fleet = PostgresFleet(tmp_path / "fleet", server, 240, message="news")
    run = Runs(fleet.root, fleet.run)
    try:
        fleet.begin()
        workers = [fleet.work() for _ in range(2)]
        fleet.wait_for(30)
        with paused(*workers):
            code, said = run("lock", "move", "--yes", addresses.get(new, f"{server.lock}#second"))
            assert code == 0, said
            if is_early:
                assert run("apply", "--yes")[0] in {0, 4}
        ended = [fleet.finish(worker) for worker in workers]
        assert {code for code, _ in ended} <= {4, 6}, ended
        # A worker that was paused for longer than its lease stops for that.
        assert all("moved to" in said or "lost contact with the ledger" in said for _, said in ended), ended
        made = fleet.made().total()
        assert is_early or made < 240
        judge(settle(run, way), fleet.made())
        assert len(fleet.made()) == 240
    finally:
        fleet.close()


@pytest.mark.parametrize(
    ("new", "way", "is_early"),
    [*proofs([("database", "reconcile", False)]), *table((new, way, early) for new in ("database", "lockfile", "branch")
     for way in ("resolve", "reconcile") for early in (False, True))],
)  # fmt: skip
def test_runs_on_a_branch_that_moves_stop_and_nobody_gets_it_twice(new, way, is_early, tmp_path, server):
    team = BranchTeam(tmp_path, 300, latency=0.03)
    try:
        mover, *clones = (team.clone(name) for name in ("mover", "one", "two"))
        run = Runs(mover, lambda *args: team.run(mover, *args))
        begun = run("lock", "begin")
        assert begun[0] == 0, begun
        for clone in (mover, *clones):
            team.share(mover) if clone == mover else team.git(clone, "pull", "-q")
        running = [team.start(clone, "apply", "--yes") for clone in clones]
        team.wait_for(30, *running)
        addresses = {"lockfile": "messages.lock", "branch": "git+origin#second", "database": f"{server.lock}#second"}
        with paused(*running):
            code, said = run("lock", "move", "--yes", addresses[new])
            assert code == 0, said
            team.share(mover)
            if is_early:
                assert run("apply", "--yes")[0] in {0, 4}
        codes = {process.wait(timeout=120) for process in running}
        said = "".join((team.root / f"{clone.name}.said").read_text() for clone in clones)
        assert (codes <= {4, 6}, "moved to" in said) == (True, True), said
        assert is_early or len(team.made()) < 300
        judge(settle(run, way), team.made())
        assert set(team.made()) == set(team.people)
    finally:
        team.close()


def judge(records: list[dict[str, Any]], made: Counter[str]) -> None:
    """Nobody got it twice, and the ledger knows of everybody who got it."""
    assert [who for who, count in made.items() if count > 1] == []
    assert {record["contact"] for record in records if record["status"] == "sent"} == set(made)


@pytest.mark.proof
def test_a_lockfile_that_a_run_writes_to_does_not_move_before_the_run_ends(tmp_path):
    team = BranchTeam(tmp_path, 200, latency=0.03, lock="lock: messages.lock")
    try:
        clone = team.clone("clone")
        assert team.run(clone, "lock", "begin")[0] == 0
        team.share(clone)
        process = team.start(clone, "apply", "--yes")
        team.wait_for(20, process)
        process.send_signal(signal.SIGSTOP)
        other = team.root / "clone.said"
        assert team.run(clone, "lock", "move", "--yes", "git+origin")[0] == 6
        assert f"held by msgrun apply, process {process.pid}" in other.read_text()
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=60) == 0, other.read_text()
        code, said = team.run(clone, "lock", "move", "--yes", "git+origin")
        assert code == 0, said
        team.share(clone)
        code, said = team.run(clone, "apply", "--yes")
        assert (code, team.faults(), set(team.known().values())) == (0, [], {"sent"}), said
    finally:
        team.close()


def test_a_torn_write_of_a_new_lockfile_that_is_being_filled_never_makes_it_current():
    facts = Facts()
    facts.add(Header("acme", salt_check("s3cret"), new_run_id(), MoveMark(1, "pending", "git+origin")))
    data = b"".join(header.to_line() for header in facts.headers.compacted("s3cret"))
    for size in range(1, len(data) + 1):
        torn = Facts()
        torn.read(data[:size], "messages.lock")
        assert not torn.headers or torn.mark.status == "pending", data[:size]
