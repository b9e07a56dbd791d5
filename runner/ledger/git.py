"""What git knows of a lockfile: where its journal lives, and what the remote has of it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runner.errors import LedgerUnavailable

_TIMEOUT = 120  # seconds for one git command; a fetch over a slow line takes long


@dataclass(frozen=True, slots=True)
class Repository:
    """A git work tree: its top folder, and the folder that all its work trees share."""

    top: Path
    common: Path

    def journal(self, lockfile: Path) -> Path:
        """Where every record of this lockfile also goes: a reset, stash or switch of branches never touches it."""
        return self.common / "msgrun" / f"{quote(self.inside(lockfile) or str(lockfile), safe='')}.journal"

    def inside(self, path: Path) -> str | None:
        """The path from the work tree's top, if it is inside."""
        resolved = path.resolve()
        return resolved.relative_to(self.top).as_posix() if resolved.is_relative_to(self.top) else None

    def remote_versions(self, lockfile: Path) -> Iterator[tuple[str, bytes]]:
        """The lockfile as the upstream's and the default branch's newest commits have it, each with where it is from.

        Asks the remote: a CI job that is run again works on an old commit, and its checkout often lacks origin/HEAD.
        Raises LedgerUnavailable if there is a remote that does not answer.
        """
        path = self.inside(lockfile)
        remote, upstream = self._upstream()
        if path is None or remote is None:
            return
        branches = dict.fromkeys(filter(None, [upstream, self._default_branch(remote)]))
        for branch in branches:
            ours = f"refs/msgrun/{branch.removeprefix('refs/heads/')}"
            if not self._git("ls-remote", remote, branch).strip():
                continue
            self._git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, f"+{branch}:{ours}")
            if self._git("ls-tree", "--name-only", "--full-tree", ours, "--", path).strip():
                yield f"{remote}/{branch.removeprefix('refs/heads/')}:{path}", self._git("show", f"{ours}:{path}")

    def _upstream(self) -> tuple[str | None, str | None]:
        """The remote to ask, and the full name of the current branch's upstream on it."""
        remotes = self._git("remote").decode().split()
        if not remotes:
            return None, None
        branch = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        remote = self._try("config", f"branch.{branch}.remote") if branch else ""
        if remote in remotes:
            return remote, self._try("config", f"branch.{branch}.merge") or None
        return ("origin" if "origin" in remotes else remotes[0]), None

    def _default_branch(self, remote: str) -> str | None:
        for line in self._git("ls-remote", "--symref", remote, "HEAD").decode().splitlines():
            if line.startswith("ref: "):
                return line.removeprefix("ref: ").split("\t")[0]
        return None

    def _try(self, *args: str) -> str:
        done = _run(self.top, args)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def _git(self, *args: str) -> bytes:
        try:
            done = _run(self.top, args)
        except subprocess.TimeoutExpired as error:
            raise LedgerUnavailable(f"git {args[0]} did not answer in {_TIMEOUT} seconds", _NO_FETCH) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            detail = next((line for line in said if line.startswith(("fatal:", "error:"))), said[-1] if said else "")
            raise LedgerUnavailable(f"git {args[0]} failed: {detail}", _NO_FETCH)
        return done.stdout


_NO_FETCH = "what the remote's lockfile knows must not be sent again; --no-fetch if you are sure it knows nothing new"


def repository(folder: Path) -> Repository | None:
    """The git repository around a folder, if there is one. Raises LedgerUnavailable if git cannot read it."""
    around = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    if around is None:
        return None
    try:
        done = _run(folder, ("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"))
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise LedgerUnavailable(f"{around} is a git repository, and git cannot be run", "install git") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LedgerUnavailable(f"git cannot read {around}: {said[0] if said else ''}", said[-1] if said else "")
    top, common = done.stdout.decode().splitlines()
    return Repository(Path(top).resolve(), Path(common).resolve())


def _run(folder: Path, args: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return subprocess.run(  # noqa: S603  # git, with arguments of ours
        ["git", *args],  # noqa: S607  # the git of the user's PATH
        cwd=folder,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=_TIMEOUT,
        check=False,
    )
