"""The ledger's file on a branch as this run last saw it: pushes lines to it, and merges what others pushed."""

from collections.abc import Callable, Iterable

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.pushing import MAX_TRIES, Wait, failure_reason, is_permanent_failure
from runner.ledger.branch.remote_file import NO_VERSION, FileVersion, RemoteFile
from runner.ledger.branch.second_ref import join_lines
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.facts import Facts
from runner.ledger.lock_address import BranchAddress
from runner.ledger.mark import explain_mark
from runner.ledger.record import Record
from runner.shown_command import shown_command

_MAX_RACE_PAUSE = 4  # lost races in a row; after more of them, the pause before a try grows no further
_MAX_LOST_RACES = 100  # how often another run may push first before a write fails
_REJECTED = "rejected] ("  # in git's output if the remote, or git itself, did not update the branch
MAX_LINES = 250_000  # of a file with a new claim: every push hashes and compresses the whole file


class ConcurrentRuns:
    """What other runs wrote since the plan was made: this run must not send to their keys and contacts.

    `keys` are the keys of their records. `new_lines` are all lines that are new on the remote, also those of this run.
    """

    def __init__(self) -> None:
        self.new_lines: set[bytes] = set()
        self.keys: set[str] = set()
        self._own_runs: set[str] = set()
        self._claimed_contacts: set[tuple[str, int, str]] = set()
        self._reached_contacts: set[str] = set()  # by any message

    def add_own_claims(self, claims: Iterable[Record]) -> None:
        """Notes that the runs of these claims are of this process."""
        self._own_runs.update(claim.run for claim in claims)

    def add(self, lines: list[bytes]) -> None:
        """Adds lines that are new on the remote.

        They are of other runs, or of a push of this process whose answer was lost. A decision of a person about an
        attempt of this process counts as one of others. Raises LedgerUnavailable.
        """
        self.new_lines.update(line + b"\n" for line in lines if line)
        facts = Facts()
        facts.read(b"\n".join(line for line in lines if line.strip()), "the remote's ledger")
        for record in facts.records():
            is_ours = record.run in self._own_runs
            if is_ours and record.by != "person":
                continue
            self.keys.add(record.key)
            if contact := record.recipient_contact:
                self._claimed_contacts.add((record.message, record.revision, contact))
                if record.status in {"claimed", "unknown", "sent"}:
                    self._reached_contacts.add(contact)

    def has_claimed(self, claim: Record, *, is_limited: bool = False) -> bool:
        """Returns whether another run was first with this delivery, or with one of its revision for its contact.

        If it `is_limited`, any message for its contact counts.
        """
        if claim.to_line() in self.new_lines:
            return False
        contact = (claim.message, claim.revision, claim.recipient_contact)
        is_late = is_limited and claim.recipient_contact in self._reached_contacts
        return is_late or claim.key in self.keys or contact in self._claimed_contacts


