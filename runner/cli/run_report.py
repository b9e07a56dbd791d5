"""Reports a run of apply: what it did, what is left and why, and what to do next; and returns its exit code."""

import contextlib
import os
from collections.abc import Iterable
from functools import partial
from itertools import islice

from runner.cli import github_step, next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context
from runner.cli.ledger import exit_code_of
from runner.cli.options import EXIT
from runner.cli.other_runs import OtherRunsSummary, find_other_runs
from runner.cli.recipients import name_recipients, status_view
from runner.declare.project import Project
from runner.deliver.stop import GO_ON
from runner.deliver.summary import Summary
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.local_records import write_rescue_file
from runner.ledger.record import CONTACT_NOT_FOUND, Record
from runner.plan.plan import Plan
from runner.privacy import reveal_or_mask
from runner.report import run_text
from runner.report.layout import wrap_lines
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.report.recipients import Recipients
from runner.report.run_text import Rest
from runner.shown_command import shown_command

# The exit codes of a run, the one that counts first: the order of the table of exit codes.
_PRECEDENCE = (EXIT.unknown, EXIT.ledger, EXIT.guard, EXIT.problems, EXIT.refused, EXIT.later)
_MAX_NAMED = 3  # messages that have a command of their own
_STOP_CODES = {"ledger": EXIT.ledger, "guard": EXIT.guard, "error": EXIT.problems, "later": EXIT.later}


def report_run(
    context: Context, ledger: Ledger, project: Project, plan: Plan, summary: Summary, canary: int | None = None
) -> None:
    """Writes outcomes that the ledger did not take to a rescue file, then prints what the run did and what to do next.

    The file comes first, because stdout may be a file on the same full disk. `canary` is the number of deliveries of a
    canary after which the run ended.
    """
    lines, rescue_steps = _rescue(context, ledger, summary)
    rest = _find_rest(plan, canary)
    listed = [item.record for items in (summary.unknown, summary.refused, summary.still_not_found) for item in items]
    recipients = name_recipients(context, ledger.facts, listed, project)
    unknown = _list_unknown(plan, ledger, summary)
    before = _count_unknown_before(context, ledger.facts, unknown, summary)
    text = run_text.format_summary(summary, recipients, rest, status_view(context), unknown_before=before)
    steps = [
        *rescue_steps,
        *(commit_ledger(context, with_sources=True) if summary.tried else ()),
        *next_steps.settle_unknown(context, ledger.facts, unknown),
        *_send_rest(context, plan, summary, rest),
        *_retry_refused(context, summary, recipients),
        *_look_up_again(context, summary),
    ]
    if context.options.sandbox and summary.sent and not steps:
        names = [name for name, number in plan.send_counts().items() if number]
        name = names[0] if len(names) == 1 else "NAME"
        steps = [NextStep("See who got a message, in the sandbox", (shown_command("status", name),))]
    prints = [
        *(partial(context.output.error, line) for line in lines),
        partial(context.output.result, f"\n{text}"),
        partial(next_steps.print_steps, context, steps),
    ]
    for print_part in prints:
        with contextlib.suppress(OSError):  # the summary is lost then; what was sent stays sent
            print_part()
    github_step.add_run_summary(context, summary, steps, unknown_before=before)


def find_exit_code(summary: Summary, plan: Plan, facts: Facts, others: OtherRunsSummary) -> int:
    """Returns the exit code of an apply: the one that takes precedence over the others that apply."""
    stop = summary.stop
    if stop and stop.kind == "signal":
        return 128 + stop.signal
    codes = {exit_code_of(facts), _STOP_CODES.get(stop.kind, EXIT.done) if stop else EXIT.done}
    if summary.unknown or plan.unsettled or others.unknown:
        codes.add(EXIT.unknown)
    if summary.refused or summary.still_not_found:
        codes.add(EXIT.refused)
    if others.sending or others.free:
        codes.add(EXIT.later)
    return next((code for code in _PRECEDENCE if code in codes), EXIT.done)


def report_nothing_to_do(context: Context, ledger: Ledger, plan: Plan) -> None:
    """Prints that a plan sends nothing, and how to settle what is unknown."""
    unknown = _list_unknown(plan, ledger, Summary())
    before = _count_unknown_before(context, ledger.facts, unknown, Summary())
    context.output.result(f"nothing to do{f', {run_text.format_unknown_before(before)}' if before else ''}")
    steps = [
        *next_steps.release_messages(context, plan),
        *next_steps.settle_unknown(context, ledger.facts, unknown),
    ]
    next_steps.print_steps(context, steps)
    if before:
        github_step.add_run_summary(context, Summary(), steps, unknown_before=before)


def report_canary(context: Context, ledger: Ledger, project: Project, summary: Summary) -> None:
    """Prints to whom the canary was sent, with the links to look at, and its warnings."""
    recipients = name_recipients(context, ledger.facts, summary.first_sent, project)
    context.output.result(f"{run_text.format_canary(summary, recipients, show_values=context.output.show_values)}")
    github_step.add_run_summary(context, summary)


def report_rest(context: Context, plan: Plan, remaining: int) -> None:
    """Prints what a person can do after a canary that was sent, if the rest of the plan is not sent now."""
    context.output.result(run_text.format_rest(Rest(remaining, f"--canary {plan.to_send - remaining}")))
    go_on = next_steps.run_again(context, f"Send {_name_left(remaining)}")
    next_steps.print_steps(context, [*commit_ledger(context, with_sources=True), go_on])


