"""A ledger on a git branch: whatever dies, and whoever races, nobody gets a message twice, and nothing is forgotten."""

import contextlib
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.branch_team import BranchTeam
from tests.support.proof import proofs, table

PUSHES = """\
#!/bin/sh
for arg in "$@"; do case $arg in push) is_push=1;; *:refs/heads/msgrun-ledger) is_ours=1;; esac; done
if [ -n "$is_push" ] && [ -n "$is_ours" ]; then
    echo x >> COUNT
    n=$(wc -l < COUNT)
    if [ "$n" -gt 1 ] && [ $((n % 3)) = 0 ]; then WHAT; fi
fi
exec GIT "$@"
"""
LOST = 'GIT "$@" > /dev/null 2>&1; echo "fatal: the remote end hung up unexpectedly" >&2; exit 128'
LATE = '(sleep 0.$((n * 7 % 10)); GIT "$@") > /dev/null 2>&1 & echo "fatal: timed out" >&2; exit 128'
# What an SSH server does, and sometimes does no more in mid-push.
SSH = """\
#!/usr/bin/env python3
import os, random, subprocess, sys, threading, time
command = sys.argv[-1]
if "receive-pack" not in command or random.random() < 0.6:
    os.execvp("sh", ["sh", "-c", command])
process = subprocess.Popen(["sh", "-c", "exec " + command], start_new_session=True)
time.sleep(random.uniform(0, 0.06))
os.killpg(process.pid, 9)
sys.exit(255)
"""


@contextlib.contextmanager
def team(root: Path, recipients: int, **more: Any) -> Iterator[BranchTeam]:
    made = BranchTeam(root, recipients, **more)
    try:
        yield made
    finally:
        made.close()


def shim(root: Path, what: str) -> str:
    """A PATH with a git that pushes as an unreliable network does."""
    real = shutil.which("git")
    folder = root / "bin"
    folder.mkdir()
    text = PUSHES.replace("WHAT", what).replace("COUNT", str(root / "pushes")).replace("GIT", str(real))
    executable(folder / "git", text)
    return f"{folder}:/usr/bin:/bin"


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(("after", "recipients"), [(30, 120), *proofs([(170, 300)]), *table([(1, 400)])])
def test_a_runner_that_vanishes_with_all_its_files_leaves_at_most_a_batch_unknown(tmp_path, after, recipients):
    with team(tmp_path, recipients) as here:
        runner = here.clone("runner")
        process = here.start(runner, "apply", "--yes", "--new-lock")
        here.wait_for(after, process)
        process.kill()
        process.wait()
        shutil.rmtree(runner)
        code, said = here.run(here.clone("again", "--depth=1"), "apply", "--yes")
        known = list(here.known().values())
        assert (code, here.faults()) == (4 if "unknown" in known else 0, []), said
        assert known.count("unknown") <= 40
        assert known.count("sent") + known.count("unknown") == recipients


@pytest.mark.parametrize(("count", "recipients"), [(2, 80), *proofs([(5, 100)]), *table([(8, 160)])])
def test_racing_clones_make_every_message_once(tmp_path, count, recipients):
    with team(tmp_path, recipients) as here:
        clones = [here.clone(f"clone{number}") for number in range(count)]
        racing = [here.start(clone, "apply", "--yes", "--new-lock") for clone in clones]
        codes = [process.wait(timeout=300) for process in racing]
        said = "".join((here.root / f"{clone.name}.said").read_text() for clone in clones)
        assert here.faults() == [], said
        assert set(codes) <= {0, 4}, said
        assert set(here.known().values()) == {"sent"}
        assert len(here.made()) == recipients
        assert here.run(clones[0], "apply", "--yes")[0] == 0


@pytest.mark.proof
def test_a_claim_that_a_person_released_in_another_clone_is_never_posted(tmp_path):
    with team(tmp_path, 12, limit=10) as here:  # one a second, so the end of a batch of ten waits for some
        run, person = here.clone("run"), here.clone("person")
        process = here.start(run, "apply", "--yes", "--new-lock")
        here.wait_for(1, process)
        claimed = [record["key"] for record in here.records() if record["status"] == "claimed"]
        (released,) = (who for who in here.people if here.key(who) == claimed[-1])
        decide = ["resolve", claimed[-1], "--not-sent", "--yes"]
        assert here.run(person, *decide)[0] == 5  # it is being sent
        code, said = here.run_ahead(person, 180, *decide)  # for a clock that is ahead, the run is over
        assert (code, released in here.made()) == (0, False), said
        assert process.wait(timeout=120) == 0, (here.root / "run.said").read_text()
        assert (len(here.made()), here.made()[released], here.known()[released]) == (11, 0, "released")
        assert here.run(person, "apply", "--yes")[0] == 0
        assert (here.faults(), here.made()[released]) == ([], 1)


