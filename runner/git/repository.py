"""What git knows of a lockfile: where its journal lives, and what the remote has of it."""

import functools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from runner.errors import GuardRefused, LedgerUnavailable

_TIMEOUT = 120  # seconds for one git command; a fetch over a slow line takes long


# Set while git runs a hook; they would point every command of ours at another folder than the one it is run in.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")


# What git and the programs that it runs (ssh, credential helpers) have no use for.
_SECRET = ("INTERCOM_", "MSGRUN_", "PG")


# Nothing that the files of a work tree hold makes git run a program or take a folder for a repository. What a pull
# request cannot write, the clone's own config, still counts: it holds how to sign in to the remote.
_GUARDED = {
    "safe.bareRepository": "explicit",  # HEAD, objects/ and refs/ in a folder make no repository of it; git 2.38
    "protocol.ext.allow": "never",  # the address of a remote is no command
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
}


# What a URL in git's messages may hold a token in: who connects, and the query.
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")


_QUERY = re.compile(r"(://[^\s?'\"]+)\?[^\s'\"]+")


_FILE = b"100"  # so begins the mode of a file in `git ls-tree`


_LOCKED = ".lock': File exists."


_NO_FETCH = "what the remote's lockfile knows must not be sent again; --no-fetch if you are sure it knows nothing new"


class GitFailed(LedgerUnavailable):
    """A git command failed; `said` is all that it printed."""

    def __init__(self, command: str, said: bytes) -> None:
        self.output = _QUERY.sub(r"\1", _USER.sub("", said.decode(errors="replace").strip()))
        lines = self.output.splitlines() or [""]
        detail = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
        # In the message, because whoever catches this gives the hint of its own command.
        left = " If no git is at work here, one was killed and left that file: remove it" if _LOCKED in detail else ""
        super().__init__(f"git {command} failed: {detail}{left}", _NO_FETCH)


