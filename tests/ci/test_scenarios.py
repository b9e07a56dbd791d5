"""A table of what may happen to a ledger that moves: nobody is sent to twice or forgotten, a way out is printed.

Each scenario is a row for every pair of kinds that it makes sense for. One pair of each is in every run,
but for what the tests of a move show too.
"""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import Clone, tip
from tests.support.ledger_scenarios import LOCAL_PAIRS, REFUSED, STEPS, Project, pairs
from tests.support.postgres import Server
from tests.support.proof import proofs, table

KINDS = ("old", "new")
# Where a move is killed, and how it ends. Each step by itself is in tests/ledger/moves/test_move.py.
IN_EVERY_RUN = ("before", "copy_records", "cancelled")
IN_THE_PROOFS = [("before", "mark_current", "finished"), ("after", "save_current_ledger", "cancelled")]
KILLS = [
    (when, step, ending)
    for when, step in (*(("before", step) for step in STEPS), ("after", STEPS[-1]))
    for ending in ("cancelled", "finished")
]


@pytest.fixture
def project(tmp_path: Path, origin: Path, intercom: Sandbox, server: Server) -> Project:
    """One message is made without an answer, and one is refused."""
    intercom.trouble.replace({"for": {"p01": "500_after", "p04": "422"}})
    return Project(tmp_path, origin, intercom, server)


def _moved(project: Project, old: str, new: str) -> tuple[Clone, str, str]:
    """The author's clone, the commit before the move, and that of the move. Both ledgers sent something."""
    author = project.begin(old)
    project.send(author, 3)
    before = author.git("rev-parse", "HEAD")
    moved = project.move_and_share(author, project.address(new, "second"))
    project.send(author, 3)
    return author, before, moved


@pytest.mark.parametrize(KINDS, pairs(0))
def test_after_a_reverted_move_no_clone_sends_until_it_goes_the_printed_way(
    project: Project, old: str, new: str
) -> None:
    author, _, moved = _moved(project, old, new)
    project.revert(author, moved)
    fresh = project.clone("fresh")
    for clone in (author, fresh, project.clone("shallow", "--depth=1")):
        project.refused(clone)
    project.end(fresh)


@pytest.mark.parametrize(KINDS, pairs(1))
def test_a_job_that_runs_again_on_the_commit_before_the_move_sends_nothing(
    project: Project, old: str, new: str
) -> None:
    _, before, _ = _moved(project, old, new)
    job = project.job("job", before)
    project.refused(job)
    job.git("checkout", "--quiet", "--force", before)
    project.end(project.job("again", tip(project.origin)))


@pytest.mark.parametrize(KINDS, pairs(2))
def test_a_shallow_clone_of_a_moved_project_sends_only_what_is_left(project: Project, old: str, new: str) -> None:
    _moved(project, old, new)
    shallow = project.clone("shallow", "--depth=1")
    project.send(shallow, 2)
    project.end(shallow)


@pytest.mark.parametrize(KINDS, pairs(3))
def test_a_lock_that_is_edited_to_an_empty_place_begins_no_ledger(project: Project, old: str, new: str) -> None:
    author = project.begin(old)
    project.send(author, 3)
    project.edit_lock(author, project.address(new, "second"))
    project.refused(author)
    project.refused(author, "apply", "--yes", "--new-lock")
    project.refused(author, "lock", "begin")
    project.share(author)
    fresh = project.clone("fresh")
    project.refused(fresh)
    fresh.env["MSGRUN_LOCK"] = project.address(old)  # git log shows it
    assert project.move(fresh, project.address(new, "second")).code == 0
    del fresh.env["MSGRUN_LOCK"]
    project.end(fresh)


@pytest.mark.parametrize(KINDS, pairs(4))
def test_a_lock_that_is_edited_to_the_place_that_was_left_sends_nothing(project: Project, old: str, new: str) -> None:
    author, *_ = _moved(project, old, new)
    project.edit_lock(author, project.address(old))
    project.refused(author)
    project.share(author)
    fresh = project.clone("fresh", "--depth=1")
    project.refused(fresh)
    project.end(author)


@pytest.mark.parametrize(
    ("when", "step", "ending"),
    [
        IN_EVERY_RUN,
        *proofs(IN_THE_PROOFS),
        *table(kill for kill in KILLS if kill not in {IN_EVERY_RUN, *IN_THE_PROOFS}),
    ],
)
@pytest.mark.parametrize(KINDS, pairs(5))
def test_a_move_that_is_killed_at_any_step_is_finished_or_cancelled_by_the_next(
    project: Project, old: str, new: str, when: str, step: str, ending: str
) -> None:
    author = project.begin(old)
    project.send(author, 3)
    other = project.clone("other")
    project.move_killed(author, project.address(new, "second"), when, step)
    project.run(other, "apply", "--yes", "--limit", "2")  # sent or refused
    project.share(other)
    to = project.address(new, "second") if ending == "finished" else project.address(old)
    assert project.run(author, "lock", "move", to, "--yes").code == 0
    project.share(author)
    project.end(author)


@pytest.mark.parametrize(KINDS, pairs(6))
def test_a_move_during_a_run_loses_no_outcome(project: Project, old: str, new: str) -> None:
    # The run must not end before the move, however slow the machine is.
    project.people = [f"p{number:02}" for number in range(600)]
    author = project.begin(old)
    mover = author if old == "lockfile" else project.clone("mover")
    run = project.apply_in_background(author)
    moved = project.move(mover, project.address(new, "second"))
    project.intercom.trouble.replace({})
    print(run.communicate()[0])
    if old == "lockfile":
        assert run.returncode == 0
        assert moved.code == 6  # the run has locked it
        author.git("checkout", "--quiet", "msgrun.yaml")
    else:
        # A slow machine may have sent all by then. In tests/faults/test_move.py the runs are held while it moves.
        assert moved.code == 0
        project.share(mover)
        project.run(mover, "resolve", "--message", "news", "--all", "--not-sent", "--yes")
    project.end(mover)


