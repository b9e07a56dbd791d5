"""The command lock move: moves the ledger to another address."""

from collections.abc import Sequence

import click

from runner.cli.commit_steps import print_commit_step
from runner.cli.context import Context, open_context
from runner.cli.ledger import require_valid_address, save_current_ledger
from runner.cli.options import EXIT, command, stored_flag
from runner.errors import UsageMistake
from runner.ledger.context import LedgerContext
from runner.ledger.current_ledger import find_id_refusal, missing_ledger_error, refuse_newer_commit
from runner.ledger.lock_address import DatabaseAddress, LockfileAddress
from runner.ledger.moves.move import highest_mark, prepare_move, run_move
from runner.ledger.opening import location_of
from runner.ledger.remote_marks import RemoteAnswer, ask_remotes
from runner.report.problem_text import pluralize


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
        own = context.ledger
        new_address = own.parse(address)
        if isinstance(new_address, DatabaseAddress) and new_address.has_password:
            hint = "libpq finds it in PGPASSWORD, ~/.pgpass or a service file"
            raise UsageMistake("a password in ADDRESS is visible to others on this machine", hint)
        remotes = own.repository.relevant_remotes() if own.repository else ()
        name = address.removeprefix("git:")
        if isinstance(new_address, LockfileAddress) and (name in remotes or name != address):
            raise UsageMistake(f"{address} is no address of a ledger", f"did you mean git+{name}?")
        require_valid_address(context, address)
        old, new, answers = own.at(own.address), own.at(new_address), ask_remotes(own)
        refuse_newer_commit(own, answers)
        if new.address == old.address:
            previous = _find_other_end(context, own, answers)
            if previous is None:
                context.output.sentence(f"{own.address.setting} is the current ledger")
                return EXIT.done
            old = previous
        ledger_move = prepare_move(old, new, answers)
        until = " Then apply sends nothing until the msgrun.yaml that names it is merged." if remotes else ""
        if not (new.address == own.address and old.address.has_host):  # asked before the host was contacted
            number = pluralize(ledger_move.deliveries, "delivery", "deliveries")
            context.output.sentence(f"{number} will be copied to {new.address.display_name}, at once.{until}")
            to = f"the file {address}" if isinstance(new_address, LockfileAddress) else address
            context.confirm(f"Move the ledger from {old.address.setting} to {to}?")
        run_move(ledger_move)
        save_current_ledger(context, ledger_move.ledger_id, address)
        if new.address == own.address:
            context.output.sentence(f"the ledger is {own.address.setting}: the move to {old.address.setting} is undone")
        else:
            context.output.sentence(f"the ledger moved from {old.address.setting} to {address}")
        purpose = "Commit and merge it; until then apply sends nothing" if remotes else "Commit it"
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
    if error := find_id_refusal(own, facts):
        raise error
    ledger_id = context.header_of(facts).ledger
    mark = highest_mark(facts, ledger_id, answers)
    if mark.status == "current":
        save_current_ledger(context, ledger_id)
        return None
    other = own.parse(mark.address)
    if other.has_host:
        context.confirm(f"Move the ledger back from {other.display_name}?")
    return own.at(other)
