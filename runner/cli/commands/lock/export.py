"""The command lock export: the ledger as a lockfile."""

from itertools import chain
from pathlib import Path

import click

from runner.cli.context import session
from runner.cli.options import EXIT, command
from runner.errors import GuardRefused, UsageMistake
from runner.ledger.kinds import home
from runner.ledger.opening import known


@command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> int:
    """Print every fact, as a lockfile.

    Or write it to FILE. What lock import reads, into a ledger of any kind.
    """
    with session() as here:
        facts = known(here)
        if not len(facts) and not home(here).exists:
            raise GuardRefused(f"there is no ledger {home(here).shown}", "lock: names another one than before?")
        lines = chain(
            [facts.merged_header(here.settings.salt).to_line()], (record.to_line() for record in facts.sorted_records())
        )
        if file is None:
            for line in lines:
                here.screen.result(line.decode().rstrip("\n"))
        else:
            try:
                with here.file(file).open("xb") as handle:
                    handle.writelines(lines)
            except OSError as error:
                raise UsageMistake(f"{file} cannot be written: {error.strerror}", "name a file that is new") from error
            here.screen.result(f"wrote what {home(here).shown} knows of {len(facts):,} deliveries to {file}")
        return EXIT.guard if facts.duplicates() else EXIT.done
