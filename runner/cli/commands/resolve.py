"""The command resolve: records the user's decision on what became of unknown deliveries."""

from collections.abc import Sequence

import click

from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, make_writer, write_decision
from runner.cli.ledger import open_ledger, require_known_name
from runner.cli.options import command, writes_ledger
from runner.cli.other_runs import find_other_runs
from runner.cli.recipients import list_people
from runner.cli.resolve_questions import ask_about_unknown, create_send_step, leave_out_sending
from runner.clock import format_timestamp
from runner.deliver import manual_outcomes
from runner.errors import UsageMistake
from runner.ledger.key_state import State
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.moves.previous_ledgers import add_late_outcomes
from runner.report import resolve_text
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

_KEY_CHARACTERS = frozenset("0123456789abcdef")
_MAX_NAMED = 3  # messages whose commands a hint names
NOT_KNOWN = "-"  # in place of the id of a message that was sent


@command("resolve")
@click.argument("key", required=False)
@click.option(
    "--message",
    metavar="NAME",
    help="Ask about the unknown deliveries of this message.",
)
@click.option("--all", "every", is_flag=True, help="Decide all of --message at once, as the next options say.")
@click.option(
    "--sent",
    "sent_id",
    is_flag=False,
    flag_value="",  # no value: refused with the choices
    metavar="ID",
    help="It was sent, as the message with this id; - if not known.",
)
@click.option("--not-sent", is_flag=True, help="It was not sent: the next apply sends it.")
@click.option("--duplicate", is_flag=True, help="Acknowledge that it was sent twice: no command reports it any more.")
@writes_ledger
def resolve(
    key: str | None, message: str | None, sent_id: str | None,
    *, every: bool, not_sent: bool, duplicate: bool,
) -> int:  # fmt: skip
    """Decide what became of unknown deliveries, or acknowledge a duplicate.

    On a terminal it asks about each unknown delivery, and shows where to look in Intercom. KEY limits it to one, by the
    start of its key as status shows it, or to those of a message, by its name.
    """
    if key and message is None and not set(key) <= _KEY_CHARACTERS:
        key, message = None, key
    options = [("--sent", sent_id or "")] if sent_id is not None else []
    outcomes = [*options, *([("--not-sent",)] if not_sent else []), *([("--duplicate",)] if duplicate else [])]
    if key and message:
        raise UsageMistake("a KEY and --message are given, and they exclude each other", "leave one of them out")
    if len(outcomes) > 1:
        raise UsageMistake("more than one outcome is given", "leave all but one of them out")
    with open_context() as context:
        has_choice = bool(outcomes or every or (key and message))
        is_asked = context.output.is_interactive and not has_choice
        with open_ledger(context, "resolve") as ledger:
            if not context.options.no_fetch:
                add_late_outcomes(context.ledger, ledger)
            if is_asked and key and key in ledger.facts.message_names():
                key, message = None, key
            require_known_name(context, ledger.facts, message)
            is_settled = not (has_choice or key or message or any(ledger.facts.states_with("unknown")))
            if is_asked or is_settled:
                return ask_about_unknown(context, ledger, key, message)
            _require_choice(context, ledger, key, message, outcomes, every=every)
            if duplicate:
                records = manual_outcomes.acknowledge_duplicates(
                    ledger.facts, key, message, format_timestamp(context.now)
                )
                number = pluralize(len(records), "duplicate")
                effect = "After that, no command reports it. Nothing is sent, and nothing is taken back."
                decision = Decision(f"Acknowledge {number}", f"Acknowledged {number}.", effect=effect)
                return write_decision(context, ledger, records, decision)
            known_id = "" if sent_id == NOT_KNOWN else sent_id
            return _resolve_unknown(context, ledger, key, message, known_id)


