"""Where the ledger of a project goes that gets a workflow: a branch of the git remote, unless there is another one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from runner.cli import scaffold
from runner.cli.output import Output
from runner.git.repository import find_repository
from runner.ledger.lockfile.files import LockfilePaths, read_lockfile
from runner.ledger.lockfile.location import lockfile_paths_in
from runner.managed_path import managed_path

_MOVE = """\
{shown} has records of {count:,} deliveries, and stays the ledger. To keep it on a branch of the git remote instead:
  msgrun{environment} lock export sent.lock
  add to msgrun.yaml: lock: git+{remote}
  msgrun{environment} lock import sent.lock --new-lock
  git rm {shown}, and commit both"""


_PLACED = """\
  the ledger is now the branch msgrun-ledger of {remote}; start it, once: msgrun lock begin"""


def git_remote_name(root: Path) -> str:
    """The git remote that counts for a project in this folder, which need not be there yet; origin if there is none."""
    around = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.is_dir())
    repository = find_repository(around)
    return next(reversed(repository.relevant_remotes() if repository else ()), "origin")


def configure_branch_ledger(root: Path, screen: Output) -> None:
    """Makes a branch of the git remote the ledger of a project, unless its settings name one, or one has records.

    Raises OSError, LedgerUnavailable, GuardRefused.
    """
    path = managed_path(root, "msgrun.yaml")
    text, remote = path.read_text(encoding="utf-8"), git_remote_name(root)
    value = _parsed(text)
    if value and "lock" in value:
        return
    for environment, places in _lockfiles(root, value or {}):
        if count := len(read_lockfile(places)):
            option = f" -e {environment}" if environment else ""
            screen.note(_MOVE.format(shown=places.display_name, count=count, environment=option, remote=remote))
            return
    line = scaffold.BRANCH_LOCK_LINE.format(remote=remote)
    gap = "" if not text or text.endswith("\n") else "\n"
    if (_parsed(text + gap + line) or {}).get("lock") != f"git+{remote}":
        screen.note(f"add to msgrun.yaml: {line.rstrip()}")
        return
    path.write_text(text + gap + line, encoding="utf-8", newline="\n")
    screen.result("extended msgrun.yaml")
    screen.note(_PLACED.format(remote=remote))
    for _, places in _lockfiles(root, value or {}):
        if places.lockfile.exists():
            screen.note(f"  {places.display_name} has no records, and is used no more: git rm {places.display_name}")


def _parsed(text: str) -> dict[str, Any] | None:
    """The settings; None if they are none, which every other command tells with its place."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return {} if value is None else value if isinstance(value, dict) else None


def _lockfiles(root: Path, value: dict[str, Any]) -> Iterator[tuple[str, LockfilePaths]]:
    """The lockfile of each environment that names no ledger of its own; the unnamed one first, as an empty name."""
    repository = find_repository(root.resolve())
    environments = value.get("environments") or {}
    without = [name for name, own in environments.items() if not (isinstance(own, dict) and own.get("lock"))]
    for name in ("", *without):
        yield str(name), lockfile_paths_in(root, f"messages.{name}.lock" if name else "messages.lock", repository)
