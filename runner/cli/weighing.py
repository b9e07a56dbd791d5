"""lock stats: how large the lockfile is, and whether it is still the right ledger."""

from runner.cli.holding import known, places
from runner.cli.options import EXIT, command
from runner.cli.session import Session, session
from runner.errors import LedgerUnavailable
from runner.ledger import lockfile
from runner.report import weight
from runner.report.weight import Weight


@command("stats")
def stats() -> int:
    """Show how large the lockfile is, and how it grows.

    With the room that is left until GitHub refuses the file.
    """
    with session() as here:
        where = places(here, tolerant=True)
        facts = known(here)
        size = where.lockfile.stat().st_size if where.lockfile.exists() else 0
        lines = lockfile.count(where.lockfile) if size else 0
        here.screen.result(weight.stats(Weight(where.shown, size, lines, len(facts.torn), len(facts)), facts.counts()))
        return EXIT.guard if facts.duplicates() else EXIT.done


def outgrown(here: Session) -> str:
    """That the lockfile is too large for GitHub, or soon will be; empty where it is not, and for other ledgers."""
    try:
        where = places(here, tolerant=True)
    except LedgerUnavailable:
        return ""
    return weight.note(where.shown, where.lockfile.stat().st_size) if where.lockfile.exists() else ""
