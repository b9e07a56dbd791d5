"""Other runs that write to the same branch at the same time."""

from collections.abc import Iterable

from runner.ledger.facts import Facts
from runner.ledger.record import Record


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
        self._own_runs.update(claim.attempt.rpartition("-")[0] for claim in claims)

    def add(self, lines: list[bytes]) -> None:
        """Adds lines that are new on the remote.

        They are of other runs, or of a push of this process whose answer was lost. A decision of a person about an
        attempt of this process counts as one of others. Raises LedgerUnavailable.
        """
        self.new_lines.update(line + b"\n" for line in lines if line)
        facts = Facts()
        facts.read(b"\n".join(line for line in lines if line.strip()), "the remote's ledger")
        for record in facts.records():
            is_ours = record.attempt.rpartition("-")[0] in self._own_runs
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
