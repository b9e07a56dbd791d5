"""The command accept: keeps an edit of a sent message, without sending."""

import os
from functools import partial

import click

from runner.cli.context import open_context
from runner.cli.decisions import Decision, check_one, plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.ledger.history import sent_revisions
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command


@command("accept")
@click.argument("name")
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
        ways_on = [NextStep("See who got it", (shown_command("status", name),))]
        reason = f"the ledger {context.ledger.address.display_name} has no edit of {name}"
        if (revision := message.declaration.revision) > 1 and not ledger.facts.keys_of(name, revision):
            file, reason = message.declaration.document.source.path, f"revision {revision} of {name} was not sent yet"
            sent = [number for other, number in sent_revisions(ledger.facts) if other == name and number < revision]
            path = os.path.relpath(context.tree.root / file, context.options.start_folder)
            keep = f"Or keep the edit without sending: write revision: {max(sent, default=0)} again into {file}, then"
            ways_on = [
                NextStep("Send it", (shown_command("apply", path),)),
                *([NextStep(keep, (shown_command("accept", name),))] if sent else ()),
                NextStep(f"Or count revision {revision} as sent, without sending", (shown_command("adopt", name),)),
            ]
        stay = "stays" if len(records) == 1 else "stay"
        decision = Decision(
            f"Accept the edit of {name}",
            f"Accepted the edit of {name}. {recipients} {stay} counted as sent; nothing was sent.",
            reason,
            f"{recipients} who got {name} before the edit {stay} counted as sent, with the new text. Nothing is sent.",
            ways_on=tuple(ways_on),
        )
        return write_decision(context, ledger, records, decision)
