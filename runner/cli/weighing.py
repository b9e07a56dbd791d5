"""lock stats: how large the ledger is, and whether a lockfile is still the right one."""

from runner.cli.holding import home, is_elsewhere, known, places
from runner.cli.options import EXIT, command
from runner.cli.session import Session, session
from runner.errors import LedgerUnavailable
from runner.ledger import lockfile
from runner.report import weight
from runner.report.weight import Weight


@command("stats")
def stats() -> int:
    """Show how large the ledger is, and how it grows.

    Of a lockfile with the room that is left until GitHub refuses it.
    """
    with session() as here:
        if is_elsewhere(here.settings.lock) and not here.options.sandbox:
            facts = known(here)
            here.screen.result(weight.held(home(here).shown, len(facts), facts.counts()))
            return EXIT.guard if facts.duplicates() else EXIT.done
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
