"""The command lock show: prints the records of the ledger."""

import click

from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, read_ledger
from runner.cli.options import command
from runner.cli.recipients import name_recipients
from runner.cli.suggestions import suggest_unknown_keys
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.report import status_text
from runner.report.plain_text import MAX_LISTED
from runner.report.status_text import StatusView
from runner.shown_command import shown_command


@command("show")
@click.argument("key", required=False, shell_complete=suggest_unknown_keys)
def show(key: str | None) -> int:
    """Print the records that count.

    With KEY, only those whose key begins with it. On a terminal a table of the newest 20, else a line of JSON for each.
    A record that a later one of its attempt replaces is left out.

    The status is the ledger's own word: "claimed" has no outcome, which msgrun status calls unknown, and "released"
    was not sent.
    """
    with open_context() as context:
        facts = read_ledger(context).facts
        records = [record for record in facts.sorted_records() if record.key.startswith(key or "")]
        if not records and key:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        if context.output.width_for_reading:
            _print_table(context, facts, records)
        else:
            for record in records:
                context.output.document(record.to_line().decode().rstrip("\n"))
        return exit_code_of(facts)


def _print_table(context: Context, facts: Facts, records: list[Record]) -> None:
    """Prints the newest records, the newest last: there the eye is."""
    output = context.output
    newest = sorted(records, key=lambda record: record.at)[-MAX_LISTED:]
    if not newest:
        output.result("The ledger has no record.")
        return
    view = StatusView(output.width, output.show_values)
    output.result(status_text.records(newest, name_recipients(context, facts, newest), view))
    if older := len(records) - len(newest):
        every = shown_command("lock", "show")
        hidden = "1 older record is" if older == 1 else f"{older:,} older records are"
        output.note(f"{hidden} not shown. All of them, as JSON: {every} | less")
