"""The door to the ledger: reading it, and opening it to write once nothing speaks against it."""

import contextlib
from collections.abc import Iterator

from runner.cli.context import Session
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.address import redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.ledger import Ledger
from runner.ledger.location import explain_move
from runner.ledger.lockfile.location import ALONE, DESPITE_A_MOVE
from runner.ledger.moves.last_used import note_used
from runner.report import plain_text


def known(here: Session) -> Facts:
    """What the ledger knows, read without holding it; torn lines and duplicates are told."""
    there = home(here)
    facts = there.read()
    facts.merged_header(here.settings.salt)
    _tell_of(here, facts)
    if facts.moved_to and facts.moved_to != redact_password(here.settings.lock):
        here.screen.note(explain_move(there.shown, facts.moved_to)[0])
    return facts


@contextlib.contextmanager
def held(here: Session, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Ledger]:
    """The ledger, brought up to date; a lockfile is held alone. Raises GuardRefused, LedgerUnavailable."""
    if new_lock:
        here.known_hosts.add(here.settings.lock)  # a person starts a ledger, and so vouches for its host
    asks = command not in ALONE and not (here.options.sandbox or no_fetch)
    if asks and new_lock and not home(here).exists:
        _nothing_left(here, Facts(), ever=True)  # before it is begun: the next run would find it there
    with home(here).held(command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _tell_of(here, ledger.facts)
        stay(here, ledger, anyway=command in DESPITE_A_MOVE)
        if asks and (formers := _nothing_left(here, ledger.facts)):
            for former in formers:
                _leave(here, former)
            ledger.refresh()
            stay(here, ledger, anyway=command in DESPITE_A_MOVE)
        if asks:
            note_used(here)
        yield ledger


def stay(here: Session, ledger: Ledger, *, anyway: bool) -> None:
    """Raises GuardRefused if the ledger moved; not if only its name is another one than before."""
    if ledger.facts.moved_to == redact_password(here.settings.lock):
        ledger.mark_moved("")  # by that name it was told that it moves, and by this one that it arrives
    elif ledger.facts.moved_to and not anyway:
        raise GuardRefused(*explain_move(home(here).shown, ledger.facts.moved_to))


def _nothing_left(here: Session, facts: Facts, *, ever: bool = False) -> list[str]:
    from runner.ledger.moves.check import nothing_left, nothing_overridden  # noqa: PLC0415  # imported where used

    if ever:
        nothing_overridden(here)
    return nothing_left(here, facts, ever=ever)


def _leave(here: Session, former: str) -> None:
    from runner.ledger.moves.handover import leave  # noqa: PLC0415  # imported where used

    try:
        leave(here, former)
    except LedgerUnavailable as error:
        here.screen.note(f"{former} was not told that the ledger moved here: {error.message}")


def _tell_of(here: Session, facts: Facts) -> None:
    for line in plain_text.ledger_warnings(facts):
        here.screen.error(line)
