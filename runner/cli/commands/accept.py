"""The command accept: keeps an edit of a sent message, without sending."""

from functools import partial

import click

from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, check_one, name_other_ledger, plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.suggestions import suggest_names
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.ledger.facts import Facts
from runner.plan.deliveries import PlannedMessage
from runner.report.problem_text import pluralize


@command("accept")
@click.argument("name", shell_complete=suggest_names)
@writes_ledger
def accept(name: str, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Keep an edit of a sent message, without sending."""
    with (
        open_context(check_in_child=partial(check_one, name=name)) as context,
        open_ledger(context, "accept", new_lock=new_lock, no_fetch=no_fetch) as ledger,
    ):
        message, _ = plan_one(context, ledger.facts, name)
        records = manual_outcomes.accept_edits(message, ledger.facts, format_timestamp(context.now))
        recipients = pluralize(len(records), "recipient")
        stay = "stays" if len(records) == 1 else "stay"
        decision = Decision(
            f"Accept the edit of {name}",
            f"Accepted the edit of {name}. {recipients} {stay} counted as sent; nothing was sent.",
            _explain_empty(context, message, ledger.facts),
            f"{recipients} who got {name} before the edit {stay} counted as sent, with the new text. Nothing is sent.",
        )
        return write_decision(context, ledger, records, decision, yes=yes)


def _explain_empty(context: Context, message: PlannedMessage, facts: Facts) -> str:
    """Returns why a message has no edit to accept."""
    name, ledger = message.name, context.ledger.address.display_name
    if message.counts["sent"]:
        return f"{name} is as it was sent, says the ledger {ledger}"
    if message.counts["edited"]:
        return f"redirect was turned on or off since {name} was sent, which is not an edit: raise its revision"
    if facts.keys_of(name, message.declaration.revision):
        return f"no recipient got revision {message.declaration.revision} of {name}, says the ledger {ledger}"
    return f"{name} is not in the ledger {ledger}{name_other_ledger(context, 'accept', name)}"