@pytest.mark.proof
@pytest.mark.parametrize(KINDS, pairs(7))
def test_of_two_moves_at_once_exactly_one_wins(project: Project, old: str, new: str) -> None:
    author = project.begin(old)
    project.send(author, 3)
    places = [(project.clone(place), project.address(new, place)) for place in ("second", "third")]
    done = project.move_at_once(places)
    assert sorted(ran.code in REFUSED for ran in done) == [False, True]
    (winner, _), (loser, _) = places if done[0].code == 0 else places[::-1]
    project.share(winner)
    project.refused(author)
    loser.git("checkout", "--quiet", "msgrun.yaml")
    project.update(loser)
    project.end(loser)


@pytest.mark.proof
@pytest.mark.parametrize(KINDS, pairs(8))
def test_a_ledger_that_comes_back_knows_what_was_sent_elsewhere(project: Project, old: str, new: str) -> None:
    author = project.begin(old)
    project.send(author, 3)
    first = project.clone("first")
    project.move_and_share(author, project.address(new, "second"))
    project.send(author, 3)
    second = project.clone("second")
    project.move_and_share(author, project.address(old))
    project.refused(second)
    project.run(first, "apply", "--yes", "--limit", "1")  # sends one, or is refused
    project.share(first)
    project.update(second)
    project.send(second, 1)
    project.end(author)


@pytest.mark.parametrize(KINDS, pairs(0))
def test_the_variable_makes_no_other_ledger_current(project: Project, old: str, new: str) -> None:
    author, *_ = _moved(project, old, new)
    fresh = project.clone("fresh")
    for clone in (author, fresh):
        clone.env["MSGRUN_LOCK"] = project.address(old)
        project.refused(clone)
    for kind in {old, new}:
        fresh.env["MSGRUN_LOCK"] = project.address(kind, "third")
        project.refused(fresh)
        project.refused(fresh, "apply", "--yes", "--new-lock")
    for clone in (author, fresh):
        del clone.env["MSGRUN_LOCK"]
    project.end(fresh)


@pytest.mark.parametrize(KINDS, pairs(1))
def test_a_fork_of_before_the_move_sends_nothing(project: Project, old: str, new: str) -> None:
    author = project.begin(old)
    project.send(author, 3)
    fork = project.root / "fork.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(project.origin), str(fork)], check=True)
    project.move_and_share(author, project.address(new, "second"))
    project.send(author, 3)
    forked = project.clone("forked", of=fork)
    forked.git("remote", "add", "upstream", project.origin.as_uri())
    project.refused(forked)
    project.refused(project.clone("bare", of=fork))  # msgrun.yaml names the main repository
    project.end(project.clone("main"))


@pytest.mark.parametrize("has_git", [pytest.param(True, id="git"), pytest.param(False, id="no-git")])
@pytest.mark.parametrize(KINDS, pairs(2, of=LOCAL_PAIRS))
def test_a_project_without_a_remote_sends_nothing_with_the_ledger_that_it_left(
    project: Project, old: str, new: str, *, has_git: bool
) -> None:
    author = project.begin(old, has_git=has_git, has_remote=False)
    project.send(author, 3)
    before = (author.path / "msgrun.yaml").read_text("utf-8")
    moved = project.move_and_share(author, project.address(new, "second"))
    project.send(author, 3)
    if has_git:
        project.revert(author, moved)
    else:
        author.write("msgrun.yaml", before)
    project.refused(author)
    project.end(author)


@pytest.mark.proof
@pytest.mark.parametrize(KINDS, pairs(3))
def test_a_move_leaves_the_other_project_of_the_repository_alone(project: Project, old: str, new: str) -> None:
    one, other = (
        replace(project, folder=name, people=[f"{name}{number}" for number in range(9)], clones=[]) for name in "ab"
    )
    first, second = one.begin(old), other.begin(old)
    one.send(first, 3)
    other.send(second, 3)
    moved = one.move_and_share(first, one.address(new, "second"))
    one.send(first, 3)
    other.send(second, 3)
    other.send(other.clone("fresh-other", "--depth=1"), 1)
    one.revert(first, moved)
    one.refused(one.clone("fresh-one", "--depth=1"))
    other.end(second)
    one.end(first)


@pytest.mark.proof
@pytest.mark.parametrize("moving", ["default", *table(["eu"])])
@pytest.mark.parametrize(KINDS, pairs(4))
def test_a_move_leaves_the_other_environment_alone(project: Project, old: str, new: str, moving: str) -> None:
    eu = replace(project, environment="eu", region="eu", clones=project.clones)
    author = project.begin(old, f"environments:\n  eu:\n    vars: {{region: eu}}\n    lock: {eu.address(old)}\n")
    assert eu.run(author, "lock", "begin").code == 0
    project.share(author)
    for environment in (project, eu):
        environment.send(author, 3)
    one, other = (project, eu) if moving == "default" else (eu, project)
    moved = one.move_and_share(author, one.address(new, "second"))
    for environment in (project, eu):
        environment.send(author, 3)
    other.send(other.clone("fresh", "--depth=1"), 1)
    project.revert(author, moved)
    one.refused(author)
    for environment in (one, other):
        environment.end(author)
