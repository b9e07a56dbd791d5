"""`plan --against REF`: the project as a git ref has it, read beside the work tree, and what changed since."""

import os

from runner import comparison
from runner.cli.session import Session
from runner.commit import Commit, find_commit, tree_at
from runner.comparison import Change, Comparison, Now
from runner.declare.project import Project, load_settings
from runner.declare.tree import Tree
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
        if before is None:
            changes = tuple(Change(message.name, "uncompared") for message in seen.plan.messages)
        else:
            now = Now(seen.plan, names, here.selects(paths), seen.sample)
            changes = comparison.compare(now, before, facts)
    return Comparison(ref, commit.hash, changes, notes)


def remembered(here: Session, ref: str, facts: Facts) -> list[str]:
    """Adds what the ref's lockfile knows to the facts; returns how the commits since then change it, if they do.

    A branch that drops records would else have a plan that looks as if nothing had been sent, and after the merge that
    would be so. Raises UsageMistake, GuardRefused (another salt), LedgerUnavailable.
    """
    repository = git.repository(here.tree.root.resolve())
    commit = find_commit(repository, ref)
    assert repository is not None
    path = repository.inside(here.tree.root / here.settings.lock)
    if path is None or here.options.sandbox:
        return []
    there = lockfile_at(here, repository, commit)
    facts.read(repository.blob(commit.hash, there) or b"", f"{ref}:{there}")
    facts.header(here.settings.salt)
    base = repository.attempted("merge-base", commit.hash, "HEAD")
    was = lockfile_at(here, repository, Commit(ref, base)) if base else path
    changed = change.since(repository, base, was, path) if base else None
    if changed is None:
        return []
    lost = "; what is removed would be sent again after the merge" if changed.removed else ""
    note = f"{changed}{lost}. Only msgrun lock push writes it, to the branch itself"
    here.screen.note(note)
    return [note]


def lockfile_at(here: Session, repository: Repository, commit: Commit) -> str:
    """The path of the lockfile as a commit has it, from the repository's top: `lock:` may have named another one."""
    root = here.tree.root.resolve()
    lock = os.environ.get("MSGRUN_LOCK") or None
    with tree_at(repository, commit, root) as tree:
        try:
            named = load_settings(tree, here.options.environment, lock=lock).lock
        except (ProblemsFound, UsageMistake):  # told where the two are compared
            named = here.settings.lock
    return repository.inside(root / named) or named


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
