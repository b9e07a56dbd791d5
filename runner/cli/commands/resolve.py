"""The command resolve: records the user's decision on what became of unknown deliveries."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Literal

import click

from runner.cli import next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context, open_context
from runner.cli.decisions import Decision, make_writer, write_decision
from runner.cli.ledger import exit_code_of, open_ledger, require_known_name
from runner.cli.options import EXIT, command, writes_ledger
from runner.cli.other_runs import find_other_runs
from runner.cli.prompts import WrongAnswer, ask, confirm, quote
from runner.cli.recipients import find_beginnings, list_files, list_people, name_recipients
from runner.clock import format_timestamp, parse_timestamp
from runner.deliver import manual_outcomes
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.key_state import State
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.moves.previous_ledgers import add_late_outcomes
from runner.privacy import reveal_or_mask
from runner.report import resolve_text
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

_KEY_CHARACTERS = frozenset("0123456789abcdef")
_MAX_NAMED = 3  # messages whose commands a hint names
NOT_KNOWN = "-"  # in place of the id of a message that was sent
Choice = Literal["sent", "not sent", "all sent", "all not sent", "skip", "quit", "help"]
_CHOICES: dict[str, Choice] = {
    "s": "sent", "sent": "sent", "n": "not sent", "not sent": "not sent", "sa": "all sent", "na": "all not sent",
    "": "skip", "k": "skip", "skip": "skip", "q": "quit", "quit": "quit", "?": "help",
}  # fmt: skip


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
            _require_choice(ledger.facts, key, message, outcomes, every=every)
            if duplicate:
                records = manual_outcomes.acknowledge_duplicates(
                    ledger.facts, key, message, format_timestamp(context.now)
                )
                number = pluralize(len(records), "duplicate")
                effect = "No command reports it any more. Nothing is sent, and nothing is taken back."
                decision = Decision(f"Acknowledge {number}", f"Acknowledged {number}.", effect=effect)
                return write_decision(context, ledger, records, decision)
            known_id = "" if sent_id == NOT_KNOWN else sent_id
            return _resolve_unknown(context, ledger, key, message, known_id)


def _require_choice(
    facts: Facts, key: str | None, message: str | None, outcomes: Sequence[tuple[str, ...]], *, every: bool
) -> None:
    """Raises UsageMistake unless the options say which delivery is meant, and what became of it.

    `outcomes` are the options that say it. The hint never chooses one of them.
    """
    outcome = outcomes[0] if outcomes and outcomes[0] != ("--sent", "") else None
    states = facts.duplicates() if outcome == ("--duplicate",) else facts.states_with("unknown")
    names = [message] if message else sorted({state.record.message for state in states})
    which = [(key,)] if key else [("--message", name, "--all") for name in names[:_MAX_NAMED]]
    if not (key or message):
        of_all = [f"of {name}, {_list_outcomes('--message', name, '--all')}" for name in names[:_MAX_NAMED] or ["NAME"]]
        hint = "; ".join([*of_all, f"one by one, by its key: {shown_command('status')}"])
        missing = "no delivery is named" if outcomes else "there is no terminal to ask on, so options have to say it"
        problem = "--all is for one message" if every else missing
    elif outcomes and outcome is None:
        hint = shown_command("resolve", *which[0], "--sent", NOT_KNOWN)
        problem = f"--sent needs the id of the message in Intercom, or {NOT_KNOWN} if it is not known"
    elif outcome is None:
        hint, problem = _list_outcomes(*which[0]), "no outcome is given"
    elif every == (message is None):
        hint, problem = "", "--all is for a message, not for a KEY" if every else "--all is missing"
    else:
        return
    if outcome and which:
        commands = [shown_command("resolve", *one, *outcome) for one in which]
        of_each = (f"for {name}: {line}" for name, line in zip(names, commands, strict=False))
        hint = commands[0] if len(commands) == 1 else "; ".join(of_each)
    raise UsageMistake(problem, hint)


def _list_outcomes(*which: str) -> str:
    """Returns the command for each thing that may have become of what `which` selects."""
    none, all_of_it = ("none of them arrived", "all did") if len(which) > 1 else ("it did not arrive", "it did")
    not_sent = shown_command("resolve", *which, "--not-sent")
    return f"{none}: {not_sent}; {all_of_it}: {shown_command('resolve', *which, '--sent', NOT_KNOWN)}"


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
    send = _send_step(context, them, names) if states and sent_id is None else None
    decision = Decision(request, resolve_text.format_decided(len(states), sent_id), none, who, send)
    return write_decision(context, ledger, records, decision, make_writer(context, ledger))


def _send_step(context: Context, what: str, names: AbstractSet[str]) -> NextStep:
    """Returns the step that sends messages, and no others, if their files are known."""
    return NextStep(f"Send {what}", (shown_command("apply", *list_files(context, names)),))


def ask_about_unknown(context: Context, ledger: Ledger, key: str | None, message: str | None = None) -> int:
    """Asks about each unknown delivery, those of a message, or the one whose key begins with `key`.

    Returns the exit code. Raises UsageMistake if there is not exactly one with this key, GuardRefused and
    LedgerUnavailable.
    """
    states = manual_outcomes.find_unknown(ledger.facts, key, message)
    runs = find_other_runs(context, ledger.facts)
    if live := runs.list_sending(states, ledger):
        states = [state for state in states if state not in live]
        if not states:
            raise runs.create_error(live)
        context.output.note(f"{pluralize(len(live), 'delivery is', 'deliveries are')} being sent, and not asked about")
    if not states:
        context.output.result(f"nothing{f' of {message}' if message else ''} is unknown")
        return exit_code_of(ledger.facts)
    if isinstance(ledger, SharedLedger):
        context.output.note(runs.warn_of(states))
    if any(record.is_searchable for state in states for record in state.open_attempts):
        context.output.message(f"Intercom may know, if it was not asked yet:\n  {shown_command('reconcile')}")
    answers, is_interrupted = Counter[Choice](), False
    try:
        _ask_each(context, ledger, states, answers)
    except KeyboardInterrupt:  # what was answered is written
        context.output.error("\nInterrupted by Ctrl-C.")
        is_interrupted = True
    left = len(states) - answers["sent"] - answers["not sent"]
    context.output.result(f"\n{resolve_text.format_result(answers['sent'], answers['not sent'], left)}")
    now = filter(None, (ledger.facts.state(state.record.key) for state in states))
    to_send = {state.record.message for state in now if state.status == "free"}
    still_open = [record for state in ledger.facts.states_with("unknown") for record in state.open_attempts]
    steps = [
        *(commit_ledger(context) if left < len(states) else ()),
        *([_send_step(context, "what was not sent", to_send)] if to_send else ()),
        *next_steps.settle_unknown(context, ledger.facts, still_open),
    ]
    next_steps.print_steps(context, steps)
    return EXIT.interrupted if is_interrupted else exit_code_of(ledger.facts)


def _ask_each(context: Context, ledger: Ledger, states: Sequence[State], answers: Counter[Choice]) -> None:
    """Asks about each delivery, and writes what the user decides. Counts in `answers` how many are sent or not sent."""
    records = [state.record for state in states]
    recipients, beginnings = name_recipients(context, ledger.facts, records), find_beginnings(context, records)
    write = make_writer(context, ledger)
    now = context.now  # all answers are one decision, and audit lists them as one

    def sort_key(state: State) -> tuple[str, str]:
        name = reveal_or_mask(recipients.name(state.record), show_values=context.output.show_values)
        return state.record.message, name

    ordered = sorted(states, key=sort_key)
    for number, state in enumerate(ordered):
        beginning, age = beginnings.get(state.record.key, ""), _age(state, now)
        context.output.message(
            resolve_text.format_question(
                state, number + 1, len(states), recipients, beginning, age, show_values=context.output.show_values
            )
        )
        if number == 0:
            context.output.message(resolve_text.format_choices())
        choice = _ask_one(context, len(states) - number)
        if choice == "quit":
            break
        if choice == "skip":
            context.output.message("Skipped: it stays unknown.")
            continue
        sent_id = None if choice.endswith("not sent") else ""  # Intercom's inbox does not show the id of a message
        decided = ordered[number:] if choice.startswith("all ") else [state]
        write(*manual_outcomes.resolve_unknown(decided, sent_id, format_timestamp(now)))
        answers["not sent" if sent_id is None else "sent"] += len(decided)
        context.output.message(resolve_text.format_decided(len(decided), sent_id))
        if decided[-1] is ordered[-1]:
            break


def _ask_one(context: Context, left: int) -> Choice:
    """Asks what became of one delivery, or of all that are left."""
    while True:
        choice: Choice = ask(context.output, resolve_text.QUESTION, _parse_choice) or "quit"
        match choice:
            case "help":
                context.output.message(resolve_text.format_choices())
            case "all sent" | "all not sent":
                for_all = "" if choice == "all sent" else None
                deliveries = "this delivery" if left == 1 else f"this and {pluralize(left - 1, 'other')}"
                if confirm(context.output, f"{resolve_text.format_request(deliveries, left, for_all)}?"):
                    return choice
            case _:
                return choice


def _parse_choice(answer: str) -> Choice | WrongAnswer:
    return _CHOICES.get(answer.lower()) or WrongAnswer(f"{quote(answer)} is none of:\n{resolve_text.format_choices()}")


def _age(state: State, now: datetime) -> float:
    """Returns the seconds since the last attempt at a delivery; negative if its record has no time."""
    moment = parse_timestamp(state.open_attempts[-1].at)
    return (now - moment).total_seconds() if moment else -1.0
