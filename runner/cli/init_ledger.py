"""The ledger of a project that gets a workflow of CI: a branch of the git remote."""

from collections.abc import Iterator
from pathlib import Path

from runner.cli.output import Output
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.settings import environment_names, load_settings
from runner.declare.settings_editor import set_settings
from runner.declare.tree import Tree
from runner.git.repository import find_repository
from runner.ledger.lock_address import BranchAddress, LockfileAddress
from runner.managed_path import managed_path
from runner.report.next_steps import NextStep
from runner.shown_command import shown_command


def configure_branch_ledger(root: Path, output: Output, environment: str | None) -> Iterator[NextStep]:
    """Makes the ledger of a project that has none yet a branch of the git remote. Yields what the user has to do.

    A ledger that was started is never left by an edit: the user moves it. Nor is `lock:` changed while an environment
    that takes its address from it has a lockfile. `environment` is the one that gets a workflow. Raises OSError,
    ProblemsFound, UsageMistake.
    """
    tree, remote, may_edit = Tree(root), find_remote_name(root), False
    for name in environment_names(tree):
        settings = load_settings(tree, name)
        if name and name == environment and isinstance(settings.lock, BranchAddress) and not settings.ledger_id:
            yield create_begin_step(settings.lock.remote, name)
        if not isinstance(settings.lock, LockfileAddress):
            continue
        path = settings.lock.path
        is_named = path != f"{settings.stem}.lock"
        if settings.ledger_id or (root / path).exists():
            command = shown_command("lock", "move", f"git+{remote}", environment=name or "")
            yield NextStep(f"Move the ledger {path} to a branch of the git remote, where CI needs it", (command,))
            may_edit = may_edit and is_named
        elif name is None and is_named:
            purpose = (
                f"msgrun.yaml names {path}, which is not there. If nothing was sent yet, write lock: git+{remote}, then"
            )
            yield NextStep(purpose, create_begin_step(remote).commands)
        elif name is None:
            may_edit = True
    if not may_edit:
        return
    file = managed_path(root, SETTINGS_FILE)
    file.write_bytes(set_settings(file.read_bytes().decode(), None, {"lock": f"git+{remote}"}).encode())
    output.result("extended msgrun.yaml")
    yield create_begin_step(remote)


def create_begin_step(remote: str, environment: str = "") -> NextStep:
    """Returns the step that starts a ledger on a branch of a remote."""
    purpose = f"Start the ledger, once: this pushes its branch to {remote}"
    return NextStep(purpose, (shown_command("lock", "begin", environment=environment),))


def find_remote_name(root: Path) -> str:
    """Returns the main git remote of a project in this folder, which need not exist yet; origin if there is none."""
    existing_folder = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.is_dir())
    repository = find_repository(existing_folder)
    return (repository.main_remote if repository else "") or "origin"
