"""`msgrun lock hold`: what a lost machine knew stops the next run, instead of being sent again."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.clones import git_output, tip


@pytest.mark.usefixtures("author")
def test_a_lost_runner_stops_the_next_run_until_somebody_settled_it(job, origin, author):
    lost = job("1", tip(origin))
    assert lost.msgrun("lock", "hold").out == "messages.lock is held on origin until msgrun lock push\n"
    assert lost.msgrun("apply", "--yes").code == 0
    # The machine is gone, and all that it knew. Another job comes.
    later = job("2", tip(origin))
    for args in (("lock", "hold"), ("apply", "--yes"), ("adopt", "first", "--yes")):
        stopped = later.msgrun(*args)
        assert stopped.code == 6
        assert "held on origin by https://github.example/acme/mail/actions/runs/1, since 20" in stopped.err
        assert "msgrun lock free" in stopped.err
    assert len(author.sent()) == 3
    for name in ("first", "second"):
        assert later.msgrun("adopt", name, "--yes", "--no-fetch").code == 0
    asked = later.msgrun("lock", "free")
    assert (asked.code, "--yes" in asked.err) == (5, True)
    assert "ended the hold of https://github.example" in later.msgrun("lock", "free", "--yes").out
    assert later.msgrun("lock", "free", "--yes").out == "nobody holds it\n"
    assert later.msgrun("lock", "push").code == 0
    assert later.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


def test_a_push_ends_the_hold_also_if_there_was_nothing_to_push(job, origin):
    runner = job("1", tip(origin))
    runner.msgrun("lock", "hold")
    assert "held" in git_output(origin, "for-each-ref")
    assert runner.msgrun("lock", "hold").code == 0
    assert runner.msgrun("lock", "push").code == 0
    assert runner.msgrun("lock", "hold").code == 0
    assert runner.msgrun("apply", "--yes").code == 0
    assert runner.msgrun("lock", "push").code == 0
    assert "held" not in git_output(origin, "for-each-ref")
    assert job("2", tip(origin)).msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"


def test_a_push_of_another_clone_leaves_the_hold_alone(author, job, origin):
    job("1", tip(origin)).msgrun("lock", "hold")
    other = job("2", tip(origin))
    assert other.msgrun("lock", "push").code == 0
    assert other.msgrun("apply", "--yes").code == 6
    assert author.sent() == []


def test_plan_needs_nobody_to_let_go(job, origin):
    job("1", tip(origin)).msgrun("lock", "hold")
    assert job("2", tip(origin)).msgrun("plan").code == 0


def test_a_hold_that_the_remote_refuses_stops_the_job_before_it_sends(job, origin):
    path = origin / "hooks" / "pre-receive"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    runner = job("1", tip(origin))
    refused = runner.msgrun("lock", "hold")
    assert (refused.code, "cannot be held on origin" in refused.err) == (6, True)
    path.unlink()
    assert runner.msgrun("apply", "--yes").code == 0


def test_outside_of_ci_the_machine_is_named(author):
    assert author.msgrun("lock", "hold").code == 0
    author.git("update-ref", "-d", "refs/msgrun/held/messages%2Elock")
    assert "held on origin by process" in author.msgrun("apply", "--yes").err


def test_two_runs_of_one_job_that_come_in_one_second_do_not_both_hold(job, origin):
    commit = tip(origin)
    first, second = job("1", commit), job("2", commit)
    second.env["GITHUB_RUN_ID"] = "1"  # one job, started twice
    with ThreadPoolExecutor() as pool:
        codes = sorted(pool.map(lambda clone: clone.process("lock", "hold").code, (first, second)))
    assert codes == [0, 6]
