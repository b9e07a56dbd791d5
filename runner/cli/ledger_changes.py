"""Checks what the commits of a pull request change in the ledger. They should change nothing in it."""

from dataclasses import replace

from runner.cli.context import Context
from runner.cli.upload_target import uses_shared_ledger
from runner.compare.commit_tree import Commit, find_commit, tree_at
from runner.declare.settings import environment_names, load_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger
from runner.ledger.facts import Facts
from runner.ledger.lockfile.commit_check import find_lockfile_change
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.missing_records import count_missing_records
from runner.ledger.moves.previous import PreviousLedger, is_ledger_move, lock_setting_at, read_previous_ledger
from runner.ledger.opening import read_ledger


def refuse_tracked_run_files(context: Context) -> None:
    """Raises GuardRefused if git tracks a file that only msgrun writes: a rescue file, or a file in .msgrun/."""
    repository = find_repository(context.tree.root.resolve())
    for path in repository.tracked_files(context.tree.root) if repository else ():
        if path.endswith(".lock.rescue") or path.startswith(".msgrun/"):
            raise GuardRefused(
                f"git tracks {path}, and only msgrun itself writes such files", f"git rm --cached {path}, and commit"
            )


def require_unchanged_lockfiles(context: Context, ref: str) -> None:
    """Raises GuardRefused if the commits since `ref` change a lockfile. UsageMistake if git cannot compare them.

    A new lockfile without records is allowed. A move to another kind of ledger that has all records is allowed too.
    The lockfiles of all environments are compared, because a pull request has one check, not one for each environment.
    """
    repository = find_repository(context.tree.root.resolve())
    if repository is None:
        raise UsageMistake(f"{context.tree.root} is in no git repository", "--against compares commits")
    base = repository.try_git("merge-base", ref, "HEAD")
    if not base:
        hint = "a shallow clone? Fetch more (fetch-depth: 2 for a pull request's merge commit, else 0)"
        raise UsageMistake(f"git knows no common ancestor of {ref} and HEAD", hint)

    commit = Commit(ref, base)
    with tree_at(repository, commit, context.tree.root.resolve()) as tree:
        names = dict.fromkeys([context.options.environment, *_environments(context.tree), *_environments(tree)])
    for name in names:
        _require_unchanged_in(context, name, commit, repository)


def _environments(tree: Tree) -> list[str | None]:
    """Returns the environments that a tree declares; none if its settings cannot be read."""
    try:
        return environment_names(tree)
    except ProblemsFound:
        return []


def _require_unchanged_in(
    command_context: Context, environment: str | None, commit: Commit, repository: Repository
) -> None:
    """Raises GuardRefused if the commits since `commit` change the lockfile of one environment.

    An environment that is no longer declared still has the lockfile that the commit named.
    """
    context = replace(command_context, options=replace(command_context.options, environment=environment))
    ref, base = commit.ref, commit.hash
    old_lock = lock_setting_at(context, commit, repository)
    if environment != command_context.options.environment:
        is_declared = environment in _environments(context.tree)
        settings = load_settings(context.tree, environment) if is_declared else replace(context.settings, lock=old_lock)
        context = replace(context, settings=settings)
    if not uses_shared_ledger(context):
        lockfile_paths(context)  # refuses a link before git follows it
    if lost_records := explain_incomplete_move(context, repository, base, old_lock):
        raise GuardRefused(lost_records, f"msgrun lock import brings them there; or put back lock: {old_lock}")
    if is_shared_ledger(old_lock) or uses_shared_ledger(context):
        return
    old_path, path = (repository.relative_path(context.tree.root / lock) for lock in (old_lock, context.settings.lock))
    if old_path is None or path is None:
        raise UsageMistake(f"{context.settings.lock} is in no git repository", "--against compares commits")
    if change := find_lockfile_change(repository, base, old_path, path):
        undo = f"git checkout {ref} -- {path}" if old_path == path else "put back lock: of msgrun.yaml"
        raise GuardRefused(str(change), f"{undo}: only msgrun lock push writes it, to the branch itself")


def explain_incomplete_move(context: Context, repository: Repository, base: str, old_lock: str) -> str:
    """Says how many records the ledger lacks of the one that the commit `base` named; empty if none.

    Empty too if the ledger did not move to another kind or location. Raises GuardRefused or LedgerUnavailable if one of
    the two ledgers cannot be read.
    """
    if not is_ledger_move(context, old_lock):
        return ""
    missing, new_lock = (
        count_missing_records(
            read_previous_ledger(context, PreviousLedger(old_lock, base, repository, base)), read_ledger(context)
        ),
        context.settings.lock,
    )
    return (
        f"these commits move the ledger from {old_lock} to {new_lock}, which lacks {missing:,} records"
        if missing
        else ""
    )


def add_records_at_ref(context: Context, ref: str, facts: Facts) -> list[str]:
    """Adds the records of the ref's lockfile to the facts. Returns a note if the commits since then change the ledger.

    A branch may drop records. Without this, its plan would look as if nothing had been sent, and after the merge the
    deliveries would be sent again. Raises UsageMistake, GuardRefused (another salt), LedgerUnavailable.
    """
    repository = find_repository(context.tree.root.resolve())
    commit = find_commit(repository, ref)
    assert repository is not None
    if context.options.sandbox:
        return []
    base = repository.try_git("merge-base", commit.hash, "HEAD")
    base_lock = lock_setting_at(context, Commit(ref, base), repository) if base else context.settings.lock
    note = explain_incomplete_move(context, repository, base, base_lock) if base else ""
    ref_lock = lock_setting_at(context, commit, repository)
    if not is_shared_ledger(ref_lock) and (path := repository.relative_path(context.tree.root / ref_lock)):
        facts.read(repository.read_blob(commit.hash, path) or b"", f"{ref}:{path}")
        facts.merged_header(context.settings.salt)
    if base and not (is_shared_ledger(base_lock) or is_shared_ledger(context.settings.lock)):
        note = _describe_change(context, repository, base, base_lock)
    if note:
        context.output.note(note)
    return [note] if note else []


def _describe_change(context: Context, repository: Repository, base: str, old_lock: str) -> str:
    """Describes how the commits since `base` change the lockfile; empty if they do not."""
    old_path, path = (repository.relative_path(context.tree.root / lock) for lock in (old_lock, context.settings.lock))
    change = find_lockfile_change(repository, base, old_path or old_lock, path) if path else None
    if change is None:
        return ""
    effect = "; what is removed would be sent again after the merge" if change.removed else ""
    return f"{change}{effect}. Only msgrun lock push writes it, to the branch itself"
