"""`plan --against REF`: the project as a git ref has it, read beside the work tree, and what changed since."""

from runner import comparison
from runner.cli.session import Session
from runner.commit import find_commit, tree_at
from runner.comparison import Change, Comparison, Now
from runner.declare.project import Project, load_settings
from runner.declare.tree import Tree
from runner.errors import Problem, ProblemsFound, UsageMistake
from runner.ledger import git
from runner.ledger.facts import Facts
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
