"""Which ledger the last run in this folder used.

If `lock:` changes in no commit, nothing else shows that another ledger was in use before.
"""

import os
from pathlib import Path

from runner.cli.context import Context
from runner.declare.settings import load_settings
from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.managed_path import managed_path


def last_used(context: Context) -> str:
    """The value of `lock:` in the last run; empty if there was none. Raises LedgerUnavailable if it cannot be read."""
    path = _last_used_file(context)
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}", "it names the ledger of before") from error


def save_last_used(context: Context) -> None:
    """Saves the value of `lock:` for the next run, unless MSGRUN_LOCK replaces it.

    If the file cannot be written, prints a note: the next run in this folder cannot find out that `lock:` changed.
    """
    if os.environ.get("MSGRUN_LOCK"):
        declared = load_settings(context.tree, context.options.environment, context.settings.salt).lock
        if declared != context.settings.lock:
            return
    path, lock = _last_used_file(context), f"{context.settings.lock}\n".encode()
    try:
        if path.exists() and path.read_bytes() == lock:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with _used_ledgers_file(context).open("ab") as handle:
            handle.write(lock)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(lock)
        os.replace(temporary, path)  # noqa: PTH105  # the atomic rename is the point
    except OSError as error:
        context.output.note(
            f"{path} cannot be written ({error.strerror}): the next run does not know this ledger from it"
        )


def was_used(context: Context, lock: str) -> bool:
    """Whether a run in this folder has ever used the ledger with this value of `lock:`."""
    try:
        return f"{lock}\n".encode() in _used_ledgers_file(context).read_bytes().splitlines(keepends=True)
    except OSError:  # without the file, as in a clone where nothing ran yet
        return False


def _used_ledgers_file(context: Context) -> Path:
    path = _last_used_file(context)
    return path.with_name(f"{path.name}s")


def _last_used_file(context: Context) -> Path:
    root, name = context.tree.root, f".msgrun/{context.settings.plan_file.removesuffix('.plan')}.ledger"
    repository = find_repository(root.resolve())
    # In git's folder, where no commit can write: otherwise a pull request could name any host as used before.
    return repository.path_in_git_dir(root / name) if repository else managed_path(root, name)
