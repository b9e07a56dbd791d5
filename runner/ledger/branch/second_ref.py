"""The second ref of a ledger on a branch where people merge. What a merge drops from the branch, this ref still has."""

import os

from runner.git.repository import Repository
from runner.ledger.facts import Facts
from runner.ledger.lock_address import BranchAddress

_REFS, _CACHES = "refs/msgrun/ledger/", "refs/msgrun/second/"  # on the remote, and in the clone


class SecondRef:
    """The ref `refs/msgrun/ledger/ID` of the remote, as this clone fetched it. Without an id, there is none."""

    def __init__(self, repository: Repository, address: BranchAddress, ledger_id: str) -> None:
        self.ledger_id = ledger_id
        self._repository = repository
        self._address = address

    @property
    def name(self) -> str:
        """Its full name on the remote; empty without an id."""
        return f"{_REFS}{self.ledger_id}" if self.ledger_id else ""

    @property
    def refspec(self) -> str:
        """What to fetch. It is a pattern, which may match nothing."""
        return f"+{_REFS}{self.ledger_id}*:{_CACHES}{self.ledger_id}*"

    @property
    def commit(self) -> str:
        """Its commit as of the last fetch; empty if there is none."""
        return self._repository.try_git("rev-parse", "--verify", "--quiet", f"{_CACHES}{self.ledger_id}") or ""

    @property
    def commit_line(self) -> str:
        """The line of a commit message that says for which branch the commit was pushed."""
        return f"Ledger-Branch: {self._address.branch}"

    def learn_id(self, data: bytes) -> None:
        """Takes the id from the headers of the ledger's file, unless there is none or they contradict each other."""
        facts = Facts()
        facts.read(data, self._address.display_name)
        if len(facts.headers.ids) == 1:
            (self.ledger_id,) = facts.headers.ids

    def read_data(self) -> bytes:
        """Returns the branch's file as this ref has it; empty if it does not. Raises LedgerUnavailable."""
        git, commit = self._repository, self.commit
        # Another ledger of this id may have pushed it: one that moved between two such branches.
        is_ours = commit and self.commit_line in os.fsdecode(git.git("log", "-1", "--format=%B", commit))
        return (git.read_blob(commit, self._address.path) if is_ours else None) or b""


def join_lines(data: bytes, more: bytes) -> bytes:
    """Returns lines with more lines after them, which start on a fresh line."""
    line_end = b"\n" if data and more and not data.endswith(b"\n") else b""
    return b"".join((data, line_end, more)) if more else data
