"""The command audit: who applied what, when, and in which run."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import click

from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of, read_ledger, require_known_name
from runner.cli.next_steps import print_steps
from runner.cli.options import command, format_option
from runner.cli.other_runs import find_other_runs
from runner.clock import format_timestamp
from runner.errors import UsageMistake
from runner.ledger.runs import list_runs
from runner.report import audit_text
from runner.report.next_steps import NextStep
from runner.shown_command import shown_command

_MAX_NAMED = 3  # messages that have a command of their own


@command("audit")
@click.argument("name", required=False)
@click.option("--since", metavar="DATE|DAYS", help="Only what is not older than this, e.g. 2026-11-21 or 7d.")
@format_option("text", "csv", "json")
def audit(name: str | None, since: str | None) -> int:
    """List who applied what, when, and in which run.

    There is a row for each run and message, the latest first, with what became of its deliveries, and one for each
    decision of a person: adopt, accept, resolve. What reconcile found counts with the run that sent it. NAME is a
    message; without one, all are listed.

    The name is the actor that CI reports, else git's user.name. It is not verified. CSV and JSON also have the commit,
    and the digest of the plan that was approved.
    """
    with open_context() as context:
        facts = read_ledger(context).facts
        require_known_name(context, facts, name)
        oldest = _parse_since(since, context.ledger.now()) if since else ""
        is_live = find_other_runs(context, facts).is_live
        entries = [entry for entry in list_runs(facts, name, is_live) if entry.last >= oldest]
        match context.output.output_format:
            case "csv":
                context.output.document(audit_text.format_runs_csv(entries))
            case "json":
                context.output.document(audit_text.format_runs_json(entries))
            case _ if not entries:
                of_message, after = f" of {name}" if name else "", f" since {since}" if since else ""
                context.output.result(f"The ledger has no run{of_message}{after}.")
            case _:
                context.output.result(audit_text.format_runs(entries, context.output.width))
                names = dict.fromkeys(
                    entry.message for entry in entries if entry.refused or entry.unknown > entry.being_sent
                )
                commands = tuple(shown_command("status", name) for name in islice(names, _MAX_NAMED))
                print_steps(context, [NextStep("See who was refused, or is unknown", commands)] if names else [])
        return exit_code_of(facts)


def _parse_since(text: str, now: datetime) -> str:
    """Returns the first time that --since includes, as records have it. Raises UsageMistake."""
    try:
        start = now - timedelta(days=int(text[:-1])) if text.endswith("d") else datetime.fromisoformat(text)
        return format_timestamp(start.astimezone(UTC) if start.tzinfo else start)
    except (ValueError, OverflowError) as error:
        raise UsageMistake(f"--since is a date or a number of days, not {text}", "as 2026-11-21, or 7d") from error
