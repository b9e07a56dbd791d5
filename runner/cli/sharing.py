"""Commands that share the lockfile through the git remote: lock hold, lock push, lock free."""

import os
import secrets
import socket
import time

import click

from runner.cli.holding import lockfile_held, places, stamp
from runner.cli.options import EXIT, command
from runner.cli.session import Session, session
from runner.commit import Commit
from runner.errors import GuardRefused, LedgerUnavailable, UsageMistake
from runner.ledger import change, git
from runner.ledger import hold as holds
from runner.ledger import push as pushing
from runner.ledger.git import Repository
from runner.ledger.push import Target

_LONGEST_PAUSE = 10.0  # seconds
_BRANCH = click.option("--branch", metavar="NAME", help="The branch; without it the upstream, CI's, or the default.")


@command("hold")
@_BRANCH
def hold(branch: str | None) -> int:
    """Hold the ledger on the git remote, until lock push.

    Before a run in CI: if its machine is lost, so is what it knew; then the next run stops here instead of sending
    that again.
    """
    with session() as here:
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
    """
    with session() as here:
        repository, to = _shared(here, branch)
        with lockfile_held(here, "lock push", new_lock=False, no_fetch=True) as ledger:
            done = pushing.push(repository, to, ledger, _pause)
            if done is None:
                here.screen.result(f"{to} has all of {to.path}")
            else:
                here.screen.result(f"pushed {done.lines:,} lines of {to.path} to {to} as {done.commit[:10]}")
            holds.free(repository, to, _pause)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done


@command("free")
@click.option("--yes", is_flag=True, help="Do not ask.")
def free(*, yes: bool) -> int:
    """End a hold that nobody will end any more.

    What the run that had it sent may be known nowhere. Settle that first: look into Intercom, and let msgrun adopt
    count what went out.
    """
    with session() as here:
        repository, to = _shared(here, None)
        who = holds.holder(repository, to.remote, to.path)
        if not who:
            here.screen.result("nobody holds it")
            return EXIT.done
        here.confirmed(f"End the hold of {who}?", yes=yes)
        holds.free(repository, to, _pause, anybodys=True)
        here.screen.result(f"ended the hold of {who}")
        return EXIT.done


def unchanged(here: Session, ref: str) -> None:
    """Raises GuardRefused if the commits since `ref` change the lockfile; a new one without records is no change."""
    where = places(here)
    repository = git.repository(here.tree.root.resolve())
    path = repository.inside(where.lockfile) if repository else None
    if repository is None or path is None:
        raise UsageMistake(f"{where.shown} is in no git repository", "--against compares commits")
    base = repository.attempted("merge-base", ref, "HEAD")
    if not base:
        hint = "a shallow clone? Fetch more (fetch-depth: 2 for a pull request's merge commit, else 0)"
        raise UsageMistake(f"git knows no common ancestor of {ref} and HEAD", hint)
    from runner.cli.comparing import lockfile_at  # noqa: PLC0415  # imported where used

    was = lockfile_at(here, repository, Commit(ref, base))
    if changed := change.since(repository, base, was, path):
        back = f"git checkout {ref} -- {path}" if was == path else "put back lock: of msgrun.yaml"
        raise GuardRefused(str(changed), f"{back}: only msgrun lock push writes it, to the branch itself")


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


def _pause(number: int) -> None:
    """Waits before a further try: longer each time, and never as long as whoever was faster."""
    longest = min(_LONGEST_PAUSE, 0.5 * 2**number)
    time.sleep(longest * (500 + secrets.randbelow(500)) / 1000)
