"""Bringing the lockfile to its branch on the remote: one commit that changes nothing else.

Built from git's plumbing, so that a detached HEAD, a shallow clone or a dirty work tree makes no difference.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from runner.errors import LedgerUnavailable
from runner.ledger.git import GitFailed, Repository
from runner.ledger.lockfile import Lockfile

TRIES = 8
Wait = Callable[[int], None]
Found = TypeVar("Found")
# Answers that no second try changes: the branch's rules, or the right to write at all.
_RACE = re.compile(
    r"lock|incorrect old value|failed to update ref|already exists|stale|missing necessary|unpacker", re.IGNORECASE
)
_FORBIDDEN = re.compile(r"\b40[13]\b|denied|authentication failed|could not read username|read-only", re.IGNORECASE)
_AUTHOR = ("msgrun", "msgrun@users.noreply.invalid")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the lockfile goes: a remote, the full name of a branch there, and the path from the repository's top."""

    remote: str
    branch: str
    path: str

    def __str__(self) -> str:
        return f"{self.remote}/{self.branch.removeprefix('refs/heads/')}"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: the commit, and how many lines it added to the lockfile."""

    commit: str
    lines: int


def target(repository: Repository, lockfile: Path, branch: str | None) -> Target:
    """Where to push: the branch that is named, else the upstream, the CI job's, or the default branch.

    Raises LedgerUnavailable.
    """
    path = repository.inside(lockfile)
    if path is None:
        raise LedgerUnavailable(f"{lockfile} is outside of the git repository", "it cannot be committed there")
    remotes = repository.remotes()
    if not remotes:
        raise LedgerUnavailable("there is no remote to push to", "git remote add origin URL")
    if branch:
        return Target(remotes[0], f"refs/heads/{branch.removeprefix('refs/heads/')}", path)
    try:
        found = next(repository.branches(), None)
    except GitFailed as error:
        raise LedgerUnavailable(error.message, "name the branch with --branch, or try again") from error
    if found is None:
        raise LedgerUnavailable(f"{remotes[0]} has no branch", "push the project's first commit")
    return Target(*found, path)


def push(repository: Repository, to: Target, ledger: Lockfile, wait: Wait) -> Pushed | None:
    """Commits what the branch's lockfile lacks, on top of whatever the branch has by now; None if it lacks nothing.

    `wait` is called with the number of the try before each but the first. Raises GuardRefused, LedgerUnavailable.
    """
    return insisted(lambda: _tried(repository, to, ledger), to, wait)


def insisted(attempt: Callable[[], Found], to: Target, wait: Wait) -> Found:
    """The result of the first try that git lets through. Raises LedgerUnavailable if none is."""
    for number in range(TRIES):
        if number:
            wait(number)
        try:
            return attempt()
        except GitFailed as error:
            said, is_last = error.said, number == TRIES - 1
            if is_final(said) or is_last:
                raise LedgerUnavailable(f"{to} did not take {to.path}: {reason(error)}", _hint(to)) from error
    raise AssertionError


def _tried(repository: Repository, to: Target, ledger: Lockfile) -> Pushed | None:
    tip = repository.fetched(to.remote, to.branch)
    if tip is None:
        raise LedgerUnavailable(f"there is no branch {to}", "push the branch first, or name another with --branch")
    theirs = repository.blob(tip, to.path) or b""
    lines = ledger.lacking(theirs, f"{to}:{to.path}")
    if not lines:
        return None
    gap = b"" if not theirs or theirs.endswith(b"\n") else b"\n"
    data = theirs + gap + lines
    blob = _written(repository, data)
    count = lines.count(b"\n")
    commit = _commit(repository, tip, to.path, blob, f"Record what was sent: {count:,} lines in {to.path}")
    lease = f"--force-with-lease={to.branch}:{tip}"  # nobody else's commit is ever replaced, nor a rewound one revived
    repository.git("push", "--porcelain", "--no-verify", lease, *options(), to.remote, f"{commit}:{to.branch}")
    if _follow(repository, to, tip, commit, blob):
        ledger.become(data)
    return Pushed(commit, count)


def _commit(repository: Repository, parent: str, path: str, blob: str, message: str) -> str:
    """A commit that differs from its parent in one file; made in an index of its own, so nothing staged gets in."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repository.git("read-tree", parent, extra=index)
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra=index)
        # A partial clone lacks blobs that the parent has.
        tree = os.fsdecode(repository.git("write-tree", "--missing-ok", extra=index)).strip()
    text = f"{message}\n\n{job(os.environ)}\n" if job(os.environ) else f"{message}\n"
    return committed(repository, tree, text, "-p", parent)


def committed(
    repository: Repository, tree: str, message: str, *args: str, extra: Mapping[str, str] | None = None
) -> str:
    """A new commit object. `extra` are environment variables; without any it is by `author`."""
    environment = author(repository) if extra is None else extra
    made = repository.git("commit-tree", tree, *args, stdin=message.encode(), extra=environment)
    return os.fsdecode(made).strip()


def author(repository: Repository) -> dict[str, str]:
    """Variables for whom git's settings name, else for msgrun: CI machines often have nobody configured."""
    known = repository.attempted("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    who = dict(zip(("NAME", "EMAIL"), _AUTHOR, strict=True)) if known is None else {}
    return {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in who.items()}


def job(environ: Mapping[str, str]) -> str:
    """The address of the CI job that runs this; empty elsewhere."""
    if environ.get("GITHUB_RUN_ID"):
        parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"
    return environ.get("CI_JOB_URL", "")


def _follow(repository: Repository, to: Target, tip: str, commit: str, blob: str) -> bool:
    """Where the branch itself is checked out, takes the commit over as a pull would; else leaves the clone alone.

    Whether it did: then the work tree's lockfile follows too, or the next pull would stumble over it.
    """
    head = repository.attempted("symbolic-ref", "--quiet", "HEAD")
    if head != to.branch or repository.attempted("rev-parse", "HEAD") != tip:
        return False
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{to.path}")
    repository.git("update-ref", "-m", "msgrun lock push", head, commit, tip)
    return True


def _written(repository: Repository, data: bytes) -> str:
    return os.fsdecode(repository.git("hash-object", "-w", "--stdin", stdin=data)).strip()


def options() -> list[str]:
    """GitLab starts a pipeline for every push that does not say otherwise."""
    return ["--push-option=ci.skip"] if os.environ.get("GITLAB_CI") else []


def is_final(said: str) -> bool:
    """Whether no second try would change what a push was told."""
    rejected = re.search(r"\[remote rejected\] \((.*)\)", said)
    if rejected:
        return not _RACE.search(rejected[1])
    return "[rejected]" not in said and bool(_FORBIDDEN.search(said))


def reason(error: GitFailed) -> str:
    """What the remote said of itself and of the branch, else what git did."""
    lines = [line.removeprefix("remote:").strip() for line in error.said.splitlines() if line.startswith("remote:")]
    rejected = re.search(r"\[(?:remote )?rejected\] \(.*\)", error.said)
    return "; ".join(line for line in (*lines, rejected[0] if rejected else "") if line) or error.message


def _hint(to: Target) -> str:
    return (
        f"let this job push to {to} (its token, and the rules of the branch); nothing is lost as long as this"
        f" {to.path} is kept: its lines, added to another clone's, are brought there by msgrun lock push"
    )
