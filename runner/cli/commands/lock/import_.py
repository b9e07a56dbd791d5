"""The command lock import: adds the records of a lockfile to the ledger."""

from itertools import islice
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, writes_ledger
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.opening import open_ledger
from runner.report import plain_text

_SOME = 20_000  # records that are imported at once


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@writes_ledger
def import_(file: Path, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Add the facts of a lockfile to the ledger.

    FILE is a lockfile, or what lock export wrote. What the ledger knows already stays as it is. The ledger that lock:
    named before is told that it moved, and refuses to be used from then on.
    """
    del yes  # facts only add up, so it never asks; scripts may say it all the same
    from runner.ledger.moves.handover import complete_import, mark_incomplete, require_lockfile_history  # noqa: PLC0415  # imported where used

    with open_context() as context:
        context.known_hosts.add(context.settings.lock)  # a person moves the ledger, and so vouches for its host
        theirs, path = Facts(), context.resolve_path(file)
        if not path.is_file():
            raise UsageMistake(f"there is no file {file}")
        theirs.read_file(path, str(file))
        workspace = theirs.merged_header(context.settings.salt).workspace
        for line in plain_text.ledger_warnings(theirs):
            context.output.error(line)
        asks = not (no_fetch or context.options.sandbox)
        if asks and new_lock and not location_of(context).exists:
            require_lockfile_history(context)
        with open_ledger(context, "lock import", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            if asks:
                mark_incomplete(context, ledger)
            if workspace:
                ledger.pin(workspace)
            missing = (
                record for record in theirs.sorted_records() if record not in ledger.facts.records_of(record.key)
            )
            count = 0
            while some := list(islice(missing, _SOME)):
                ledger.append(*some)
                count += len(some)
            context.output.result(
                f"{count:,} records added to {location_of(context).display_name}, of {len(theirs):,} deliveries"
            )
            if asks:
                complete_import(context, ledger)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done
