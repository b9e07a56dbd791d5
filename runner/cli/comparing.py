"""`plan --against REF`: the project as a git ref has it, read beside the work tree, and what changed since."""

import contextlib
import os
from collections.abc import Iterator

from runner import comparison
from runner.cli.holding import is_elsewhere
from runner.cli.session import Session
from runner.cli.sharing import move
from runner.commit import Commit, find_commit, tree_at
from runner.comparison import Change, Comparison, Field, Now
from runner.declare.project import Project, environment_names, load_settings
from runner.declare.tree import NotReadable, Tree
from runner.errors import Problem, ProblemsFound, UsageMistake
from runner.ledger import change, git
from runner.ledger.facts import Facts
from runner.ledger.git import Repository
from runner.report.markdown import Review
from runner.report.problems import counted


def compared(
    here: Session, ref: str, seen: Review, facts: Facts, project: Project, paths: tuple[str, ...]
) -> Comparison:
    """What the plan changes against a ref. Raises UsageMistake, LedgerUnavailable (git cannot read it).

    What of the ref cannot be read is told in the notes; the plan goes on without it.
    """
    root = here.tree.root.resolve()
    repository = git.repository(root)
    commit = find_commit(repository, ref)
    assert repository is not None
    every = here.project() if paths else project
    names = frozenset(declared.name for declared in (*every.declarations, *every.unsound))
    with tree_at(repository, commit, root) as tree:
        before, notes = _project_at(here, tree, ref)
        guards: tuple[Field, ...] = ()
        if before is None:
            changes = tuple(Change(message.name, "uncompared") for message in seen.plan.messages)
        else:
            now = Now(seen.plan, names, here.selects(paths), seen.sample)
            changes = comparison.compare(now, before, facts)
            guards = tuple(_guard_changes(here, tree))
    return Comparison(ref, commit.hash, changes, notes, guards)


def _guard_changes(here: Session, tree: Tree) -> Iterator[Field]:
    """What changed since a ref of what guards the sending: settings, and lines of suppression lists.

    Of every environment, whichever the plan is of: a change of another one is reviewed here alone.
    """
    before, now = ({name: load_settings(side, name) for name in environment_names(side)} for side in (tree, here.tree))
    yield from comparison.guard_changes(before, now)
    for named in sorted({named for side in (before, now) for settings in side.values() for named in settings.suppress}):
        was, is_now = (_lines(side, named) for side in (tree, here.tree))
        if was and was != is_now:
            yield Field(
                f"suppress {named}", counted(len(was), "line"), f"{len(is_now):,}, {len(was - is_now):,} removed"
            )


def _lines(tree: Tree, named: str) -> set[bytes]:
    """The different lines of the files of a suppression list; none where one cannot be read: its problem says so."""
    lines: set[bytes] = set()
    with contextlib.suppress(NotReadable, OSError):
        for path in tree.find(named, "_"):
            with tree.open(path) as handle:
                lines.update(handle)
    return lines


def remembered(here: Session, ref: str, facts: Facts) -> list[str]:
    """Adds what the ref's lockfile knows to the facts; returns how the commits since then change it, if they do.

    A branch that drops records would else have a plan that looks as if nothing had been sent, and after the merge that
    would be so. Raises UsageMistake, GuardRefused (another salt), LedgerUnavailable.
    """
    repository = git.repository(here.tree.root.resolve())
    commit = find_commit(repository, ref)
    assert repository is not None
    if here.options.sandbox:
        return []
    base = repository.attempted("merge-base", commit.hash, "HEAD")
    was = lock_at(here, Commit(ref, base), repository) if base else here.settings.lock
    note = move(here, repository, base, was) if base else ""
    there = lock_at(here, commit, repository)
    if not is_elsewhere(there) and (path := repository.inside(here.tree.root / there)):
        facts.read(repository.blob(commit.hash, path) or b"", f"{ref}:{path}")
        facts.header(here.settings.salt)
    if base and not (is_elsewhere(was) or is_elsewhere(here.settings.lock)):
        note = _changed(here, repository, base, was)
    if note:
        here.screen.note(note)
    return [note] if note else []


def _changed(here: Session, repository: Repository, base: str, named: str) -> str:
    """How the commits since `base` change the lockfile, in words; empty if they do not."""
    was, path = (repository.inside(here.tree.root / lock) for lock in (named, here.settings.lock))
    changed = change.since(repository, base, was or named, path) if path else None
    if changed is None:
        return ""
    lost = "; what is removed would be sent again after the merge" if changed.removed else ""
    return f"{changed}{lost}. Only msgrun lock push writes it, to the branch itself"


def lock_at(here: Session, commit: Commit, repository: Repository) -> str:
    """What `lock:` named as a commit has it."""
    root = here.tree.root.resolve()
    lock = os.environ.get("MSGRUN_LOCK") or None
    with tree_at(repository, commit, root) as tree:
        try:
            return load_settings(tree, here.options.environment, lock=lock).lock
        except (ProblemsFound, UsageMistake):  # told where the two are compared
            return here.settings.lock


def _project_at(here: Session, tree: Tree, ref: str) -> tuple[Project | None, tuple[str, ...]]:
    """The project at a ref, empty where it had none, and what could not be read of it."""
    try:
        settings = load_settings(tree, here.options.environment, here.settings.salt, here.settings.lock)
    except UsageMistake:
        told = f"{ref} declares no environment {here.settings.environment}: every message counts as new"
        return Project(tree, here.settings, (), ()), (told,)
    except ProblemsFound as found:
        return None, (f"nothing can be compared: {_first(found.problems, ref)}",)
    project = here.project_in(tree, settings)
    faults = [problem for problem in project.problems if problem.is_error]
    return project, (f"not all can be compared: {_first(faults, ref)}",) if faults else ()


def _first(problems: list[Problem], ref: str) -> str:
    first = next(problem for problem in problems if problem.is_error)
    number = counted(sum(problem.is_error for problem in problems), "problem")
    return f"{ref} has {number}, the first at {first.place}: {first.message}"
