"""The command lock show: prints the records of the ledger."""

from collections.abc import Iterable

import click

from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, read_ledger
from runner.cli.options import command
from runner.cli.recipients import name_recipients
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.record import RANK, Record
from runner.report.plain_text import MAX_LISTED
from runner.report.problem_text import pluralize
from runner.report.record_text import format_records
from runner.shown_command import shown_command


@command("show")
@click.argument("key", required=False)
@click.option("--all", "show_all", is_flag=True, help="On a terminal, all attempts and not only the newest 20.")
def show(key: str | None, *, show_all: bool) -> int:
    """Print the records of the ledger.

    With KEY, it prints those whose key begins with it. On a terminal it prints a table of the newest 20 attempts, with
    the last record of each; elsewhere it prints each record as a line of JSON. -v also shows the records that a later
    one of the same attempt replaces.

    The status is the ledger's own word: "claimed" has no outcome, which msgrun status calls unknown, and "released"
    was not sent.
    """
    with open_context() as context:
        facts, output = read_ledger(context).facts, context.output
        kept = facts.sorted_records() if output.verbose else facts.compacted_records()
        records = [record for record in kept if record.key.startswith(key or "")]
        if not records and key:
            hint = shown_command("status", *([key] if key in facts.message_names() else []))
            raise UsageMistake(f"the ledger has no key that begins with {key}", hint)
        if output.width_for_reading:
            _print_table(context, facts, records, show_all=show_all)
        else:
            for record in records:
                output.document(record.to_line().decode().rstrip("\n"))
        return exit_code_of(facts)


def _print_table(context: Context, facts: Facts, records: Iterable[Record], *, show_all: bool) -> None:
    """Prints the newest records, the newest last: there the eye is."""
    output = context.output
    ordered = sorted(records, key=_sort_key)
    if not output.verbose:
        last_records = {(record.key, record.attempt): record for record in ordered}
        ordered = sorted(last_records.values(), key=_sort_key)
    if not ordered:
        output.result("The ledger has no record.")
        return
    shown = ordered if show_all else ordered[-MAX_LISTED:]
    output.result(
        format_records(shown, name_recipients(context, facts, shown), output.width, show_values=output.show_values)
    )
    if more := len(ordered) - len(shown):
        output.note(f"--all also shows {pluralize(more, 'older attempt')}.")


def _sort_key(record: Record) -> tuple[str, str, int, str, int]:
    """Sorts records by time, and those of one second in the order in which their run began their attempts."""
    run, _, number = record.attempt.rpartition("-")
    return record.recorded_at, run, len(number), number, RANK[record.status]
