"""A project whose ledger moves: its clones at all stages, and what holds at the end of every scenario."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import Clone, message
from tests.support.forked import Forked, program
from tests.support.postgres import Server
from tests.support.project import Ran

STEPS = ("mark_pending", "mark_moved", "copy_records", "mark_current", "save_current_ledger")
LEDGER_KINDS = ("lockfile", "branch", "database")
PAIRS = [(old, new) for old in LEDGER_KINDS for new in LEDGER_KINDS]
LOCAL_PAIRS = [pair for pair in PAIRS if "branch" not in pair]  # what a project without a remote can have
SETTINGS = """\
salt: rehearsal
from: {type: admin, id: "394051"}
abort_if: {unknown: 1000, refused: "100%", after: 1000}
vars: {region: all}
"""
REFUSED = {5, 6}
# A command, or a setting, that a hint prints. `or` begins another way.
_WAY = re.compile(r"(?:\w+=\S*[^\s.] )?\b(?:msgrun|git) [a-z-]+[^\n;,`()]*|\block: [^\s`;,]+")
_SHELL = """\
msgrun() {
    case "$*" in *"lock move"*|*--abandon*|*"lock import"*|*resolve*) set -- "$@" --yes;; esac
    $MSGRUN "$@"
}
"""
# Replaces one step of a move by its own death. `after` lets the step end first.
_KILLED = """\
import importlib, os, signal
is_last = name == "save_current_ledger"
move = importlib.import_module("runner.cli.commands.lock.move" if is_last else "runner.ledger.moves.move")
step = getattr(move, name)
def die(*values, **options):
    if when == "after":
        step(*values, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(move, name, die)
"""


def pairs(number: int, of: Sequence[tuple[str, str]] = PAIRS) -> list[Any]:
    """The pairs of kinds: pair `number` in every run, the others in the whole table."""
    return [
        pytest.param(*pair, id="-".join(pair), marks=[] if index == number % len(of) else table())
        for index, pair in enumerate(of)
    ]


def table() -> list[pytest.MarkDecorator]:
    """The marks of a row that only `pytest -m table` runs."""
    return [pytest.mark.proof, pytest.mark.table]


@dataclass
class Project:
    """A project of twelve recipients whose ledger moves, and all clones of it. `environment` is one of msgrun.yaml."""

    root: Path
    origin: Path
    intercom: Sandbox
    server: Server
    folder: str = "."
    environment: str = ""
    region: str = "all"
    people: list[str] = field(default_factory=lambda: [f"p{number:02}" for number in range(12)])
    clones: list[Clone] = field(default_factory=list)

    # What people do

    def address(self, kind: str, place: str = "first") -> str:
        """The address of a ledger of this kind. `place` tells two of one kind apart."""
        name = "_".join(part for part in (place, self.folder.strip("."), self.environment) if part)
        stem = f"{'messages' if place == 'first' else place}{self.environment and '.'}{self.environment}"
        return {
            "lockfile": f"{stem}.lock", "branch": f"git+origin#{name}", "database": f"{self.server.lock}#{name}",
        }[kind]  # fmt: skip

    def begin(self, kind: str, more: str = "", *, has_git: bool = True, has_remote: bool = True) -> Clone:
        """The author's clone of a project with a new ledger of this kind; pushed. `more` follows in its settings."""
        path = self.root / f"author{self.folder.strip('.')}"
        path.mkdir()
        if has_git:
            subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(path)], check=True)
        author = self._add(path)
        if has_remote:
            author.git("remote", "add", "origin", self.origin.as_uri())
            self.update(author)
        author.write("msgrun.yaml", f"{SETTINGS}lock: {self.address(kind)}\n{more}")
        author.write(".gitattributes", "*.lock -text merge=union\n")
        author.write(".gitignore", ".msgrun/\n")
        author.write("messages/news.yaml", message("news", *self.people, body='"Ponies for {{ region }}"'))
        self.share(author)
        assert self.run(author, "lock", "begin").code == 0
        self.share(author)
        return author

    def clone(self, name: str, *options: str, of: Path | None = None) -> Clone:
        path = self.root / name
        subprocess.run(["git", "clone", "--quiet", *options, (of or self.origin).as_uri(), str(path)], check=True)
        return self._add(path)

    def job(self, name: str, commit: str) -> Clone:
        """A checkout of one commit, as CI systems make it."""
        path = self.root / name
        path.mkdir()
        made = self._add(path)
        subprocess.run(["git", "init", "--quiet", str(path)], check=True)
        made.git("remote", "add", "origin", self.origin.as_uri())
        made.git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit)
        made.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        return made

    def run(self, clone: Clone, *args: str) -> Ran:
        return clone.msgrun(*(("-e", self.environment) if self.environment else ()), *args)

    def send(self, clone: Clone, limit: int) -> None:
        """Sends to so many, and shares what the ledger learned."""
        before = len(self.intercom.messages)
        assert self.run(clone, "apply", "--yes", "--limit", str(limit)).code in {0, 4}
        assert len(self.intercom.messages) > before
        self.share(clone)

    def share(self, clone: Clone) -> None:
        """Commits everything, and pushes it where there is a remote."""
        if not self._has_git(clone):
            return
        if clone.git("status", "--porcelain"):
            clone.commit()
        if "origin" in clone.git("remote").split():
            self.update(clone)
            clone.git("push", "--quiet", "origin", "HEAD:main")

    def update(self, clone: Clone) -> None:
        """Brings the newest commit of the remote into a clone."""
        if self.is_pushed:
            clone.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")

    def edit_lock(self, clone: Clone, address: str) -> None:
        """Names another address in msgrun.yaml, as somebody with an editor does."""
        path, indent = clone.path / "msgrun.yaml", "    " if self.environment else ""
        text, count = re.subn(rf"(?m)^{indent}lock: .*$", f"{indent}lock: {address}", path.read_text("utf-8"))
        assert count == 1
        path.write_text(text, "utf-8")

    def move(self, clone: Clone, to: str) -> Ran:
        return self.run(clone, "lock", "move", to, "--yes")

    def move_and_share(self, clone: Clone, to: str) -> str:
        """Moves the ledger. Returns the commit that says so."""
        assert self.move(clone, to).code == 0
        if self._has_git(clone):
            clone.commit()
            commit = clone.git("rev-parse", "HEAD")
            self.share(clone)
            return commit
        return ""

    def move_killed(self, clone: Clone, to: str, when: str, step: str) -> None:
        """A move whose process is killed before or after one of its steps."""
        before = f"when, name = {when!r}, {step!r}\n{_KILLED}"
        args = ("lock", "move", to, "--yes")
        process = Forked(args, subprocess.PIPE, self._environment(clone), folder=clone.path, before=before)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, printed

    def move_at_once(self, moves: Sequence[tuple[Clone, str]]) -> list[Ran]:
        """Several moves at the same time, each in a process of its own."""
        done: dict[int, Ran] = {}
        threads = [
            threading.Thread(
                target=lambda at=at, clone=clone, to=to: done.update({at: clone.process("lock", "move", to, "--yes")})
            )
            for at, (clone, to) in enumerate(moves)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [done[at] for at in range(len(moves))]

    def revert(self, clone: Clone, commit: str) -> None:
        """Reverts a commit. A lockfile that it added and that has changed since stays, as git proposes."""
        done = subprocess.run(
            ["git", "revert", "--no-commit", commit], cwd=clone.path, capture_output=True, text=True, check=False
        )
        clone.commit()
        assert not clone.git("grep", "-l", "<<<<<<<", "--", "msgrun.yaml", fails=True), done.stderr
        self.share(clone)

    def apply_in_background(self, clone: Clone) -> Forked:
        """An apply that takes seconds. Returns once it has made a message."""
        self.intercom.trouble.replace({"share": {"slow:0.8": 1}})
        run = Forked(("apply", "--yes"), subprocess.PIPE, self._environment(clone), folder=clone.path)
        for _ in range(400):
            if self.intercom.messages:
                return run
            time.sleep(0.05)
        run.kill()
        raise AssertionError(run.communicate()[0])

    # What holds

    def refused(self, clone: Clone, *args: str) -> Ran:
        """A command, by default an apply, that is refused, sends nothing, and says what to do."""
        before = len(self.intercom.messages)
        ran = self.run(clone, *(args or ("apply", "--yes", "--limit", "2")))
        assert ran.code in REFUSED
        assert len(self.intercom.messages) == before
        assert "hint: " in ran.err
        return ran

    def end(self, clone: Clone) -> None:
        """Sends the rest by the printed way; every other clone tries it as it is; then everybody has got it once."""
        self.send_the_rest(clone)
        self.share(clone)
        before = len(self.intercom.messages)
        for other in self.clones:
            ran = self.run(other, "apply", "--yes")
            assert ran.code in {0, 4} or (ran.code in REFUSED and "hint: " in ran.err)
        assert len(self.intercom.messages) == before, "a clone of before sends again"
        self.check(clone)

    def send_the_rest(self, clone: Clone) -> None:
        """Applies, and does what each refusal says, until nothing is left to send."""
        for _ in range(5):
            ran = self.run(clone, "apply", "--yes")
            if ran.code not in REFUSED:
                break
            self._follow(clone, ran)
        assert ran.code in {0, 4}

    def check(self, clone: Clone) -> None:
        """Nobody has got it twice, and nobody is forgotten, as the ledger of this clone knows."""
        body = f"Ponies for {self.region}"
        made = Counter(who for who, text in clone.sent() if text == body and who in self.people)
        assert not [who for who, count in made.items() if count > 1], "sent twice"
        known = json.loads(self.run(clone, "status", "--format", "json").out)["deliveries"]
        status = {found.get("contact") or found["to"].removeprefix("id:"): found["status"] for found in known}
        open_or_refused = {who for who, now in status.items() if now in {"unknown", "claimed", "refused"}}
        assert set(self.people) - made.keys() - open_or_refused == set(), "forgotten"
        assert made.keys() - {who for who, now in status.items() if now != "released"} == set(), "not in the ledger"

    def _follow(self, clone: Clone, ran: Ran) -> None:
        """Does what the hint says, in a shell; the first way, if it names several."""
        hint = ran.err.partition("hint: ")[2].removeprefix("if this commit is older than the move: git pull; else ")
        hint = re.split(r",? or |; if |; to ", hint)[0]
        ways = _WAY.findall(hint.replace("ADDRESS", self._named(clone)))
        assert ways, f"no way out: {ran.err}"
        for way in ways:
            print("follow:", way)
            if way.startswith("lock: "):
                self.edit_lock(clone, way.removeprefix("lock: ").strip("'"))
                self.share(clone)
                continue
            answer = " --yes" if "lock move" in way else ""  # there is no terminal to confirm on
            done = subprocess.run(
                ["bash", "-c", f"{_SHELL}{way}{answer}"],
                cwd=clone.path, env=self._environment(clone), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            print(done.returncode, done.stdout, done.stderr, sep="\n")
            assert done.returncode == 0, f"{way}: {done.stderr}"

    def _named(self, clone: Clone) -> str:
        """The address that msgrun.yaml of the clone names."""
        indent = "    " if self.environment else ""
        found = re.search(rf"(?m)^{indent}lock: (.*)$", (clone.path / "msgrun.yaml").read_text("utf-8"))
        assert found
        return found[1]

    @property
    def is_pushed(self) -> bool:
        done = subprocess.run(["git", "-C", str(self.origin), "rev-parse", "main"], capture_output=True, check=False)
        return done.returncode == 0

    def _has_git(self, clone: Clone) -> bool:
        return any((path / ".git").exists() for path in (clone.path, clone.path.parent))

    def _add(self, path: Path) -> Clone:
        made = Clone(path / self.folder, self.intercom)
        made.path.mkdir(exist_ok=True)
        self.clones.append(made)
        return made

    def _environment(self, clone: Clone) -> dict[str, str]:
        url = {"INTERCOM_BASE_URL": self.intercom.url, "INTERCOM_ACCESS_TOKEN": "secret-token"}
        return {**os.environ, "MSGRUN": program(), **url, **clone.env}
