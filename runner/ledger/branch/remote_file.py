"""One file on a branch of a git remote: read it, and replace it unless somebody else did.

Built from git's plumbing, so that no checkout is touched, and a shallow clone makes no difference.
"""

import contextlib
import os
import time
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import quote

from runner.errors import LedgerUnavailable
from runner.git.object_folder import ObjectFolder
from runner.git.pushing import author_env, ci_job_url, create_commit, push_options
from runner.git.repository import GitFailed, Repository
from runner.ledger.address import BranchAddress
from runner.ledger.facts import Facts
from runner.ledger.missing_records import find_missing_records


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The file as a commit has it, empty if it has none; `others` are `git ls-tree`'s lines of what else is there."""

    commit: str
    data: bytes
    other_entries: tuple[bytes, ...] = ()


class RemoteFile:
    """The file at an address. What is written is kept in a folder of objects of its own, which closing removes.

    Else every push would leave a whole copy of the file in the clone.
    """

    def __init__(self, repository: Repository, at: BranchAddress) -> None:
        self.address = at
        self._repository = repository
        self._objects: ObjectFolder | None = None
        self._variables: dict[str, str] = {}
        self._url = at.remote
        self._last: tuple[str, ...] = ()
        self._newest: FileVersion | None = None
        self._asked = repository.common_dir / "msgrun" / f"{quote(str(at), safe='')}.asked"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(self) -> FileVersion | None:
        """The newest version; None if there is no such branch. Raises LedgerUnavailable.

        What this clone knew and the newest version lacks is put aside: somebody put back the branch to an older commit.
        """
        former = self.cached_version()
        try:
            self._fetch()
        except GitFailed as error:
            if f"couldn't find remote ref {self.address.ref}" in error.output:
                return None
            raise
        version = self._version(os.fsdecode(self._repository.git("rev-parse", self.address.cache_ref)).strip())
        if former and former[0].commit != version.commit and not version.data.startswith(former[0].data):
            self._set_aside(former[0], version)
        return version

    def removed_lines(self) -> bytes:
        """The lines that were put aside."""
        commit = self._repository.try_git("rev-parse", "--verify", "--quiet", self.address.removed_ref)
        return self._version(commit).data if commit else b""

    def forget_removed(self) -> None:
        """Forgets what was put aside, once the remote has all of it."""
        self._repository.try_git("update-ref", "-d", self.address.removed_ref)

    def cached_version(self) -> tuple[FileVersion, float] | None:
        """What was fetched last, and how many seconds ago; None if nothing was. Raises LedgerUnavailable."""
        refs = (self.address.pushed_ref, self.address.cache_ref)
        found = (self._repository.try_git("rev-parse", "--verify", "--quiet", ref) for ref in refs)
        commit = next(filter(None, found), None)
        if not commit or not self._asked.exists():
            return None
        return self._version(commit), time.time() - self._asked.stat().st_mtime

    def push_version(self, old: FileVersion | None, data: bytes, message: str) -> FileVersion:
        """Commits and pushes the next version, on top of `old` and nothing else (None: of no branch).

        Raises LedgerUnavailable if that failed; it may have arrived all the same, and only the answer was lost.
        """
        at, own = self.address, self._own()
        blob = self._made("hash-object", "-w", "--stdin", stdin=data)
        others = old.other_entries if old else ()
        tree = self._made("mktree", "-z", "--missing", stdin=self._tree(blob, others))
        link = ci_job_url(os.environ)
        text = f"{message}\n\n{link}\n" if link else f"{message}\n"
        commit = create_commit(self._repository, tree, text, *(("-p", old.commit) if old else ()), extra_env=own)
        # Nobody else's commit is ever replaced: the lease is the compare, the remote's own check of the old value too.
        lease = f"--force-with-lease={at.ref}:{old.commit if old else ''}"
        arguments = ("--porcelain", "--no-verify", lease, *push_options())
        # To the URL: by its name, git would make a remote-tracking branch follow to objects that do not stay.
        self._repository.git("push", *arguments, self._url, f"{commit}:{at.ref}", extra_env=own)
        self._forget(set(self._last) - {blob, tree, commit})
        self._last = (blob, tree, commit)
        self._newest = FileVersion(commit, data, others)
        return self._newest

    def close(self) -> None:
        """Keeps what was pushed last for reading offline, without its history, and removes the folder."""
        if self._objects is None:
            return
        self._objects.close()
        self._objects = None
        if self._newest:
            with contextlib.suppress(LedgerUnavailable):  # then what is read offline is older, and says so
                self._put(self.address.pushed_ref, self._newest)
                self._asked.touch()

    def _set_aside(self, former: FileVersion, version: FileVersion) -> None:
        before, now = Facts(), Facts()
        before.read(former.data, "what this clone read before")
        now.read(version.data, str(self.address))
        if lost := b"".join(record.to_line() for record in find_missing_records(before, now)):
            self._put(self.address.removed_ref, replace(former, data=self.removed_lines() + lost))

    def _put(self, ref: str, version: FileVersion) -> None:
        """Keeps a version in the clone, without its history."""
        git = self._repository
        blob = os.fsdecode(git.git("hash-object", "-w", "--stdin", stdin=version.data)).strip()
        tree = os.fsdecode(git.git("mktree", "-z", "--missing", stdin=self._tree(blob, version.other_entries))).strip()
        git.git("update-ref", ref, create_commit(git, tree, f"{self.address} as of {version.commit}\n"))

    def _tree(self, blob: str, others: tuple[bytes, ...]) -> bytes:
        entry = f"100644 blob {blob}\t{self.address.path}".encode()
        return b"".join(line + b"\0" for line in (*others, entry))

    def _fetch(self) -> None:
        """Brings the branch into the clone, where it is in nobody's way."""
        at, git = self.address, self._repository
        depth = ["--depth=1"] if git.is_shallow else []
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc", *depth)
        git.git("fetch", *options, at.remote, f"+{at.ref}:{at.cache_ref}")
        git.try_git("update-ref", "-d", at.pushed_ref)
        self._asked.parent.mkdir(parents=True, exist_ok=True)
        self._asked.touch()

    def _version(self, commit: str) -> FileVersion:
        git, path = self._repository, os.fsencode(self.address.path)
        lines = git.git("ls-tree", "-z", "--full-tree", commit).split(b"\0")
        entries = {line.partition(b"\t")[2]: line for line in lines if line}
        others = tuple(line for name, line in entries.items() if name != path)
        data = git.git("cat-file", "blob", f"{commit}:{self.address.path}") if path in entries else b""
        return FileVersion(commit, data, others)

    def _made(self, *args: str, stdin: bytes) -> str:
        return os.fsdecode(self._repository.git(*args, stdin=stdin, extra_env=self._own())).strip()

    def _own(self) -> dict[str, str]:
        """The environment in which git writes objects to the folder of our own, and knows who commits."""
        if self._objects is None:
            self._objects = ObjectFolder(self._repository.common_dir / "msgrun")
            theirs = str(self._repository.common_dir / "objects").replace("\\", "\\\\").replace('"', '\\"')
            if "://" not in self.address.remote:
                self._url = os.fsdecode(
                    self._repository.git("remote", "get-url", "--push", self.address.remote)
                ).strip()
            count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
            self._variables = {
                # They are packed for the push, and soon removed.
                "GIT_CONFIG_COUNT": str(count + 1),
                f"GIT_CONFIG_KEY_{count}": "core.looseCompression",
                f"GIT_CONFIG_VALUE_{count}": "0",
                **author_env(self._repository),
                "GIT_OBJECT_DIRECTORY": str(self._objects.path),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{theirs}"',
            }
        return self._variables

    def _forget(self, names: set[str]) -> None:
        """Removes objects that nothing is built on any more."""
        for name in names:
            if self._objects:
                (self._objects.path / name[:2] / name[2:]).unlink(missing_ok=True)
