"""The command resolve: records the user's decision on what became of unknown deliveries."""

import click

from runner.cli.context import open_context
from runner.cli.decisions import write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.clock import format_timestamp
from runner.deliver import decisions
from runner.errors import UsageMistake
from runner.ledger.ledger import SharedLedger
from runner.ledger.moves.previous_ledgers import add_late_outcomes, write_to_previous
from runner.ledger.record import Record
from runner.report.problem_text import pluralize


@command("resolve")
@click.argument("key", required=False)
@click.option("--message", metavar="NAME", help="Every unknown delivery of a message (with --all).")
@click.option("--all", "every", is_flag=True, help="All unknown deliveries of the message.")
@click.option("--sent", "sent_id", metavar="ID", help="It was sent, as the message with this id.")
@click.option("--not-sent", is_flag=True, help="It was not sent, and may be sent again.")
@click.option("--duplicate", is_flag=True, help="It was sent twice, and that is settled: report it no more.")
@writes_ledger
def resolve(
    key: str | None, message: str | None, sent_id: str | None,
    *, every: bool, not_sent: bool, duplicate: bool, yes: bool, new_lock: bool, no_fetch: bool,
) -> int:  # fmt: skip
    """Decide what became of an unknown delivery, or acknowledge a duplicate.

    Look into Intercom first. KEY is the start of its key, as status shows it.
    """
    if (key is None) == (message is None) or every != (message is not None):
        raise UsageMistake("which one?", "give a KEY, or --message NAME --all")
    if [sent_id is not None, not_sent, duplicate].count(True) != 1 or sent_id == "":
        raise UsageMistake("was it sent?", "say --sent ID, --not-sent, or --duplicate")
    with open_context() as context, open_ledger(context, "resolve", new_lock=new_lock, no_fetch=no_fetch) as ledger:
        if not no_fetch:
            add_late_outcomes(context.ledger, ledger)
        if duplicate:
            records = decisions.acknowledge_duplicates(ledger.facts, key, message, format_timestamp(context.now))
            return write_decision(
                context, ledger, records, f"acknowledge {pluralize(len(records), 'duplicate')}", yes=yes
            )

        def write(*records: Record) -> None:
            if not no_fetch:
                write_to_previous(context.ledger, ledger.facts, records)
            ledger.append(*records)

        states = decisions.find_unknown(ledger.facts, key, message)
        records = decisions.resolve_unknown(states, sent_id, format_timestamp(context.now))
        if isinstance(ledger, SharedLedger) and sent_id is None:
            newest = max((record.at for state in states for record in state.open_attempts), default="")
            context.output.note(
                f"a run that claimed these (last at {newest}) may still be alive elsewhere, and send them after all:"
                " make sure that it is over"
            )
        outcome = "not sent, to be sent by the next apply" if sent_id is None else "sent"
        return write_decision(
            context, ledger, records, f"count {len(states)} unknown as {outcome}", yes=yes, write=write
        )
