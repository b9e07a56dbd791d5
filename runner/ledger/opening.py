"""Reads the ledger, and opens it to write after the checks that it is the current one."""

import contextlib
from collections.abc import Iterator

from runner.cli.context import Context
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.address import redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.ledger import Ledger
from runner.ledger.location import explain_move
from runner.ledger.lockfile.location import ALONE, DESPITE_A_MOVE
from runner.ledger.moves.check import refuse_second_ledger, require_records_of_previous
from runner.ledger.moves.last_used import save_last_used
from runner.report import plain_text


def read_ledger(context: Context) -> Facts:
    """The records of the ledger, read without a lock.

    Prints warnings about torn lines and duplicates, and a note if the ledger moved.
    Raises GuardRefused, LedgerUnavailable.
    """
    location = location_of(context)
    facts = location.read()
    facts.merged_header(context.settings.salt)
    _report_warnings(context, facts)
    if facts.moved_to and facts.moved_to != redact_password(context.settings.lock):
        context.output.note(explain_move(location.display_name, facts.moved_to)[0])
    return facts


@contextlib.contextmanager
def open_ledger(context: Context, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Ledger]:
    """The ledger, brought up to date and ready to write. A lockfile is locked for this process.

    `new_lock` permits to start the ledger. It also checks that this ledger has every record of the previous ones, and
    marks those as moved; not with `no_fetch`, in the sandbox, or for a command in ALONE. Raises GuardRefused,
    LedgerUnavailable.
    """
    if new_lock:
        context.known_hosts.add(context.settings.lock)  # a person starts a ledger, and so vouches for its host
    checks_previous = command not in ALONE and not (context.options.sandbox or no_fetch)
    if checks_previous and new_lock and not location_of(context).exists:
        # Before the ledger is started: otherwise the next run would find it and use it.
        _check_previous_ledgers(context, Facts(), all_commits=True)
    with location_of(context).open(command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _report_warnings(context, ledger.facts)
        refuse_if_moved(context, ledger, allow_moved=command in DESPITE_A_MOVE)
        if checks_previous and (previous := _check_previous_ledgers(context, ledger.facts)):
            for lock in previous:
                _mark_moved(context, lock)
            ledger.refresh()
            refuse_if_moved(context, ledger, allow_moved=command in DESPITE_A_MOVE)
        if checks_previous:
            save_last_used(context)
        yield ledger


def refuse_if_moved(context: Context, ledger: Ledger, *, allow_moved: bool) -> None:
    """Raises GuardRefused if the ledger moved, unless `allow_moved`.

    A ledger that is marked as moved to its own address only changed its name, so that mark is removed.
    """
    if ledger.facts.moved_to == redact_password(context.settings.lock):
        ledger.mark_moved("")  # the move was recorded under its former name, and this is the address that it moved to
    elif ledger.facts.moved_to and not allow_moved:
        raise GuardRefused(*explain_move(location_of(context).display_name, ledger.facts.moved_to))


def _check_previous_ledgers(context: Context, facts: Facts, *, all_commits: bool = False) -> list[str]:
    if all_commits:
        refuse_second_ledger(context)
    return require_records_of_previous(context, facts, all_commits=all_commits)


def _mark_moved(context: Context, lock: str) -> None:
    from runner.ledger.moves.handover import mark_previous_moved  # noqa: PLC0415  # breaks an import cycle

    try:
        mark_previous_moved(context, lock)
    except LedgerUnavailable as error:
        context.output.note(f"{lock} was not told that the ledger moved here: {error.message}")


def _report_warnings(context: Context, facts: Facts) -> None:
    for line in plain_text.ledger_warnings(facts):
        context.output.error(line)
