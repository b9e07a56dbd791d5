"""A hold on the ledger that stands on the remote: from before a run sends until what it sent was pushed.

The lock beside the lockfile dies with its machine, and so does what a lost CI runner knew. The hold outlives both: the
next run finds it and stops, instead of sending again what it cannot know of. It is a ref outside of all branches.
"""

import os
import secrets
from urllib.parse import quote

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.pushing import Wait, create_commit
from runner.git.repository import GitFailed, Repository
from runner.ledger.location import explain_move
from runner.ledger.lockfile.upload import PushTarget, retry_push

_MOVED = "moved to "  # so begins what the hold of a ledger says that is somewhere else for good


def acquire_hold(repository: Repository, to: PushTarget, who: str) -> None:
    """Holds the ledger, unless somebody does already. Raises LedgerUnavailable."""
    ref = _ref(to.path)
    refuse_if_held(repository, to.remote, to.path)
    if _mine(repository, ref) and _on_remote(repository, to.remote, ref):
        return
    tree = os.fsdecode(repository.git("mktree")).strip()
    # Two holders of one name in one second would make the same commit, and both take the other's for their own.
    commit = create_commit(repository, tree, f"{who}\n\n{secrets.token_hex(8)}\n")
    repository.git("update-ref", ref, commit)
    try:
        # The lease on nothing lets only the first of two that come at once succeed.
        repository.git("push", "--porcelain", "--no-verify", f"--force-with-lease={ref}:", to.remote, f"{commit}:{ref}")
    except GitFailed as error:
        if _on_remote(repository, to.remote, ref) == commit:
            return  # it arrived, and only the answer was lost
        repository.git("update-ref", "-d", ref)
        refuse_if_held(repository, to.remote, to.path)
        hint = "the job's token needs the right to write to the repository"
        raise LedgerUnavailable(f"the ledger cannot be held on {to.remote}: {error.message}", hint) from error


def refuse_if_held(repository: Repository, remote: str, path: str, *, allow_moved: bool = False) -> None:
    """Raises LedgerUnavailable if somebody else holds the ledger, GuardRefused if it moved."""
    ref = _ref(path)
    found = _on_remote(repository, remote, ref)
    if not found:
        return
    who = _told(repository, remote, ref, found)
    if (to := _moved(who)) and not allow_moved:
        raise GuardRefused(*explain_move(path, to))
    if to or found == _mine(repository, ref):
        return
    raise LedgerUnavailable(
        f"the ledger is held on {remote} by {who}",
        "if it still runs, wait; if its machine was lost, what it sent is known nowhere: look into Intercom,"
        " settle it (msgrun adopt NAME --no-fetch, for what went out), then msgrun lock free",
    )


def hold_owner(repository: Repository, remote: str, path: str) -> str:
    """Who holds the ledger, in words; empty if nobody does."""
    ref = _ref(path)
    found = _on_remote(repository, remote, ref)
    return _told(repository, remote, ref, found) if found else ""


def mark_remote_moved(repository: Repository, at: PushTarget, to: str) -> None:
    """Holds a lockfile for ever, because the ledger moved: wherever it comes back from, the remote tells.

    Raises LedgerUnavailable.
    """
    who = hold_owner(repository, at.remote, at.path)
    if _moved(who):
        return
    acquire_hold(repository, at, f"{_MOVED}{to}")
    if who:  # by this clone, or it could not be taken
        raise LedgerUnavailable(f"the ledger is held on {at.remote} by {who}", "msgrun lock push ends the hold")


def read_moved_to(repository: Repository, remote: str, path: str) -> str:
    """Where the ledger moved, as the remote tells; empty if it did not."""
    return _moved(hold_owner(repository, remote, path))


def release_hold(repository: Repository, to: PushTarget, wait: Wait, *, force: bool = False) -> bool:
    """Lets go of the hold if it is of a run of ours, or whosever it is; whether there was one.

    Raises LedgerUnavailable.
    """
    ref = _ref(to.path)

    def attempt() -> bool:
        found = _on_remote(repository, to.remote, ref)
        if not found:
            return False
        is_ours = found == _mine(repository, ref) and not _moved(_told(repository, to.remote, ref, found))
        if not (force or is_ours):
            return False
        lease = f"--force-with-lease={ref}:{found}"
        repository.git("push", "--porcelain", "--no-verify", lease, to.remote, f":{ref}")
        return True

    done = retry_push(attempt, to, wait)
    if _mine(repository, ref) and not _on_remote(repository, to.remote, ref):
        repository.git("update-ref", "-d", ref)
    return done


def _told(repository: Repository, remote: str, ref: str, found: str) -> str:
    """What a hold's commit says."""
    if found != _mine(repository, ref):
        repository.git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, ref)
    return os.fsdecode(repository.git("log", "-1", "--format=%s", found)).strip()


def _moved(who: str) -> str:
    return who.removeprefix(_MOVED) if who.startswith(_MOVED) else ""


def _ref(path: str) -> str:
    """The ref of a lockfile; no part of a ref may end with .lock or hold a tilde or two dots."""
    return "refs/msgrun/held/" + quote(path, safe="").replace(".", "%2E").replace("~", "%7E")


def _mine(repository: Repository, ref: str) -> str:
    return repository.try_git("rev-parse", "--verify", "--quiet", ref) or ""


def _on_remote(repository: Repository, remote: str, ref: str) -> str:
    return os.fsdecode(repository.git("ls-remote", remote, ref)).partition("\t")[0].strip()
