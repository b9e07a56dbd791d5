"""Commits that are made without a work tree, pushes, and what their answers mean."""

import os
import re
from collections.abc import Callable, Mapping

from runner.git.repository import GitFailed, Repository

MAX_TRIES = 8


Wait = Callable[[int], None]


# Answers that no second try changes: the branch's rules, or the right to write at all.
_RACE = re.compile(
    r"lock|incorrect old value|failed to update ref|already exists|stale|missing necessary|unpacker", re.IGNORECASE
)


_FORBIDDEN = re.compile(r"\b40[13]\b|denied|authentication failed|could not read username|read-only", re.IGNORECASE)


_AUTHOR = ("msgrun", "msgrun@users.noreply.invalid")


def create_commit(
    repository: Repository, tree: str, message: str, *args: str, extra_env: Mapping[str, str] | None = None
) -> str:
    """A new commit object. `extra` are environment variables; without any it is by `author`."""
    environment = author_env(repository) if extra_env is None else extra_env
    made = repository.git("commit-tree", tree, *args, stdin=message.encode(), extra_env=environment)
    return os.fsdecode(made).strip()


def author_env(repository: Repository) -> dict[str, str]:
    """Variables for whom git's settings name, else for msgrun: CI machines often have nobody configured."""
    known = repository.try_git("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    who = dict(zip(("NAME", "EMAIL"), _AUTHOR, strict=True)) if known is None else {}
    return {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in who.items()}


def ci_job_url(environ: Mapping[str, str]) -> str:
    """The address of the CI job that runs this; empty elsewhere."""
    if environ.get("GITHUB_RUN_ID"):
        parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"
    return environ.get("CI_JOB_URL", "")


def push_options() -> list[str]:
    """GitLab starts a pipeline for every push that does not say otherwise."""
    return ["--push-option=ci.skip"] if os.environ.get("GITLAB_CI") else []


def is_permanent_failure(said: str) -> bool:
    """Whether no second try would change what a push was told."""
    rejected = re.search(r"\[remote rejected\] \((.*)\)", said)
    if rejected:
        return not _RACE.search(rejected[1])
    return "[rejected]" not in said and bool(_FORBIDDEN.search(said))


def failure_reason(error: GitFailed) -> str:
    """What the remote said of itself and of the branch, else what git did."""
    lines = [line.removeprefix("remote:").strip() for line in error.output.splitlines() if line.startswith("remote:")]
    rejected = re.search(r"\[(?:remote )?rejected\] \(.*\)", error.output)
    return "; ".join(line for line in (*lines, rejected[0] if rejected else "") if line) or error.message
