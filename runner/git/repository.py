"""Runs git in a repository: its files and commits, and the branches of its remotes."""

import functools
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.process import MAX_OUTPUT, GitFailed, run_git
from runner.git.remote_url import is_below, is_remote_url

MAX_BLOB = 1 << 30  # bytes of a file of a commit that is read as a whole; a ledger of a million records has 400 MB
_SMALL = 64 << 10  # bytes of a file that is kept in memory
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MAX_SHOWN = 100  # characters of a remote's answer in a message
_FETCH_OPTIONS = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap=")
_FILE_MODE = b"100"  # the mode of a file in `git ls-tree` begins with this
# What git allows in the name of a ref, by git-check-ref-format(1). `git ls-remote` checks nothing of a remote's answer:
# it prints a line end in a name, and what follows would be an option, a refspec or an expression of the next command.
_REF_NAME = r"refs/(?:(?!\.\.|@\{)[^\0-\x20\x7f~^:?*\[\\])+"
_REMOTE_REF = re.compile(rf"([0-9a-f]{{40}}|[0-9a-f]{{64}}|ref: {_REF_NAME})\t(HEAD|{_REF_NAME})(\^\{{\}})?")
_REMOTE_SETTING = re.compile(r"remote\.(.+)\.[^.]+", re.DOTALL)  # a setting of the remote that it names


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository: the top folder of a work tree, the folder that all its work trees share, and its GIT_DIR."""

    toplevel: Path
    common_dir: Path
    git_dir: Path

    def tracked_files(self, folder: Path) -> list[str]:
        """Returns the paths, relative to a folder, of all files below it in git's index. Raises LedgerUnavailable."""
        prefix = self.relative_path(folder) or "."
        pathspec = ("--", f":(top,literal){prefix}") if prefix != "." else ()
        paths = os.fsdecode(self.git("ls-files", "-z", *pathspec)).split("\0")
        return [os.path.relpath(path, prefix) for path in paths if path]

    def tracked_modules(self) -> list[str]:
        """Returns the paths of all submodules in git's index. Raises LedgerUnavailable."""
        entries = os.fsdecode(self.git("ls-files", "--stage", "-z")).split("\0")
        return [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]

    def relative_path(self, path: Path) -> str | None:
        """Returns the path relative to the work tree's top, with slashes; None if it is outside."""
        resolved = Path(os.path.realpath(path))  # of a link to itself, which resolve() refuses, the path as it is
        return resolved.relative_to(self.toplevel).as_posix() if resolved.is_relative_to(self.toplevel) else None

    def followed_branches(self, remote: str) -> list[str]:
        """Returns the full names of a remote's branches that this checkout is of: the upstream, and the CI job's."""
        upstream, merge, remotes = self._remotes()
        own = [merge] if upstream == remote else []
        return [name for name in (*own, _ci_branch(os.environ) if remote in remotes[-1:] else "") if name]

    def relevant_remotes(self) -> tuple[str, ...]:
        """Returns the remotes to ask: the upstream's, and origin, or the first remote if none is named origin."""
        return self._remotes()[2]

    @property
    def main_remote(self) -> str:
        """The remote whose branches others share: origin, or the first if none is named so; empty without a remote."""
        return next(reversed(self.relevant_remotes()), "")

    @property
    def push_command(self) -> str:
        """The command that pushes the current branch, also one that was never pushed; empty without a remote."""
        upstream, merge, remotes = self._remotes()
        if upstream in remotes and merge:
            return "git push"
        return f"git push -u {shlex.quote(remotes[-1])} HEAD" if remotes else ""

    def list_remote_refs(self, remote: str, *patterns: str) -> tuple[dict[str, str], str]:
        """Returns the commits of the remote's refs, by full name, and the full name of the branch that HEAD names.

        A pattern also matches the end of a longer name. The branch is empty if `HEAD` is not among the patterns, or
        if it names none. Raises LedgerUnavailable, also if the remote answers anything else than commits and names.
        """
        commits, default_branch = dict[str, str](), ""
        answer = self.git("ls-remote", "--symref", *self.remote_arguments(remote), *patterns)
        for line in os.fsdecode(answer).split("\n")[:-1]:
            match = _REMOTE_REF.fullmatch(line)
            if match is None:
                message = f"{remote} answers with a line that names no ref: {line[:_MAX_SHOWN]}"
                raise LedgerUnavailable(message, f"see what it answers: git ls-remote {shlex.quote(remote)}")
            value, ref, is_peeled = match.groups()
            if is_peeled:  # the commit that a tag names
                continue
            if not value.startswith("ref: "):
                commits[ref] = value
            elif ref == "HEAD":
                default_branch = value.removeprefix("ref: ")
        return commits, default_branch

    def remote_arguments(self, remote: str) -> tuple[str, str]:
        """Returns the arguments of a git command that name a remote, to be followed by refs.

        For git, what is no remote of the clone is an option, or a path: to a repository that a commit may have brought,
        whose configuration makes git run programs. Raises LedgerUnavailable if it is neither a remote of the clone nor
        a URL.
        """
        if is_remote_url(remote):
            is_known = not is_below(remote, self.toplevel)
        else:
            is_known = not remote.startswith("-") and self.try_git("remote", "get-url", remote) is not None
        if not is_known:
            raise LedgerUnavailable(f"git knows no remote {remote}", "name a remote of this clone, or its URL")
        return "--", remote

    def fetch_missing(self, remote: str, commits: Mapping[str, str]) -> None:
        """Fetches those of a remote's commits, given by the full names of their refs, that the clone lacks.

        Changes no ref of the clone, also no remote-tracking branch: other runs may do the same.
        Raises LedgerUnavailable.
        """
        request = "".join(f"{commit}\n" for commit in commits.values()).encode()
        kinds = self.git("cat-file", "--batch-check", stdin=request).splitlines() if request else []
        missing: dict[tuple[str, ...], list[str]] = {}  # refs by the options that their fetch needs
        for ref, kind in zip(commits, kinds, strict=True):  # `HASH commit SIZE`, or `HASH missing`
            if b" commit " not in kind:
                missing.setdefault(tuple(self.depth_options(remote, ref.removeprefix("refs/heads/"))), []).append(ref)
        for depth, refs in missing.items():
            self.git("fetch", *_FETCH_OPTIONS, *depth, *self.remote_arguments(remote), *refs)

    def find_blob(self, commit: str, path: str) -> tuple[str, int] | None:
        """Returns the hash and the size of a file of a commit; None if the commit has no such file.

        Raises GuardRefused if it is a link, a folder or a submodule.
        """
        return (_find_fixed_blob if _HASH.fullmatch(commit) else _find_blob)(self, commit, path)

    def read_objects(self, names: Iterable[str], max_output: int = MAX_OUTPUT) -> Iterator[tuple[str, str, bytes]]:
        """Yields (name, kind, content) of each object, named by its full hash, that the repository has.

        Raises LedgerUnavailable if all of them have more than `max_output` bytes.
        """
        request = [*names]
        text = "".join(f"{name}\n" for name in request)
        output, end = self.git("cat-file", "--batch", stdin=text.encode(), max_output=max_output) if text else b"", 0
        for name in request:  # for each, git prints `HASH KIND SIZE`, the content and a line end; or `HASH missing`
            start = output.index(b"\n", end) + 1
            _, kind, *size = output[end : start - 1].split(b" ")
            end = start + int(size[0]) + 1 if size else start
            if size:
                yield name, kind.decode(), output[start : end - 1]

    def read_blob(self, commit: str, path: str) -> bytes | None:
        """Returns a file of a commit, byte for byte; None if the commit has no such file.

        Raises GuardRefused if it is a link, a folder or a submodule.
        """
        blob, size = self.find_blob(commit, path) or ("", 0)
        if not blob:
            return None
        return (
            _read_small_blob(self, blob) if size <= _SMALL else self.git("cat-file", "blob", blob, max_output=MAX_BLOB)
        )

    def depth_options(self, remote: str, branch: str) -> list[str]:
        """Returns the options of `git fetch` for a branch, given by its short name.

        A shallow clone gets only the newest commit of a branch that it does not follow: the whole history may be large.
        It gets all new commits of a branch that it follows: `git pull` cannot merge a history that was cut off.
        """
        if not (self.common_dir / "shallow").exists():  # see gitrepository-layout(5)
            return []
        is_followed = self.try_git("rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/{branch}") is not None
        return [] if is_followed else ["--depth=1"]

    def try_git(self, *args: str) -> str | None:
        """Runs a git command and returns what it printed, stripped; None if it failed. Raises LedgerUnavailable."""
        process = run_git(self.toplevel, args, git_dir=self.git_dir)
        return os.fsdecode(process.stdout).strip() if process.returncode == 0 else None

    def git(
        self,
        *args: str,
        stdin: bytes = b"",
        extra_env: Mapping[str, str] | None = None,
        stdout: IO[bytes] | None = None,
        max_output: int = MAX_OUTPUT,
    ) -> bytes:
        """Runs a git command and returns what it printed. `extra_env` are further environment variables.

        Raises GitFailed if the command fails, LedgerUnavailable if it takes too long or prints more than `max_output`
        bytes.
        """
        process = run_git(self.toplevel, args, stdin, extra_env, stdout, self.git_dir, max_output)
        if process.returncode:
            raise GitFailed(args[0], process.stdout + process.stderr)
        return process.stdout

    def write_object(self, *args: str, stdin: bytes = b"", extra_env: Mapping[str, str] | None = None) -> str:
        """Runs a git command that writes an object, and returns the object's id. Raises LedgerUnavailable."""
        return os.fsdecode(self.git(*args, stdin=stdin, extra_env=extra_env)).strip()

    def save_blob(self, blob: str, path: Path) -> None:
        """Writes a blob to a new file, byte for byte, however large it is. Raises LedgerUnavailable if git cannot."""
        with path.open("xb") as handle:
            self.git("cat-file", "blob", blob, stdout=handle)

    def _remotes(self) -> tuple[str, str, tuple[str, ...]]:
        """Returns the remote and full name of the branch that the current one follows, and the remotes to ask.

        Remote and name are empty if the current branch follows none.
        """
        output = os.fsdecode(self.git("config", "--null", "--list"))
        config = dict(entry.partition("\n")[::2] for entry in output.split("\0"))
        known = sorted({match[1] for name in config if (match := _REMOTE_SETTING.fullmatch(name))})
        branch = self.try_git("symbolic-ref", "--quiet", "--short", "HEAD")
        upstream, merge = (config.get(f"branch.{branch}.{name}", "") for name in ("remote", "merge"))
        main = "origin" if "origin" in known else next(iter(known), "")
        return upstream, merge, tuple(dict.fromkeys(remote for remote in (upstream, main) if remote in known))


