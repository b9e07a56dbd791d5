"""The commands lock begin and move: where the ledger is."""

from collections.abc import Sequence
from shlex import quote

import click

from runner.cli.context import Context, open_context
from runner.cli.ledger import require_valid_address, save_current_ledger
from runner.cli.next_steps import print_commit_step
from runner.cli.options import EXIT, command, stored_flag
from runner.errors import UsageMistake
from runner.ledger.context import LedgerContext
from runner.ledger.current_ledger import find_id_refusal, missing_ledger_error
from runner.ledger.lock_address import LockfileAddress, has_password
from runner.ledger.moves.move import highest_mark, prepare_move, run_move
from runner.ledger.opening import location_of, start_ledger
from runner.ledger.remote_marks import RemoteAnswer, ask_remotes


@command("begin")
@click.option(
    "--abandon-previous",
    is_flag=True,
    help="Give up the lost ledger that msgrun.yaml names. What only it knew may be sent again.",
)
@stored_flag("--yes", "Do not ask.")
def begin(*, abandon_previous: bool) -> int:
    """Start the ledger, without any record.

    Once, where nothing was sent yet: pushes the branch, makes the tables, or writes the lockfile that lock: of
    msgrun.yaml names, and writes the ledger's id to msgrun.yaml. One that is there already stays as it is.
    """
    with open_context() as context:
        name = context.ledger.address.display_name
        if abandon_previous:
            context.confirm(
                f"Abandon the previous ledger, and use {name}? What only the previous one records is sent again."
            )
        ledger_id, was_started = start_ledger(context.ledger, abandon_previous=abandon_previous)
        context.output.sentence(f"started {name}" if was_started else f"{name} is there already")
        if not context.options.sandbox:
            save_current_ledger(context, ledger_id)
            _print_other_address(context)
            if was_started:
                print_commit_step(context, context.ledger.address, "Commit it, so that every clone uses this ledger")
        return EXIT.done


def _print_other_address(context: Context) -> None:
    """Prints what is left to do if MSGRUN_LOCK named another ledger than lock: does."""
    address, declared = context.ledger.address, context.ledger.declared.address
    if address.display_name != declared.display_name:
        own, other = address.setting, declared.setting
        move = f"MSGRUN_LOCK={quote(own)} {context.ledger.command} lock move {quote(other)}"
        context.output.note(f"lock: is still {other}; write lock: {own} to msgrun.yaml, or move the ledger: {move}")


@command("move")
@click.argument("address")
@stored_flag("--yes", "Do not ask.")
def move(address: str) -> int:
    """Move the ledger to ADDRESS, after a question.

    Copies every record, marks the old ledger as moved, and writes lock: and ledger: to msgrun.yaml. ADDRESS is
    git+REMOTE (as git+origin), postgresql://HOST/DATABASE, or the path of a lockfile. Run it again if it was
    interrupted; to cancel it then, name the old address.
    """
    with open_context() as context:
        if context.options.sandbox:
            raise UsageMistake("a sandbox's ledger stays on this machine", "leave --sandbox out")
        if "://" in address and has_password(address):
            hint = "libpq finds it in PGPASSWORD, ~/.pgpass or a service file"
            raise UsageMistake("a password in ADDRESS is visible to others on this machine", hint)
        require_valid_address(context, address)
        own = context.ledger
        old, new, answers = own.at(own.address), own.at(own.parse(address)), ask_remotes(own)
        if new.address == old.address:
            previous = _find_other_end(context, own, answers)
            if previous is None:
                context.output.sentence(f"{own.address.setting} is the current ledger")
                return EXIT.done
            old = previous
        ledger_move = prepare_move(old, new, answers)
        if not (new.address == own.address and old.address.has_host):  # asked before the host was contacted
            context.confirm(f"Move the ledger from {old.address.setting} to {address}?")
        run_move(ledger_move)
        save_current_ledger(context, ledger_move.ledger_id, address)
        if new.address == own.address:
            context.output.sentence(f"the ledger is {own.address.setting}: the move to {old.address.setting} is undone")
        else:
            context.output.sentence(f"the ledger moved from {old.address.setting} to {address}")
        remotes = own.repository.relevant_remotes() if own.repository else ()
        purpose = "Commit and merge it: until then apply sends nothing" if remotes else "Commit it"
        left = old.address.path if isinstance(old.address, LockfileAddress) else ""
        print_commit_step(context, new.address, purpose, left)
        return EXIT.done


def _find_other_end(context: Context, own: LedgerContext, answers: Sequence[RemoteAnswer]) -> LedgerContext | None:
    """Returns the other end of the move that the ledger's mark tells of; None if the ledger is current.

    Asks before it contacts a host that only the mark names. Raises GuardRefused.
    """
    facts = location_of(own.at(own.address)).read()
    if facts is None:
        raise missing_ledger_error(own)
    if refusal := find_id_refusal(own, facts):
        raise refusal.error()
    ledger_id = context.header_of(facts).ledger
    mark = highest_mark(facts, ledger_id, answers)
    if mark.status == "current":
        save_current_ledger(context, ledger_id)
        return None
    other = own.parse(mark.address)
    if other.has_host:
        context.confirm(f"Move the ledger back from {other.display_name}?")
    return own.at(other)
