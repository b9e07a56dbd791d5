"""Checks what the commits of a pull request change in the files of ledgers. They must not change anything in them."""

from collections.abc import Iterator
from dataclasses import replace

from runner.cli.context import Context
from runner.compare.commit_tree import find_commit
from runner.declare.settings import environment_names, load_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import LockfileAddress
from runner.ledger.facts import Facts
from runner.ledger.lockfile.commit_check import LockfileChange, find_lockfile_change
from runner.ledger.lockfile.files import lockfile_paths


def refuse_tracked_run_files(context: Context) -> None:
    """Raises GuardRefused if git tracks a file that only msgrun writes: a rescue file, or a file in .msgrun/."""
    repository = find_repository(context.tree.root.resolve())
    for path in repository.tracked_files(context.tree.root) if repository else ():
        if path.endswith(".rescue") or path.startswith(".msgrun/"):
            raise GuardRefused(
                f"git tracks {path}, and only msgrun itself writes such files", f"git rm --cached {path}, and commit"
            )


def require_unchanged_ledger_files(context: Context, ref: str, facts: Facts) -> None:
    """Raises GuardRefused if the commits since `ref` change a ledger's file. UsageMistake if git cannot compare them.

    A new file without records is allowed, and so is the removal of a file if `facts`, the records of the current
    ledger, has all of its records: the ledger moved. The files of all environments are compared, because a pull request
    has one check, not one for each environment.
    """
    repository = find_repository(context.tree.root.resolve())
    if repository is None:
        raise UsageMistake(f"{context.tree.root} is in no git repository", "--against compares commits")
    base = repository.try_git("merge-base", ref, "HEAD")
    if not base:
        hint = "a shallow clone? Fetch more (fetch-depth: 2 for a pull request's merge commit, else 0)"
        raise UsageMistake(f"git knows no common ancestor of {ref} and HEAD", hint)
    for change in _find_changes(context, repository, base, facts):
        raise GuardRefused(
            f"these commits {change}",
            f"git checkout {ref} -- {change.path}: only msgrun writes it, and not in a pull request",
        )


def add_records_at_ref(context: Context, ref: str, facts: Facts) -> list[str]:
    """Adds the records of the ref's lockfile to the facts. Returns notes on what the commits since then change in it.

    A branch may drop records. Without this, its plan would look as if nothing had been sent, and after the merge the
    deliveries would be sent again. Raises UsageMistake, GuardRefused (another salt), LedgerUnavailable.
    """
    repository = find_repository(context.tree.root.resolve())
    commit = find_commit(repository, ref)
    if context.options.sandbox or repository is None:
        return []
    base = repository.try_git("merge-base", commit.hash, "HEAD")
    notes = []
    for change in _find_changes(context, repository, base, facts) if base else ():
        effect = "; what is removed would be sent again after the merge" if change.removed and change.is_ledger else ""
        notes.append(f"these commits {change}{effect}. Only msgrun writes it, and not in a pull request")
        context.output.note(notes[-1])
    own = context.ledger
    declared = own.declared_at(repository, commit.hash) or own.declared
    if isinstance(declared.address, LockfileAddress):
        path = repository.relative_path(context.tree.root / declared.address.path)
        facts.read((repository.read_blob(commit.hash, path) if path else None) or b"", f"{ref}:{path}")
        facts.merged_header(context.settings.salt)
    return notes


def _find_changes(context: Context, repository: Repository, base: str, facts: Facts) -> Iterator[LockfileChange]:
    """How HEAD changes the files that are ledgers, or could become one, in any environment, since the commit `base`.

    Not the removal of one that is the ledger no more, if `facts` have all its records.
    """
    for path, is_ledger in _list_ledger_files(context, repository, base).items():
        lockfile_paths(context.tree.root, path, None)  # refuses a link before git follows it
        name = repository.relative_path(context.tree.root / path)
        change = find_lockfile_change(repository, base, name) if name else None
        if change and not (change.is_removed and not is_ledger and not change.count_missing(facts)):
            yield replace(change, is_ledger=is_ledger)


def _list_ledger_files(context: Context, repository: Repository, base: str) -> dict[str, bool]:
    """The paths of lockfiles from the root: those that `lock:` names now or in `base`, and the default ones.

    The value says whether the file is the ledger now.
    """
    paths: dict[str, bool] = {}
    for name in dict.fromkeys([context.options.environment, *_environments(context.tree)]):
        try:
            settings = load_settings(context.tree, name)
        except UsageMistake:  # an environment that is not declared any more
            continue
        own = replace(context, settings=settings, options=replace(context.options, environment=name)).ledger
        before = own.declared_at(repository, base)
        for address in (before.address if before else own.declared.address, LockfileAddress(f"{own.stem}.lock")):
            if isinstance(address, LockfileAddress):
                paths.setdefault(address.path, False)
        if isinstance(own.declared.address, LockfileAddress):
            paths[own.declared.address.path] = True
    return paths


def _environments(tree: Tree) -> list[str | None]:
    """Returns the environments that a tree declares; none if its settings cannot be read."""
    try:
        return environment_names(tree)
    except ProblemsFound:
        return []
