"""The ledger as a file on a branch of a git remote: a push that takes is the claim, one that does not is a lost race.

Several runs may have it at once. Whoever pushes first has the deliveries; the others fetch, fold, and leave them out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.pushing import MAX_TRIES, Wait, failure_reason, is_permanent_failure
from runner.git.repository import GitFailed
from runner.ledger.branch.concurrent_runs import Rivals
from runner.ledger.branch.remote_file import FileVersion, RemoteFile
from runner.ledger.durable_append import ClaimsUncertain, append_lines
from runner.ledger.facts import Facts
from runner.ledger.location import explain_move
from runner.ledger.missing_records import find_missing_records
from runner.ledger.record import Header, Record
from runner.ledger.rescue_file import import_rescue_file

MAX_BATCH = 100  # claims that may be open at once, and so what a vanished runner leaves unknown at most


_LONGEST_RACE = 4  # tries from which on the pauses between lost races grow no more


_MOST_RACES = 100  # that somebody else was faster, before it is given up


_REJECTED = "rejected] ("  # so git marks a branch that the remote, or git itself, did not update


MAX_RECORDS = 250_000  # lines; every push hashes and compresses the whole file


class BranchLedger:
    """The ledger on a branch. Safe in one thread at a time for writing; `facts` may be read meanwhile.

    `wait` is called with the number of the try before each but the first, `name` says in commits who writes.
    """

    max_batch = min_batch = MAX_BATCH
    request_permits = None
    has_valid_claims = True  # a claim on the branch has no end

    def __init__(
        self, remote: RemoteFile, rescue: Path, salt: str, name: str, wait: Wait, most: int = MAX_RECORDS
    ) -> None:
        self._remote = remote
        self._rescue = rescue
        self._salt = salt
        self._name = name
        self._wait = wait
        self._most = most
        self._rivals = Rivals()
        self._open: dict[str, str] = {}
        self._again: list[Record] = []
        self.facts = Facts()
        self._version: FileVersion | None = None
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remote.close()

    @property
    def exists(self) -> bool:
        """Whether there was such a file on the branch."""
        return self._version is not None and self._version.data != b""

    def create(self) -> None:
        """Starts the branch, with nothing but a header. Raises GuardRefused, LedgerUnavailable."""
        self._insist(
            lambda: [] if self.exists else [Header("", self.facts.merged_header(self._salt).salt_check).to_line()]
        )

    def recover(self) -> int:
        """Pushes what an earlier run could not, or what the branch lost since this clone read it.

        Returns how many records. Raises LedgerUnavailable.
        """
        former = Facts()
        former.read(self._remote.removed_lines(), "what this clone read before")
        lost = list(find_missing_records(former, self.facts))
        self.append(*lost)
        self._remote.forget_removed()
        return len(lost) + import_rescue_file(self._rescue, self.facts, self.append)

    def refresh(self) -> None:
        """Fetches the newest version. Raises GuardRefused, LedgerUnavailable."""
        version = self._remote.fetch()
        self.facts = self._read(version)
        self._version = version
        self._rivals, self._open = Rivals(), {}

    def append(self, *records: Record) -> None:
        """Pushes the records before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        self._write(records, [])
        for record in records:
            self.facts.add(record)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        """None that a claim would not find out at the same price."""
        del keys
        return frozenset()

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Nobody that is known to live."""
        del messages
        return Counter()

    def commit(self, *records: Record) -> frozenset[str]:
        """Pushes the records before it returns; the claims that somebody else was faster with are left out.

        Returns the attempts of those, and of open claims that somebody else decided about meanwhile.
        Raises LedgerUnavailable; ClaimsLeft if claims may have arrived all the same.
        """
        claims = [record for record in records if record.status == "claimed"]
        self._rivals.add_own_claims(claims)
        lost = self._write(records, claims)
        for record in records:
            if record.status != "claimed":
                self._open.pop(record.key, None)
        self._open.update((claim.key, claim.attempt) for claim in claims if claim.attempt not in lost)
        return frozenset(lost | {self._open[key] for key in self._rivals.keys & self._open.keys()})

    def _write(self, records: Sequence[Record], claims: list[Record]) -> set[str]:
        lost: set[str] = set()
        self._rivals.new_lines.clear()

        def missing() -> list[bytes]:
            lost.update(claim.attempt for claim in claims if self._rivals.has_claimed(claim))
            wanted = (record for record in (*self._again, *records) if record.attempt not in lost)
            return [line for record in wanted if (line := record.to_line()) not in self._rivals.new_lines]

        if records:
            self._insist(missing, commit_subject(self._name, records), has_claims=bool(claims))
            self._again = []
        return lost

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        header = self.facts.merged_header(self._salt)
        if header.workspace and header.workspace != workspace:
            hint = "the token is of another workspace; each workspace has an environment and a ledger of its own"
            raise GuardRefused(f"the ledger belongs to workspace {header.workspace}, not {workspace}", hint)
        pinned = Header(workspace, header.salt_check)
        self._insist(
            lambda: [] if pinned in self.facts.headers else [pinned.to_line()], f"{self._name}: pin {workspace}"
        )
        self.facts.add(pinned)

    def mark_moved(self, to: str) -> None:
        """Notes where the ledger moved, durably; empty: it came back. No run claims on it any more."""

        def missing() -> list[bytes]:
            return [] if self.facts.moved_to == to else [self.facts.move_header(self._salt, to).to_line()]

        self._insist(missing, f"{self._name}: {f'moved to {to}' if to else 'back'}")
        self.facts.add(self.facts.move_header(self._salt, to))

    def write_rescue_file(self, records: list[Record]) -> Path:
        """Writes outcomes that could not be pushed to the rescue file, and returns it. Raises LedgerUnavailable."""
        append_lines([self._rescue], b"".join(record.to_line() for record in records))
        return self._rescue

    def compact(self) -> tuple[int, int]:
        """Rewrites the file sorted and without what later facts of an attempt replace: lines before and after."""
        counts = (0, 0)

        def rewritten() -> list[bytes]:
            nonlocal counts
            old = self._version.data if self._version else b""
            lines = list(self.facts.compacted_lines(self._salt))
            counts = old.count(b"\n"), len(lines)
            return [] if b"".join(lines) == old else lines

        self._insist(rewritten, f"{self._name}: fewer lines that say the same", is_whole=True)
        return counts

    def _insist(
        self,
        missing: Callable[[], list[bytes]],
        message: str = "begin the ledger",
        *,
        has_claims: bool = False,
        is_whole: bool = False,
    ) -> None:
        """Pushes lines until the remote has them. `missing` is asked again after every fold; `is_whole`: nothing else.

        Whether a push arrived is never told from its answer, which may be lost, but from what the remote has then.
        """
        on_way = None  # the parent of a push that may still arrive: as long as it is the newest commit, it can
        tries = races = 0
        while True:
            try:
                if tries or races:
                    self._wait(max(tries, min(races, _LONGEST_RACE)))
                    before = self._tip
                    self._fold()
                    on_way = on_way if self._tip == on_way else None
                    races, tries = (races + 1, 0) if self._tip != before else (races, tries)
                if not (lines := missing()):
                    return
                self._bounded(lines, has_claims=has_claims)
                on_way = self._tip
                self._put(lines, message, is_whole=is_whole)
            except LedgerUnavailable as error:
                said = error.output if isinstance(error, GitFailed) else ""
                if _REJECTED in said:
                    on_way = None
                tries += 1
                if (
                    tries >= MAX_TRIES
                    or races >= _MOST_RACES
                    or is_permanent_failure(said)
                    or isinstance(error, _Final)
                ):
                    kind = ClaimsUncertain if has_claims and on_way is not None else LedgerUnavailable
                    raise kind(*self._failure(error)) from error
            else:
                return

    @property
    def _tip(self) -> str:
        """The newest commit that is known; empty before there is one."""
        return self._version.commit if self._version else ""

    def _failure(self, error: LedgerUnavailable) -> tuple[str, str]:
        if isinstance(error, _Final):
            return error.message, error.hint
        said = failure_reason(error) if isinstance(error, GitFailed) else error.message
        hint = "let this job push to the branch: its token (contents: write), and the rules of the branch"
        return f"{self._remote.address} did not take what was written: {said}", hint

    def _put(self, lines: list[bytes], message: str, *, is_whole: bool) -> None:
        old = self._version.data if self._version and not is_whole else b""
        gap = b"" if not old or old.endswith(b"\n") else b"\n"
        self._version = self._remote.push_version(self._version, old + gap + b"".join(lines), message)

    def _bounded(self, lines: list[bytes], *, has_claims: bool) -> None:
        count = (self._version.data.count(b"\n") if self._version else 0) + len(lines)
        if has_claims and self.facts.moved_to:
            raise _Final(*explain_move(self._remote.address, self.facts.moved_to))
        if has_claims and count > self._most:
            raise _Final(*explain_too_large(count, self._most))

    def _fold(self) -> None:
        """Takes in what the remote has by now. Raises LedgerUnavailable."""
        old, version = self._version, self._remote.fetch()
        before, now = old.data if old else b"", version.data if version else b""
        if before and not now:
            raise _Final(
                f"the ledger {self._remote.address} is gone",
                "somebody deleted it; push it again from a clone that has it (git for-each-ref refs/msgrun)",
            )
        try:
            facts = self._read(version)
        except GuardRefused as error:
            raise _Final(error.message, error.hint) from error
        if before and not now.startswith(before):
            # Rewritten: compacted, or put back to an older commit. What it lacks by now is written again.
            known = self._read(old)
            every = chain(self._again, known.compacted_records())
            self._again = [record for record in every if record not in facts.records_of(record.key)]
            seen = frozenset(before.split(b"\n"))
            new = [line for line in now.split(b"\n") if line not in seen]
        else:
            new = now[len(before) :].split(b"\n")
        self._rivals.add(new)
        self.facts, self._version = facts, version

    def _read(self, version: FileVersion | None) -> Facts:
        facts = Facts()
        at = str(self._remote.address)
        if version and not facts.read(version.data, at):
            raise LedgerUnavailable(f"{at} has lost its header", "take the line with msgrun_lock back from git")
        facts.merged_header(self._salt)
        return facts


class _Final(LedgerUnavailable):
    """No further try would change it."""


def explain_too_large(count: int, most: int) -> tuple[str, str]:
    """Why a ledger on a branch takes no more, and the way out."""
    message = f"the ledger would have {count:,} lines, and on a git branch it has {most:,} at most"
    way_out = "msgrun lock compact, a PostgreSQL ledger, or, if that is meant, MSGRUN_GIT_RECORDS=N"
    return message, f"each batch hashes and packs the whole file anew, which takes seconds from there on: {way_out}"


def commit_subject(name: str, records: Iterable[Record]) -> str:
    """A commit's first line: who wrote how many of what."""
    counts = dict.fromkeys(("sent", "refused", "unknown", "released", "claimed"), 0)
    for record in records:
        counts[record.status] += 1
    return f"{name}: {', '.join(f'{status} {count:,}' for status, count in counts.items() if count)}"
