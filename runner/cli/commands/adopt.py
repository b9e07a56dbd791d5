"""The command adopt: counts deliveries as sent that went out before the project used msgrun."""

from functools import partial

import click

from runner.cli.context import open_context
from runner.cli.decisions import Decision, check_one, plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.recipients import list_people
from runner.clock import format_timestamp, new_run_id
from runner.deliver import manual_outcomes
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command


@command("adopt")
@click.argument("name")
@writes_ledger
def adopt(name: str) -> int:
    """Count a message's deliveries as sent, without sending.

    Use it for messages that were sent before the project used msgrun.
    """
    with (
        open_context(check_in_child=partial(check_one, name=name)) as context,
        open_ledger(context, "adopt") as ledger,
    ):
        message, plan = plan_one(context, ledger.facts, name)
        records = manual_outcomes.adopt_deliveries(message, new_run_id(), plan.digest, format_timestamp(context.now))
        recipients = pluralize(len(records), "recipient")
        if records:
            names = list_people(context, ledger.facts, records[:3], len(records))
            context.output.note(f"{names}: nothing is sent, now or by a later apply.")
        decision = Decision(
            f"Mark {name} as sent to {recipients}",
            f"Marked {name} as sent to {recipients}. No apply sends it to them.",
            f"{name} has no recipient left to send to",
            ways_on=(NextStep("See what the ledger knows of it", (shown_command("status", name),)),),
        )
        return write_decision(context, ledger, records, decision)
