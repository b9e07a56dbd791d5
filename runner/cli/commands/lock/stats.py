"""The command lock stats: how large the ledger is."""

from runner.cli.context import session
from runner.cli.options import EXIT, command
from runner.ledger.address import is_elsewhere
from runner.ledger.kinds import home
from runner.ledger.lockfile.files import count_lines
from runner.ledger.lockfile.location import places
from runner.ledger.opening import known
from runner.report import ledger_size
from runner.report.ledger_size import Weight


@command("stats")
def stats() -> int:
    """Show how large the ledger is, and how it grows.

    Of a lockfile with the room that is left until GitHub refuses it.
    """
    with session() as here:
        if is_elsewhere(here.settings.lock) and not here.options.sandbox:
            facts = known(here)
            here.screen.result(ledger_size.held(home(here).shown, len(facts), facts.counts()))
            return EXIT.guard if facts.duplicates() else EXIT.done
        where = places(here, tolerant=True)
        facts = known(here)
        size = where.lockfile.stat().st_size if where.lockfile.exists() else 0
        lines = count_lines(where.lockfile) if size else 0
        here.screen.result(
            ledger_size.stats(
                Weight(where.display_name, size, lines, len(facts.torn_lines), len(facts)), facts.counts()
            )
        )
        return EXIT.guard if facts.duplicates() else EXIT.done
