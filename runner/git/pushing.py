"""Makes commits without a work tree, in a folder of their own, and interprets the output of pushes."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

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
_OBJECT_FOLDER_PREFIX = "objects-"
_AUTHOR = ("msgrun", "msgrun@users.noreply.invalid")


def create_commit(
    repository: Repository, tree: str, message: str, *args: str, extra_env: Mapping[str, str] | None = None
) -> str:
    """Creates a commit object and returns its id.

    `extra_env` are environment variables for git. None stands for those of `_author_env`.
    """
    environment = _author_env(repository) if extra_env is None else extra_env
    return repository.write_object("commit-tree", tree, *args, stdin=message.encode(), extra_env=environment)


def _author_env(repository: Repository) -> dict[str, str]:
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


class ObjectFolder:
    """A folder beside the objects of a repository, and a lock on it that ends with the process.

    So no other process removes the folder while this one is alive, and the next one that makes a folder removes it
    afterwards. `environment` are variables that make git write objects to it, and name the author of commits.
    """

    def __init__(self, path: Path, descriptor: int, environment: dict[str, str]) -> None:
        self._path = path
        self._descriptor = descriptor
        self.environment = environment

    @classmethod
    def create(cls, repository: Repository) -> Self:
        """Creates and locks a folder, and removes those of processes that died."""
        author = _author_env(repository)
        parent = repository.common_dir / "msgrun"
        parent.mkdir(parents=True, exist_ok=True)
        for path in parent.glob(f"{_OBJECT_FOLDER_PREFIX}*"):
            _remove_abandoned(path)
        while True:
            path = Path(tempfile.mkdtemp(dir=parent, prefix=_OBJECT_FOLDER_PREFIX))
            descriptor = os.open(path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():
                return cls(path, descriptor, _object_env(repository, path) | author)
            os.close(descriptor)  # another process removed it as abandoned before it was locked

    def remove(self, ids: set[str]) -> None:
        """Removes objects that are needed no more."""
        for name in ids:
            (self._path / name[:2] / name[2:]).unlink(missing_ok=True)

    def close(self) -> None:
        """Removes the folder and ends the lock."""
        shutil.rmtree(self._path, ignore_errors=True)
        os.close(self._descriptor)


def _object_env(repository: Repository, folder: Path) -> dict[str, str]:
    clone_objects = str(repository.common_dir / "objects").replace("\\", "\\\\").replace('"', '\\"')
    count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    return {
        # Not compressed: git packs the objects for the push, and they are soon removed.
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": "core.looseCompression",
        f"GIT_CONFIG_VALUE_{count}": "0",
        "GIT_OBJECT_DIRECTORY": str(folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{clone_objects}"',
    }


def _remove_abandoned(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # removed meanwhile, or another user's
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process is alive
        return
    finally:
        os.close(descriptor)
