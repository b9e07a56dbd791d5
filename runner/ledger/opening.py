"""The door to the ledger: reading it, and opening it to write once nothing speaks against it."""

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
from runner.ledger.moves.last_used import save_last_used
from runner.report import plain_text


def read_ledger(context: Context) -> Facts:
    """What the ledger knows, read without holding it; torn lines and duplicates are told."""
    there = location_of(context)
    facts = there.read()
    facts.merged_header(context.settings.salt)
    _tell_of(context, facts)
    if facts.moved_to and facts.moved_to != redact_password(context.settings.lock):
        context.output.note(explain_move(there.display_name, facts.moved_to)[0])
    return facts


@contextlib.contextmanager
def open_ledger(context: Context, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Ledger]:
    """The ledger, brought up to date; a lockfile is held alone. Raises GuardRefused, LedgerUnavailable."""
    if new_lock:
        context.known_hosts.add(context.settings.lock)  # a person starts a ledger, and so vouches for its host
    asks = command not in ALONE and not (context.options.sandbox or no_fetch)
    if asks and new_lock and not location_of(context).exists:
        _nothing_left(context, Facts(), ever=True)  # before it is begun: the next run would find it there
    with location_of(context).open(command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _tell_of(context, ledger.facts)
        refuse_if_moved(context, ledger, allow_moved=command in DESPITE_A_MOVE)
        if asks and (formers := _nothing_left(context, ledger.facts)):
            for former in formers:
                _leave(context, former)
            ledger.refresh()
            refuse_if_moved(context, ledger, allow_moved=command in DESPITE_A_MOVE)
        if asks:
            save_last_used(context)
        yield ledger


def refuse_if_moved(context: Context, ledger: Ledger, *, allow_moved: bool) -> None:
    """Raises GuardRefused if the ledger moved; not if only its name is another one than before."""
    if ledger.facts.moved_to == redact_password(context.settings.lock):
        ledger.mark_moved("")  # by that name it was told that it moves, and by this one that it arrives
    elif ledger.facts.moved_to and not allow_moved:
        raise GuardRefused(*explain_move(location_of(context).display_name, ledger.facts.moved_to))


def _nothing_left(context: Context, facts: Facts, *, ever: bool = False) -> list[str]:
    from runner.ledger.moves.check import refuse_second_ledger, require_records_of_previous  # noqa: PLC0415  # imported where used

    if ever:
        refuse_second_ledger(context)
    return require_records_of_previous(context, facts, all_commits=ever)


def _leave(context: Context, former: str) -> None:
    from runner.ledger.moves.handover import mark_previous_moved  # noqa: PLC0415  # imported where used

    try:
        mark_previous_moved(context, former)
    except LedgerUnavailable as error:
        context.output.note(f"{former} was not told that the ledger moved here: {error.message}")


def _tell_of(context: Context, facts: Facts) -> None:
    for line in plain_text.ledger_warnings(facts):
        context.output.error(line)
