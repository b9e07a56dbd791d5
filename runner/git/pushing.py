"""Makes commits without a work tree, and interprets the output of pushes."""

import os
import re
from collections.abc import Callable, Mapping

from runner.git.process import GitFailed
from runner.git.repository import Repository

MAX_TRIES = 8
Wait = Callable[[int], None]
# Reasons of a rejection that a second try may not meet again. Other reasons are rules of the branch.
_RACE = re.compile(
    r"lock|incorrect old value|failed to update ref|already exists|stale|missing necessary|unpacker"
    r"|atomic transaction failed",
    re.IGNORECASE,
)
# Output of a push by a user who may not write to the repository at all.
_FORBIDDEN = re.compile(r"\b40[13]\b|denied|authentication failed|could not read username|read-only", re.IGNORECASE)
_AUTHOR = ("msgrun", "msgrun@users.noreply.invalid")


def create_commit(
    repository: Repository, tree: str, message: str, *args: str, extra_env: Mapping[str, str] | None = None
) -> str:
    """Creates a commit object and returns its id.

    `extra_env` are environment variables for git. None stands for those of `author_env`.
    """
    environment = author_env(repository) if extra_env is None else extra_env
    return repository.write_object("commit-tree", tree, *args, stdin=message.encode(), extra_env=environment)


def author_env(repository: Repository) -> dict[str, str]:
    """Returns the variables that name msgrun as author and committer; empty if git's settings name one.

    On CI machines, git often has no author configured.
    """
    configured = repository.try_git("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    author = dict(zip(("NAME", "EMAIL"), _AUTHOR, strict=True)) if configured is None else {}
    return {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in author.items()}


def ci_job_url(environ: Mapping[str, str]) -> str:
    """Returns the URL of the CI job that this process runs in (GitHub or GitLab); empty elsewhere."""
    if environ.get("GITHUB_RUN_ID"):
        parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"
    return environ.get("CI_JOB_URL", "")


def push_options() -> list[str]:
    """Returns the options of `git push` that keep GitLab from starting a pipeline; empty outside GitLab's CI."""
    return ["--push-option=ci.skip"] if os.environ.get("GITLAB_CI") else []


def is_permanent_failure(output: str) -> bool:
    """Returns whether no second try of a push can succeed, given the push's output."""
    rejected = re.search(r"\[remote rejected\] \((.*)\)", output)
    if rejected:
        return not _RACE.search(rejected[1])
    return "[rejected]" not in output and bool(_FORBIDDEN.search(output))


def failure_reason(error: GitFailed) -> str:
    """Returns the remote's messages and its reason for rejecting a push.

    Without either, it returns the error's own message.
    """
    lines = [line.removeprefix("remote:").strip() for line in error.output.splitlines() if line.startswith("remote:")]
    rejected = re.search(r"\[(?:remote )?rejected\] \(.*\)", error.output)
    return "; ".join(line for line in (*lines, rejected[0] if rejected else "") if line) or str(error)
