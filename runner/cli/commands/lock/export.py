"""The command lock export: prints or writes every record."""

from itertools import chain
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of, read_ledger
from runner.cli.options import command
from runner.errors import GuardRefused, UsageMistake
from runner.report.problem_text import pluralize


@command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> int:
    """Print every record as a lockfile, or write it to FILE.

    msgrun lock import reads it into a ledger of any kind.
    """
    with open_context() as context:
        reading, name = read_ledger(context), context.ledger.address.display_name
        facts = reading.facts
        if not (reading.exists or len(facts)):
            raise GuardRefused(f"there is no ledger {name}", "check lock: in msgrun.yaml")
        lines = chain(
            [context.header_of(facts).to_line()],
            (record.to_line() for record in facts.sorted_records()),
        )
        if file is None:
            for line in lines:
                context.output.document(line.decode().rstrip("\n"))
        else:
            try:
                with context.user_path(file).open("xb") as handle:
                    handle.writelines(lines)
            except OSError as error:
                raise UsageMistake(
                    f"{file} cannot be written: {error.strerror}", "choose a file that does not exist yet"
                ) from error
            count = pluralize(len(facts), "delivery", "deliveries")
            context.output.sentence(f"wrote the records of {count} in {name} to {file}")
        return exit_code_of(facts)
