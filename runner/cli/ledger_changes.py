"""Checks what the commits of a pull request change in the files of ledgers. They must not change anything in them."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from runner.cli.context import Context
from runner.compare.commit import Commit, find_commit
from runner.compare.merged_lockfiles import ATTRIBUTES_FILE, UNION, find_lost_attributes
from runner.compare.replaced_settings import find_own_marker, find_replaced_settings
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.settings import Settings, find_ledger_ids, load_all_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger import opening
from runner.ledger.facts import Facts
from runner.ledger.ledger import count_missing_records
from runner.ledger.lock_address import LockfileAddress, default_lockfile, file_stem
from runner.ledger.lockfile.commit_check import ByteBudget, LockfileChange, find_lockfile_change
from runner.ledger.lockfile.files import lockfile_paths

# Bytes of changed files that are not the ledger in use. None may change, so what is larger is refused without a count.
_MAX_SIZE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _LedgerFile:
    """A file that is the ledger of an environment, or that was or could be one. None: the unnamed environment.

    `becomes_ledger`: the commits name it in `lock:`. `ledger_id` is the id of the ledger before them.
    """

    environment: str | None
    is_ledger: bool
    becomes_ledger: bool = False
    ledger_id: str = ""


def require_unchanged_ledger_files(context: Context, ref: str, facts: Facts) -> None:
    """Raises GuardRefused if the commits since `ref` change a ledger's file or id, or replace the project's settings.

    Raises UsageMistake if git cannot compare them.

    A new file without records is allowed, and so is the removal of a file if `facts`, the records of the current
    ledger, has all of its records: the ledger moved. The files of all environments are compared, because a pull request
    has one check, not one for each environment.
    """
    repository = find_repository(context.tree.root.resolve())
    if repository is None:
        raise UsageMistake(f"{context.tree.root} is not in a git repository", "--against compares commits")
    if repository.try_git("rev-parse", "--is-shallow-repository") == "false":
        find_commit(repository, ref)  # a shallow clone needs more than the commit that it lacks
    base = repository.try_git("merge-base", ref, "HEAD")
    if not base:
        hint = "a shallow clone? Fetch more (fetch-depth: 2 for a pull request's merge commit, else 0)"
        raise UsageMistake(f"git knows no common ancestor of {ref} and HEAD", hint)
    for path in find_replaced_settings(repository, base, context.tree.root, context.options.start_folder):
        own, is_there = find_own_marker(repository, context.tree.root), os.path.lexists(repository.toplevel / path)
        undo = f"rm -r {quote(str(own))}" if is_there else f"checkout {quote(ref)} -- {quote(path)}"
        raise GuardRefused(
            f"these commits replace {path} by {own}, another project with another ledger",
            f"take it back: git {undo}; a project that is to move has to be merged in spite of this check",
        )
    settings = _read_all_settings(context.tree).values()
    for path, attribute in find_lost_attributes(repository, base, context.tree.root, settings):
        effect = (
            f"take merge=union from {path}: a merge would forget what others sent"
            if attribute == UNION
            else f"change the attribute {attribute} of {path}: git would write it so that new clones cannot read it"
        )
        raise GuardRefused(
            f"these commits {effect}",
            f"undo what this shows: git diff {base[:12]} HEAD -- ':(top,glob)**/{ATTRIBUTES_FILE}'",
        )
    _refuse_lost_ids(context, repository, base)
    for change, _ in _find_changes(context, repository, base, facts):
        name = f"{ref}:{repository.relative_path(context.tree.root / change.path)}"
        was_there = repository.try_git("cat-file", "-e", name) is not None
        undo = f"git checkout {quote(ref)} --" if was_there else "git rm -f"
        of_apply = "if an apply wrote them, they belong on the default branch; "
        why = of_apply if was_there and not change.may_remove else "only msgrun writes it, and not "
        hint = f"{why}in a pull request: {undo} {quote(change.path)}"
        raise GuardRefused(f"these commits {change}", hint)


def _refuse_lost_ids(context: Context, repository: Repository, base: str) -> None:
    """Raises GuardRefused if an environment that is still there names no ledger any more, and no other names its id."""
    path = repository.relative_path(context.tree.root / SETTINGS_FILE) or SETTINGS_FILE
    before, now = (find_ledger_ids(repository.read_blob(commit, path) or b"{}") for commit in (base, "HEAD"))
    for environment, ledger_id in before.items():
        if now.get(environment) == "" and ledger_id not in {"", *now.values()}:
            message = f"these commits take the ledger {ledger_id} of the environment {environment} out of {path}"
            raise GuardRefused(message, f"take its lock: and ledger: back: git show {base[:12]}:{quote(path)}")


def describe_changes(context: Context, commit: Commit, facts: Facts) -> list[str]:
    """Says what the commits since `commit` change in files of ledgers; `facts` are the records of the ledger in use.

    Also why that cannot be said, so that no commit hides it. Raises LedgerUnavailable.
    """
    repository, base = find_repository(context.tree.root.resolve()), commit.merge_base
    if context.options.sandbox or repository is None or not base:
        return []
    notes = []
    try:
        for change, file in _find_changes(context, repository, base, facts):
            is_lost = change.may_remove and file.is_ledger
            effect = "; what is removed would be sent again after the merge" if is_lost else ""
            only_msgrun = "Only msgrun writes it, and not in a pull request"
            expected = "Expected if apply ran in between, which asks to commit them; in a pull request, ask who ran it"
            rule = only_msgrun if change.may_remove else expected
            notes.append(f"these commits {change}{effect}. {rule}")
    except GuardRefused as error:
        notes.append(f"whether these commits change the file of a ledger could not be checked: {error.message}")
    return notes


def add_records_at(context: Context, commit: Commit, facts: Facts) -> None:
    """Adds the records of the commit's lockfile to the facts.

    A branch may drop records. Without this, its plan would look as if nothing had been sent, and after the merge the
    deliveries would be sent again. Raises GuardRefused (another salt), LedgerUnavailable.
    """
    repository = find_repository(context.tree.root.resolve())
    if context.options.sandbox or repository is None:
        return
    own = context.ledger
    declared = own.declared_at(repository, commit.hash) or own.declared
    if isinstance(declared.address, LockfileAddress):
        path = repository.relative_path(context.tree.root / declared.address.path)
        facts.read((repository.read_blob(commit.hash, path) if path else None) or b"", f"{commit.ref}:{path}")
        facts.headers.require_consistent(context.settings.salt)


def _find_changes(
    context: Context, repository: Repository, base: str, facts: Facts
) -> Iterator[tuple[LockfileChange, _LedgerFile]]:
    """Yields how HEAD changes the files that are ledgers or could become one, in any environment, since `base`.

    The removal of a file that is no longer the ledger is left out, if the environment's ledger has all its records.
    `facts` are the records of the ledger in use.
    """
    budget, own = ByteBudget(_MAX_SIZE), context.ledger.declared.address
    for path, file in _list_ledger_files(context, repository, base).items():
        lockfile_paths(context.tree.root, path, None)  # refuses a link before git follows it
        name = repository.relative_path(context.tree.root / path)
        if name is None:
            continue
        is_in_use = isinstance(own, LockfileAddress) and own.path == path
        change = find_lockfile_change(
            repository,
            base,
            name,
            file.ledger_id,
            becomes_ledger=file.becomes_ledger,
            budget=None if is_in_use else budget,
        )
        if change and not (change.is_removed and _has_all_records(context, file, change, facts)):
            yield change, file


def _has_all_records(context: Context, file: _LedgerFile, change: LockfileChange, facts: Facts) -> bool:
    """Returns whether the current ledger of the file's environment is another one, and has all records of the file.

    Raises GuardRefused, LedgerUnavailable.
    """
    settings = _read_all_settings(context.tree)
    if file.is_ledger or file.environment not in settings:
        return False
    if file.environment != context.options.environment:
        facts = opening.read_ledger(_in_environment(context, file.environment, settings[file.environment]).ledger).facts
    return not count_missing_records(change.before, facts)


def _list_ledger_files(context: Context, repository: Repository, base: str) -> dict[str, _LedgerFile]:
    """Returns the paths of lockfiles from the root: those that `lock:` names now or in `base`, and the default ones.

    An environment that is not declared any more still has the file that `base` named: if it is declared again,
    what that file remembers would be sent.
    """
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        path = repository.relative_path(context.tree.root / SETTINGS_FILE)
        if path and (content := repository.read_blob(base, path)) is not None:
            (Path(folder) / SETTINGS_FILE).write_bytes(content)
        names_before = list(_read_all_settings(Tree(Path(folder))))
    settings_now = _read_all_settings(context.tree)
    names_now, paths = [context.options.environment, *settings_now], dict[str, _LedgerFile]()
    for name in dict.fromkeys([*names_now, *names_before]):
        own = _in_environment(context, name, settings_now.get(name, context.settings)).ledger
        before = own.declared_at(repository, base)
        default = default_lockfile(file_stem(name))
        address_before, ledger_id = (before.address, before.ledger_id) if before else (default, "")
        # A branch that people merge to has its ledger at the top of the repository.
        at_top = LockfileAddress(os.path.relpath(repository.toplevel / default.path, context.tree.root.resolve()))
        for address in (address_before, default, at_top):
            if isinstance(address, LockfileAddress):
                paths.setdefault(address.path, _LedgerFile(name, is_ledger=False, ledger_id=ledger_id))
        address_now = own.declared.address
        if name in names_now and isinstance(address_now, LockfileAddress):
            becomes_ledger = before is not None and address_now != address_before
            paths[address_now.path] = _LedgerFile(name, True, becomes_ledger, ledger_id)  # noqa: FBT003  # is_ledger
    return paths


def _in_environment(context: Context, name: str | None, settings: Settings) -> Context:
    """Returns the context of another environment. One that is no longer declared keeps the settings of this one."""
    return replace(context, settings=settings, options=replace(context.options, environment=name), lock_override=None)


def _read_all_settings(tree: Tree) -> dict[str | None, Settings]:
    """Returns the settings of the environments that a tree declares; none if they cannot be read."""
    try:
        return load_all_settings(tree, os.environ.get("MSGRUN_SALT") or None)
    except ProblemsFound:
        return {}
