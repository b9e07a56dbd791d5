"""The ledger as a file on a branch of a git remote. A claim is durable once its push is accepted.

Several runs may write at the same time. The run that pushes first gets the deliveries; the others fetch its version,
merge it into their facts, and do not claim those deliveries.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from types import TracebackType
from typing import Self

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.pushing import MAX_TRIES, Wait, failure_reason, is_permanent_failure
from runner.git.repository import GitFailed
from runner.ledger.branch.concurrent_runs import ConcurrentRuns
from runner.ledger.branch.remote_file import FileVersion, RemoteFile
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.facts import Facts
from runner.ledger.mark import explain_mark
from runner.ledger.missing_records import find_missing_records
from runner.ledger.record import Header, Mark, Record

MAX_BATCH = 100  # claims without an outcome at one time: a lost runner leaves at most so many unknown
_MAX_RACE_PAUSE = 4  # number of lost races in a row from which on the pause between two tries stays the same
_MAX_LOST_RACES = 100  # how often another run may push first before a write fails
_REJECTED = "rejected] ("  # part of git's output where the remote, or git itself, did not update the branch
MAX_RECORDS = 250_000  # lines of the file; a limit, because every push hashes and compresses all of it


class BranchLedger:
    """The ledger on a branch. One thread at a time may write; other threads may read `facts` meanwhile.

    `wait` is called with the number of the try before each but the first. `writer` names the command and its run in
    commit messages. `max_records` is the number of lines from which on no claims are accepted.
    """

    max_batch = MAX_BATCH
    has_valid_claims = True  # a claim on the branch never expires

    def __init__(self, remote: RemoteFile, salt: str, writer: str, wait: Wait, max_records: int = MAX_RECORDS) -> None:
        self._remote = remote
        self._salt = salt
        self._writer = writer
        self._wait = wait
        self._max_records = max_records
        self._other_runs = ConcurrentRuns()
        self._open_attempts: dict[str, str] = {}
        self._to_restore: list[Record] = []
        self.facts = Facts()
        self._version: FileVersion | None = None
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remote.close()

    @property
    def exists(self) -> bool:
        """Whether the branch has the file, as of the last fetch."""
        return self._version is not None and self._version.data != b""

    def create(self, header: Header) -> None:
        """Pushes a file that has only a header, unless the branch has one. Raises GuardRefused, LedgerUnavailable."""
        self._push_until_accepted(lambda: [] if self.exists else [header.to_line()])
        if not self.facts.headers:  # else another clone started it at the same moment
            self.facts.add(header)

    def recover(self) -> int:
        """Pushes the records and the mark that the branch lost since this clone read it.

        Returns how many records it pushed. Raises LedgerUnavailable.
        """
        previous = Facts()
        previous.read(self._remote.removed_lines(), "what this clone read before")
        removed = list(find_missing_records(previous, self.facts))
        self.append(*removed)
        if previous.mark.rank > self.facts.mark.rank:
            self.write_header(Header(mark=previous.mark))
        self._remote.forget_removed()
        return len(removed)

    def refresh(self) -> None:
        """Fetches the newest version and reads its records. Raises GuardRefused, LedgerUnavailable."""
        version = self._remote.fetch()
        self.facts = self._read(version)
        self._version = version
        self._other_runs, self._open_attempts = ConcurrentRuns(), {}

    def append(self, *records: Record) -> None:
        """Pushes the records before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        self._write(records, [])
        for record in records:
            self.facts.add(record)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        """Always empty: finding out takes a fetch, and a push of the claims finds it out too."""
        del keys
        return frozenset()

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Always empty: a branch does not tell whether another run is still active."""
        del messages
        return Counter()

    def commit(self, outcomes: Sequence[Record], claims: Sequence[Record]) -> frozenset[str]:
        """Pushes the records before it returns, without the claims of deliveries that another run claimed first.

        Returns the attempts of those claims, and of open claims that another run or a person settled meanwhile.
        Raises LedgerUnavailable, or ClaimsUncertain if the remote may have accepted claims all the same.
        """
        self._other_runs.add_own_claims(claims)
        lost_attempts = self._write([*outcomes, *claims], claims)
        for record in outcomes:
            self._open_attempts.pop(record.key, None)
        self._open_attempts.update((claim.key, claim.attempt) for claim in claims if claim.attempt not in lost_attempts)
        return frozenset(
            lost_attempts | {self._open_attempts[key] for key in self._other_runs.keys & self._open_attempts.keys()}
        )

    def _write(self, records: Sequence[Record], claims: Sequence[Record]) -> set[str]:
        lost_attempts: set[str] = set()
        self._other_runs.new_lines.clear()

        def missing_lines() -> list[bytes]:
            lost_attempts.update(claim.attempt for claim in claims if self._other_runs.has_claimed(claim))
            to_push = (record for record in (*self._to_restore, *records) if record.attempt not in lost_attempts)
            return [line for record in to_push if (line := record.to_line()) not in self._other_runs.new_lines]

        if records:
            self._push_until_accepted(missing_lines, commit_subject(self._writer, records), has_claims=bool(claims))
            self._to_restore = []
        return lost_attempts

    def write_header(self, header: Header) -> Mark:
        """Pushes a header, unless it says nothing new that holds. Returns the mark that holds.

        Raises GuardRefused, LedgerUnavailable.
        """

        def missing_lines() -> list[bytes]:
            new = self.facts.headers.new(header, self._salt)
            return [new.to_line()] if new else []

        self._push_until_accepted(missing_lines, f"{self._writer}: header")
        if new := self.facts.headers.new(header, self._salt):
            self.facts.add(new)
        return self.facts.mark

    def compact(self) -> tuple[int, int]:
        """Rewrites the file: sorted, without records that a later one of their attempt supersedes.

        Returns the number of lines before and after. Raises GuardRefused, LedgerUnavailable.
        """
        counts = (0, 0)

        def compacted_lines() -> list[bytes]:
            nonlocal counts
            old = self._version.data if self._version else b""
            lines = list(self.facts.compacted_lines(self._salt))
            counts = old.count(b"\n"), len(lines)
            return [] if b"".join(lines) == old else lines

        self._push_until_accepted(compacted_lines, f"{self._writer}: fewer lines that say the same", is_whole=True)
        return counts

    def _push_until_accepted(
        self,
        missing_lines: Callable[[], list[bytes]],
        message: str = "begin the ledger",
        *,
        has_claims: bool = False,
        is_whole: bool = False,
    ) -> None:
        """Pushes lines until the remote has them.

        `missing_lines` returns the lines that the remote lacks, and is called again after every fetch. `is_whole`: the
        lines replace the file, else they are appended. `has_claims`: the lines may be claims.
        If git reports a failure, the next fetch shows whether the push was accepted: its answer may have been lost.
        Raises LedgerUnavailable, or ClaimsUncertain if the remote may still accept a push with claims.
        """
        # The parent of a push that the remote may still accept, which it can only while that is the newest commit.
        pending_parent = None
        tries = races = 0
        while True:
            try:
                if tries or races:
                    self._wait(max(tries, min(races, _MAX_RACE_PAUSE)))
                    commit_before = self._newest_commit
                    self._merge_remote_version()
                    pending_parent = pending_parent if self._newest_commit == pending_parent else None
                    races, tries = (races + 1, 0) if self._newest_commit != commit_before else (races, tries)
                if not (lines := missing_lines()):
                    return
                self._refuse_claims_beyond_limits(lines, has_claims=has_claims)
                pending_parent = self._newest_commit
                self._push(lines, message, is_whole=is_whole)
            except LedgerUnavailable as error:
                output = error.output if isinstance(error, GitFailed) else ""
                if _REJECTED in output:
                    pending_parent = None
                tries += 1
                if (
                    tries >= MAX_TRIES
                    or races >= _MAX_LOST_RACES
                    or is_permanent_failure(output)
                    or isinstance(error, _PermanentFailure)
                ):
                    kind = ClaimsUncertain if has_claims and pending_parent is not None else LedgerUnavailable
                    raise kind(*self._explain_failure(error)) from error
            else:
                return

    @property
    def _newest_commit(self) -> str:
        """The newest commit of the branch as of the last fetch or push; empty if there is none."""
        return self._version.commit if self._version else ""

    def _explain_failure(self, error: LedgerUnavailable) -> tuple[str, str]:
        if isinstance(error, _PermanentFailure):
            return error.message, error.hint
        reason = failure_reason(error) if isinstance(error, GitFailed) else error.message
        hint = "let this job push to the branch: its token (contents: write), and the rules of the branch"
        return f"{self._remote.address.display_name} did not take what was written: {reason}", hint

    def _push(self, lines: list[bytes], message: str, *, is_whole: bool) -> None:
        old = self._version.data if self._version and not is_whole else b""
        gap = b"" if not old or old.endswith(b"\n") else b"\n"
        self._version = self._remote.push_version(self._version, old + gap + b"".join(lines), message)

    def _refuse_claims_beyond_limits(self, lines: list[bytes], *, has_claims: bool) -> None:
        count = (self._version.data.count(b"\n") if self._version else 0) + len(lines)
        if has_claims and self.facts.mark.status != "current":
            message, _ = explain_mark(self._remote.address.setting, self.facts.mark)
            raise _PermanentFailure(message, "run the command again: it says what to do")
        if has_claims and count > self._max_records:
            raise _PermanentFailure(*explain_too_large(count, self._max_records))

    def _merge_remote_version(self) -> None:
        """Fetches the newest version, and notes which records other runs added.

        If the branch was rewritten and lost records, the next push restores them. Raises LedgerUnavailable.
        """
        old_version, version = self._version, self._remote.fetch()
        old_data, new_data = old_version.data if old_version else b"", version.data if version else b""
        if old_data and not new_data:
            raise _PermanentFailure(
                f"the ledger {self._remote.address.display_name} is gone",
                "somebody deleted it; push it again from a clone that has it (git for-each-ref refs/msgrun)",
            )
        try:
            facts = self._read(version)
        except GuardRefused as error:
            raise _PermanentFailure(error.message, error.hint) from error
        if old_data and not new_data.startswith(old_data):
            # The file was compacted, or the branch was reset to an older commit: records that it lost are pushed again.
            previous = self._read(old_version)
            facts.add(Header(mark=previous.mark))
            candidates = chain(self._to_restore, previous.compacted_records())
            self._to_restore = [record for record in candidates if record not in facts.records_of(record.key)]
            previous_lines = frozenset(old_data.split(b"\n"))
            new_lines = [line for line in new_data.split(b"\n") if line not in previous_lines]
        else:
            new_lines = new_data[len(old_data) :].split(b"\n")
        self._other_runs.add(new_lines)
        self.facts, self._version = facts, version

    def _read(self, version: FileVersion | None) -> Facts:
        facts = Facts()
        display_name = self._remote.address.display_name
        if version and not facts.read(version.data, display_name):
            raise LedgerUnavailable(
                f"{display_name} has lost its header", "take the line with msgrun_lock back from git"
            )
        facts.headers.merged(self._salt)
        return facts


class _PermanentFailure(LedgerUnavailable):
    """A failure that a further try cannot change."""


def explain_too_large(count: int, max_records: int) -> tuple[str, str]:
    """The message and the hint for a ledger on a branch that has too many lines for more claims."""
    message = f"the ledger would have {count:,} lines, and on a git branch it has {max_records:,} at most"
    remedies = "msgrun lock compact, a PostgreSQL ledger, or, if that is meant, MSGRUN_GIT_RECORDS=N"
    return message, f"each batch hashes and packs the whole file anew, which takes seconds from there on: {remedies}"


def commit_subject(writer: str, records: Iterable[Record]) -> str:
    """The first line of a commit message: who writes, and how many records of each status."""
    counts = dict.fromkeys(("sent", "refused", "unknown", "released", "claimed"), 0)
    for record in records:
        counts[record.status] += 1
    return f"{writer}: {', '.join(f'{status} {count:,}' for status, count in counts.items() if count)}"
