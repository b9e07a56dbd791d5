"""The one door to the ledger: reads it, and opens it to write after the checks that it is the current one."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from runner.clock import new_run_id
from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.local_records import add_local_records, read_local_records
from runner.ledger.location import missing_ledger_error
from runner.ledger.locations import location_of, recover
from runner.ledger.moves.check import (
    describe_newer_commit,
    find_ledger_guard,
    find_missing_guard,
    refuse_second_ledger,
    refuse_unless_current,
)
from runner.ledger.moves.remote_marks import RemoteAnswer, ask_remotes
from runner.ledger.record import Header, Mark, next_turn, salt_check


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """The records of a ledger, and whether there is one. `guard` is why apply would refuse it: a message and a hint."""

    facts: Facts
    exists: bool
    guard: tuple[str, str] | None


def read_ledger(context: LedgerContext) -> LedgerReading:
    """Reads the records of the ledger without a lock, with those that this clone has of it.

    Raises GuardRefused, LedgerUnavailable.
    """
    facts = location_of(context).read()
    exists, facts = facts is not None, facts or Facts()
    guard = find_ledger_guard(context, facts) if exists else find_missing_guard(context)
    read_local_records(context, facts)
    facts.headers.merged(context.salt)
    return LedgerReading(facts, exists, guard)


@contextlib.contextmanager
def open_ledger(
    context: LedgerContext,
    command: str,
    *,
    new_lock: bool = False,
    no_fetch: bool = False,
    before_start: Callable[[], object] = lambda: None,
) -> Iterator[Ledger]:
    """The current ledger, brought up to date and ready to write. A lockfile is locked for this process.

    `new_lock` permits to start it, after `before_start`, which may raise. `no_fetch`: no git remote is asked for other
    versions of a lockfile; whether the ledger moved is asked all the same. Raises GuardRefused if it is not the current
    one, and LedgerUnavailable.
    """
    answers = ask_remotes(context)
    with location_of(context).open(command, fetch=not no_fetch) as ledger:
        if ledger.exists:
            refuse_unless_current(context, ledger.facts, answers)
        else:
            refuse_second_ledger(context, answers, ledger.facts)
            if not (new_lock or context.is_sandbox):
                raise missing_ledger_error(context, "look whether lock: is right, or take it back from git")
            before_start()
            ledger.create(_new_header(context, ledger.facts))
        recover(context, ledger)
        refuse_unless_current(context, ledger.facts, answers)  # also with what was brought back or started
        add_local_records(context, ledger)
        if command == "apply" and (note := describe_newer_commit(context, answers)):
            context.report(note)
        yield ledger


class StartedLedger(NamedTuple):
    """A ledger that was started now, or was there already: its id, and the names of the messages it has records of."""

    ledger_id: str
    was_started: bool
    messages: frozenset[str]


def start_ledger(context: LedgerContext, *, abandon_previous: bool) -> StartedLedger:
    """Starts the ledger, unless there is one.

    `abandon_previous`: the ledger at the address in use is current from now on. Its marks and msgrun.yaml do not count.
    Raises GuardRefused if the project has another ledger, and LedgerUnavailable.
    """
    answers = ask_remotes(context)
    with location_of(context).open("lock begin", fetch=True) as ledger:
        was_started = not ledger.exists
        if not abandon_previous:
            _refuse_to_start(context, answers, ledger)
        if was_started:
            ledger.create(_new_header(context, ledger.facts))
        recover(context, ledger)
        header = ledger.facts.headers.merged(context.salt)
        if not header.ledger:
            ledger.write_header(Header(ledger=new_run_id()))
        if abandon_previous:
            _make_current(ledger, answers, header.ledger)
        facts = ledger.facts
        return StartedLedger(facts.headers.merged(context.salt).ledger, was_started, facts.message_names())


def _refuse_to_start(context: LedgerContext, answers: list[RemoteAnswer], ledger: Ledger) -> None:
    """Raises GuardRefused if the project has another ledger, whether there is one at the address in use or not."""
    if not ledger.exists:
        refuse_second_ledger(context, answers, ledger.facts)
    elif guard := find_ledger_guard(context, ledger.facts):
        raise GuardRefused(*guard)


def _new_header(context: LedgerContext, facts: Facts) -> Header:
    """The header of a new ledger. It keeps the id that this clone knows for it."""
    known = facts.headers.merged(context.salt)
    return Header(known.workspace, salt_check(context.salt), known.ledger or new_run_id())


def _make_current(ledger: Ledger, answers: list[RemoteAnswer], ledger_id: str) -> None:
    """Writes a mark that is higher than all that are known, if any is."""
    marks = [mark.mark for answer in answers for mark in answer.marks if mark.ledger_id == ledger_id]
    turn = max(mark.turn for mark in (ledger.facts.mark, *marks))
    if turn > ledger.facts.mark.turn or ledger.facts.mark.status != "current":
        ledger.write_header(Header(mark=Mark(next_turn(turn))))
