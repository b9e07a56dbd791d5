"""The ledger as a file on a branch of a git remote. A claim is durable once its push is accepted.

Several runs may write at the same time. The run that pushes first gets the deliveries; the others fetch its version,
merge it into their facts, and do not claim those deliveries.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from runner.ledger.branch.shared_file import SharedFile
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.key_state import is_live_claim
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, Record

MAX_BATCH = 100  # claims without an outcome at one time: a lost runner leaves at most so many unknown


class BranchLedger:
    """The ledger on a branch. One thread at a time may write; other threads may read `facts` meanwhile.

    It has no records before `refresh` read them. `writer` names the command and its run in commit messages.
    """

    max_batch = MAX_BATCH
    has_valid_claims = True  # a claim on the branch never expires

    def __init__(self, file: SharedFile, salt: str, writer: str, now: Callable[[], datetime]) -> None:
        self._file = file
        self._salt = salt
        self._writer = writer
        self._now = now
        self._open_attempts: dict[str, str] = {}

    @property
    def facts(self) -> Facts:
        """The records of the file as this run last saw it, and those that were restored."""
        return self._file.facts

    @property
    def exists(self) -> bool:
        """Whether the branch has the file, as of the last fetch or push."""
        return self._file.version.exists

    def create(self, header: Header) -> None:
        """Pushes a file with a header, unless the branch has one. Raises GuardRefused, LedgerUnavailable."""
        is_new = not self.exists

        def next_data() -> bytes:
            nonlocal is_new
            is_new = not self.exists  # another clone may start it at the same moment
            return self._file.data_with([header.to_line()] if is_new and header not in self.facts.headers else [])

        if is_new:
            self._file.push_until_accepted(next_data)
        if is_new:
            self.facts.add(header)

    def recover(self) -> int:
        """Pushes the records and the mark that were restored, as `Ledger.recover` says."""
        restored = Facts()
        restored.read(self._file.version.restored, "what this clone read before")
        records = list(restored.records())
        self._file.push_until_accepted(lambda: self._file.version.data, commit_subject(self._writer, records))
        return len(records)

    def refresh(self) -> None:
        """Fetches the newest version and reads its records. Raises GuardRefused, LedgerUnavailable."""
        self._file.refresh()
        self._open_attempts = {}

    def append(self, *records: Record) -> None:
        """Pushes the records before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        self._write(records, [])
        for record in records:
            self.facts.add(record)

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Fetches the newest version, and counts by run what was claimed a short time ago: see `is_live_claim`."""
        self.refresh()
        claims = (record for state in self.facts.states_with("unknown") for record in state.open_attempts)
        return Counter(
            f"run {claim.attempt.rpartition('-')[0]}"
            for claim in claims
            if claim.message in messages and is_live_claim(claim, self._now())
        )

    def commit(
        self, outcomes: Sequence[Record], claims: Sequence[Record], limited: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Pushes the records before it returns, without the claims of deliveries that another run claimed first.

        Returns the attempts of those claims, and of open claims that another run or a person settled meanwhile.
        `limited` are as `Ledger.commit` says.
        Raises LedgerUnavailable, or ClaimsUncertain if the remote may have accepted claims all the same.
        """
        self._file.other_runs.add_own_claims(claims)
        lost_attempts = self._write([*outcomes, *claims], claims, limited)
        for record in outcomes:
            self._open_attempts.pop(record.key, None)
        self._open_attempts.update((claim.key, claim.attempt) for claim in claims if claim.attempt not in lost_attempts)
        return frozenset(
            lost_attempts
            | {self._open_attempts[key] for key in self._file.other_runs.keys & self._open_attempts.keys()}
        )

    def _write(
        self, records: Sequence[Record], claims: Sequence[Record], limited: AbstractSet[str] = frozenset()
    ) -> set[str]:
        others = self._file.other_runs
        lost_attempts: set[str] = set()
        self._file.other_runs.new_lines.clear()

        def next_data() -> bytes:
            lost_attempts.update(
                claim.attempt for claim in claims if others.has_claimed(claim, is_limited=claim.attempt in limited)
            )
            to_push = (record for record in records if record.attempt not in lost_attempts)
            lines = dict.fromkeys(record.to_line() for record in to_push)
            return self._file.data_with(line for line in lines if line not in self._file.other_runs.new_lines)

        if records:
            self._file.push_until_accepted(next_data, commit_subject(self._writer, records), has_claims=bool(claims))
        return lost_attempts

    def write_header(self, header: Header) -> MoveMark:
        """Pushes a header, as `Ledger.write_header` says."""

        def next_data() -> bytes:
            new = self.facts.headers.new(header, self._salt)
            return self._file.data_with([new.to_line()] if new else [])

        self._file.push_until_accepted(next_data, commit_subject(self._writer, []))
        if new := self.facts.headers.new(header, self._salt):
            self.facts.add(new)
        return self.facts.mark

    def forget(self, keys: AbstractSet[str]) -> int:
        """Pushes a file without these recipients, as `Ledger.forget` says. The branch's history keeps the old one."""
        removal = RecipientRemoval(keys)

        def next_data() -> bytes:
            removal.count = 0
            data = b"".join(removal.lines(self._file.version.data.splitlines(keepends=True), "the branch"))
            return data if removal.count else self._file.version.data

        self._file.push_until_accepted(next_data, f"{self._writer}: a recipient is forgotten")
        count = removal.count
        self.refresh()
        return count

    def compact(self) -> tuple[int, int]:
        """Rewrites the file, sorted, as `Ledger.compact` says."""
        counts = (0, 0)

        def next_data() -> bytes:
            nonlocal counts
            data = b"".join(self.facts.compacted_lines(self._salt))
            counts = self._file.version.data.count(b"\n"), data.count(b"\n")
            return data

        self._file.push_until_accepted(next_data, f"{self._writer}: fewer lines that say the same")
        return counts


def commit_subject(writer: str, records: Iterable[Record]) -> str:
    """Returns the first line of a commit message: who writes, and how many records of each status; else a header."""
    counts = dict.fromkeys(("sent", "refused", "unknown", "released", "claimed"), 0)
    for record in records:
        counts[record.status] += 1
    parts = [f"{status} {count:,}" for status, count in counts.items() if count]
    return f"{writer}: {', '.join(parts) or 'header'}"
