"""Commands that share the ledger: lock begin, and through the git remote lock hold, lock push, lock free."""

import os
import secrets
import socket
import time
from dataclasses import replace

import click

from runner.cli.holding import held, home, is_elsewhere, known, lockfile_held, places, rescue_file, stamp
from runner.cli.options import EXIT, command
from runner.cli.session import Session, session
from runner.commit import Commit
from runner.declare.project import environment_names, load_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.ledger import change, git
from runner.ledger import hold as holds
from runner.ledger import push as pushing
from runner.ledger.facts import Facts
from runner.ledger.git import Repository
from runner.ledger.push import Target

_LONGEST_PAUSE = 10.0  # seconds
_BRANCH = click.option("--branch", metavar="NAME", help="The branch; without it the upstream, CI's, or the default.")


@command("begin")
def begin() -> int:
    """Start the ledger, without any record.

    Once, where nothing was sent yet: pushes the branch, makes the tables, or writes the lockfile that lock: of
    msgrun.yaml names. One that is there already stays as it is.
    """
    with session() as here:
        here.known_hosts.add(here.settings.lock)  # a person starts a ledger, and so vouches for its host
        there = home(here)
        if there.exists:
            here.screen.result(f"{there.shown} is there already")
            return EXIT.done
        if not (here.options.sandbox or is_elsewhere(here.settings.lock)):
            from runner.cli.moving import nothing_on_branch  # noqa: PLC0415  # imported where used

            nothing_on_branch(here, Facts())
        with held(here, "lock begin", new_lock=True, no_fetch=False):
            here.screen.result(f"started {there.shown}")
        return EXIT.done


@command("hold")
@_BRANCH
def hold(branch: str | None) -> int:
    """Hold the ledger on the git remote, until lock push.

    Before a run in CI: if its machine is lost, so is what it knew; then the next run stops here instead of sending
    that again. Only a lockfile needs it.
    """
    with session() as here:
        if _is_elsewhere(here):
            here.screen.result(f"{home(here).shown} needs no hold: it has every claim before anything is sent")
            return EXIT.done
        repository, to = _shared(here, branch)
        who = pushing.job(os.environ) or f"process {os.getpid()} on {socket.gethostname()}"
        holds.take(repository, to, f"{who}, since {stamp(here.now)}")
        here.screen.result(f"{to.path} is held on {to.remote} until msgrun lock push")
        return EXIT.done


@command("push")
@_BRANCH
def push(branch: str | None) -> int:
    """Commit the lockfile to its branch on the git remote.

    One commit with nothing else in it, on top of whatever the branch has by then, and tried again if somebody was
    faster. Ends the hold of this clone. Works on a detached HEAD, in a shallow clone and in a dirty work tree.
    To a ledger elsewhere it brings what apply could not: the lines of the rescue file in .git/msgrun.
    """
    with session() as here:
        if _is_elsewhere(here):
            return _brought_home(here)
        repository, to = _shared(here, branch)
        with lockfile_held(here, "lock push", new_lock=False, no_fetch=True) as ledger:
            done = pushing.push(repository, to, ledger, pause)
            if done is None:
                here.screen.result(f"{to} has all of {to.path}")
            else:
                here.screen.result(f"pushed {done.lines:,} lines of {to.path} to {to} as {done.commit[:10]}")
            holds.free(repository, to, pause)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done


@command("free")
@click.option("--yes", is_flag=True, help="Do not ask.")
def free(*, yes: bool) -> int:
    """End a hold that nobody will end any more.

    Or use a ledger again that moved to one that is lost for ever. What the run that had it sent, or the lost ledger
    knew, may be known nowhere. Settle that first: look into Intercom, and let msgrun adopt count what went out.
    """
    with session() as here:
        from runner.cli.arriving import away, back  # noqa: PLC0415  # imported where used

        if lost := away(here, home(here).read()):
            here.confirmed(f"Use {home(here).shown} again, and forget what {lost} knows?", yes=yes)
            with held(here, "lock free", new_lock=False, no_fetch=False) as ledger:
                back(here, ledger)
            here.screen.result(f"{home(here).shown} is the ledger again")
            return EXIT.done
        if _is_elsewhere(here):
            here.screen.result(f"{home(here).shown} needs no hold, and has none")
            return EXIT.done
        repository, to = _shared(here, None)
        who = holds.holder(repository, to.remote, to.path)
        if not who:
            here.screen.result("nobody holds it")
            return EXIT.done
        here.confirmed(f"End the hold of {who}?", yes=yes)
        holds.free(repository, to, pause, anybodys=True)
        here.screen.result(f"ended the hold of {who}")
        return EXIT.done


def nothing_planted(here: Session) -> None:
    """Raises GuardRefused if git tracks a file that only a run writes: what waits to be recorded, or in .msgrun/."""
    repository = git.repository(here.tree.root.resolve())
    for path in repository.tracked(here.tree.root) if repository else ():
        if path.endswith(".lock.rescue") or path.startswith(".msgrun/"):
            raise GuardRefused(
                f"git tracks {path}, and only msgrun itself writes such files", f"git rm --cached {path}, and commit"
            )


