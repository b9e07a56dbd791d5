"""Finds a ledger by the kind of its address, and reads it or opens it to write.

Every command that sends or reports uses `read_ledger` or `open_ledger`, which check that the ledger is the current one
of its project. `open_existing` does not check that: a move works on ledgers that are not current too.

The steps of `open_ledger`: `remote_marks` asks the git remotes about moves of the ledger; `known_hosts` checks that its
address may be contacted; the package for its kind opens it; `current_ledger` refuses it if another one is current; and
`local_records` adds the records that only this clone has.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from runner.clock import new_run_id
from runner.errors import GuardRefused
from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.current_ledger import (
    find_ledger_refusal,
    missing_ledger_error,
    refuse_unless_current,
    warn_of_newer_commit,
)
from runner.ledger.facts import Facts
from runner.ledger.known_hosts import require_known_host
from runner.ledger.ledger import Ledger, LedgerLocation
from runner.ledger.local_records import add_local_records, read_local_records
from runner.ledger.lock_address import BranchAddress, DatabaseAddress, LockfileAddress
from runner.ledger.lockfile.ledger import LockfileLocation
from runner.ledger.mark import MoveMark, next_generation
from runner.ledger.record import Header, salt_check
from runner.ledger.remote_marks import RemoteAnswer, ask_commits, ask_remotes, commits_of, marks_of


def location_of(context: LedgerContext) -> LedgerLocation:
    """Returns the location of the ledger at the address in use.

    Raises GuardRefused if its host is not known, and LedgerUnavailable if psycopg is needed and missing, or if git or
    its remote is needed to check the host and does not answer.
    """
    require_known_host(context)
    match context.address:
        case LockfileAddress(path):
            return LockfileLocation(context, path)
        case BranchAddress():
            return BranchLocation(context, context.address)
        case DatabaseAddress():
            from runner.ledger.postgres.location import PostgresLocation  # noqa: PLC0415  # psycopg is an extra

            return PostgresLocation(context, context.address)
        case _:
            assert_never(context.address)


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """The records of a ledger, and whether there is one. `refusal` is why apply would refuse it, if it would."""

    facts: Facts
    exists: bool
    refusal: GuardRefused | None


def read_ledger(context: LedgerContext) -> LedgerReading:
    """Reads the records of the ledger without a lock, and adds those that only this clone has.

    Raises GuardRefused, LedgerUnavailable.
    """
    stored, refusal = location_of(context).read(), None
    facts = stored or Facts()
    if stored:
        refusal = find_ledger_refusal(context, facts)
    elif context.declared.ledger_id:
        refusal = missing_ledger_error(context)
    read_local_records(context, facts)
    facts.headers.require_consistent(context.salt)
    return LedgerReading(facts, stored is not None, refusal)


def require_current(context: LedgerContext, reading: LedgerReading) -> None:
    """Asks the remotes as `open_ledger` does. Raises what it would raise: GuardRefused, LedgerUnavailable."""
    facts = reading.facts if reading.exists else Facts()  # else they are of this clone's lockfile
    refuse_unless_current(context, facts, ask_remotes(context), exists=reading.exists)


@contextlib.contextmanager
def open_ledger(
    context: LedgerContext, command: str, *, new_lock: bool = False, no_fetch: bool = False
) -> Iterator[Ledger]:
    """Opens the current ledger to write, with all its records. A lockfile is locked for this process.

    With `new_lock`, a ledger that does not exist is started. With `no_fetch`, the versions of a lockfile on git remotes
    are not read; the remotes are still asked whether the ledger moved. Raises GuardRefused if it is not the current
    one, and LedgerUnavailable.
    """
    answers = ask_remotes(context)
    with location_of(context).open(command, () if no_fetch else commits_of(answers)) as ledger:
        refuse_unless_current(context, ledger.facts, answers, exists=ledger.exists)
        if not ledger.exists:
            if not (new_lock or context.is_sandbox):
                raise missing_ledger_error(context)
            ledger.create(_new_header(context, ledger.facts))
        recover(context, ledger)
        add_local_records(context, ledger)
        if command == "apply":
            warn_of_newer_commit(context, answers)
        yield ledger


@contextlib.contextmanager
def open_existing(context: LedgerContext, command: str) -> Iterator[Ledger]:
    """Opens the ledger at the address in use, current or not, and restores records that it lost.

    Raises GuardRefused if there is none, and LedgerUnavailable.
    """
    with location_of(context).open(command, ask_commits(context)) as ledger:
        if not ledger.exists:
            raise missing_ledger_error(context)
        recover(context, ledger)
        yield ledger


def start_ledger(context: LedgerContext, *, abandon_previous: bool) -> tuple[str, bool]:
    """Starts the ledger, unless it exists. Returns its id, and whether it was started now.

    `abandon_previous` makes the ledger at the address in use the current one, whatever its marks and msgrun.yaml say.
    Raises GuardRefused if the project has another ledger, and LedgerUnavailable.
    """
    answers = ask_remotes(context)
    with location_of(context).open("lock begin", commits_of(answers)) as ledger:
        was_started = not ledger.exists
        if not abandon_previous:  # if it exists, a start may have been killed before msgrun.yaml named this ledger
            refuse_unless_current(context, ledger.facts, answers, exists=ledger.exists, is_start=True)
        if was_started:
            ledger.create(_new_header(context, ledger.facts))
        recover(context, ledger)
        header = ledger.facts.headers.merged(context.salt)
        if not header.ledger:
            ledger.write_header(Header(ledger=new_run_id()))
        if abandon_previous:
            _make_current(ledger, answers, header.ledger)
        return ledger.facts.headers.merged(context.salt).ledger, was_started


def recover(context: LedgerContext, ledger: Ledger) -> None:
    """Writes what the ledger lost, and reports how many records that were. Raises GuardRefused, LedgerUnavailable."""
    count = ledger.recover()
    if count and not context.is_sandbox:
        context.report(f"{context.address.display_name} lacked {count:,} records that this clone or its remote had")


def _new_header(context: LedgerContext, facts: Facts) -> Header:
    """Returns the header of a new ledger. If this clone knows an id and a workspace of it, it has them again."""
    known = facts.headers.merged(context.salt)
    return Header(known.workspace, salt_check(context.salt), known.ledger or new_run_id())


def _make_current(ledger: Ledger, answers: list[RemoteAnswer], ledger_id: str) -> None:
    """Writes a current mark above all known marks, unless the ledger has the highest one, and it is current."""
    generation = max(mark.generation for mark in (ledger.facts.mark, *marks_of(answers, ledger_id)))
    if generation > ledger.facts.mark.generation or ledger.facts.mark.status != "current":
        ledger.write_header(Header(mark=MoveMark(next_generation(generation))))