def _list_unknown(plan: Plan, ledger: Ledger, summary: Summary) -> list[Record]:
    """Returns the open attempts of this run, and those of earlier runs at the messages of the plan.

    Left out are messages of which all that is unknown was being sent by other runs, where apply waits for these runs.
    """
    own = [item.record for item in summary.unknown]
    names = {
        message.name
        for message in plan.messages
        if message.counts["unknown"] > (message.being_sent if summary.claimed_by_others else 0)
    }
    if not names:
        return own
    if isinstance(ledger, SharedLedger) and not summary.stop:
        with contextlib.suppress(LedgerUnavailable, GuardRefused):  # then the list is a little older
            ledger.refresh()  # among the records may be claims of this run, read before it wrote their outcomes
    keys = {record.key for record in own}
    states = [state for state in ledger.facts.states_with("unknown") if state.record.message in names]
    return own + [record for state in states for record in state.open_attempts if record.key not in keys]


def _count_unknown_before(context: Context, facts: Facts, unknown: Iterable[Record], summary: Summary) -> int:
    """Returns how many of the unknown deliveries neither this run left so nor another one is sending now."""
    runs, own = find_other_runs(context, facts), {item.record.key for item in summary.unknown}
    return len({record.key for record in unknown if not runs.is_live(record)} - own)


def _rescue(context: Context, ledger: Ledger, summary: Summary) -> tuple[list[str], list[NextStep]]:
    """Writes what the ledger did not take to a rescue file. Returns the lines that say so, and what to do with it.

    The records are printed only if there is no file: a page of them would hide why the run stopped.
    """
    if not summary.unwritten:
        return [], []
    outcomes = pluralize(len(summary.unwritten), "outcome")
    try:
        ledger_id = context.header_of(ledger.facts).ledger
        path = write_rescue_file(context.ledger, ledger_id, summary.unwritten)
    except LedgerUnavailable as error:
        lines = [f"the ledger did not take: {record.to_line().decode().rstrip()}" for record in summary.unwritten]
        keep = f"keep these lines for {shown_command('lock', 'import', 'FILE')}"
        return [*lines, f"nor can a rescue file be written ({error.message}): {keep}"], []
    lines = [f"the ledger did not take {outcomes}; they are in the rescue file {path}"]
    if not context.output.in_ci:
        return [wrap_lines(f"{lines[0]}, which the next run here picks up: keep it", context.output.width)], []
    # The disk of the job is lost with it; the workflow that `init` writes keeps the file.
    artifact = f"msgrun-rescue-{os.environ.get('GITHUB_RUN_ATTEMPT', 'N')}"
    purpose = f"Download the artifact {artifact} and, in a clone, add its {outcomes} to the ledger"
    return lines, [NextStep(purpose, (shown_command("lock", "import", path.name),))]


def _find_rest(plan: Plan, canary: int | None) -> Rest | None:
    """Returns what the run left by intention; None if nothing."""
    if canary is not None:
        return Rest(plan.to_send - canary, f"--canary {canary}")
    left = plan.counts["send"] - plan.to_send
    return Rest(left, f"--limit {plan.limit}") if left else None


def _name_left(number: int) -> str:
    return "the one that is left" if number == 1 else f"the {number:,} that are left"


def _retry_refused(context: Context, summary: Summary, recipients: Recipients) -> list[NextStep]:
    """Returns the step that sends what Intercom refused, which no other run does by itself."""
    # A contact that was not found is looked up again by every run.
    refused = [item.record for item in summary.refused if item.record.code != CONTACT_NOT_FOUND]
    if not refused or summary.stop:
        return []
    name = reveal_or_mask(recipients.name(refused[0]), show_values=context.output.show_values)
    number = len(refused)
    which = f"to {name}, which was refused" if number == 1 else f"the {number:,} that were refused"
    if context.output.in_ci:
        command = shown_command("apply", "--retry-refused")
        return [NextStep(f"Send {which}, in a clone, once the reason is gone", (command,))]
    command = next_steps.same_command(context, "--canary", "--limit")
    command += "" if "--retry-refused" in command else " --retry-refused"
    return [NextStep(f"Send {which}, once the reason is gone", (command,))]


def _look_up_again(context: Context, summary: Summary) -> list[NextStep]:
    """Returns the step that sends to contacts that no run has found in Intercom, once they are there."""
    missing = [*summary.still_not_found, *(one for one in summary.refused if one.record.code == CONTACT_NOT_FOUND)]
    if not missing or summary.stop:
        return []
    names = dict.fromkeys(item.record.message for item in missing)
    commands = tuple(shown_command("status", name) for name in islice(names, _MAX_NAMED))
    see = (
        [NextStep("In a clone, see who was not found", commands)] if context.output.in_ci else []
    )  # where it is masked
    return [*see, next_steps.run_again(context, f"{next_steps.find_contacts(len(missing))}, and send again")]


def _send_rest(context: Context, plan: Plan, summary: Summary, rest: Rest | None) -> list[NextStep]:
    """Returns the step that sends what is left, if this run could have sent it."""
    left = summary.remaining - summary.claimed_by_others + (rest.number if rest else 0)
    if left <= 0:
        return []
    is_limited = plan.limit is not None and plan.limit < left
    number = f"the next {plan.limit:,} of {_name_left(left)}" if is_limited else _name_left(left)
    # After a stop that has to be fixed, the hint says how.
    is_put_off = summary.stop is not None and summary.stop.kind == "later"
    needs_more = summary.stop is not None and summary.stop.hint not in {"", GO_ON}
    then = "Send" if not needs_more else "After that, send" if is_put_off else "Once that is fixed, send"
    return [next_steps.run_again(context, f"{then} {number}")]