def _require_choice(
    context: Context, ledger: Ledger, key: str | None, message: str | None, outcomes: Sequence[tuple[str, ...]],
    *, every: bool,
) -> None:  # fmt: skip
    """Raises UsageMistake unless the options say which delivery is meant, and what became of it.

    `outcomes` are the options that say it. The hint never chooses one of them. Raises GuardRefused if another run is
    sending all that is unknown.
    """
    outcome = outcomes[0] if outcomes and outcomes[0] != ("--sent", "") else None
    if outcome and (key or message) and every == (message is not None):
        return
    if outcome == ("--duplicate",):
        states = list(ledger.facts.duplicates())
    else:
        states = leave_out_sending(context, ledger, manual_outcomes.find_unknown(ledger.facts, None, message))
    names = [message] if message else sorted({state.record.message for state in states})[:_MAX_NAMED] or ["NAME"]
    which = [(key,)] if key else [("--message", name, "--all") for name in names]
    yes = () if context.output.is_interactive else ("--yes",)
    if not (key or message):
        commands = [shown_command("resolve", *one, *(outcome or ()), *yes) for one in which] if outcome else []
        of_each = (f"for {name}: {command}" for name, command in zip(names, commands, strict=False))
        hint = ("; ".join(of_each) if len(commands) > 1 else "".join(commands)) or _list_ways(states, names, yes)
        number = pluralize(len(states), "delivery is", "deliveries are")
        missing = f"{number} unknown, and there is no terminal to ask on" if not outcomes else "no delivery is named"
        raise UsageMistake("--all is for one message" if every else missing, hint)
    if outcome:
        command = shown_command("resolve", *which[0], *outcome, *yes)
        raise UsageMistake("--all is for a message, not for a KEY" if every else "--all is missing", command)
    if outcomes:
        command = shown_command("resolve", *which[0], "--sent", NOT_KNOWN, *yes)
        raise UsageMistake(
            f"--sent needs the id of the message in Intercom, or {NOT_KNOWN} if it is not known", command
        )
    raise UsageMistake("no outcome is given", _list_outcomes(which[0], yes))


def _list_ways(states: Sequence[State], names: Sequence[str], yes: Sequence[str]) -> str:
    """Returns the commands that settle unknown deliveries, first the one that asks Intercom."""
    ways = []
    if any(record.is_searchable for state in states for record in state.open_attempts):
        ways.append(f"look for them in Intercom first: {shown_command('reconcile')}")
    if states:
        ways.append(_list_outcomes([states[0].record.key[:12]], yes))
    ways += [_list_outcomes(["--message", name, "--all"], yes) for name in names]
    return "; ".join(ways)


def _list_outcomes(which: Sequence[str], yes: Sequence[str]) -> str:
    """Returns the command for each thing that may have become of what `which` selects: one by its key, or a message."""
    key_or_option, *name = which
    arrived = f"if all of {name[0]} arrived" if name else f"if the delivery with the key {key_or_option} arrived"
    sent = shown_command("resolve", *which, "--sent", NOT_KNOWN, *yes)
    none = "if none of it did" if name else "if it did not"
    return f"{arrived}: {sent}; {none}: {shown_command('resolve', *which, '--not-sent', *yes)}"


def _resolve_unknown(
    context: Context, ledger: Ledger, key: str | None, message: str | None, sent_id: str | None
) -> int:
    """Records that unknown deliveries were sent or not. Returns the exit code."""
    states = manual_outcomes.find_unknown(ledger.facts, key, message)
    runs = find_other_runs(context, ledger.facts)
    if live := runs.list_sending(states, ledger):
        raise runs.create_error(live)
    records = manual_outcomes.resolve_unknown(states, sent_id, format_timestamp(context.now))
    if states and isinstance(ledger, SharedLedger) and sent_id is None:
        context.output.note(runs.warn_of(states))
    of_message = f" of {states[0].record.message}" if states else ""
    number = f"{pluralize(len(states), 'unknown delivery', 'unknown deliveries')}{of_message}"
    who = list_people(context, ledger.facts, [state.record for state in states], len(states))
    them = "it" if len(states) == 1 else "them"
    request, none = resolve_text.format_request(number, len(states), sent_id), f"nothing of {message} is unknown"
    names = {state.record.message for state in states}
    send = create_send_step(context, them, names) if states and sent_id is None else None
    decision = Decision(request, resolve_text.format_decided(len(states), sent_id), none, who, send)
    return write_decision(context, ledger, records, decision, make_writer(context, ledger))
