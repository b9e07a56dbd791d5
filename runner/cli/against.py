"""`plan --against REF`: the project as a git ref has it, read beside the work tree, and what changed since."""

import contextlib
from collections.abc import Iterator

from runner.cli.context import Context
from runner.compare import comparison
from runner.compare.commit_tree import find_commit, tree_at
from runner.compare.comparison import Comparison, CurrentPlan, FieldChange, MessageChange
from runner.declare.project import Project
from runner.declare.settings import environment_names, load_settings
from runner.declare.tree import NotReadable, Tree
from runner.errors import Problem, ProblemsFound, UsageMistake
from runner.git.repository import find_repository
from runner.ledger.facts import Facts
from runner.report.markdown_plan import Review
from runner.report.problem_text import pluralize


def compare_with_ref(
    context: Context, ref: str, seen: Review, facts: Facts, project: Project, paths: tuple[str, ...]
) -> Comparison:
    """What the plan changes against a ref. Raises UsageMistake, LedgerUnavailable (git cannot read it).

    What of the ref cannot be read is told in the notes; the plan goes on without it.
    """
    root = context.tree.root.resolve()
    repository = find_repository(root)
    commit = find_commit(repository, ref)
    assert repository is not None
    every = context.load_project() if paths else project
    names = frozenset(declared.name for declared in (*every.declarations, *every.invalid_declarations))
    with tree_at(repository, commit, root) as tree:
        before, notes = _project_at(context, tree, ref)
        guards: tuple[FieldChange, ...] = ()
        if before is None:
            changes = tuple(MessageChange(message.name, "uncompared") for message in seen.plan.messages)
        else:
            now = CurrentPlan(seen.plan, names, context.path_filter(paths), seen.sample)
            changes = comparison.compare(now, before, facts)
            guards = tuple(_guard_changes(context, tree))
    return Comparison(ref, commit.hash, changes, notes, guards)


def _guard_changes(context: Context, tree: Tree) -> Iterator[FieldChange]:
    """What changed since a ref of what guards the sending: settings, and lines of suppression lists.

    Of every environment, whichever the plan is of: a change of another one is reviewed here alone.
    """
    before, now = (
        {name: load_settings(side, name) for name in environment_names(side)} for side in (tree, context.tree)
    )
    yield from comparison.compare_guard_settings(before, now)
    for named in sorted({named for side in (before, now) for settings in side.values() for named in settings.suppress}):
        was, is_now = (_lines(side, named) for side in (tree, context.tree))
        if was and was != is_now:
            yield FieldChange(
                f"suppress {named}", pluralize(len(was), "line"), f"{len(is_now):,}, {len(was - is_now):,} removed"
            )


def _lines(tree: Tree, named: str) -> set[bytes]:
    """The different lines of the files of a suppression list; none where one cannot be read: its problem says so."""
    lines: set[bytes] = set()
    with contextlib.suppress(NotReadable, OSError):
        for path in tree.glob(named, "_"):
            with tree.open(path) as handle:
                lines.update(handle)
    return lines


def _project_at(context: Context, tree: Tree, ref: str) -> tuple[Project | None, tuple[str, ...]]:
    """The project at a ref, empty where it had none, and what could not be read of it."""
    try:
        settings = load_settings(tree, context.options.environment, context.settings.salt, context.settings.lock)
    except UsageMistake:
        told = f"{ref} declares no environment {context.settings.environment}: every message counts as new"
        return Project(tree, context.settings, (), ()), (told,)
    except ProblemsFound as found:
        return None, (f"nothing can be compared: {_first(found.problems, ref)}",)
    project = context.load_project_from(tree, settings)
    faults = [problem for problem in project.problems if problem.is_error]
    return project, (f"not all can be compared: {_first(faults, ref)}",) if faults else ()


def _first(problems: list[Problem], ref: str) -> str:
    first = next(problem for problem in problems if problem.is_error)
    number = pluralize(sum(problem.is_error for problem in problems), "problem")
    return f"{ref} has {number}, the first at {first.place}: {first.message}"
