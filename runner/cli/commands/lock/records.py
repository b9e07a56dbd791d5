"""The commands lock verify, compact, stats, show, export and import: what is in the ledger."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import click

from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, open_ledger, read_ledger
from runner.cli.ledger_changes import refuse_planted_files, require_unchanged_ledger_files
from runner.cli.options import EXIT, command, stored_flag, writes_ledger
from runner.cli.recipients import name_recipients
from runner.cli.suggestions import suggest_unknown_keys
from runner.errors import GuardRefused, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, append_missing, pin_workspace
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.lockfile.files import count_lines, lockfile_paths
from runner.ledger.opening import open_existing
from runner.ledger.record import RANK, Record
from runner.report import ledger_size, plain_text
from runner.report.plain_text import MAX_LISTED
from runner.report.problem_text import pluralize
from runner.report.record_text import format_records


@command("verify")
@click.option("--against", metavar="REF", help="Also check that the commits since REF do not change it.")
def verify(against: str | None) -> int:
    """Check that the ledger can be read.

    Exits with 1 for torn lines, and with 5 for duplicates or contradictory headers.

    --against is for pull requests. It exits with 5 if the commits since REF change a ledger's file, whatever lock: is.
    Otherwise an author of a pull request could change the record of what was sent. It does so too if a file is
    committed where only msgrun writes, as in .msgrun/, or a folder that git would take for a repository.
    """
    with open_context(against or "") as context:
        refuse_planted_files(context)
        facts = read_ledger(context).facts
        if against is not None:
            require_unchanged_ledger_files(context, against, facts)
        torn = pluralize(len(facts.torn_lines), "torn line") if facts.torn_lines else "every line can be read"
        count = pluralize(len(facts), "delivery", "deliveries")
        context.output.sentence(f"{context.ledger.address.display_name}: {count}, {torn}")
        return exit_code_of(facts) or (EXIT.problems if facts.torn_lines else EXIT.done)


@command("stats")
def stats() -> int:
    """Show how large the ledger is.

    For a lockfile it also says how much may be added until GitHub refuses the file.
    """
    with open_context() as context:
        address, facts = context.ledger.address, read_ledger(context).facts
        text = ledger_size.format_stats(address.display_name, len(facts), facts.counts())
        if isinstance(address, LockfileAddress):
            path = lockfile_paths(context.tree.root, address.path, None).lockfile
            size = path.stat().st_size if path.exists() else 0
            lines = count_lines(path) if size else 0
            text += f"\n{ledger_size.format_size(address.display_name, size, lines, len(facts.torn_lines))}"
        context.output.sentence(text)
        return exit_code_of(facts)


@command("compact")
@stored_flag("--yes", "It never asks; for scripts that always pass it.", hidden=True)
def compact() -> int:
    """Rewrite the ledger, sorted and shorter.

    It drops records that a later record of the same attempt replaces. The state of every delivery stays the same, so no
    confirmation is needed.
    """
    with open_context() as context, open_existing(context.ledger, "lock compact", fetch=False) as ledger:
        before, after = ledger.compact()
        name = context.ledger.address.display_name
        if before == after:
            context.output.sentence(f"{name} has nothing to compact: {pluralize(after, 'line')}.")
        else:
            text = f"{name}: {pluralize(before, 'line')} before, {after:,} now. Every delivery has the same state."
            context.output.sentence(text)
        return exit_code_of(ledger.facts)


@command("show")
@click.argument("key", required=False, shell_complete=suggest_unknown_keys)
@click.option("--all", "show_all", is_flag=True, help="On a terminal, all attempts and not only the newest 20.")
def show(key: str | None, *, show_all: bool) -> int:
    """Print the records of the ledger.

    With KEY, only those whose key begins with it. On a terminal a table of the newest 20 attempts, with the last record
    of each, else a line of JSON for each record. Only -v also shows records that a later one of their attempt replaces.

    The status is the ledger's own word: "claimed" has no outcome, which msgrun status calls unknown, and "released"
    was not sent.
    """
    with open_context() as context:
        facts, output = read_ledger(context).facts, context.output
        kept = facts.sorted_records() if output.verbose else facts.compacted_records()
        records = [record for record in kept if record.key.startswith(key or "")]
        if not records and key:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        if output.width_for_reading:
            _print_table(context, facts, records, show_all=show_all)
        else:
            for record in records:
                output.document(record.to_line().decode().rstrip("\n"))
        return exit_code_of(facts)


def _print_table(context: Context, facts: Facts, records: Iterable[Record], *, show_all: bool) -> None:
    """Prints the newest records, the newest last: there the eye is."""
    output = context.output
    ordered = sorted(records, key=_sort_key)
    if not output.verbose:
        last_records = {(record.key, record.attempt): record for record in ordered}
        ordered = sorted(last_records.values(), key=_sort_key)
    if not ordered:
        output.result("The ledger has no record.")
        return
    shown = ordered if show_all else ordered[-MAX_LISTED:]
    output.result(
        format_records(shown, name_recipients(context, facts, shown), output.width, show_values=output.show_values)
    )
    if more := len(ordered) - len(shown):
        output.note(f"--all also shows {pluralize(more, 'older attempt')}.")


def _sort_key(record: Record) -> tuple[str, str, int, str, int]:
    """Sorts records by time, and those of one second in the order in which their run began their attempts."""
    run, _, number = record.attempt.rpartition("-")
    return record.recorded_at, run, len(number), number, RANK[record.status]


@command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> int:
    """Print every record as a lockfile, or write it to FILE.

    msgrun lock import reads it into a ledger of any kind.
    """
    with open_context() as context:
        reading, name = read_ledger(context), context.ledger.address.display_name
        facts = reading.facts
        if not (reading.exists or len(facts)):
            raise GuardRefused(f"there is no ledger {name}", "check lock: in msgrun.yaml")
        lines = chain(
            [context.header_of(facts).to_line()],
            (record.to_line() for record in facts.sorted_records()),
        )
        if file is None:
            for line in lines:
                context.output.document(line.decode().rstrip("\n"))
        else:
            try:
                with context.user_path(file).open("xb") as handle:
                    handle.writelines(lines)
            except OSError as error:
                raise UsageMistake(
                    f"{file} cannot be written: {error.strerror}", "choose a file that does not exist yet"
                ) from error
            count = pluralize(len(facts), "delivery", "deliveries")
            context.output.sentence(f"wrote the records of {count} in {name} to {file}")
        return exit_code_of(facts)


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@writes_ledger
def import_(file: Path) -> int:
    """Add the records of a lockfile to the ledger.

    FILE is a lockfile, what lock export wrote, or a rescue file. What the ledger has already stays as it is. It asks
    before it adds an outcome of an attempt that is still open.
    """
    with open_context() as context:
        imported, path = Facts(), context.user_path(file)
        if not path.is_file():
            raise UsageMistake(f"there is no file {file}")
        imported.read_file(path, str(file))
        workspace = context.header_of(imported).workspace
        for line in plain_text.format_ledger_warnings(imported):
            context.output.error(line)
        with open_ledger(context, "lock import") as ledger:
            _confirm_settled_attempts(context, ledger, imported, file)
            if workspace:
                pin_workspace(ledger, workspace)
            sent_before = _count_sent(ledger.facts)
            count = append_missing(ledger, imported)
            sent = _count_sent(ledger.facts) - sent_before
            more = f"; {pluralize(sent, 'more delivery counts', 'more deliveries count')} as sent" if sent else ""
            context.output.sentence(
                f"{pluralize(count, 'record')} added to {context.ledger.address.display_name}{more}"
            )
            return exit_code_of(ledger.facts)


def _count_sent(facts: Facts) -> int:
    return sum(count for (_, _, status), count in facts.counts().items() if status == "sent")


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
