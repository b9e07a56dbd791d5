"""What tests of every kind of ledger share."""

from collections.abc import Set as AbstractSet

from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.record import Header, Record


def commit_limited(ledger: SharedLedger, *claims: Record) -> AbstractSet[str]:
    """Writes claims for which `frequency` holds. Returns the attempts that must not be POSTed."""
    return ledger.commit([], claims, {claim.attempt for claim in claims})


def commit(ledger: Ledger, *records: Record) -> AbstractSet[str]:
    """Writes outcomes and claims as a run does. Returns the attempts that must not be POSTed."""
    claims = [record for record in records if record.status == "claimed"]
    return ledger.commit([record for record in records if record.status != "claimed"], claims)


def read(data: bytes) -> Facts:
    """What these lines of a lockfile say."""
    found = Facts()
    found.read(data, "messages.lock")
    return found


def written(members: list[Record | Header]) -> bytes:
    """The lines of records and headers."""
    return b"".join(member.to_line() for member in members)
