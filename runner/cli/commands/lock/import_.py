"""The command lock import: adds the records of a file."""

from pathlib import Path

import click

from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, open_ledger
from runner.cli.next_steps import print_steps
from runner.cli.options import command, writes_ledger
from runner.declare.settings import load_all_settings
from runner.errors import GuardRefused, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.key_state import fold_records
from runner.ledger.ledger import Ledger, append_missing, find_missing_records, pin_workspace
from runner.report import plain_text
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

_MAX_START = 4096  # bytes


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@writes_ledger
def import_(file: Path) -> int:
    """Add the records of a lockfile to the ledger.

    FILE is a lockfile, what lock export wrote, or a rescue file. What the ledger has already stays as it is. It asks
    before it adds records of another ledger, or an outcome of an attempt that is still open.
    """
    with open_context() as context:
        imported, path = Facts(), context.user_path(file)
        if not path.is_file():
            raise UsageMistake(f"there is no file {file}")
        _require_lockfile_start(path, file)
        imported.read_file(path, str(file))
        _require_lockfile(context, imported, file)
        workspace = context.header_of(imported).workspace
        for line in plain_text.format_duplicates(imported):  # of damaged lines there is a question
            context.output.error(line)
        with open_ledger(context, "lock import") as ledger:
            _confirm_torn(context, imported, file)
            _confirm_other_ledger(context, ledger.facts, imported, file)
            _confirm_settled_attempts(context, ledger, imported, file)
            if workspace:
                pin_workspace(ledger, workspace)
            sent_before, duplicates = _count_sent(ledger.facts), plain_text.format_duplicates(ledger.facts)
            count = append_missing(ledger, imported)
            sent = _count_sent(ledger.facts) - sent_before
            more = f"; {pluralize(sent, 'more delivery counts', 'more deliveries count')} as sent" if sent else ""
            name = context.ledger.address.display_name
            added = f"{pluralize(count, 'record')} added to {name}" if count else f"{name} has every record of {file}"
            context.output.sentence(f"{added}{more}")
            for line in plain_text.format_duplicates(ledger.facts):
                if line not in duplicates:
                    context.output.message(line)
            print_steps(context, commit_ledger(context))
            return exit_code_of(ledger.facts)


def _require_lockfile_start(path: Path, file: Path) -> None:
    """Raises UsageMistake if the file begins like another one: a line of a lockfile may be damaged."""
    with path.open("rb") as opened:
        start = opened.read(_MAX_START)
    if not start or b'"msgrun_lock"' in start or b'"attempt"' in start:
        return
    if b'"format_version"' in start:
        hint = f"to send what it holds: {shown_command('apply', '--plan', str(file))}"
        raise UsageMistake(f"{file} is a saved plan, not a lockfile", hint)
    raise UsageMistake(f"{file} is not a lockfile")


def _require_lockfile(context: Context, imported: Facts, file: Path) -> None:
    """Raises UsageMistake if the file has no records, GuardRefused if they are of another project."""
    if not (imported.headers.ids or len(imported)):
        raise UsageMistake(f"{file} has no records of a ledger")
    if not imported.headers.fits(context.settings.salt) and context.settings.ledger_id not in imported.headers.ids:
        raise GuardRefused(f"{file} is of another project: it was written with another salt. Nothing was added")


def _confirm_torn(context: Context, imported: Facts, file: Path) -> None:
    """Asks the user if lines of the file are damaged. Raises GuardRefused."""
    if torn := len(imported.torn_lines):
        lines = pluralize(torn, "damaged line")
        context.confirm(
            f"{file} has {lines}, and may lack records. What is added cannot be taken out again. Add the rest?"
        )


def _count_sent(facts: Facts) -> int:
    return sum(count for (_, _, status), count in facts.counts().items() if status == "sent")


def _confirm_other_ledger(context: Context, own: Facts, imported: Facts, file: Path) -> None:
    """Asks the user if the file is of another ledger, and has records that this one lacks. Raises GuardRefused."""
    ledger_id = context.header_of(imported).ledger
    if context.options.sandbox or not ledger_id or context.header_of(own).ledger in {"", ledger_id}:
        return
    missing = {record.key for record in find_missing_records(imported, own)}
    before = [fold_records(own.records_of(key)) for key in missing if own.records_of(key)]
    after = [fold_records((*own.records_of(key), *imported.records_of(key))) for key in missing]
    sent = sum(state.status == "sent" for state in after) - sum(state.status == "sent" for state in before)
    duplicates = sum(state.is_duplicate for state in after) - sum(state.is_duplicate for state in before)
    if missing:
        effect = f" {pluralize(sent, 'delivery', 'deliveries')} more would count as sent here, and"
        effect = f"{effect} {'is' if sent == 1 else 'are'} not sent any more." if sent else ""
        twice = f" {pluralize(duplicates, 'delivery', 'deliveries')} would count as sent twice." if duplicates else ""
        names = (
            name or "default" for name, one in load_all_settings(context.tree).items() if one.ledger_id == ledger_id
        )
        whose = f", that of the environment {name}" if (name := next(names, "")) else ""
        effect = f"{effect}{twice} Its records cannot be taken out again."
        context.confirm(f"{file} is of another ledger{whose}.{effect} Add them?")


def _confirm_settled_attempts(context: Context, ledger: Ledger, imported: Facts, file: Path) -> None:
    """Asks the user if the file settles attempts that are open in the ledger. Raises GuardRefused."""
    open_attempts = {
        (record.key, record.attempt) for state in ledger.facts.states_with("unknown") for record in state.open_attempts
    }
    settled = [
        record
        for key in {key for key, _ in open_attempts}
        for record in imported.records_of(key)
        if (key, record.attempt) in open_attempts and record.status in {"released", "sent"}
    ]
    if settled:
        sent = sum(record.status == "sent" for record in settled)
        outcomes = f"{sent:,} sent, {len(settled) - sent:,} not sent"
        context.confirm(f"{file} settles {pluralize(len(settled), 'open attempt')}: {outcomes}. Add these outcomes?")
