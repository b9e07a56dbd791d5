"""One file on a branch of a git remote: fetches it, and replaces it unless another clone did so first.

It uses git's plumbing commands, so it changes no checkout, and a shallow clone makes no difference.
"""

import contextlib
import os
import time
from dataclasses import dataclass, replace
from urllib.parse import quote

from runner.errors import LedgerUnavailable
from runner.git.object_folder import ObjectFolder
from runner.git.process import GitFailed
from runner.git.pushing import ci_job_url, create_commit, push_options
from runner.git.repository import Repository
from runner.ledger.facts import Facts
from runner.ledger.ledger import find_missing_records
from runner.ledger.lock_address import BranchAddress
from runner.ledger.record import Header

_SECOND_REFS, _SECOND_CACHES = "refs/msgrun/ledger/", "refs/msgrun/second/"  # on the remote, and in the clone


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The file's content in one commit; empty if the commit does not have the file.

    `other_entries` are the lines of `git ls-tree` for everything else in the commit's top folder.
    """

    commit: str
    data: bytes
    other_entries: tuple[bytes, ...] = ()


class RemoteFile:
    """The file at an address, of the ledger with the id `ledger_id`; where msgrun.yaml does not name it, the file's.

    On a branch with other files than ledgers, people merge, and a merge may drop lines. There each push also moves the
    ref `refs/msgrun/ledger/ID` to the same commit, in one atomic step, and a version has the lines of both.

    What it pushes is written to an object folder of its own, which `close` removes: otherwise every push would leave a
    copy of the whole file in the clone.
    """

    def __init__(self, repository: Repository, address: BranchAddress, ledger_id: str = "") -> None:
        self.address = address
        self.ledger_id = ledger_id
        self._repository = repository
        self._objects: ObjectFolder | None = None
        self._push_url = address.remote
        self._last_objects: tuple[str, ...] = ()
        # The version that this process fetched or pushed last, and whether it pushed it.
        self._last: FileVersion | None = None
        self._has_pushed = False
        self._deleted: FileVersion | None = None  # the last version of a branch that is gone
        self._fetch_marker = repository.common_dir / "msgrun" / f"{quote(address.display_name, safe='')}.asked"

    @property
    def second_ref(self) -> str:
        """The full name of the second ref that a push moves on a branch where people merge; empty without an id."""
        return f"{_SECOND_REFS}{self.ledger_id}" if self.ledger_id else ""

    def moves_second_ref(self, old: FileVersion | None) -> bool:
        """Returns whether the push of the version after `old` also moves the second ref."""
        return bool(self.second_ref and old and _is_working_branch(old.other_entries))

    def fetch(self) -> FileVersion | None:
        """Returns the newest version on the remote; None if there is no such branch. Raises LedgerUnavailable.

        Records that this clone has read or pushed before and the newest version lacks are saved for `lost_lines`: the
        branch was reset to an older commit.
        """
        cached = self.cached_version()
        old = self._last or (cached[0] if cached else None)
        try:
            self._fetch()
        except GitFailed as error:
            if f"couldn't find remote ref {self.address.ref}" not in error.output:
                raise
            self._deleted = old
            return None
        commit = self._refs()[self.address.cache_ref]
        is_known = old is not None and old.commit == commit
        if old and is_known and not _is_working_branch(old.other_entries):
            self._last = old
            return old
        self._last = version = self._read_version(commit)
        if old and not is_known and not version.data.startswith(old.data):
            self._save_removed_records(old, version)
        return version

    def lost_lines(self) -> bytes:
        """Returns the lines that this clone had read or pushed and that the newest version lacks.

        Raises LedgerUnavailable.
        """
        commit = self._refs().get(self.address.removed_ref)
        removed = self._read_version(commit).data if commit else b""
        return self._deleted.data + b"\n" + removed if self._deleted else removed

    def forget_lost(self) -> None:
        """Forgets the lost lines. Called once the remote has all of them."""
        self._deleted = None
        self._repository.try_git("update-ref", "-d", self.address.removed_ref)

    def cached_version(self) -> tuple[FileVersion, float] | None:
        """Returns the version that this clone fetched or pushed last, and its age in seconds; None if there is none.

        Raises LedgerUnavailable.
        """
        refs = self._refs()
        commit = refs.get(self.address.pushed_ref) or refs.get(self.address.cache_ref)
        if not commit or not self._fetch_marker.exists():
            return None
        return self._read_version(commit), time.time() - self._fetch_marker.stat().st_mtime

    def push_version(self, old: FileVersion | None, data: bytes, message: str) -> FileVersion:
        """Commits and pushes the next version, with `message` and a link to the CI job.

        The push succeeds only while `old` is the newest commit of the branch, or, if it is None, while there is no such
        branch. Raises LedgerUnavailable if git reports a failure; the remote may have accepted the push all the same,
        when only its answer was lost.
        """
        address, objects = self.address, self._open_objects()
        env = objects.environment
        blob = objects.write("hash-object", "-w", "--stdin", stdin=data)
        other_entries = old.other_entries if old else ()
        tree = objects.write("mktree", "-z", "--missing", stdin=self._tree_entries(blob, other_entries))
        moves_second_ref = self.moves_second_ref(old)
        paragraphs = [message, ci_job_url(os.environ), _branch_line(self.address) if moves_second_ref else ""]
        text = "\n\n".join(filter(None, paragraphs)) + "\n"
        commit = create_commit(self._repository, tree, text, *(("-p", old.commit) if old else ()), extra_env=env)
        expected = {address.ref: old.commit if old else ""}
        if moves_second_ref:
            expected[self.second_ref] = self._second_commit()
        # With these leases, git and the remote both refuse to replace a commit that another clone pushed.
        leases = (f"--force-with-lease={ref}:{commit_before}" for ref, commit_before in expected.items())
        atomic = ["--atomic"] if len(expected) > 1 else []
        arguments = ("--porcelain", "--no-verify", *atomic, *leases, *push_options())
        # To the URL: for a remote's name, git would set a remote-tracking branch to objects that are removed.
        pushed = (f"{commit}:{ref}" for ref in expected)
        self._repository.git("push", *arguments, self._push_url, *pushed, extra_env=env)
        objects.remove(set(self._last_objects) - {blob, tree, commit})
        self._last_objects = (blob, tree, commit)
        self._last, self._has_pushed = FileVersion(commit, data, other_entries), True
        return self._last

    def close(self) -> None:
        """Removes the object folder. Saves the version that was pushed last, without its history, to read offline."""
        if self._objects is None:
            return
        self._objects.close()
        self._objects = None
        if self._last and self._has_pushed:
            # If this fails, an offline read returns an older version and reports its age.
            with contextlib.suppress(LedgerUnavailable):
                self._save_version(self.address.pushed_ref, self._last)
                self._fetch_marker.touch()

    def _save_removed_records(self, old: FileVersion, new: FileVersion) -> None:
        old_facts, new_facts = Facts(), Facts()
        old_facts.read(old.data, "what this clone read before")
        new_facts.read(new.data, self.address.display_name)
        removed = b"".join(record.to_line() for record in find_missing_records(old_facts, new_facts))
        if old_facts.mark.rank > new_facts.mark.rank:
            removed += Header(mark=old_facts.mark).to_line()
        if removed:
            self._save_version(self.address.removed_ref, replace(old, data=self.lost_lines() + removed))

    def _save_version(self, ref: str, version: FileVersion) -> None:
        """Saves a version in the clone under a ref, as a commit without history. Raises LedgerUnavailable."""
        git = self._repository
        blob = os.fsdecode(git.git("hash-object", "-w", "--stdin", stdin=version.data)).strip()
        entries = self._tree_entries(blob, version.other_entries)
        tree = os.fsdecode(git.git("mktree", "-z", "--missing", stdin=entries)).strip()
        git.git("update-ref", ref, create_commit(git, tree, f"{self.address.display_name} as of {version.commit}\n"))

    def _tree_entries(self, blob: str, other_entries: tuple[bytes, ...]) -> bytes:
        entry = f"100644 blob {blob}\t{self.address.path}".encode()
        return b"".join(line + b"\0" for line in (*other_entries, entry))

    def _fetch(self) -> None:
        """Fetches the branch to a ref that is not a branch of the clone. Raises LedgerUnavailable."""
        address, git = self.address, self._repository
        depth = git.depth_options(address.remote, address.branch)
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc", *depth)
        # A pattern may match nothing. `--prune` removes what was fetched by it before and is gone.
        second = f"+{_SECOND_REFS}{self.ledger_id}*:{_SECOND_CACHES}{self.ledger_id}*"
        git.git("fetch", *options, "--prune", address.remote, f"+{address.ref}:{address.cache_ref}", second)
        self._has_pushed = False
        git.try_git("update-ref", "-d", address.pushed_ref)
        self._fetch_marker.parent.mkdir(parents=True, exist_ok=True)
        self._fetch_marker.touch()

    def _refs(self) -> dict[str, str]:
        """Returns the commits of this file's refs in the clone, by the refs' full names."""
        address = self.address
        names = [address.pushed_ref, address.cache_ref, address.removed_ref, _second_cache(self.ledger_id)]
        output = self._repository.git("for-each-ref", "--format=%(refname) %(objectname)", *filter(None, names))
        return {ref: commit for ref, _, commit in (line.partition(" ") for line in os.fsdecode(output).splitlines())}

    def _read_version(self, commit: str) -> FileVersion:
        git, path = self._repository, os.fsencode(self.address.path)
        entries = _list_entries(git, commit)
        other_entries = tuple(line for name, line in entries.items() if name != path)
        data = (git.read_blob(commit, self.address.path) or b"") if path in entries else b""
        self.ledger_id = self.ledger_id or _read_ledger_id(data)
        if _is_working_branch(other_entries):
            data += self._lines_of_second_ref(data)
        return FileVersion(commit, data, other_entries)

    def _second_commit(self) -> str:
        """Returns the commit of the second ref on the remote, as of the last fetch or push; empty if there is none."""
        if self._last and self._has_pushed:
            return self._last.commit
        return self._refs().get(_second_cache(self.ledger_id), "")

    def _lines_of_second_ref(self, data: bytes) -> bytes:
        """Returns the lines of the file at the second ref that `data`, the branch's file, lacks."""
        commit = self._refs().get(_second_cache(self.ledger_id), "")
        # Another ledger of this id may have pushed it: one that moved between two such branches.
        is_ours = commit and _branch_line(self.address) in _read_message(self._repository, commit)
        second = self._repository.read_blob(commit, self.address.path) if is_ours else None
        return _missing_lines(data, second or b"")

    def _open_objects(self) -> ObjectFolder:
        """Returns the object folder; the first time, it is created."""
        if self._objects is None:
            if not self.address.has_host:
                url = self._repository.git("remote", "get-url", "--push", self.address.remote)
                self._push_url = os.fsdecode(url).strip()
            self._objects = ObjectFolder.create(self._repository)
        return self._objects