class SharedFile:
    """A file of records that several runs append to.

    `version` is the file as of the last fetch or push, and `facts` has its records. `other_runs` is what other runs
    added since the last `refresh`. `wait` is called before each further try of a push, with the number of that try.
    """

    def __init__(self, remote: RemoteFile, salt: str, wait: Wait) -> None:
        self._remote = remote
        self._salt = salt
        self._wait = wait
        self.version = NO_VERSION
        self.facts = Facts()
        self.other_runs = ConcurrentRuns()

    def data_with(self, lines: Iterable[bytes]) -> bytes:
        """Returns the content with further lines at its end."""
        return join_lines(self.version.data, b"".join(lines))

    def refresh(self) -> None:
        """Fetches the newest version and reads its records. Raises GuardRefused, LedgerUnavailable."""
        version = self._remote.fetch()
        self.facts, self.version, self.other_runs = self._read(version), version, ConcurrentRuns()

    def push_until_accepted(
        self,
        next_data: Callable[[], bytes],
        message: str = "begin the ledger",
        *,
        has_claims: bool = False,
    ) -> None:
        """Pushes the file's next content until the remote has it.

        `next_data` returns the content, and is called again after every fetch. If it returns what the branch has
        already, nothing is pushed. So if git reports a failure, and only the answer to an accepted push was lost, the
        next fetch ends the tries. `has_claims`: the content may have new claims.
        Raises LedgerUnavailable, or ClaimsUncertain if the remote may still accept a push with claims.
        """
        # The parent of a push without an answer. The remote can still accept that push while it has no newer commit.
        pending_parent = None
        tries = races = 0
        while True:
            try:
                if tries or races:
                    self._wait(max(tries, min(races, _MAX_RACE_PAUSE)))
                    commit_before = self.version.commit
                    self._merge_remote_version()
                    pending_parent = pending_parent if self.version.commit == pending_parent else None
                    races, tries = (races + 1, 0) if self.version.commit != commit_before else (races, tries)
                if (data := next_data()) == self.version.data and not self.version.restored:
                    return
                if has_claims:
                    self._refuse_claims_beyond_limits(data)
                pending_parent = self.version.commit
                self.version = self._remote.push_version(self.version, data, message)
            except LedgerUnavailable as error:
                output = error.output if isinstance(error, GitFailed) else ""
                if _REJECTED in output:
                    pending_parent = None
                tries += 1
                is_permanent = isinstance(error, _PermanentFailure) or is_permanent_failure(output)
                if is_permanent or tries >= MAX_TRIES or races >= _MAX_LOST_RACES:
                    is_uncertain = has_claims and pending_parent is not None
                    error_class = ClaimsUncertain if is_uncertain else LedgerUnavailable
                    raise error_class(*self._explain_failure(error)) from error
            else:
                return

    def _explain_failure(self, error: LedgerUnavailable) -> tuple[str, str]:
        if isinstance(error, _PermanentFailure):
            return str(error), error.hint
        reason = failure_reason(error) if isinstance(error, GitFailed) else str(error)
        hint = "let this job push to the branch: its token (contents: write), and the rules of the branch"
        if second_ref := self._remote.second_ref_to_move(self.version):
            hint += f"; and let it push to {second_ref}"
            hint += "" if self.version.exists else ", or name a branch without other files in lock:, as git+origin"
        return f"{self._remote.address.display_name} did not take what was written: {reason}", hint

    def _refuse_claims_beyond_limits(self, data: bytes) -> None:
        if self.facts.mark.status != "current":
            refusal = explain_mark(self._remote.address.setting, self.facts.mark)
            raise _PermanentFailure(refusal.message, "run the command again: it says what to do")
        if (count := data.count(b"\n")) > MAX_LINES:
            raise _PermanentFailure(
                f"the ledger would have {count:,} lines, and on a git branch it has {MAX_LINES:,} at most",
                "each batch hashes and packs the whole file again, which takes seconds from there on:"
                f" {shown_command('lock', 'compact')}, or a PostgreSQL ledger",
            )

    def _merge_remote_version(self) -> None:
        """Fetches the newest version, and notes which records other runs added.

        Raises LedgerUnavailable.
        """
        old, version = self.version, self._remote.fetch()
        if old.exists and not version.exists:
            raise _PermanentFailure(
                f"the ledger {self._remote.address.display_name} was removed",
                "run the command again: in a clone that has it, it says how to restore it",
            )
        try:
            facts = self._read(version)
        except GuardRefused as error:
            raise _PermanentFailure(error.message, error.hint) from error
        if version.data.startswith(old.data):
            new_lines = version.data[len(old.data) :].split(b"\n")
        else:  # the file was compacted, or the branch was reset to an older commit
            old_lines = frozenset(old.data.split(b"\n"))
            new_lines = [line for line in version.data.split(b"\n") if line not in old_lines]
        self.other_runs.add(new_lines)
        self.facts, self.version = facts, version

    def _read(self, version: FileVersion) -> Facts:
        facts = read_version(version, self._remote.address)
        facts.headers.require_consistent(self._salt)
        return facts


def read_version(version: FileVersion, address: BranchAddress) -> Facts:
    """Returns the records of a version. Raises LedgerUnavailable if it is not a ledger, or has no header."""
    facts = Facts()
    if not facts.read(version.data, address.display_name):
        raise LedgerUnavailable(
            f"{address.display_name} has lost its header", "take the line with msgrun_lock back from git"
        )
    return facts


class _PermanentFailure(LedgerUnavailable):
    """A failure that a further try cannot change."""