def _find_blob(repository: Repository, commit: str, path: str) -> tuple[str, int] | None:
    entry = repository.git("ls-tree", "--full-tree", "--long", commit, "--", path).strip()
    if not entry:
        return None
    if not entry.startswith(_FILE_MODE):
        message = f"{path} of the commit {commit[:10]} is a link, a folder or a submodule, and no file"
        raise GuardRefused(message, "msgrun follows no link to what it keeps: commit the file itself")
    _, _, blob, size, *_ = entry.split(None, 4)
    return blob.decode(), int(size)


# What a hash names never changes. A plan asks three times for msgrun.yaml of a commit; each answer takes git 5 ms.
_find_fixed_blob = functools.lru_cache(maxsize=64)(_find_blob)


@functools.lru_cache(maxsize=64)
def _read_small_blob(repository: Repository, blob: str) -> bytes:
    return repository.git("cat-file", "blob", blob)


def find_repository(folder: Path) -> Repository | None:
    """Returns the git repository that a folder is in; None if there is none. Raises LedgerUnavailable."""
    root = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    return _open_repository(root, (root / ".git").stat().st_ino) if root else None


@functools.lru_cache(maxsize=8)
def _open_repository(root: Path, inode: int) -> Repository:
    """Returns the repository of a folder that has .git. Raises LedgerUnavailable if git cannot read it.

    The answer is cached, because a command needs it in many places.
    """
    del inode  # a key of the cache: git is asked again if another .git is in its place
    options = ("--show-toplevel", "--git-common-dir", "--absolute-git-dir")
    try:
        # In the folder with .git: git looks for that first, and only then whether the folder itself is a repository.
        process = run_git(root, ("rev-parse", "--path-format=absolute", *options))
    except FileNotFoundError as error:
        raise LedgerUnavailable(f"{root} is a git repository, and git cannot be run", "install git") from error
    if process.returncode:
        error_lines = process.stderr.decode(errors="replace").strip().splitlines()
        raise LedgerUnavailable(
            f"git cannot read {root}: {error_lines[0] if error_lines else ''}", error_lines[-1] if error_lines else ""
        )
    folders = os.fsdecode(process.stdout).splitlines()
    # Git prints a line for each option. A git that does not know --path-format prints that too.
    if len(folders) != len(options):
        raise LedgerUnavailable("this git is too old", "msgrun needs git 2.31 or later")
    return Repository(*(Path(path).resolve() for path in folders))


def _ci_branch(environ: Mapping[str, str]) -> str:
    """Returns the full name of the branch that a CI job runs for; empty elsewhere, and for pull requests and tags.

    CI systems check out a commit, not a branch. Sources: GitHub's and GitLab's documentation of predefined variables.
    """
    ref = environ.get("GITHUB_REF", "")
    if ref.startswith("refs/heads/"):
        return ref
    branch = environ.get("CI_COMMIT_BRANCH", "")
    return f"refs/heads/{branch}" if branch else ""