def unchanged(here: Session, ref: str) -> None:
    """Raises GuardRefused if the commits since `ref` change a lockfile; a new one without records is no change.

    Nor is a move to another kind of ledger that has all records. The lockfiles of all environments are compared,
    whichever the command names: a pull request has one check, not one for each.
    """
    repository = git.repository(here.tree.root.resolve())
    if repository is None:
        raise UsageMistake(f"{here.tree.root} is in no git repository", "--against compares commits")
    base = repository.attempted("merge-base", ref, "HEAD")
    if not base:
        hint = "a shallow clone? Fetch more (fetch-depth: 2 for a pull request's merge commit, else 0)"
        raise UsageMistake(f"git knows no common ancestor of {ref} and HEAD", hint)
    from runner.commit import tree_at  # noqa: PLC0415  # imported where used

    commit = Commit(ref, base)
    with tree_at(repository, commit, here.tree.root.resolve()) as tree:
        names = dict.fromkeys([here.options.environment, *_environments(here.tree), *_environments(tree)])
    for name in names:
        _unchanged_in(here, name, commit, repository)


def _environments(tree: Tree) -> list[str | None]:
    """The environments that a tree declares; none where its settings cannot be read."""
    try:
        return environment_names(tree)
    except ProblemsFound:
        return []


def _unchanged_in(chosen: Session, environment: str | None, commit: Commit, repository: Repository) -> None:
    """`unchanged` for one environment. One that is declared no more still has the lockfile that the commit names."""
    from runner.cli.comparing import lock_at  # noqa: PLC0415  # imported where used

    here = replace(chosen, options=replace(chosen.options, environment=environment))
    ref, base = commit.ref, commit.hash
    named = lock_at(here, commit, repository)
    if environment != chosen.options.environment:
        is_declared = environment in _environments(here.tree)
        settings = load_settings(here.tree, environment) if is_declared else replace(here.settings, lock=named)
        here = replace(here, settings=settings)
    if not _is_elsewhere(here):
        places(here)  # a link in its place is refused before git follows it
    if moved := move(here, repository, base, named):
        raise GuardRefused(moved, f"msgrun lock import brings them there; or put back lock: {named}")
    if is_elsewhere(named) or _is_elsewhere(here):
        return
    was, path = (repository.inside(here.tree.root / lock) for lock in (named, here.settings.lock))
    if was is None or path is None:
        raise UsageMistake(f"{here.settings.lock} is in no git repository", "--against compares commits")
    if changed := change.since(repository, base, was, path):
        back = f"git checkout {ref} -- {path}" if was == path else "put back lock: of msgrun.yaml"
        raise GuardRefused(str(changed), f"{back}: only msgrun lock push writes it, to the branch itself")


def move(here: Session, repository: Repository, base: str, named: str) -> str:
    """What a move from the ledger that a commit named to one of another kind leaves behind; empty if nothing.

    Raises GuardRefused, LedgerUnavailable, if one of the two cannot be read.
    """
    from runner.cli.tracing import Before, former, is_move, lacking  # noqa: PLC0415  # imported where used

    if not is_move(here, named):
        return ""
    missing, now = lacking(former(here, Before(named, base, repository, base)), known(here)), here.settings.lock
    return f"these commits move the ledger from {named} to {now}, which lacks {missing:,} records" if missing else ""


def _is_elsewhere(here: Session) -> bool:
    return is_elsewhere(here.settings.lock) and not here.options.sandbox


def _brought_home(here: Session) -> int:
    """Brings the lines of the rescue file to a ledger that is not in a file of the project."""
    shown = home(here).shown
    path = rescue_file(here, f"{here.settings.plan_file.removesuffix('.plan')}.lock")
    if not path.exists():
        here.screen.result(f"{shown} has all that was sent from here")
        return EXIT.done
    with held(here, "lock push", new_lock=False, no_fetch=False) as ledger:
        here.screen.result(f"{shown} has all of {path.name} now")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done


def _shared(here: Session, branch: str | None) -> tuple[Repository, Target]:
    """The repository around the project, and where its lockfile goes. Raises LedgerUnavailable, UsageMistake."""
    if here.options.sandbox:
        raise UsageMistake("a sandbox's ledger stays on this machine", "leave --sandbox out")
    where = places(here)
    repository = git.repository(here.tree.root.resolve())
    if repository is None:
        raise LedgerUnavailable(
            f"{here.tree.root} is in no git repository: {where.shown} can be pushed nowhere",
            "keep it where CI finds it",
        )
    return repository, pushing.target(repository, where.lockfile, branch)


def pause(number: int) -> None:
    """Waits before a further try: longer each time, and never as long as whoever was faster."""
    longest = min(_LONGEST_PAUSE, 0.5 * 2**number)
    time.sleep(longest * (500 + secrets.randbelow(500)) / 1000)
