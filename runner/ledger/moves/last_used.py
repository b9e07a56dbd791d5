"""Which ledger the last run in this folder used: of a `lock:` that changes in no commit, nothing else tells."""

import os
from pathlib import Path

from runner.cli.context import Context
from runner.declare.settings import load_settings
from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.managed_path import managed_path


def last_used(context: Context) -> str:
    """What `lock:` named then; empty if there was no run. Raises LedgerUnavailable if that cannot be read."""
    path = _file(context)
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}", "it names the ledger of before") from error


def save_last_used(context: Context) -> None:
    """Keeps what `lock:` names for the next run, but not what MSGRUN_LOCK put in its place.

    A folder that takes no file is told of: without the note, a move in it is as one in another folder.
    """
    if os.environ.get("MSGRUN_LOCK"):
        declared = load_settings(context.tree, context.options.environment, context.settings.salt).lock
        if declared != context.settings.lock:
            return
    path, lock = _file(context), f"{context.settings.lock}\n".encode()
    try:
        if path.exists() and path.read_bytes() == lock:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with _every(context).open("ab") as handle:
            handle.write(lock)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(lock)
        os.replace(temporary, path)  # noqa: PTH105  # the atomic rename is the point
    except OSError as error:
        context.output.note(
            f"{path} cannot be written ({error.strerror}): the next run does not know this ledger from it"
        )


def was_used(context: Context, lock: str) -> bool:
    """Whether a run in this folder ever used the ledger that `lock:` names so."""
    try:
        return f"{lock}\n".encode() in _every(context).read_bytes().splitlines(keepends=True)
    except OSError:  # then it is as in a clone in which nothing ran yet
        return False


def _every(context: Context) -> Path:
    path = _file(context)
    return path.with_name(f"{path.name}s")


def _file(context: Context) -> Path:
    root, name = context.tree.root, f".msgrun/{context.settings.plan_file.removesuffix('.plan')}.ledger"
    repository = find_repository(root.resolve())
    # Where no commit can write: else a pull request could name any host as the ledger of before, and that is asked.
    return repository.path_in_git_dir(root / name) if repository else managed_path(root, name)