@dataclass(frozen=True, slots=True)
class Repository:
    """A git work tree: its top folder, the folder that all its work trees share, and its GIT_DIR."""

    toplevel: Path
    common_dir: Path
    git_dir: Path

    def journal_path(self, lockfile: Path) -> Path:
        """Where every record of this lockfile also goes: a reset, stash or switch of branches never touches it."""
        return self.common_dir / "msgrun" / f"{self._flat(lockfile)}.journal"

    def rescue_path(self, lockfile: Path) -> Path:
        """Where outcomes wait that the ledger did not take: a file of the work tree could come with a commit."""
        return self.common_dir / "msgrun" / f"{self._flat(lockfile)}.rescue"

    def path_in_git_dir(self, file: Path) -> Path:
        """A file of this work tree alone, for what `file` would hold if no commit could bring it."""
        return self.git_dir / "msgrun" / self._flat(file)

    def tracked_files(self, folder: Path) -> list[str]:
        """The paths, from the folder, of all files below it that the index has. Raises LedgerUnavailable."""
        inside = self.relative_path(folder) or "."
        within = ("--", f":(top,literal){inside}") if inside != "." else ()
        listed = os.fsdecode(self.git("ls-files", "-z", *within)).split("\0")
        return [os.path.relpath(path, inside) for path in listed if path]

    def relative_path(self, path: Path) -> str | None:
        """The path from the work tree's top, if it is inside."""
        resolved = path.resolve()
        return resolved.relative_to(self.toplevel).as_posix() if resolved.is_relative_to(self.toplevel) else None

    def _flat(self, file: Path) -> str:
        """One name for a file of any folder."""
        return quote(self.relative_path(file) or str(file.resolve()), safe="")

    def remote_versions(self, lockfile: Path) -> Iterator[tuple[str, bytes]]:
        """The lockfile as the newest commits of the branches that matter have it, each with where it is from.

        Asks the remote: a CI job that is run again works on an old commit, and its checkout often lacks origin/HEAD.
        Raises LedgerUnavailable if there is a remote that does not answer.
        """
        path = self.relative_path(lockfile)
        if path is None:
            return
        for remote, branch in dict.fromkeys(self.relevant_branches()):
            commit = self.fetch(remote, branch)
            found = self.read_blob(commit, path) if commit else None
            if found is not None:
                yield f"{remote}/{branch.removeprefix('refs/heads/')}:{path}", found

    def removed_version(self, lockfile: Path) -> Iterator[tuple[str, bytes]]:
        """The lockfile before the commit that removed it, if HEAD lacks one that it had, as far as this clone knows."""
        path = self.relative_path(lockfile)
        last = path and self.try_git("log", "-1", "--format=%h", "--diff-filter=D", "--", f":(top){path}")
        if not path or not last or self.read_blob("HEAD", path) is not None:
            return
        before = self.try_git("rev-parse", "--verify", "--quiet", f"{last}^")
        found = self.read_blob(before, path) if before else None
        if found is not None:
            yield f"{last}^:{path}", found

    def relevant_branches(self) -> Iterator[tuple[str, str]]:
        """The remotes to ask and full names of branches on them: the upstream, CI's branch, and the default branches.

        Also of origin when the upstream is elsewhere: a fork knows only what was sent when it was made.
        """
        remotes = self.relevant_remotes()
        upstream, merge = self._upstream()
        if upstream in remotes and merge:
            yield upstream, merge
        if remotes and (branch := _branch_of_job(os.environ)):
            yield remotes[-1], branch
        for remote in remotes:
            if default := self.default_branch(remote):
                yield remote, default

    def relevant_remotes(self) -> tuple[str, ...]:
        """The remotes that count: the upstream's, and origin, or the first where none has that name."""
        known = os.fsdecode(self.git("remote")).split()
        main = "origin" if "origin" in known else next(iter(known), "")
        return tuple(dict.fromkeys(remote for remote in (self._upstream()[0], main) if remote in known))

    def fetch(self, remote: str, branch: str) -> str | None:
        """The newest commit of a branch, given by its full name, fetched from the remote; None if there is no such."""
        if not self.git("ls-remote", remote, branch).strip():
            return None
        # Flat, because a branch `a` that became `a/b` would be in its own way.
        name = branch.removeprefix("refs/heads/")
        ours = f"refs/msgrun/{quote(f'{remote}/{name}', safe='')}"
        self.git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, f"+{branch}:{ours}")
        return os.fsdecode(self.git("rev-parse", ours)).strip()

    def read_blob(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it, byte for byte, or None if it has no such file.

        Raises GuardRefused if it is a link, or anything else that is no file.
        """
        entry = self.git("ls-tree", "--full-tree", commit, "--", path).strip()
        if not entry:
            return None
        if not entry.startswith(_FILE):
            message = f"{path} of the commit {commit[:10]} is a link, a folder or a submodule, and no file"
            raise GuardRefused(message, "msgrun follows no link to what it keeps: commit the file itself")
        return self.git("cat-file", "blob", f"{commit}:{path}")

    @property
    def is_shallow(self) -> bool:
        """Whether this clone lacks older commits."""
        return self.try_git("rev-parse", "--is-shallow-repository") == "true"

    def ensure_parent(self, ref: str) -> bool:
        """Whether a commit's parents are known, if it has any: where a shallow clone ends with it, they are fetched."""
        commit = self.try_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        ends = Path(os.fsdecode(self.git("rev-parse", "--path-format=absolute", "--git-path", "shallow")).strip())
        if not ends.exists() or commit not in ends.read_text(encoding="ascii").split():
            return True
        remote = next(reversed(self.relevant_remotes()), "")
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--depth=2")
        return bool(remote) and self.try_git("fetch", *options, remote, commit) is not None

    def try_git(self, *args: str) -> str | None:
        """What a git command printed; None if it failed."""
        done = _run(self.toplevel, args, git_dir=self.git_dir)
        return os.fsdecode(done.stdout).strip() if done.returncode == 0 else None

    def git(self, *args: str, stdin: bytes = b"", extra_env: Mapping[str, str] | None = None) -> bytes:
        """What a git command printed. `extra` are environment variables. Raises LedgerUnavailable if it failed."""
        try:
            done = _run(self.toplevel, args, stdin, extra_env, git_dir=self.git_dir)
        except subprocess.TimeoutExpired as error:
            raise LedgerUnavailable(f"git {args[0]} did not answer in {_TIMEOUT} seconds", _NO_FETCH) from error
        if done.returncode:
            raise GitFailed(args[0], done.stdout + done.stderr)
        return done.stdout

    def save_blob(self, blob: str, path: Path) -> None:
        """Writes a blob to a new file, byte for byte, however large it is. Raises LedgerUnavailable if git cannot."""
        with path.open("xb") as handle:
            done = _run(self.toplevel, ("cat-file", "blob", blob), stdout=handle, git_dir=self.git_dir)
        if done.returncode:
            raise GitFailed("cat-file", done.stderr)

    def _upstream(self) -> tuple[str, str]:
        """The remote and the full name of the branch that the current one follows; empty where it follows none."""
        branch = self.try_git("symbolic-ref", "--quiet", "--short", "HEAD")
        if not branch:
            return "", ""
        remote, merge = (self.try_git("config", f"branch.{branch}.{name}") or "" for name in ("remote", "merge"))
        return remote, merge

    def default_branch(self, remote: str) -> str | None:
        """The full name of the branch that the remote's HEAD names, if any. Raises LedgerUnavailable."""
        for line in os.fsdecode(self.git("ls-remote", "--symref", remote, "HEAD")).splitlines():
            if line.startswith("ref: "):
                return line.removeprefix("ref: ").split("\t")[0]
        return None


def find_repository(folder: Path) -> Repository | None:
    """The git repository around a folder, if there is one. Raises LedgerUnavailable if git cannot read it."""
    around = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    return _repository(around, (around / ".git").stat().st_ino) if around else None


@functools.lru_cache(maxsize=8)
def _repository(around: Path, inode: int) -> Repository:
    """What git says of a folder that holds .git; asked once a command, which needs it at many places."""
    del inode  # another .git in its place is asked again
    asked = ("--show-toplevel", "--git-common-dir", "--absolute-git-dir")
    try:
        # In the folder that holds .git: git looks for that before it takes the folder itself for a repository.
        done = _run(around, ("rev-parse", "--path-format=absolute", *asked))
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise LedgerUnavailable(f"{around} is a git repository, and git cannot be run", "install git") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LedgerUnavailable(f"git cannot read {around}: {said[0] if said else ''}", said[-1] if said else "")
    folders = os.fsdecode(done.stdout).splitlines()
    if len(folders) != len(asked):  # one line a question; a git that does not know the option repeats it
        raise LedgerUnavailable("this git is too old", "msgrun needs git 2.31 or later")
    return Repository(*(Path(found).resolve() for found in folders))


def init_bare_repository(folder: Path) -> Repository:
    """A repository without a work tree in a folder, made if it is not there. Raises LedgerUnavailable."""
    if not (folder / "HEAD").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = _run(folder, ("init", "--quiet", "--bare", "."))
        if done.returncode:
            raise GitFailed("init", done.stderr)
    return Repository(*(folder.resolve(),) * 3)


def _branch_of_job(environ: Mapping[str, str]) -> str:
    """The full name of the branch that a CI job runs for; empty elsewhere, and for pull requests and tags.

    CI systems check out a commit, not a branch. Sources: GitHub's and GitLab's documentation of predefined variables.
    """
    ref = environ.get("GITHUB_REF", "")
    if ref.startswith("refs/heads/"):
        return ref
    branch = environ.get("CI_COMMIT_BRANCH", "")
    return f"refs/heads/{branch}" if branch else ""


def _run(
    folder: Path,
    args: tuple[str, ...],
    stdin: bytes = b"",
    extra: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int = subprocess.PIPE,
    git_dir: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs git: the one place that does. Without `git_dir` git looks for a repository from `folder` on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
    environment = {name: value for name, value in kept.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(extra or {})}
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    if git_dir:
        environment["GIT_DIR"] = str(git_dir)
    guarded = [word for name, value in _GUARDED.items() for word in ("-c", f"{name}={value}")]
    return subprocess.run(  # noqa: S603  # git, with arguments of ours
        ["git", *guarded, *args],  # noqa: S607  # the git of the user's PATH
        cwd=folder,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        input=stdin,
        timeout=_TIMEOUT,
        check=False,
    )
