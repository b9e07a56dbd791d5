"""Asks on a terminal what became of unknown deliveries, one by one, and records the answers."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Literal

from runner.cli import next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context
from runner.cli.decisions import make_writer
from runner.cli.ledger import exit_code_of
from runner.cli.options import EXIT
from runner.cli.other_runs import find_other_runs
from runner.cli.prompts import WrongAnswer, ask, confirm, quote
from runner.cli.recipients import find_beginnings, list_files, name_recipients
from runner.clock import format_timestamp, parse_timestamp
from runner.deliver import manual_outcomes
from runner.ledger.key_state import State
from runner.ledger.ledger import Ledger, SharedLedger
from runner.privacy import reveal_or_mask
from runner.report import resolve_text
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

Choice = Literal["sent", "not sent", "all sent", "all not sent", "skip", "quit", "help"]
_CHOICES: dict[str, Choice] = {
    "s": "sent", "sent": "sent", "n": "not sent", "not sent": "not sent", "sa": "all sent", "na": "all not sent",
    "": "skip", "k": "skip", "skip": "skip", "q": "quit", "quit": "quit", "?": "help",
}  # fmt: skip


def leave_out_sending(context: Context, ledger: Ledger, states: list[State]) -> list[State]:
    """Returns the unknown deliveries that no other run is sending, and says how many it leaves out.

    Raises GuardRefused if there are unknown ones, and another run is sending all of them.
    """
    runs = find_other_runs(context, ledger.facts)
    live = runs.list_sending(states, ledger)
    if not live:
        return states
    if len(live) == len(states):
        raise runs.create_error(live)
    context.output.note(f"{pluralize(len(live), 'delivery is', 'deliveries are')} being sent, and not asked about")
    return [state for state in states if state not in live]


def create_send_step(context: Context, what: str, names: AbstractSet[str]) -> NextStep:
    """Returns the step that sends messages, and no others, if their files are known."""
    return NextStep(f"Send {what}", (shown_command("apply", *list_files(context, names)),))


def ask_about_unknown(context: Context, ledger: Ledger, key: str | None, message: str | None = None) -> int:
    """Asks about each unknown delivery, those of a message, or the one whose key begins with `key`.

    Returns the exit code. Raises UsageMistake if there is not exactly one with this key, GuardRefused and
    LedgerUnavailable.
    """
    states = leave_out_sending(context, ledger, manual_outcomes.find_unknown(ledger.facts, key, message))
    if not states:
        context.output.result(f"nothing{f' of {message}' if message else ''} is unknown")
        return exit_code_of(ledger.facts)
    if isinstance(ledger, SharedLedger):
        context.output.note(find_other_runs(context, ledger.facts).warn_of(states))
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
        *([create_send_step(context, "what was not sent", to_send)] if to_send else ()),
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