def _second_cache(ledger_id: str) -> str:
    """Returns the ref of the clone that has what was fetched of the second ref; empty without an id."""
    return f"{_SECOND_CACHES}{ledger_id}" if ledger_id else ""


def _list_entries(repository: Repository, commit: str) -> dict[bytes, bytes]:
    """Returns the entries of a commit's root folder, as `git ls-tree` prints them, by name."""
    lines = repository.git("ls-tree", "-z", "--full-tree", commit).split(b"\0")
    return {line.partition(b"\t")[2]: line for line in lines if line}


def _read_message(repository: Repository, commit: str) -> str:
    return os.fsdecode(repository.git("log", "-1", "--format=%B", commit))


def _branch_line(address: BranchAddress) -> str:
    """Returns the line of a commit message that says for which branch the second ref was pushed."""
    return f"Ledger-Branch: {address.branch}"


def _missing_lines(data: bytes, other: bytes) -> bytes:
    """Returns the lines of `other` that `data` lacks, so that they can be appended to it."""
    known = set(data.split(b"\n"))
    lines = [line + b"\n" for line in other.split(b"\n") if line not in known and line]
    return b"".join([b"\n" if lines and data and not data.endswith(b"\n") else b"", *lines])


def _read_ledger_id(data: bytes) -> str:
    """Returns the id in the headers of a ledger's file; empty if there is none, or if they contradict each other."""
    facts = Facts()
    facts.read(b"\n".join(line for line in data.split(b"\n") if b'"msgrun_lock"' in line), "headers")
    ids = {header.ledger for header in facts.headers if header.ledger}
    return ids.pop() if len(ids) == 1 else ""


def _is_working_branch(other_entries: tuple[bytes, ...]) -> bool:
    """Returns whether a commit has other files than ledgers."""
    return any(not entry.endswith(b".lock") for entry in other_entries)