@pytest.mark.proof
def test_racing_clones_some_of_which_are_killed_make_no_message_twice(tmp_path):
    chance = random.Random(4)
    with team(tmp_path, 400) as here:
        for turn in range(3):
            clones = [here.clone(f"clone{turn}-{number}") for number in range(3)]
            racing = [here.start(clone, "apply", "--yes", "--new-lock") for clone in clones]
            here.wait_for(sum(here.made().values()) + chance.randint(5, 120), *racing)
            racing[0].kill()
            time.sleep(chance.uniform(0, 0.3))
            racing[1].send_signal(signal.SIGTERM)
            racing[2].kill()
            for process in racing:
                process.wait(timeout=60)
            for clone in clones:
                shutil.rmtree(clone)
        code, said = here.run(here.clone("last"), "apply", "--yes")
        known = list(here.known().values())
        assert (code, here.faults()) == (4 if "unknown" in known else 0, []), said
        assert known.count("unknown") <= 3 * 2 * 60
        assert known.count("sent") + known.count("unknown") == 400


@pytest.mark.proof
@pytest.mark.parametrize("what", [LOST, LATE])
def test_a_push_whose_answer_is_lost_or_that_comes_late_claims_nothing_twice(tmp_path, what):
    with team(tmp_path, 150) as here:
        path = shim(tmp_path, what)
        clones = [here.clone(f"clone{number}") for number in range(2)]
        racing = [here.start(clone, "apply", "--yes", "--new-lock", PATH=path) for clone in clones]
        codes = [process.wait(timeout=300) for process in racing]
        said = "".join((here.root / f"{clone.name}.said").read_text() for clone in clones)
        assert here.faults() == [], said
        assert set(codes) <= {0, 4}, said
        assert set(here.known().values()) == {"sent"}


@pytest.mark.proof
def test_a_remote_that_dies_in_mid_push_loses_nothing(tmp_path):
    with team(tmp_path, 100, lock=f"lock: git+ssh://host{tmp_path}/origin.git") as here:
        executable(tmp_path / "ssh", SSH)
        clone = here.clone("clone")
        ssh = {"GIT_SSH_COMMAND": str(tmp_path / "ssh"), "GIT_SSH_VARIANT": "simple"}
        for _ in range(20):
            code, said = here.run(clone, "apply", "--yes", "--new-lock", **ssh)
            # A killed process leaves its lock of the ref, which the people of a host remove.
            (here.origin / "refs/heads/msgrun-ledger.lock").unlink(missing_ok=True)
            assert here.faults() == [], said
            if code == 0:
                break
        assert set(here.known().values()) == {"sent"}, said


