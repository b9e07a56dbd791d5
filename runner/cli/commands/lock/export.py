"""The command lock export: prints the ledger as a lockfile, or writes it to a file."""

from itertools import chain
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.errors import GuardRefused, UsageMistake
from runner.ledger.kinds import location_of
from runner.ledger.opening import read_ledger


@command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> int:
    """Print every fact, as a lockfile.

    Or write it to FILE. What lock import reads, into a ledger of any kind.
    """
    with open_context() as context:
        facts = read_ledger(context)
        if not len(facts) and not location_of(context).exists:
            raise GuardRefused(
                f"there is no ledger {location_of(context).display_name}", "lock: names another one than before?"
            )
        lines = chain(
            [facts.merged_header(context.settings.salt).to_line()],
            (record.to_line() for record in facts.sorted_records()),
        )
        if file is None:
            for line in lines:
                context.output.result(line.decode().rstrip("\n"))
        else:
            try:
                with context.resolve_path(file).open("xb") as handle:
                    handle.writelines(lines)
            except OSError as error:
                raise UsageMistake(f"{file} cannot be written: {error.strerror}", "name a file that is new") from error
            context.output.result(
                f"wrote what {location_of(context).display_name} knows of {len(facts):,} deliveries to {file}"
            )
        return EXIT.guard if facts.duplicates() else EXIT.done
