"""What git knows of a lockfile: where its journal lives, and what the remote has of it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runner.errors import LedgerUnavailable

_TIMEOUT = 120  # seconds for one git command; a fetch over a slow line takes long
# Set while git runs a hook; they would point every command of ours at another folder than the one it is run in.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")


@dataclass(frozen=True, slots=True)
class Repository:
    """A git work tree: its top folder, and the folder that all its work trees share."""

    top: Path
    common: Path

    def journal(self, lockfile: Path) -> Path:
        """Where every record of this lockfile also goes: a reset, stash or switch of branches never touches it."""
        return self.common / "msgrun" / f"{quote(self.inside(lockfile) or str(lockfile.resolve()), safe='')}.journal"

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
        if path is None:
            return
        for remote, branch in dict.fromkeys(self._branches()):
            name = branch.removeprefix("refs/heads/")
            if not self._git("ls-remote", remote, branch).strip():
                continue
            # Flat, because a branch `a` that became `a/b` would be in its own way.
            ours = f"refs/msgrun/{quote(f'{remote}/{name}', safe='')}"
            self._git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, f"+{branch}:{ours}")
            if self._git("ls-tree", "--name-only", "--full-tree", ours, "--", path).strip():
                yield f"{remote}/{name}:{path}", self._git("cat-file", "blob", f"{ours}:{path}")

    def _branches(self) -> Iterator[tuple[str, str]]:
        """The remotes to ask and full names of branches on them: the upstream, and the default branches.

        Also of origin when the upstream is elsewhere: a fork knows only what was sent when it was made.
        """
        remotes = os.fsdecode(self._git("remote")).split()
        branch = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        upstream = self._try("config", f"branch.{branch}.remote") if branch else ""
        merge = self._try("config", f"branch.{branch}.merge") if upstream in remotes else ""
        if merge:
            yield upstream, merge
        main = "origin" if "origin" in remotes else next(iter(remotes), "")
        for remote in dict.fromkeys([upstream, main]):
            if remote in remotes and (default := self._default_branch(remote)):
                yield remote, default

    def _default_branch(self, remote: str) -> str | None:
        for line in os.fsdecode(self._git("ls-remote", "--symref", remote, "HEAD")).splitlines():
            if line.startswith("ref: "):
                return line.removeprefix("ref: ").split("\t")[0]
        return None

    def _try(self, *args: str) -> str:
        done = _run(self.top, args)
        return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""

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
    folders = os.fsdecode(done.stdout).splitlines()
    if len(folders) != 2:  # noqa: PLR2004  # one line a question; a git that does not know the option repeats it
        raise LedgerUnavailable("this git is too old", "msgrun needs git 2.31 or later")
    return Repository(*(Path(found).resolve() for found in folders))


def _run(folder: Path, args: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
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
