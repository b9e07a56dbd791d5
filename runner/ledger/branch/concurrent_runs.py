"""Other runs that write to the same branch at the same time."""

from collections.abc import Iterable

from runner.ledger.facts import Facts
from runner.ledger.record import Record


class Rivals:
    """What others wrote since the plan was made; its deliveries and contacts are theirs. `arrived`: all new lines."""

    def __init__(self) -> None:
        self.new_lines: set[bytes] = set()
        self.keys: set[str] = set()
        self._runs: set[str] = set()
        self._contacts: set[tuple[str, int, str]] = set()

    def add_own_claims(self, claims: Iterable[Record]) -> None:
        """Takes the runs of these claims for ours."""
        self._runs.update(claim.attempt.rpartition("-")[0] for claim in claims)

    def add(self, lines: list[bytes]) -> None:
        """Takes in lines that are new on the remote: ours, of a push whose answer was lost, or theirs."""
        self.new_lines.update(line + b"\n" for line in lines if line)
        facts = Facts()
        facts.read(b"\n".join(line for line in lines if line.strip()), "the remote's ledger")
        for record in facts.records():
            is_ours = record.attempt.rpartition("-")[0] in self._runs
            if is_ours and record.by != "person":
                continue
            self.keys.add(record.key)
            if record.contact:
                self._contacts.add((record.message, record.revision, record.contact))

    def has_claimed(self, claim: Record) -> bool:
        """Whether somebody else was faster with this delivery, or with another one for the same contact."""
        if claim.to_line() in self.new_lines:
            return False
        return claim.key in self.keys or (claim.message, claim.revision, claim.contact) in self._contacts
