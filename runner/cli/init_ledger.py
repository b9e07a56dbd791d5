"""Chooses the ledger of a project that gets a CI workflow: a branch of the git remote, unless it has another one."""

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

_MOVE_STEPS = """\
{shown} has records of {count:,} deliveries, and stays the ledger. To keep it on a branch of the git remote instead:
  msgrun{environment} lock export sent.lock
  add to msgrun.yaml: lock: git+{remote}
  msgrun{environment} lock import sent.lock --new-lock
  git rm {shown}, and commit both"""
_BEGIN_STEP = """\
  the ledger is now the branch msgrun-ledger of {remote}; start it, once: msgrun lock begin"""


def git_remote_name(root: Path) -> str:
    """Returns the main git remote of a project in this folder; origin if there is none.

    The folder need not exist yet.
    """
    existing_folder = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.is_dir())
    repository = find_repository(existing_folder)
    return next(reversed(repository.relevant_remotes() if repository else ()), "origin")


def configure_branch_ledger(root: Path, output: Output) -> None:
    """Adds `lock:` to msgrun.yaml, so that the ledger is a branch of the git remote. Prints what the user has to do.

    Does not change settings that name a ledger. If a lockfile has records, or the line cannot simply be appended, it
    prints the steps for the user instead.

    Raises OSError, LedgerUnavailable, GuardRefused.
    """
    path = managed_path(root, "msgrun.yaml")
    text, remote = path.read_text(encoding="utf-8"), git_remote_name(root)
    settings = _parse_settings(text)
    if settings and "lock" in settings:
        return
    for environment, paths in _find_lockfiles(root, settings or {}):
        if count := len(read_lockfile(paths)):
            option = f" -e {environment}" if environment else ""
            output.note(_MOVE_STEPS.format(shown=paths.display_name, count=count, environment=option, remote=remote))
            return
    line = scaffold.BRANCH_LOCK_LINE.format(remote=remote)
    separator = "" if not text or text.endswith("\n") else "\n"
    if (_parse_settings(text + separator + line) or {}).get("lock") != f"git+{remote}":
        output.note(f"add to msgrun.yaml: {line.rstrip()}")
        return
    path.write_text(text + separator + line, encoding="utf-8", newline="\n")
    output.result("extended msgrun.yaml")
    output.note(_BEGIN_STEP.format(remote=remote))
    for _, paths in _find_lockfiles(root, settings or {}):
        if paths.lockfile.exists():
            output.note(f"  {paths.display_name} has no records, and is used no more: git rm {paths.display_name}")


def _parse_settings(text: str) -> dict[str, Any] | None:
    """Returns the settings; None if the text is not a mapping. Every other command reports that with its place."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return {} if value is None else value if isinstance(value, dict) else None


def _find_lockfiles(root: Path, settings: dict[str, Any]) -> Iterator[tuple[str, LockfilePaths]]:
    """Yields each environment that names no ledger, and its lockfile. The default one, with an empty name, is first."""
    repository = find_repository(root.resolve())
    environments = settings.get("environments") or {}
    names = [name for name, own in environments.items() if not (isinstance(own, dict) and own.get("lock"))]
    for name in ("", *names):
        yield str(name), lockfile_paths_in(root, f"messages.{name}.lock" if name else "messages.lock", repository)
