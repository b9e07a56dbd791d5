"""The command lock stats: shows how large the ledger is."""

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.ledger.address import is_shared_ledger
from runner.ledger.kinds import location_of
from runner.ledger.lockfile.files import count_lines
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.opening import read_ledger
from runner.report import ledger_size
from runner.report.ledger_size import LockfileSize


@command("stats")
def stats() -> int:
    """Show how large the ledger is, and how it grows.

    Of a lockfile with the room that is left until GitHub refuses it.
    """
    with open_context() as context:
        if is_shared_ledger(context.settings.lock) and not context.options.sandbox:
            facts = read_ledger(context)
            context.output.result(
                ledger_size.shared_ledger_stats(location_of(context).display_name, len(facts), facts.counts())
            )
            return EXIT.guard if facts.duplicates() else EXIT.done
        paths = lockfile_paths(context, allow_unreadable_git=True)
        facts = read_ledger(context)
        size = paths.lockfile.stat().st_size if paths.lockfile.exists() else 0
        lines = count_lines(paths.lockfile) if size else 0
        context.output.result(
            ledger_size.stats(
                LockfileSize(paths.display_name, size, lines, len(facts.torn_lines), len(facts)), facts.counts()
            )
        )
        return EXIT.guard if facts.duplicates() else EXIT.done
