"""The command accept: keeps an edit of a sent message, without sending."""

from functools import partial

import click

from runner.cli.context import open_context
from runner.cli.decisions import Decision, check_one, plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.suggestions import suggest_names
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.ledger.history import sent_revisions
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command


@command("accept")
@click.argument("name", shell_complete=suggest_names)
@writes_ledger
def accept(name: str) -> int:
    """Keep an edit of a sent message, without sending."""
    with (
        open_context(check_in_child=partial(check_one, name=name)) as context,
        open_ledger(context, "accept") as ledger,
    ):
        message, _ = plan_one(context, ledger.facts, name)
        records = manual_outcomes.accept_edits(message, ledger.facts, format_timestamp(context.now))
        recipients = pluralize(len(records), "recipient")
        lists = f"{shown_command('status', name)} lists who got it"
        reason = f"the ledger {context.ledger.address.display_name} has no edit of {name}; {lists}"
        if (revision := message.declaration.revision) > 1 and not ledger.facts.keys_of(name, revision):
            reason = f"revision {revision} of {name} was not sent yet, so there is nothing to accept"
            sent = [number for other, number in sent_revisions(ledger.facts) if other == name and number < revision]
            if sent:
                reason += (
                    f". To keep the edit without sending it: write revision: {max(sent)} again, then run this again;"
                    f" or count the new revision as sent: {shown_command('adopt', name)}"
                )
        stay = "stays" if len(records) == 1 else "stay"
        decision = Decision(
            f"Accept the edit of {name}",
            f"Accepted the edit of {name}. {recipients} {stay} counted as sent; nothing was sent.",
            reason,
            f"{recipients} who got {name} before the edit {stay} counted as sent, with the new text. Nothing is sent.",
        )
        return write_decision(context, ledger, records, decision)
