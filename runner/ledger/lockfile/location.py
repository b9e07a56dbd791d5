"""Where the lockfile of a project or of its sandbox is, how it is read, and how it is opened to write."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from runner.git.repository import Repository
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.lockfile.files import LockfilePaths, lockfile_paths, read_lockfile, remote_versions
from runner.ledger.lockfile.ledger import LockfileLedger, open_lockfile
from runner.ledger.remotes import find_remotes


@dataclass(frozen=True, slots=True)
class LockfileLocation:
    """The lockfile of the project, or of its sandbox."""

    context: LedgerContext
    path: str

    def paths(self, repository: Repository | None) -> LockfilePaths:
        """Returns the paths of the lockfile and of its journal. Raises GuardRefused if one of them is a link."""
        return lockfile_paths(self.context.root, self.path, repository)

    def read(self) -> Facts | None:
        """Returns the records of the lockfile and its journal, read without a lock; None if there is no lockfile.

        One with nothing but a torn header counts as none: it was never started.
        """
        paths = self.paths(self.context.readable_repository)
        facts = read_lockfile(paths) if paths.exists else None
        return facts if facts and facts.headers else None

    @contextlib.contextmanager
    def open(self, command: str, *, fetch: bool) -> Iterator[LockfileLedger]:
        """Opens the lockfile, locked for this process, with the records that the journal and the git remotes have.

        Raises GuardRefused, LedgerUnavailable.
        """
        context, repository = self.context, self.context.repository
        paths = self.paths(repository)
        with open_lockfile(paths, context.salt, command, context.now()) as ledger:
            if repository and fetch:
                _, main = find_remotes(context)
                for display_name, data in remote_versions(repository, paths.lockfile, main):
                    ledger.facts.read(data, display_name)
            yield ledger
