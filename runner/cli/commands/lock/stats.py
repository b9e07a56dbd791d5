"""The command lock stats: shows how large the ledger is."""

from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of, read_ledger
from runner.cli.options import command
from runner.ledger.branch.location import BranchLocation
from runner.ledger.branch.shared_file import MAX_LINES
from runner.ledger.lock_address import BranchAddress, LockfileAddress
from runner.ledger.lockfile.files import count_lines, lockfile_paths
from runner.report import ledger_size
from runner.report.problem_text import pluralize


@command("stats")
def stats() -> int:
    """Show how large the ledger is.

    For a lockfile it also says how much may be added until GitHub refuses the file, for a branch how many lines it has.
    """
    with open_context() as context:
        address, facts = context.ledger.address, read_ledger(context).facts
        text = ledger_size.format_stats(address.display_name, len(facts), facts.counts())
        if isinstance(address, LockfileAddress):
            path = lockfile_paths(context.tree.root, address.path, None).lockfile
            size = path.stat().st_size if path.exists() else 0
            lines = count_lines(path) if size else 0
            text += f"\n{ledger_size.format_size(address.display_name, size, lines, len(facts.torn_lines))}"
        elif isinstance(address, BranchAddress):
            lines = BranchLocation(context.ledger, address).count_lines()
            text += f"\n{pluralize(lines, 'line')}; over {MAX_LINES:,} nothing more is sent"
        context.output.sentence(text)
        return exit_code_of(facts)
