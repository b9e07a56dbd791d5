"""One file on a branch of a git remote: fetches it, and replaces it unless another clone did so first.

It uses git's plumbing commands, so it changes no checkout, and a shallow clone makes no difference.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from runner.errors import LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.pushing import ObjectFolder, ci_job_url, create_commit, push_options
from runner.git.repository import Repository
from runner.ledger.branch.second_ref import SecondRef, join_lines
from runner.ledger.facts import Facts
from runner.ledger.ledger import find_missing_records
from runner.ledger.lock_address import BranchAddress
from runner.ledger.record import Header


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The file as of one commit.

    `data` is its content. The lines at its end that the branch lost and this clone still had are also in `restored`.
    Both are empty if the branch does not have the file and the clone never read it. `commit` is empty if there is no
    such branch. `other_entries` are the lines of `git ls-tree` for everything else in the commit's top folder.
    """

    commit: str
    data: bytes
    other_entries: tuple[bytes, ...] = ()
    restored: bytes = b""

    @property
    def exists(self) -> bool:
        """Whether the branch has the file."""
        return len(self.data) > len(self.restored)

    @property
    def is_on_working_branch(self) -> bool:
        """Whether the commit has other files than ledgers, so that people merge to its branch."""
        return any(not entry.endswith(b".lock") for entry in self.other_entries)


NO_VERSION = FileVersion("", b"")  # of a branch that does not exist