class Daemon:
    """A git server of its own, which may be killed with all its processes."""

    def __init__(self, root: Path) -> None:
        self.root, self.process = root, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"git://127.0.0.1:{self.port}/origin.git"
        self.start()

    def start(self) -> None:
        options = ["--export-all", "--enable=receive-pack", "--reuseaddr", "--listen=127.0.0.1", f"--port={self.port}"]
        command = ["git", "daemon", *options, f"--base-path={self.root}", str(self.root)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    made.kill()


@pytest.mark.proof
def test_a_git_server_that_is_killed_again_and_again_and_comes_back_costs_no_run_and_no_delivery(tmp_path, daemon):
    with team(tmp_path, 300) as here:
        clone = here.clone("clone")
        here.git(clone, "remote", "set-url", "origin", daemon.url)
        process = here.start(clone, "apply", "--yes", "--new-lock")
        for count in (20, 160):
            here.wait_for(count, process)
            daemon.kill()
            (here.origin / "refs/heads/msgrun-ledger.lock").unlink(missing_ok=True)
            time.sleep(0.3)
            daemon.start()
        code, said = process.wait(timeout=120), (tmp_path / "clone.said").read_text()
        assert (code, here.faults(), set(here.known().values())) == (0, [], {"sent"}), said


@pytest.mark.proof
@pytest.mark.table
def test_a_git_server_that_is_killed_for_good_stops_the_run_and_its_outcomes_wait(tmp_path, daemon):
    with team(tmp_path, 300) as here:
        clone = here.clone("clone")
        here.git(clone, "remote", "set-url", "origin", daemon.url)
        process = here.start(clone, "apply", "--yes", "--new-lock")
        here.wait_for(60, process)
        daemon.kill()
        (here.origin / "refs/heads/msgrun-ledger.lock").unlink(missing_ok=True)
        assert process.wait(timeout=200) == 6
        made = len(here.made())
        assert 60 <= made < 300
        assert here.run(clone, "apply", "--yes")[0] == 6
        assert len(here.made()) == made
        daemon.start()
        code, said = here.run(clone, "apply", "--yes")
        assert (code, here.faults(), set(here.known().values())) == (0, [], {"sent"}), said


def test_a_hook_that_rejects_keeps_everything_from_being_sent(tmp_path):
    with team(tmp_path, 12) as here:
        clone = here.clone("clone")
        executable(here.origin / "hooks/pre-receive", "#!/bin/sh\necho 'nobody pushes here'\nexit 1\n")
        code, said = here.run(clone, "apply", "--yes", "--new-lock")
        assert (code, here.made()) == (6, {})
        assert "nobody pushes here" in said
        (here.origin / "hooks/pre-receive").unlink()
        assert here.run(clone, "apply", "--yes", "--new-lock")[0] == 0
        assert (here.faults(), set(here.known().values())) == ([], {"sent"})


@pytest.mark.proof
@pytest.mark.parametrize("how", ["hook", pytest.param("gone", marks=pytest.mark.table)])
def test_outcomes_that_cannot_be_pushed_stop_the_run_and_are_kept_for_the_next(tmp_path, how):
    with team(tmp_path, 400) as here:
        clone, other = here.clone("clone"), here.clone("other")
        process = here.start(clone, "apply", "--yes", "--new-lock")
        here.wait_for(60, process)
        rescue = clone / ".git/msgrun" / f"{here.ledger_id()}.rescue"
        if how == "hook":
            executable(here.origin / "hooks/pre-receive", "#!/bin/sh\nexit 1\n")
        else:
            here.origin.rename(tmp_path / "elsewhere")
        assert process.wait(timeout=200) == 6
        made, said = len(here.made()), (tmp_path / "clone.said").read_text()
        assert 60 <= made < 400
        assert str(rescue) in said
        if how == "hook":
            (here.origin / "hooks/pre-receive").unlink()
        else:
            (tmp_path / "elsewhere").rename(here.origin)
        open_claims = list(here.known().values()).count("unknown")
        assert 1 <= open_claims <= 40
        code, told = here.run(other, "status")
        assert (code, f"{open_claims} deliver" in told) == (0, True), told
        code, said = here.run(clone, "apply", "--yes")
        assert (code, here.faults(), set(here.known().values())) == (0, [], {"sent"}), said
        assert not rescue.exists()


@pytest.mark.proof
def test_a_signal_brings_what_was_sent_to_the_remote(tmp_path):
    with team(tmp_path, 2000) as here:
        clone = here.clone("clone")
        process = here.start(clone, "apply", "--yes", "--new-lock")
        here.wait_for(150, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        assert here.faults() == []
        assert set(here.known().values()) <= {"sent", "released"}
        assert sum(now == "sent" for now in here.known().values()) == len(here.made())


@pytest.mark.proof
def test_a_killed_run_leaves_its_clone_whole_and_the_next_run_goes_on_in_it(tmp_path):
    with team(tmp_path, 400) as here:
        clone = here.clone("clone")
        process = here.start(clone, "apply", "--yes", "--new-lock")
        here.wait_for(100, process)
        process.kill()
        process.wait()
        here.git(clone, "fetch", "-q", "origin")
        here.git(clone, "fsck", "--strict")
        assert len(list((clone / ".git/msgrun").glob("objects-*"))) == 1
        code, said = here.run(clone, "apply", "--yes")
        known = list(here.known().values())
        assert (code, here.faults()) == (4 if "unknown" in known else 0, []), said
        assert (known.count("unknown") <= 40, len(known)) == (True, 400)
        assert list((clone / ".git/msgrun").glob("objects-*")) == []
