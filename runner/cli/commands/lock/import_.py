"""The command lock import: adds the records of a lockfile to the ledger."""

from itertools import islice
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, writes_ledger
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.moves.handover import complete_import, mark_incomplete, require_lockfile_history
from runner.ledger.opening import open_ledger
from runner.report import plain_text

_BATCH_SIZE = 20_000  # records that are appended at once


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@writes_ledger
def import_(file: Path, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Add the facts of a lockfile to the ledger.

    FILE is a lockfile, or what lock export wrote. What the ledger knows already stays as it is. The ledger that lock:
    named before is told that it moved, and refuses to be used from then on.
    """
    del yes  # it only adds records, so it never asks; --yes is accepted for scripts that always pass it
    with open_context() as context:
        context.known_hosts.add(context.settings.lock)  # the user runs this command, and so approves the host
        imported, path = Facts(), context.resolve_path(file)
        if not path.is_file():
            raise UsageMistake(f"there is no file {file}")
        imported.read_file(path, str(file))
        workspace = imported.merged_header(context.settings.salt).workspace
        for line in plain_text.ledger_warnings(imported):
            context.output.error(line)
        is_online = not (no_fetch or context.options.sandbox)
        if is_online and new_lock and not location_of(context).exists:
            require_lockfile_history(context)
        with open_ledger(context, "lock import", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            if is_online:
                mark_incomplete(context, ledger)
            if workspace:
                ledger.pin(workspace)
            missing = (
                record for record in imported.sorted_records() if record not in ledger.facts.records_of(record.key)
            )
            count = 0
            while batch := list(islice(missing, _BATCH_SIZE)):
                ledger.append(*batch)
                count += len(batch)
            context.output.result(
                f"{count:,} records added to {location_of(context).display_name}, of {len(imported):,} deliveries"
            )
            if is_online:
                complete_import(context, ledger)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done
