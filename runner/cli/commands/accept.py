"""The command accept: keeps an edit of a sent message, without sending."""

import contextlib
import os
from functools import partial

import click

from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, check_one, plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.recipients import list_people
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.errors import LedgerUnavailable
from runner.ledger.history import sent_revisions
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
        who = ""
        if records and not context.options.yes:
            _show_edit(context, message.declaration.document.source.path)
            who = list_people(context, ledger.facts, records[:3], len(records))
        stay = "stays" if len(records) == 1 else "stay"
        decision = Decision(
            f"Accept the edit of {name} for {recipients}",
            f"Accepted the edit of {name}. {recipients} {stay} counted as sent; nothing was sent.",
            reason,
            f"{who} got {name} before the edit. It stays counted as sent, with the new text; nothing is sent.",
            ways_on=tuple(ways_on),
        )
        return write_decision(context, ledger, records, decision)


def _show_edit(context: Context, file: str) -> None:
    """Prints how a declaration changed since the last commit, or in the last one that changed it, as git knows it."""
    repository = context.ledger.readable_repository
    path = repository.relative_path(context.tree.root / file) if repository else None
    if repository is None or path is None or not context.output.is_interactive:
        return
    options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv")
    diff, since = "", "since the last commit"
    with contextlib.suppress(LedgerUnavailable):  # this is only to look at
        diff = repository.try_git("diff", *options, "HEAD", "--", f":(top,literal){path}") or ""
        if not diff:
            since = "in the last commit that changed it"
            diff = (
                repository.try_git("log", "-1", "--patch", "--format=", *options, "--", f":(top,literal){path}") or ""
            )
    changed = [line for line in diff.partition("\n@@")[2].split("\n")[1:] if line[:1] in _COLOURS]
    if changed:
        lines = [style(one_line(line), _COLOURS[line[:1]]) for line in changed[:_MAX_LINES]]
        more = [f"and {len(changed) - _MAX_LINES:,} more lines"] if len(changed) > _MAX_LINES else []
        context.output.message("\n".join([f"{file} {since}:", *(f"  {line}" for line in [*lines, *more]), ""]))
