"""Bringing the lockfile to its branch on the remote: one commit that changes nothing else.

Built from git's plumbing, so that a detached HEAD, a shallow clone or a dirty work tree makes no difference.
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
    """Where the lockfile goes: a remote, the full name of a branch there, and the path from the repository's top."""

    remote: str
    branch: str
    path: str

    def __str__(self) -> str:
        return f"{self.remote}/{self.branch.removeprefix('refs/heads/')}"


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did: the commit, and how many lines it added to the lockfile."""

    commit: str
    line_count: int


def resolve_push_target(repository: Repository, lockfile: Path, branch: str | None) -> PushTarget:
    """Where to push: the branch that is named, else the upstream, the CI job's, or the default branch.

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
        found = next(repository.relevant_branches(), None)
    except GitFailed as error:
        raise LedgerUnavailable(error.message, "name the branch with --branch, or try again") from error
    if found is None:
        raise LedgerUnavailable(f"{remotes[0]} has no branch", "push the project's first commit")
    return PushTarget(*found, path)


def push_lockfile(repository: Repository, to: PushTarget, ledger: LockfileLedger, wait: Wait) -> PushResult | None:
    """Commits what the branch's lockfile lacks, on top of whatever the branch has by now; None if it lacks nothing.

    `wait` is called with the number of the try before each but the first. Raises GuardRefused, LedgerUnavailable.
    """
    return retry_push(lambda: _tried(repository, to, ledger), to, wait)


def retry_push(attempt: Callable[[], Result], to: PushTarget, wait: Wait) -> Result:
    """The result of the first try that git lets through. Raises LedgerUnavailable if none is."""
    for number in range(MAX_TRIES):
        if number:
            wait(number)
        try:
            return attempt()
        except GitFailed as error:
            said, is_last = error.output, number == MAX_TRIES - 1
            if is_permanent_failure(said) or is_last:
                raise LedgerUnavailable(f"{to} did not take {to.path}: {failure_reason(error)}", _hint(to)) from error
    raise AssertionError


def _tried(repository: Repository, to: PushTarget, ledger: LockfileLedger) -> PushResult | None:
    tip = repository.fetch(to.remote, to.branch)
    if tip is None:
        raise LedgerUnavailable(f"there is no branch {to}", "push the branch first, or name another with --branch")
    theirs = repository.read_blob(tip, to.path) or b""
    lines = ledger.lines_missing_from(theirs, f"{to}:{to.path}")
    if not lines:
        return None
    gap = b"" if not theirs or theirs.endswith(b"\n") else b"\n"
    data = theirs + gap + lines
    blob = _written(repository, data)
    count = lines.count(b"\n")
    commit = _commit(repository, tip, to.path, blob, f"Record what was sent: {count:,} lines in {to.path}")
    lease = f"--force-with-lease={to.branch}:{tip}"  # nobody else's commit is ever replaced, nor a rewound one revived
    repository.git("push", "--porcelain", "--no-verify", lease, *push_options(), to.remote, f"{commit}:{to.branch}")
    if _follow(repository, to, tip, commit, blob):
        ledger.replace_file(data)
    return PushResult(commit, count)


def _commit(repository: Repository, parent: str, path: str, blob: str, message: str) -> str:
    """A commit that differs from its parent in one file; made in an index of its own, so nothing staged gets in."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repository.git("read-tree", parent, extra_env=index)
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra_env=index)
        # A partial clone lacks blobs that the parent has.
        tree = os.fsdecode(repository.git("write-tree", "--missing-ok", extra_env=index)).strip()
    text = f"{message}\n\n{ci_job_url(os.environ)}\n" if ci_job_url(os.environ) else f"{message}\n"
    return create_commit(repository, tree, text, "-p", parent)


def _follow(repository: Repository, to: PushTarget, tip: str, commit: str, blob: str) -> bool:
    """Where the branch itself is checked out, takes the commit over as a pull would; else leaves the clone alone.

    Whether it did: then the work tree's lockfile follows too, or the next pull would stumble over it.
    """
    head = repository.try_git("symbolic-ref", "--quiet", "HEAD")
    if head != to.branch or repository.try_git("rev-parse", "HEAD") != tip:
        return False
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{to.path}")
    repository.git("update-ref", "-m", "msgrun lock push", head, commit, tip)
    return True


def _written(repository: Repository, data: bytes) -> str:
    return os.fsdecode(repository.git("hash-object", "-w", "--stdin", stdin=data)).strip()


def _hint(to: PushTarget) -> str:
    return (
        f"let this job push to {to} (its token, and the rules of the branch); nothing is lost as long as this"
        f" {to.path} is kept: its lines, added to another clone's, are brought there by msgrun lock push"
    )


_LONGEST_PAUSE = 10.0  # seconds


def back_off(number: int) -> None:
    """Waits before a further try: longer each time, and never as long as whoever was faster."""
    longest = min(_LONGEST_PAUSE, 0.5 * 2**number)
    time.sleep(longest * (500 + secrets.randbelow(500)) / 1000)
