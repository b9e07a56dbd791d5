"""Moves the current ledger to another address, in steps of which each can be repeated after a kill.

The steps, in this order: `mark_pending` (the new ledger), `mark_moved` (the old one), `copy_records`, `mark_current`
(the new one). Then the caller writes msgrun.yaml. A ledger that is pending or moved takes no claims, so at no time two
ledgers do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.clock import new_run_id
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.current_ledger import (
    find_id_refusal,
    mark_error,
    missing_ledger_error,
    refuse_fork,
)
from runner.ledger.facts import Facts
from runner.ledger.ledger import append_missing, count_missing_records
from runner.ledger.ledger_hints import explain_restore
from runner.ledger.local_records import add_local_records
from runner.ledger.lock_address import BranchAddress, LockfileAddress
from runner.ledger.mark import IF_LOST, NO_MARK, MoveMark, explain_mark, next_generation
from runner.ledger.opening import location_of, open_existing, recover
from runner.ledger.record import Header
from runner.ledger.remote_marks import RemoteAnswer, ask_commits, marks_of, push_mark
from runner.shown_command import shown_git

_COMMAND = "lock move"


@dataclass(frozen=True, slots=True)
class Move:
    """A move of the ledger with this id from one address to another. `generation` is that of its marks.

    `deliveries` is the number of those that the old one records.
    """

    old: LedgerContext
    new: LedgerContext
    ledger_id: str
    generation: int
    deliveries: int

    @property
    def pending(self) -> MoveMark:
        """The mark of the new ledger while it lacks records."""
        return MoveMark(self.generation, "pending", self.old.address.setting)

    @property
    def moved(self) -> MoveMark:
        """The mark of the old ledger."""
        return MoveMark(self.generation, "moved", self.new.address.setting)

    @property
    def current(self) -> MoveMark:
        """The mark of the new ledger once it has all records."""
        return MoveMark(self.generation, "current", self.old.address.setting)


def prepare_move(old: LedgerContext, new: LedgerContext, answers: Sequence[RemoteAnswer]) -> Move:
    """Reads both ledgers and returns the move: the one between them that is not finished, else a new one.

    Raises GuardRefused if the old ledger is not current, or the new address has another ledger; LedgerUnavailable if
    this clone does not know the remote of the new address.
    """
    for context in (old, new):  # the fork's copy of the ledger lacks what is sent since it was made
        refuse_fork(context, f"move the ledger in a clone of {context.declared.remote}")
    new_location = location_of(new)
    if isinstance(new_location, BranchLocation):
        new_location.require_remote()  # before a person is asked
    old_facts, new_facts = location_of(old).read(), new_location.read() or Facts()
    if old_facts is None:
        raise missing_ledger_error(old, was_moved=bool(new_facts.headers))
    old_header, new_header = old_facts.headers.merged(old.salt), new_facts.headers.merged(new.salt)
    if error := find_id_refusal(old, old_facts):  # it may be the ledger of another project
        raise error
    _refuse_same_file(old, new, answers)
    if new_header.ledger not in {"", old_header.ledger}:
        raise GuardRefused(
            f"{new.address.display_name} has another ledger, {new_header.ledger}",
            "choose an address without a ledger, or run this in the project that the ledger belongs to",
        )
    mark = highest_mark(old_facts, old_header.ledger, answers)
    if mark.status == "moved" and mark.address == new.address.setting and new_facts.mark.generation < mark.generation:
        # It was there before the old ledger got its mark, and has since taken claims.
        raise GuardRefused(
            f"the ledger moved to {mark.address}, but another ledger is there now",
            f"{explain_restore(new)}; {IF_LOST}",
        )
    generation = _choose_generation(old, mark, new.address.setting, new_facts.mark)
    return Move(old, new, old_header.ledger or new_run_id(), generation, len(old_facts))


def highest_mark(facts: Facts, ledger_id: str, answers: Sequence[RemoteAnswer]) -> MoveMark:
    """Returns the mark of a ledger, or a higher one that a remote has of it."""
    remote = max(marks_of(answers, ledger_id), key=lambda mark: mark.rank, default=NO_MARK)
    return remote if remote.generation > facts.mark.generation else facts.mark


def run_move(move: Move) -> None:
    """Takes all steps of a move. Raises GuardRefused, and LedgerUnavailable if another move was faster."""
    mark_pending(move)
    if not _has_same_location(move):
        mark_moved(move)
    copy_records(move)
    mark_current(move)


def mark_pending(move: Move) -> None:
    """Starts the new ledger, if there is none, and marks it as pending."""
    header = Header(ledger=move.ledger_id, mark=move.pending)
    mark = _write_header(move.new, header)
    if mark not in {move.pending, move.current}:
        raise _overtaken_error(move.new, mark)


def mark_moved(move: Move) -> None:
    """Marks the old ledger as moved: from now on it takes no claims."""
    mark = move.moved
    if isinstance(move.old.address, LockfileAddress):
        mark = push_mark(move.old, move.ledger_id, move.moved)
    if mark == move.moved:
        mark = _write_header(move.old, Header(ledger=move.ledger_id, mark=move.moved))
    if mark != move.moved:
        # Without this mark, a later command could finish the move to the new ledger.
        _write_header(move.new, Header(mark=mark))
        raise _overtaken_error(move.old, mark)


def copy_records(move: Move) -> None:
    """Adds the records of the old ledger to the new one, and reads them back."""
    with open_existing(move.old, _COMMAND) as old:
        add_local_records(move.old, old)
        records, workspace = old.facts, old.facts.headers.merged(move.old.salt).workspace
    with open_existing(move.new, _COMMAND) as new:
        new.write_header(Header(workspace))
        append_missing(new, records)
        new.refresh()
        if count := count_missing_records(records, new.facts):
            raise LedgerUnavailable(
                f"{move.new.address.display_name} lacks {count:,} records after it was filled", "run the command again"
            )


def mark_current(move: Move) -> None:
    """Marks the new ledger as current: from now on it takes claims."""
    mark = _write_header(move.new, Header(mark=move.current))
    if mark != move.current:
        raise _overtaken_error(move.new, mark)


def _choose_generation(context: LedgerContext, old: MoveMark, new_setting: str, new: MoveMark) -> int:
    """Returns the generation of a move: its own if it began already, else one more than the highest that is known."""
    if old.status == "moved" and old.address == new_setting:
        return old.generation
    is_cancelled = old.status == "pending" and old.address == new_setting
    if old.status != "current" and not is_cancelled:
        raise mark_error(context, old)
    if new.status == "pending" and new.address == context.address.setting and new.generation > old.generation:
        return new.generation
    return next_generation(max(old.generation, new.generation))


def _refuse_same_file(old: LedgerContext, new: LedgerContext, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused for a move from a branch into a lockfile that is the same file in git.

    Opening that lockfile reads it on its branches, and so would read that it moved away.
    """
    repository = new.repository
    if not (repository and isinstance(old.address, BranchAddress) and isinstance(new.address, LockfileAddress)):
        return
    branches = {branch for answer in answers for branch in answer.branches}
    if repository.relative_path(new.root / new.address.path) == old.address.path and old.address.ref in branches:
        hint = f"move it to another file, e.g. {new.command} lock move sent.lock"
        raise GuardRefused(f"{new.address.path} is the file on the branch where the ledger is now", hint)


def _write_header(context: LedgerContext, header: Header) -> MoveMark:
    with location_of(context).open(_COMMAND, ask_commits(context)) as ledger:
        if not ledger.exists:
            headers = ledger.facts.headers
            ledger.create(headers.new(header, context.salt) or headers.merged(context.salt))
        recover(context, ledger)
        return ledger.write_header(header)


def _has_same_location(move: Move) -> bool:
    """Returns whether both addresses spell one location: then the old ledger has the mark of the new one."""
    facts = location_of(move.old).read()
    return facts is not None and facts.mark in {move.pending, move.current}


def _overtaken_error(context: LedgerContext, mark: MoveMark) -> LedgerUnavailable:
    message, hint = (
        f"the ledger {context.address.setting} was made current by another move",
        f"{shown_git('pull')}, and check lock:",
    )
    if mark.status != "current":
        message, hint = explain_mark(context.address.setting, mark, context.command)
    return LedgerUnavailable(f"another move was faster: {message}", hint)
