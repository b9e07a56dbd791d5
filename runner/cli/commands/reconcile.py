"""The command reconcile: asks Intercom what became of unknown deliveries."""

from collections.abc import Callable
from dataclasses import replace

import click

from runner.cli import next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, open_ledger, read_ledger, require_known_name
from runner.cli.options import EXIT, Duration, command, writes_ledger
from runner.cli.other_runs import find_other_runs
from runner.cli.progress import StatusLine
from runner.cli.recipients import name_recipients, status_view
from runner.deliver.reconcile import Reconciliation, prepare_reconciliation
from runner.errors import GuardRefused, LedgerUnavailable, MsgrunError, RunStopped, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.moves.previous_ledgers import add_late_outcomes
from runner.report import reconcile_text
from runner.report.next_steps import NextStep
from runner.report.plain_text import MAX_LISTED
from runner.report.progress_text import format_duration
from runner.shown_command import shown_command


@command("reconcile")
@click.argument("name", required=False)
@click.option(
    "--wait",
    type=Duration(),
    default="3m",
    show_default=True,
    metavar="TIME",
    help="How long to keep searching, e.g. 90s, 3m or 1h; 0 searches once.",
)
@click.option("--dry-run", is_flag=True, help="Show what is found, and write nothing.")
@writes_ledger
def reconcile(name: str | None, wait: float, *, dry_run: bool) -> int:
    """Ask Intercom what became of unknown deliveries.

    Finds those that opened a conversation, by contact, sender, text and time, and counts them as sent. What is
    not found stays unknown: only msgrun resolve marks a delivery as not sent.

    NAME is a message; without one, every unknown delivery is looked for.
    """
    with open_context() as context:
        if not context.settings.can_open_conversation:
            message = f"reconcile needs api_version 2.6 or later, and msgrun.yaml says {context.settings.api_version}"
            raise UsageMistake(message, f"older versions open no conversation to find; see {shown_command('resolve')}")
        if dry_run:
            return _reconcile(context, read_ledger(context).facts, name, wait, None)
        with open_ledger(context, "reconcile") as ledger:
            if not context.options.no_fetch:
                add_late_outcomes(context.ledger, ledger)
            return _reconcile(context, ledger.facts, name, wait, ledger.append)


def _reconcile(context: Context, facts: Facts, name: str | None, wait: float, write: Callable[..., None] | None) -> int:
    """Looks for unknown deliveries, prints the results, and returns the exit code. Without `write` it is a dry run."""
    require_known_name(context, facts, name)
    runs = find_other_runs(context, facts)
    reconciliation = prepare_reconciliation(facts, name, context.settings.salt, runs.is_sending)
    workspace = context.header_of(facts).workspace
    error: MsgrunError | KeyboardInterrupt | None = None
    try:
        if reconciliation.pending:
            workspace = _search(context, reconciliation, workspace, wait, write or (lambda *_: None))
    except (GuardRefused, LedgerUnavailable, RunStopped, KeyboardInterrupt) as stop:
        error = stop  # printed after the results so far
    context.output.clear_progress()
    result, left_out = reconciliation.result(), filter(runs.is_sending, facts.states_with("unknown", message=name))
    sending = [attempt for state in left_out for attempt in state.open_attempts]
    recipients = name_recipients(context, facts, [*reconcile_text.listed_records(result), *sending])
    if not context.options.sandbox:  # the ledger may name no workspace yet, and the token does
        recipients = replace(recipients, workspace=workspace)
    is_dry_run = write is None
    view = status_view(context)
    context.output.result(
        reconcile_text.format_reconciliation(result, recipients, view, sending, is_dry_run=is_dry_run)
    )
    chosen = [name] if name else []
    steps = []
    if result.unknown[MAX_LISTED:]:
        steps.append(NextStep("See all that are unknown", (shown_command("status", *chosen, "--all"),)))
    if result.sent and is_dry_run:
        steps.append(NextStep("Count what was found as sent", (shown_command("reconcile", *chosen),)))
    elif result.sent:
        steps += commit_ledger(context)
    unknown = [*sending, *(item.record for item in result.unknown)]
    steps += next_steps.settle_unknown(context, facts, unknown, name, is_searched=error is None)
    next_steps.print_steps(context, steps)
    if isinstance(error, KeyboardInterrupt):
        raise error
    if error:
        context.output.failure(error)
    if unknown:
        return EXIT.unknown
    return EXIT.guard if result.duplicates else exit_code_of(facts)


def _search(
    context: Context, reconciliation: Reconciliation, workspace: str, wait: float, write: Callable[..., None]
) -> str:
    """Looks for the deliveries in Intercom. Returns the workspace. Raises GuardRefused if it is not the ledger's."""
    from runner.cli.connection import CLOCK, connect  # noqa: PLC0415  # requests takes 130 ms

    status_line = StatusLine(context.output)
    total, deadline = len(reconciliation.pending), CLOCK.monotonic() + wait

    def report_wait(left: int, seconds: float) -> None:
        more = format_duration(max(seconds, deadline - CLOCK.monotonic()))
        found = f"{total - left:,} of {total:,} found; looking again in {seconds:.0f} s"
        status_line.show(f"{found}, for {more} more (Ctrl-C keeps what was found)")

    with connect(context) as connection:
        id_code = connection.verify_workspace(workspace)
        reconciliation.search(connection.workspace, CLOCK, wait, write, report_wait)
        return id_code