class RemoteFile:
    """The file of a ledger on a branch. `ledger_id` is from msgrun.yaml; if it is empty, the id is read from the file.

    A branch may be deleted, or reset to an older commit. Lines that this clone had read or pushed are then restored:
    the next version has them, so the next push writes them. Until that push, a ref of the clone keeps them.

    On a branch that people merge to, a merge may drop lines. So each push to it also moves a second ref to the same
    commit, in one atomic step, and a version has the lines of both.

    The git objects of a push are written to a separate object folder, which `close` removes. In the clone, every push
    would leave a copy of the whole file.
    """

    def __init__(self, repository: Repository, address: BranchAddress, ledger_id: str = "") -> None:
        self.address = address
        self._repository = repository
        self._objects: ObjectFolder | None = None
        self._push_url = address.remote
        self._last_objects: tuple[str, ...] = ()
        # The version that this process fetched or pushed last, and whether it pushed it.
        self._last = NO_VERSION
        self._has_pushed = False
        self._second_ref = SecondRef(repository, address, ledger_id)
        self._fetched_ref, self._known_ref = clone_refs(address)
        self._fetch_marker = repository.common_dir / "msgrun" / f"{quote(address.display_name, safe='')}.asked"

    def second_ref_to_move(self, old: FileVersion) -> str:
        """Returns the name of the second ref, if the push of the version after `old` moves it too; else empty."""
        return self._second_ref.name if old.is_on_working_branch else ""

    def fetch(self) -> FileVersion:
        """Returns the newest version on the remote, with the lines that it lost. Raises LedgerUnavailable."""
        known = self._last if self._last.commit else self._read_known()
        try:
            self._fetch()
        except GitFailed as error:
            if f"couldn't find remote ref {self.address.ref}" not in error.output:
                raise
            return FileVersion("", known.data, restored=known.data)
        commit = self._refs()[self._fetched_ref]
        if known.commit == commit and not known.is_on_working_branch:
            self._last = known
            return known
        self._last = self._restore_lost(self._read_version(commit), known.data)
        self._save_known()
        return self._last

    def cached_version(self) -> tuple[FileVersion, float] | None:
        """Returns all that this clone knows of the file, and how old that is in seconds; None if it never read it.

        Raises LedgerUnavailable.
        """
        known = self._read_known()
        if not known.commit or not self._fetch_marker.exists():
            return None
        return known, time.time() - self._fetch_marker.stat().st_mtime

    def restoring_commit(self) -> str:
        """Returns a commit with all that this clone knows, to push if the branch was deleted; empty if there is none.

        Raises LedgerUnavailable.
        """
        fetched = self._refs().get(self._fetched_ref)
        return self._read_known().commit if fetched and self._read_version(fetched).data else ""

    def push_version(self, old: FileVersion, data: bytes, message: str) -> FileVersion:
        """Commits and pushes the next version, with `message` and a link to the CI job.

        The push succeeds only while `old` is the newest commit of the branch, or, if it has no commit, while there is
        no such branch. Raises LedgerUnavailable if git reports a failure. If only its answer was lost, the remote has
        accepted the push.
        """
        objects = self._open_objects()
        env = objects.environment
        blob, tree = self._write_tree(data, old.other_entries, env)
        if not old.exists:
            self._second_ref.learn_id(data)
        second_ref = self.second_ref_to_move(old)
        paragraphs = [message, ci_job_url(os.environ), self._second_ref.commit_line if second_ref else ""]
        text = "\n\n".join(filter(None, paragraphs)) + "\n"
        commit = create_commit(self._repository, tree, text, *(("-p", old.commit) if old.commit else ()), extra_env=env)
        expected = {self.address.ref: old.commit}
        if second_ref:
            expected[second_ref] = self._last.commit if self._has_pushed else self._second_ref.commit
        # With these leases, git and the remote both refuse to replace a commit that another clone pushed.
        leases = (f"--force-with-lease={ref}:{commit_before}" for ref, commit_before in expected.items())
        atomic = ["--atomic"] if len(expected) > 1 else []
        arguments = ("--porcelain", "--no-verify", *atomic, *leases, *push_options())
        # Given a remote's name instead of a URL, git would set a remote-tracking branch to objects that are removed.
        pushed = (f"{commit}:{ref}" for ref in expected)
        self._repository.git("push", *arguments, "--", self._push_url, *pushed, extra_env=env)
        objects.remove(set(self._last_objects) - {blob, tree, commit})
        self._last_objects = (blob, tree, commit)
        self._last, self._has_pushed = FileVersion(commit, data, old.other_entries), True
        return self._last

    def close(self) -> None:
        """Removes the object folder. Saves the version that was pushed last, without its history, for offline reads."""
        if self._objects is None:
            return
        self._objects.close()
        self._objects = None
        if self._has_pushed:
            # If this fails, an offline read returns an older version and reports its age.
            with contextlib.suppress(LedgerUnavailable):
                self._save_known()
                self._fetch_marker.touch()

    def _restore_lost(self, version: FileVersion, known: bytes) -> FileVersion:
        """Returns the version with what only `known` has."""
        lost = self._find_lost(version.data, known)
        return replace(version, data=join_lines(version.data, lost), restored=lost) if lost else version

    def _find_lost(self, data: bytes, known: bytes) -> bytes:
        """Returns the records, and the higher mark, that only `known` has; all of it if there is no `data`."""
        if not data or data.startswith(known):
            return known if not data else b""
        old, new = Facts(), Facts()
        old.read(known, "what this clone read before")
        new.read(data, self.address.display_name)
        lost = b"".join(record.to_line() for record in find_missing_records(old, new))
        return lost + Header(mark=old.mark).to_line() if old.mark.rank > new.mark.rank else lost

    def _read_known(self) -> FileVersion:
        """Returns all that this clone knows of the file; NO_VERSION if it never read it."""
        refs = self._refs()
        commit = refs.get(self._known_ref) or refs.get(self._fetched_ref)
        return self._read_version(commit) if commit else NO_VERSION

    def _save_known(self) -> None:
        """Saves the last version as a commit without history, if it is more than what was fetched.

        Raises LedgerUnavailable.
        """
        git, last = self._repository, self._last
        if not (last.restored or self._has_pushed):
            git.try_git("update-ref", "-d", self._known_ref)
            return
        _, tree = self._write_tree(last.data, last.other_entries)
        message = f"{self.address.display_name} as of {last.commit}\n"
        git.git("update-ref", self._known_ref, create_commit(git, tree, message))

    def _write_tree(
        self, data: bytes, other_entries: tuple[bytes, ...], env: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        """Writes the file, and the folder with it and the other entries. Returns the ids of both objects."""
        blob = self._repository.write_object("hash-object", "-w", "--stdin", stdin=data, extra_env=env)
        entry = f"100644 blob {blob}\t{self.address.path}".encode()
        entries = b"".join(line + b"\0" for line in (*other_entries, entry))
        return blob, self._repository.write_object("mktree", "-z", "--missing", stdin=entries, extra_env=env)

    def _fetch(self) -> None:
        """Fetches the branch to a ref that is not a branch of the clone. Raises LedgerUnavailable."""
        address, git = self.address, self._repository
        depth = git.depth_options(address.remote, address.branch)
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc", *depth)
        # `--prune` removes the second ref from the clone if the remote does not have it any more.
        refspecs = (f"+{address.ref}:{self._fetched_ref}", self._second_ref.refspec)
        git.git("fetch", *options, "--prune", *git.remote_arguments(address.remote), *refspecs)
        self._has_pushed = False
        self._fetch_marker.parent.mkdir(parents=True, exist_ok=True)
        self._fetch_marker.touch()

    def _refs(self) -> dict[str, str]:
        """Returns the commits of this file's refs in the clone, by the refs' full names."""
        names = (self._known_ref, self._fetched_ref)
        output = self._repository.git("for-each-ref", "--format=%(refname) %(objectname)", *names)
        return {ref: commit for ref, _, commit in (line.partition(" ") for line in os.fsdecode(output).splitlines())}

    def _read_version(self, commit: str) -> FileVersion:
        git, path = self._repository, os.fsencode(self.address.path)
        lines = filter(None, git.git("ls-tree", "-z", "--full-tree", commit).split(b"\0"))
        entries = {line.partition(b"\t")[2]: line for line in lines}
        data = git.read_blob(commit, self.address.path) if entries.pop(path, None) else None
        version = FileVersion(commit, data or b"", tuple(entries.values()))
        if not self._second_ref.ledger_id:
            self._second_ref.learn_id(version.data)
        if not version.is_on_working_branch:
            return version
        lost = self._find_lost(version.data, self._second_ref.read_data())
        return replace(version, data=join_lines(version.data, lost))

    def _open_objects(self) -> ObjectFolder:
        """Returns the object folder, which the first call creates."""
        if self._objects is None:
            if not self.address.has_host:
                url = self._repository.git("remote", "get-url", "--push", self.address.remote)
                self._push_url = os.fsdecode(url).strip()
            self._objects = ObjectFolder.create(self._repository)
        return self._objects


def clone_refs(address: BranchAddress) -> tuple[str, str]:
    """Returns two refs of the clone: for the commit that it fetched last, and for all that it knows, if that is more.

    A slash in the branch is quoted, because git cannot have both a ref `a` and a ref `a/b`.
    """
    name = quote(f"{address.remote}#{address.branch}", safe="").replace(".", "%2E").replace("~", "%7E")
    return f"refs/msgrun/{name}", f"refs/msgrun/known/{name}"
