"""The ledger of a command: reads or opens it, prints its warnings, and writes to msgrun.yaml which one is current."""

import contextlib
from collections.abc import Iterator

from runner.atomic_write import write_atomically
from runner.cli.context import Context
from runner.declare.settings import SETTINGS_FILE
from runner.declare.settings_editor import set_settings
from runner.errors import UsageMistake
from runner.ledger import opening
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.moves.remote_marks import own_remote_url
from runner.ledger.opening import LedgerReading
from runner.managed_path import managed_path
from runner.report import plain_text


def read_ledger(context: Context) -> LedgerReading:
    """Reads the ledger without a lock, and prints warnings about torn lines and duplicates.

    Prints a note if apply would refuse this ledger. Raises GuardRefused, LedgerUnavailable.
    """
    reading = opening.read_ledger(context.ledger)
    _print_warnings(context, reading.facts)
    if reading.guard:
        context.output.note(reading.guard[0])
    return reading


@contextlib.contextmanager
def open_ledger(context: Context, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Ledger]:
    """Opens the current ledger to write, and prints the same warnings. Raises GuardRefused, LedgerUnavailable."""
    with opening.open_ledger(context.ledger, command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _print_warnings(context, ledger.facts)
        ledger_id = ledger.facts.merged_header(context.settings.salt).ledger
        if new_lock and ledger_id and not (context.settings.ledger_id or context.options.sandbox):
            context.output.note(f"add to msgrun.yaml, so that no other ledger is used by accident: ledger: {ledger_id}")
        yield ledger


def save_current_ledger(context: Context, ledger_id: str, lock: str | None = None) -> None:
    """Writes to msgrun.yaml which ledger is current: its id, its address if `lock` is given, and the remote to ask.

    Prints what was written. Does nothing if msgrun.yaml says so already. Raises UsageMistake.
    """
    settings, environment = context.settings, context.options.environment
    values = {"ledger": ledger_id} if settings.ledger_id != ledger_id else {}
    if lock is not None and context.ledger.parse(lock) != settings.lock:
        values = {"lock": lock, **values}
    remote = own_remote_url(context.ledger)
    changes = [(environment, values), (None, {"remote": remote} if remote and not settings.remote else {})]
    path = managed_path(context.tree.root, SETTINGS_FILE)
    try:
        text = path.read_bytes().decode() if path.exists() else ""
        for mapping, new_values in changes:
            text = set_settings(text, mapping, new_values) if new_values else text
        if any(new_values for _, new_values in changes):
            write_atomically(path, [text.encode()])
    except OSError as error:
        raise UsageMistake(f"{SETTINGS_FILE} cannot be written: {error.strerror}", f"write to it: {values}") from error
    for _, new_values in changes:
        for name, value in new_values.items():
            context.output.result(f"wrote {name}: {value} to {SETTINGS_FILE}")


def _print_warnings(context: Context, facts: Facts) -> None:
    for line in plain_text.ledger_warnings(facts):
        context.output.error(line)
