"""Pushes the lockfile to its branch on the git remote, in a commit that changes nothing else.

It uses git's plumbing commands, so a detached HEAD, a shallow clone or a dirty work tree makes no difference.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from runner.errors import LedgerUnavailable
from runner.git.pushing import (
    MAX_TRIES,
    Wait,
    ci_job_url,
    create_commit,
    failure_reason,
    is_permanent_failure,
    push_options,
)
from runner.git.repository import GitFailed, Repository
from runner.ledger.lockfile.ledger import LockfileLedger

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where to push the lockfile: a remote, the full name of a branch, and the path from the top of the repository."""

    remote: str
    branch: str
    path: str

    def __str__(self) -> str:
        return f"{self.remote}/{self.branch.removeprefix('refs/heads/')}"


@dataclass(frozen=True, slots=True)
class PushResult:
    """The commit that was pushed, and how many lines it added to the lockfile."""

    commit: str
    line_count: int


def resolve_push_target(repository: Repository, lockfile: Path, branch: str | None) -> PushTarget:
    """Where to push the lockfile: to `branch` if it is given, else to the first of these that there is.

    They are the upstream of the checked-out branch, the branch of the CI job, and the remote's default branch.
    Raises LedgerUnavailable.
    """
    path = repository.relative_path(lockfile)
    if path is None:
        raise LedgerUnavailable(f"{lockfile} is outside of the git repository", "it cannot be committed there")
    remotes = repository.relevant_remotes()
    if not remotes:
        raise LedgerUnavailable("there is no remote to push to", "git remote add origin URL")
    if branch:
        return PushTarget(remotes[0], f"refs/heads/{branch.removeprefix('refs/heads/')}", path)
    try:
        remote_branch = next(repository.relevant_branches(), None)
    except GitFailed as error:
        raise LedgerUnavailable(error.message, "name the branch with --branch, or try again") from error
    if remote_branch is None:
        raise LedgerUnavailable(f"{remotes[0]} has no branch", "push the project's first commit")
    return PushTarget(*remote_branch, path)


def push_lockfile(repository: Repository, target: PushTarget, ledger: LockfileLedger, wait: Wait) -> PushResult | None:
    """Pushes the lines that the branch's lockfile lacks, on top of its newest commit; None if it lacks none.

    `wait` is called with the number of the try before each but the first. Raises GuardRefused, LedgerUnavailable.
    """
    return retry_push(lambda: _push_once(repository, target, ledger), target, wait)


def retry_push(attempt: Callable[[], Result], target: PushTarget, wait: Wait) -> Result:
    """The result of the first call of `attempt` that does not raise GitFailed, of at most MAX_TRIES calls.

    `wait` is called with the number of the try before each but the first. Raises LedgerUnavailable if every try fails,
    or at once if the failure is permanent.
    """
    for number in range(MAX_TRIES):
        if number:
            wait(number)
        try:
            return attempt()
        except GitFailed as error:
            output, is_last = error.output, number == MAX_TRIES - 1
            if is_permanent_failure(output) or is_last:
                raise LedgerUnavailable(
                    f"{target} did not take {target.path}: {failure_reason(error)}", _push_hint(target)
                ) from error
    raise AssertionError


def _push_once(repository: Repository, target: PushTarget, ledger: LockfileLedger) -> PushResult | None:
    tip = repository.fetch(target.remote, target.branch)
    if tip is None:
        raise LedgerUnavailable(f"there is no branch {target}", "push the branch first, or name another with --branch")
    theirs = repository.read_blob(tip, target.path) or b""
    lines = ledger.lines_missing_from(theirs, f"{target}:{target.path}")
    if not lines:
        return None
    gap = b"" if not theirs or theirs.endswith(b"\n") else b"\n"
    data = theirs + gap + lines
    blob = _write_blob(repository, data)
    count = lines.count(b"\n")
    commit = _create_file_commit(
        repository, tip, target.path, blob, f"Record what was sent: {count:,} lines in {target.path}"
    )
    # Replaces no commit that another clone pushed since, and restores none that was removed from the branch.
    lease = f"--force-with-lease={target.branch}:{tip}"
    repository.git(
        "push", "--porcelain", "--no-verify", lease, *push_options(), target.remote, f"{commit}:{target.branch}"
    )
    if _update_checked_out_branch(repository, target, tip, commit, blob):
        ledger.replace_file(data)
    return PushResult(commit, count)


def _create_file_commit(repository: Repository, parent: str, path: str, blob: str, message: str) -> str:
    """Creates a commit that changes one file of its parent, in an index of its own without what the user staged."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repository.git("read-tree", parent, extra_env=index)
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra_env=index)
        # --missing-ok: a partial clone lacks blobs of the parent's tree.
        tree = os.fsdecode(repository.git("write-tree", "--missing-ok", extra_env=index)).strip()
    text = f"{message}\n\n{ci_job_url(os.environ)}\n" if ci_job_url(os.environ) else f"{message}\n"
    return create_commit(repository, tree, text, "-p", parent)


def _update_checked_out_branch(repository: Repository, target: PushTarget, tip: str, commit: str, blob: str) -> bool:
    """Moves HEAD to the pushed commit, as a pull would, if the pushed branch is checked out at `tip`.

    Returns whether it did. The caller must then replace the lockfile in the work tree: otherwise the next pull would
    stop at a local change.
    """
    head = repository.try_git("symbolic-ref", "--quiet", "HEAD")
    if head != target.branch or repository.try_git("rev-parse", "HEAD") != tip:
        return False
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{target.path}")
    repository.git("update-ref", "-m", "msgrun lock push", head, commit, tip)
    return True


def _write_blob(repository: Repository, data: bytes) -> str:
    return os.fsdecode(repository.git("hash-object", "-w", "--stdin", stdin=data)).strip()


def _push_hint(target: PushTarget) -> str:
    return (
        f"let this job push to {target} (its token, and the rules of the branch); nothing is lost as long as this"
        f" {target.path} is kept: its lines, added to another clone's, are brought there by msgrun lock push"
    )


_LONGEST_PAUSE = 10.0  # seconds


def back_off(number: int) -> None:
    """Waits before a further try: longer each time, and a random time, so that two runs do not collide again."""
    longest = min(_LONGEST_PAUSE, 0.5 * 2**number)
    time.sleep(longest * (500 + secrets.randbelow(500)) / 1000)
