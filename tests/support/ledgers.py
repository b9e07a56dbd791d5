"""What tests of every kind of ledger share."""

from collections.abc import Set as AbstractSet

from runner.ledger.ledger import Ledger
from runner.ledger.record import Record


def commit(ledger: Ledger, *records: Record) -> AbstractSet[str]:
    """Writes outcomes and claims as a run does. Returns the attempts that must not be POSTed."""
    claims = [record for record in records if record.status == "claimed"]
    return ledger.commit([record for record in records if record.status != "claimed"], claims)
