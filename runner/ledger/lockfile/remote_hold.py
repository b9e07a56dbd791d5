"""The hold: a ref on the git remote that lets only one clone send with a lockfile.

It lasts from before a run sends until its records are pushed. The lock file beside the lockfile is lost with its
machine, and so are the records of a lost CI runner. The hold stays: the next run finds it and stops, instead of sending
again what the lost runner sent. The ref is no branch.
"""

import os
import secrets
from urllib.parse import quote

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.pushing import Wait, create_commit
from runner.git.repository import GitFailed, Repository
from runner.ledger.location import explain_move
from runner.ledger.lockfile.upload import PushTarget, retry_push

_MOVED_PREFIX = "moved to "  # how the text of a hold begins that marks a ledger as moved; such a hold is for good


def acquire_hold(repository: Repository, target: PushTarget, owner: str) -> None:
    """Puts a hold with the text `owner` on the remote, if this clone has none there yet.

    Raises LedgerUnavailable if another clone holds the ledger or the remote refuses, GuardRefused if the ledger moved.
    """
    ref = _hold_ref(target.path)
    refuse_if_held(repository, target.remote, target.path)
    if _own_hold(repository, ref) and _remote_hold(repository, target.remote, ref):
        return
    tree = os.fsdecode(repository.git("mktree")).strip()
    # Without the random line, two owners of one name would make the same commit in one second, and both would send.
    commit = create_commit(repository, tree, f"{owner}\n\n{secrets.token_hex(8)}\n")
    repository.git("update-ref", ref, commit)
    try:
        # The lease expects no ref there, so of two clones that push at the same time only the first succeeds.
        repository.git(
            "push", "--porcelain", "--no-verify", f"--force-with-lease={ref}:", target.remote, f"{commit}:{ref}"
        )
    except GitFailed as error:
        if _remote_hold(repository, target.remote, ref) == commit:
            return  # it arrived, and only the answer was lost
        repository.git("update-ref", "-d", ref)
        refuse_if_held(repository, target.remote, target.path)
        hint = "the job's token needs the right to write to the repository"
        raise LedgerUnavailable(f"the ledger cannot be held on {target.remote}: {error.message}", hint) from error


def refuse_if_held(repository: Repository, remote: str, path: str, *, allow_moved: bool = False) -> None:
    """Raises LedgerUnavailable if another clone holds the ledger, GuardRefused if the ledger moved."""
    ref = _hold_ref(path)
    hold = _remote_hold(repository, remote, ref)
    if not hold:
        return
    owner = _read_hold_text(repository, remote, ref, hold)
    if (to := _parse_moved_to(owner)) and not allow_moved:
        raise GuardRefused(*explain_move(path, to))
    if to or hold == _own_hold(repository, ref):
        return
    raise LedgerUnavailable(
        f"the ledger is held on {remote} by {owner}",
        "if it still runs, wait; if its machine was lost, what it sent is known nowhere: look into Intercom,"
        " settle it (msgrun adopt NAME --no-fetch, for what went out), then msgrun lock free",
    )


def hold_owner(repository: Repository, remote: str, path: str) -> str:
    """The text of the hold, which names its owner; empty if there is no hold. Raises LedgerUnavailable."""
    ref = _hold_ref(path)
    hold = _remote_hold(repository, remote, ref)
    return _read_hold_text(repository, remote, ref, hold) if hold else ""


def mark_remote_moved(repository: Repository, target: PushTarget, to: str) -> None:
    """Puts a hold on a lockfile for good, because the ledger moved to the address `to`.

    So a clone that restores the lockfile learns from the remote that it moved. Does nothing if it is marked already.
    Raises LedgerUnavailable if the remote refuses, or the ledger is held.
    """
    owner = hold_owner(repository, target.remote, target.path)
    if _parse_moved_to(owner):
        return
    acquire_hold(repository, target, f"{_MOVED_PREFIX}{to}")
    if owner:  # of this clone: for a hold of another one, acquire_hold has raised
        raise LedgerUnavailable(f"the ledger is held on {target.remote} by {owner}", "msgrun lock push ends the hold")


def read_moved_to(repository: Repository, remote: str, path: str) -> str:
    """The address that the ledger moved to, as the remote records it; empty if it did not. Raises LedgerUnavailable."""
    return _parse_moved_to(hold_owner(repository, remote, path))


def release_hold(repository: Repository, target: PushTarget, wait: Wait, *, force: bool = False) -> bool:
    """Removes the hold from the remote, and returns whether it removed one.

    Without `force`, it removes only a hold that this clone acquired, and no mark of a move. `wait` is called with the
    number of the try before each but the first. Raises LedgerUnavailable.
    """
    ref = _hold_ref(target.path)

    def attempt() -> bool:
        hold = _remote_hold(repository, target.remote, ref)
        if not hold:
            return False
        is_ours = hold == _own_hold(repository, ref) and not _parse_moved_to(
            _read_hold_text(repository, target.remote, ref, hold)
        )
        if not (force or is_ours):
            return False
        lease = f"--force-with-lease={ref}:{hold}"
        repository.git("push", "--porcelain", "--no-verify", lease, target.remote, f":{ref}")
        return True

    released = retry_push(attempt, target, wait)
    if _own_hold(repository, ref) and not _remote_hold(repository, target.remote, ref):
        repository.git("update-ref", "-d", ref)
    return released


def _read_hold_text(repository: Repository, remote: str, ref: str, hold: str) -> str:
    """The text of a hold (its commit's subject), fetched from the remote if this clone does not have it."""
    if hold != _own_hold(repository, ref):
        repository.git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, ref)
    return os.fsdecode(repository.git("log", "-1", "--format=%s", hold)).strip()


def _parse_moved_to(owner: str) -> str:
    return owner.removeprefix(_MOVED_PREFIX) if owner.startswith(_MOVED_PREFIX) else ""


def _hold_ref(path: str) -> str:
    """The ref of a lockfile's hold. Dots and tildes are encoded: git refuses `..`, `~` and a final `.lock` in a ref."""
    return "refs/msgrun/held/" + quote(path, safe="").replace(".", "%2E").replace("~", "%7E")


def _own_hold(repository: Repository, ref: str) -> str:
    return repository.try_git("rev-parse", "--verify", "--quiet", ref) or ""


def _remote_hold(repository: Repository, remote: str, ref: str) -> str:
    return os.fsdecode(repository.git("ls-remote", remote, ref)).partition("\t")[0].strip()
