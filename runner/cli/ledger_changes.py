"""What the commits of a pull request change in the ledger; none of them should change anything."""

from dataclasses import replace

from runner.cli.context import Context
from runner.cli.upload_target import is_elsewhere_here
from runner.compare.commit_tree import Commit, find_commit, tree_at
from runner.declare.settings import environment_names, load_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger
from runner.ledger.facts import Facts
from runner.ledger.lockfile.commit_check import find_lockfile_change
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.moves.previous import lock_setting_at
from runner.ledger.opening import read_ledger


def refuse_tracked_run_files(context: Context) -> None:
    """Raises GuardRefused if git tracks a file that only a run writes: what waits to be recorded, or in .msgrun/."""
    repository = find_repository(context.tree.root.resolve())
    for path in repository.tracked_files(context.tree.root) if repository else ():
        if path.endswith(".lock.rescue") or path.startswith(".msgrun/"):
            raise GuardRefused(
                f"git tracks {path}, and only msgrun itself writes such files", f"git rm --cached {path}, and commit"
            )


def require_unchanged_lockfiles(context: Context, ref: str) -> None:
    """Raises GuardRefused if the commits since `ref` change a lockfile; a new one without records is no change.

    Nor is a move to another kind of ledger that has all records. The lockfiles of all environments are compared,
    whichever the command names: a pull request has one check, not one for each.
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
        _unchanged_in(context, name, commit, repository)


def _environments(tree: Tree) -> list[str | None]:
    """The environments that a tree declares; none where its settings cannot be read."""
    try:
        return environment_names(tree)
    except ProblemsFound:
        return []


def _unchanged_in(chosen: Context, environment: str | None, commit: Commit, repository: Repository) -> None:
    """`unchanged` for one environment. One that is declared no more still has the lockfile that the commit names."""
    context = replace(chosen, options=replace(chosen.options, environment=environment))
    ref, base = commit.ref, commit.hash
    named = lock_setting_at(context, commit, repository)
    if environment != chosen.options.environment:
        is_declared = environment in _environments(context.tree)
        settings = load_settings(context.tree, environment) if is_declared else replace(context.settings, lock=named)
        context = replace(context, settings=settings)
    if not is_elsewhere_here(context):
        lockfile_paths(context)  # a link in its place is refused before git follows it
    if moved := explain_incomplete_move(context, repository, base, named):
        raise GuardRefused(moved, f"msgrun lock import brings them there; or put back lock: {named}")
    if is_shared_ledger(named) or is_elsewhere_here(context):
        return
    was, path = (repository.relative_path(context.tree.root / lock) for lock in (named, context.settings.lock))
    if was is None or path is None:
        raise UsageMistake(f"{context.settings.lock} is in no git repository", "--against compares commits")
    if changed := find_lockfile_change(repository, base, was, path):
        back = f"git checkout {ref} -- {path}" if was == path else "put back lock: of msgrun.yaml"
        raise GuardRefused(str(changed), f"{back}: only msgrun lock push writes it, to the branch itself")


def explain_incomplete_move(context: Context, repository: Repository, base: str, named: str) -> str:
    """What a move from the ledger that a commit named to one of another kind leaves behind; empty if nothing.

    Raises GuardRefused, LedgerUnavailable, if one of the two cannot be read.
    """
    from runner.ledger.missing_records import count_missing_records  # noqa: PLC0415  # imported where used
    from runner.ledger.moves.previous import PreviousLedger, is_ledger_move, read_previous_ledger  # noqa: PLC0415  # imported where used

    if not is_ledger_move(context, named):
        return ""
    missing, now = (
        count_missing_records(
            read_previous_ledger(context, PreviousLedger(named, base, repository, base)), read_ledger(context)
        ),
        context.settings.lock,
    )
    return f"these commits move the ledger from {named} to {now}, which lacks {missing:,} records" if missing else ""


def add_records_at_ref(context: Context, ref: str, facts: Facts) -> list[str]:
    """Adds what the ref's lockfile knows to the facts; returns how the commits since then change it, if they do.

    A branch that drops records would else have a plan that looks as if nothing had been sent, and after the merge that
    would be so. Raises UsageMistake, GuardRefused (another salt), LedgerUnavailable.
    """
    repository = find_repository(context.tree.root.resolve())
    commit = find_commit(repository, ref)
    assert repository is not None
    if context.options.sandbox:
        return []
    base = repository.try_git("merge-base", commit.hash, "HEAD")
    was = lock_setting_at(context, Commit(ref, base), repository) if base else context.settings.lock
    note = explain_incomplete_move(context, repository, base, was) if base else ""
    there = lock_setting_at(context, commit, repository)
    if not is_shared_ledger(there) and (path := repository.relative_path(context.tree.root / there)):
        facts.read(repository.read_blob(commit.hash, path) or b"", f"{ref}:{path}")
        facts.merged_header(context.settings.salt)
    if base and not (is_shared_ledger(was) or is_shared_ledger(context.settings.lock)):
        note = _changed(context, repository, base, was)
    if note:
        context.output.note(note)
    return [note] if note else []


def _changed(context: Context, repository: Repository, base: str, named: str) -> str:
    """How the commits since `base` change the lockfile, in words; empty if they do not."""
    was, path = (repository.relative_path(context.tree.root / lock) for lock in (named, context.settings.lock))
    changed = find_lockfile_change(repository, base, was or named, path) if path else None
    if changed is None:
        return ""
    lost = "; what is removed would be sent again after the merge" if changed.removed else ""
    return f"{changed}{lost}. Only msgrun lock push writes it, to the branch itself"
