"""The command accept: keeps an edit of a sent message, without sending."""

import contextlib
import os
from collections.abc import Sequence
from functools import partial

import click

from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, check_one, plan_one, write_decision
from runner.cli.edited_files import HEAD, TextHistory
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.recipients import list_people
from runner.clock import format_timestamp
from runner.declare.declaration import Declaration
from runner.declare.sample import render_sample
from runner.deliver import manual_outcomes
from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.facts import Facts
from runner.ledger.history import sent_revisions
from runner.report.first_sample import format_beginning
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.report.terminal_text import one_line, style
from runner.shown_command import shown_command

_COLOURS = {"-": "red", "+": "green"}
_MAX_LINES = 20  # of an edit


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
        who = ""
        if records and not context.options.yes:
            _show_edit(context, message.declaration, ledger.facts, records[0].key)
            who = list_people(context, ledger.facts, records[:3], len(records))
        stay = "stays" if len(records) == 1 else "stay"
        they_keep = "That one keeps" if len(records) == 1 else "They keep"
        rest = f" The {left:,} who have not got it yet get the new one." if (left := message.counts["send"]) else ""
        waits = message.counts["excluded"] == len(message.deliveries)
        reason, ways_on = _explain_no_edit(context, message.declaration, ledger.facts, waits=waits)
        decision = Decision(
            f"Accept the edit of {name} for {recipients}",
            f"Accepted the edit of {name}. {recipients} {stay} counted as sent; nothing was sent.",
            reason,
            f"{who} got {name} before the edit. {they_keep} the old text, and nothing is sent now.{rest}",
            ways_on=tuple(ways_on),
            commit_message=f"Accept the edit of {name}",
            is_of_files=True,
        )
        return write_decision(context, ledger, records, decision)


def _explain_no_edit(
    context: Context, declaration: Declaration, facts: Facts, *, waits: bool
) -> tuple[str, list[NextStep]]:
    """Returns why there may be no edit to accept, and what a person can do then. `waits`: no run would send it now."""
    name, revision, file = declaration.name, declaration.revision, declaration.document.source.path
    ledger = f"the ledger {context.ledger.address.display_name}"
    if facts.keys_of(name, revision):
        see = NextStep("See what it knows of the message", (shown_command("status", name),))
        return f"{ledger} has no edit of {name}", [see]
    which = f"revision {revision} of {name}" if revision > 1 else name
    sent = [number for other, number in sent_revisions(facts) if other == name and number < revision]
    path = os.path.relpath(context.tree.root / file, context.options.start_folder)
    if waits and not sent:
        see = NextStep("See when it is sent, and to whom", (shown_command("plan", path),))
        return f"{which} was not sent yet, says {ledger}", [see]
    keep = f"Or keep the edit without sending: write revision: {max(sent, default=0)} again into {file}, then"
    return f"{which} was not sent yet, says {ledger}", [
        NextStep("Send it", (shown_command("apply", path),)),
        *([NextStep(keep, (shown_command("accept", name),))] if sent else ()),
        NextStep("Or count it as sent, without sending", (shown_command("adopt", name),)),
    ]


def _show_edit(context: Context, declaration: Declaration, facts: Facts, key: str) -> None:
    """Prints how the files of a message changed since the text that the delivery with the key has was sent.

    Without git, or if no commit has that text, it prints how the text begins now.
    """
    output = context.output
    if not output.is_interactive:
        return
    with contextlib.suppress(LedgerUnavailable):  # this is only to look at
        if repository := find_repository(context.tree.root.resolve()):  # also where the ledger is not in git
            history = TextHistory(context, repository, declaration)
            if ref := history.find_commit(facts, key):
                since = "the last commit" if ref == HEAD else f"commit {ref}"
                edits = [_format_change(path, since, lines) for path, lines in history.read_changes(ref) if lines]
                output.message("\n".join([*edits, ""]))
                return
    sample = render_sample(declaration, context.settings.salt)
    text = format_beginning(sample, show_values=output.show_values) if sample else ""
    file = declaration.document.source.path
    output.message(one_line(f"No commit has the text that was sent. In {file} it is now: {text}"))


def _format_change(path: str, since: str, lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - _MAX_LINES:,} more lines"] if len(lines) > _MAX_LINES else []
    styled = [style(one_line(line), _COLOURS[line[:1]]) for line in lines[:_MAX_LINES]]
    return "\n".join([one_line(f"{path} since {since}:"), *(f"  {line}" for line in [*styled, *more])])
