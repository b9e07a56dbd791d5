"""The command resolve: records the user's decision on what became of unknown deliveries."""

import click

from runner.cli import unknown_questions
from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, make_writer, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.cli.suggestions import suggest_names, suggest_unknown_keys
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.errors import UsageMistake
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.moves.previous_ledgers import add_late_outcomes
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

NOT_KNOWN = "-"  # in place of the id of a message that was sent


@command("resolve")
@click.argument("key", required=False, shell_complete=suggest_unknown_keys)
@click.option(
    "--message",
    metavar="NAME",
    shell_complete=suggest_names,
    help="The message whose unknown deliveries --all decides.",
)
@click.option("--all", "every", is_flag=True, help="Decide all unknown deliveries of --message at once.")
@click.option("--sent", "sent_id", metavar="ID", help="It was sent, as the message with this id; - if not known.")
@click.option("--not-sent", is_flag=True, help="It was not sent: the next apply sends it.")
@click.option("--duplicate", is_flag=True, help="Acknowledge that it was sent twice: no command reports it any more.")
@writes_ledger
def resolve(
    key: str | None, message: str | None, sent_id: str | None,
    *, every: bool, not_sent: bool, duplicate: bool, yes: bool, new_lock: bool, no_fetch: bool,
) -> int:  # fmt: skip
    """Decide what became of unknown deliveries, or acknowledge a duplicate.

    On a terminal it asks about each unknown delivery, and shows where to look in Intercom. With KEY it asks about that
    one; KEY is the start of its key, as status shows it.
    """
    choices = [sent_id is not None, not_sent, duplicate].count(True)
    with open_context() as context:
        is_asked = context.output.is_interactive and not (choices or message is not None or every)
        if not is_asked:
            _require_choice(key, message, sent_id, every=every, choices=choices)
        with open_ledger(context, "resolve", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            if not no_fetch:
                add_late_outcomes(context.ledger, ledger)
            if is_asked:
                return unknown_questions.ask_about_unknown(context, ledger, key, no_fetch=no_fetch)
            if duplicate:
                records = manual_outcomes.acknowledge_duplicates(
                    ledger.facts, key, message, format_timestamp(context.now)
                )
                number = pluralize(len(records), "duplicate")
                decision = Decision(f"Acknowledge {number}", f"Acknowledged {number}. No command reports it any more.")
                return write_decision(context, ledger, records, decision, yes=yes)
            known_id = "" if sent_id == NOT_KNOWN else sent_id
            return _resolve_unknown(context, ledger, key, message, known_id, yes=yes, no_fetch=no_fetch)


def _require_choice(key: str | None, message: str | None, sent_id: str | None, *, every: bool, choices: int) -> None:
    """Raises UsageMistake unless the options say which delivery is meant, and what became of it."""
    if (key is None) == (message is None) or every != (message is not None):
        alone = shown_command("resolve")
        hint = f"give a KEY, or --message NAME --all; on a terminal, {alone} alone asks about each"
        raise UsageMistake("no delivery is named", hint)
    if choices != 1 or sent_id == "":
        raise UsageMistake(
            "no outcome is given", "pass --sent ID (- if the id is not known), --not-sent, or --duplicate"
        )


def _resolve_unknown(
    context: Context, ledger: Ledger, key: str | None, message: str | None, sent_id: str | None,
    *, yes: bool, no_fetch: bool,
) -> int:  # fmt: skip
    """Records that unknown deliveries were sent or not. Returns the exit code."""
    states = manual_outcomes.find_unknown(ledger.facts, key, message)
    records = manual_outcomes.resolve_unknown(states, sent_id, format_timestamp(context.now))
    if isinstance(ledger, SharedLedger) and sent_id is None:
        context.output.note(unknown_questions.warn_of_live_run(states))
    number = pluralize(len(states), "unknown delivery", "unknown deliveries")
    them = "it" if len(states) == 1 else "them"
    if sent_id is None:
        decision = Decision(
            f"Mark {number} as not sent, so that the next apply sends {them}",
            f"Marked {len(states):,} as not sent. The next apply sends {them}.",
        )
    else:
        name = f", as message {sent_id}" if sent_id else ""
        rest = "It is not sent again" if len(states) == 1 else "They are not sent again"
        request = f"Mark {number} as sent{name}, so that no apply sends {them} again"
        decision = Decision(request, f"Marked {len(states):,} as sent{name}. {rest}.")
    write = make_writer(context, ledger, no_fetch=no_fetch)
    return write_decision(context, ledger, records, decision, yes=yes, write=write)
