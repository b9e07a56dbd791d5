"""`plan --against REF`: reads the project at a git ref and compares the plan of the work tree with it."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runner.cli.context import Context
from runner.cli.render_time_limit import RENDER_MONITOR
from runner.compare import comparison, guard_settings
from runner.compare.commit import Commit, find_commit, find_reviewed_hash
from runner.compare.commit_tree import tree_at
from runner.compare.comparison import Comparison, CurrentPlan, MessageChange
from runner.compare.declared_fields import FieldChange
from runner.compare.link_hosts import find_new_hosts
from runner.compare.merged_lockfiles import UNION, find_lost_attributes
from runner.compare.replaced_settings import find_replaced_settings
from runner.compare.rewritten_files import find_rewritten_files
from runner.compare.suppression_changes import compare_suppression_lists
from runner.declare.hold_file import HOLD_FILE
from runner.declare.project import Project
from runner.declare.project_reader import load_project
from runner.declare.sample import Sample, make_sample
from runner.declare.settings import DEFAULT_ENVIRONMENT, environment_names, load_all_settings, load_settings
from runner.declare.tree import Tree
from runner.errors import LedgerUnavailable, Problem, ProblemsFound, RunStopped, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.report.problem_text import pluralize
from runner.report.review import Review

_MAX_REWRITTEN = 100  # files of a kind that are named
_CI_PATHS = (".github", ".gitlab", ".gitlab-ci.yml")
_PIPELINES = (".github/workflows/", ".github/actions/", ".gitlab-ci.yml", ".gitlab/")
_MAX_NAMES = 4 << 20  # bytes of the names of changed files
_CI_STATES = {"A": ("", "new, so CI may run another program"), "D": ("as in the base", "removed")}


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The project at the ref of --against, and which settings that guard the sending the commits since then change.

    `guards` has the changes by their kinds, and `guard_changes` all of them in the order in which they are shown.
    `head` is the hash of the commit that is compared, as its author has it; empty if there is no other than the ref's.
    """

    commit: Commit
    head: str
    tree: Tree
    guards: tuple[Sequence[FieldChange], ...]

    @property
    def guard_changes(self) -> tuple[FieldChange, ...]:
        """The changed guards. Of many, each kind has its turn."""
        return guard_settings.interleave(self.guards)


@contextlib.contextmanager
def open_base(context: Context, ref: str | None) -> Iterator[Base | None]:
    """Opens the project at the ref; None without a ref. Raises UsageMistake, LedgerUnavailable.

    This comes before all that the commits under review could make fail.
    """
    if ref is None:
        yield None
        return
    root = context.tree.root.resolve()
    repository = find_repository(root)
    commit = find_commit(repository, ref)
    assert repository is not None
    with tree_at(repository, commit, root) as tree:
        settings, lists, environments = [], [], []
        with contextlib.suppress(ProblemsFound):  # compare_with_base says so
            settings, lists, environments = _find_guard_changes(context, tree)
        reviewed = find_reviewed_hash(repository, os.environ)
        head = "" if reviewed == commit.hash else reviewed
        replaced = [
            FieldChange(path, "of this project", "replaced by another project, with its rules and its ledger")
            for path in find_replaced_settings(repository, commit.base, root, context.options.start_folder)
        ]
        with contextlib.suppress(ProblemsFound):
            lost = find_lost_attributes(repository, commit.base, root, load_all_settings(context.tree).values())
            replaced += [_describe_lost_attribute(path, attribute) for path, attribute in lost]
        first = [*replaced, *_find_hold_removal(repository, commit, root), *_find_modules(repository, root)]
        first += [
            FieldChange(path, "as it is committed", f"written by git in another form, by the attribute {attribute}")
            for path, attribute in islice(find_rewritten_files(repository, root), _MAX_REWRITTEN)
        ]
        ci_changes = _find_ci_changes(repository, commit)
        yield Base(commit, head, tree, (first, settings, lists, *ci_changes, environments))


def compare_with_base(
    context: Context, base: Base, review: Review, facts: Facts, project: Project, paths: tuple[str, ...],
    read: Callable[[Project], Project] = lambda project: project,
) -> Comparison:  # fmt: skip
    """Returns what the plan changes against the project at the ref.

    `read` reads the audiences in the workspace of a project; those that it leaves unread are not compared.
    Files at the ref that cannot be read are reported in the notes of the comparison. The rest is still compared.
    """
    whole_project = context.load_project() if paths else project
    names = frozenset(
        declaration.name for declaration in (*whole_project.declarations, *whole_project.invalid_declarations)
    )
    before, notes = _load_project_at(context, base.tree, base.commit.ref)
    if before:
        try:
            before = read(before)
        except (ProblemsFound, RunStopped) as error:
            notes += (f"audiences in the workspace that {base.commit.ref} names could not be read: {error}",)
    new_hosts: Mapping[str, Sequence[str]] = {}
    if before is None:
        changes = tuple(MessageChange(message.name, "uncompared") for message in review.plan.messages)
    else:
        current = CurrentPlan(review.plan, names, context.path_filter(paths), review.sample, context.settings.salt)
        changes = comparison.compare(current, before, facts)
        samples = _list_samples(review, changes)
        hosts = find_new_hosts((message.declaration for message in review.plan.messages), before.declarations, samples)
        new_hosts = hosts if before.declarations else {}
        notes += tuple(_list_unseen_texts(review, changes))
    guard_changes = guard_settings.interleave((*base.guards, [*guard_settings.find_weakened_rules(changes)]))
    return Comparison(base.commit.ref, base.commit.hash, changes, notes, guard_changes, base.head, new_hosts)


def _list_unseen_texts(review: Review, changes: Iterable[MessageChange]) -> Iterator[str]:
    """Yields how many recipients of a changed message get a text in which no host was looked for."""
    changed = {change.name for change in changes if change.kind in {"new", "changed"}}
    for message in review.plan.messages:
        if message.name in changed and (count := message.variants.other_count):
            who = pluralize(count, "recipient")
            yield f"in the texts that {who} of {message.name} get, no new hosts were looked for"


def _list_samples(
    review: Review, changes: Iterable[MessageChange]
) -> Iterator[tuple[str, Sample | None, Iterable[Sample]]]:
    """Yields each new or changed message with its sample before, and one of each text that it has now."""
    by_name = {change.name: change for change in changes}
    for message in review.plan.messages:
        change = by_name[message.name]
        if change.kind == "new" or change.now:
            deliveries = [text.delivery for text in message.variants.by_count()]
            samples = (make_sample(message.declaration, delivery, message.authorship) for delivery in deliveries)
            sample = None if deliveries else review.sample(message)
            yield message.name, change.before, [sample] if sample else samples


def list_other_environments(context: Context) -> list[str]:
    """Returns the names of the environments that a plan of this one does not cover."""
    names = [name or DEFAULT_ENVIRONMENT for name in environment_names(context.tree)]
    return [name for name in names if name != context.settings.environment]


def _find_guard_changes(context: Context, tree: Tree) -> tuple[list[FieldChange], ...]:
    """Returns the changes of settings that limit sending, of suppression lists, and of the environments themselves.

    `tree` is the project at the ref. All environments are compared, not only the plan's: the reviewer of a pull request
    sees a change of another environment nowhere else.
    """
    before, now = load_all_settings(tree), load_all_settings(context.tree)
    lists, lists_now = ({name: each.suppress for name, each in side.items()} for side in (before, now))
    return (
        [*guard_settings.compare_guard_settings(before, now)],
        [*compare_suppression_lists(tree, context.tree, lists, lists_now)],
        [*guard_settings.compare_environments(before, now)],
    )


def _describe_lost_attribute(path: str, attribute: str) -> FieldChange:
    if attribute == UNION:
        return FieldChange(path, "merge=union", "not merged line by line, so that a merge forgets what others sent")
    now = f"changed by git, by the attribute {attribute}, so that new clones cannot read it"
    return FieldChange(path, "written as it is", now)


def _find_hold_removal(repository: Repository, commit: Commit, root: Path) -> Iterator[FieldChange]:
    """Yields a change if the commits remove the file HOLD, without which apply sends again."""
    path = repository.relative_path(root / HOLD_FILE)
    if any(status == "D" for status, _ in _list_changed_files(repository, commit, [path] if path else [])):
        yield FieldChange(HOLD_FILE, "nothing is sent", "removed, so that apply sends")


def _find_modules(repository: Repository, root: Path) -> Iterator[FieldChange]:
    """Yields the submodules of the project: a checkout of CI lacks their files, and another clone may have them."""
    for path in repository.tracked_modules():
        if (repository.toplevel / path).is_relative_to(root):
            yield FieldChange(path, "files that a review shows", "a submodule, of which a review may show nothing")


def _find_ci_changes(repository: Repository, commit: Commit) -> tuple[list[FieldChange], list[FieldChange]]:
    """Returns the changed files of CI systems, which decide which program gets the token: pipelines, and others.

    Of each kind, new files are last: a commit may have any number of them.
    """
    pipelines, others = list[FieldChange](), list[FieldChange]()
    for status, path in sorted(_list_changed_files(repository, commit, _CI_PATHS), key=lambda file: file[0] == "A"):
        before, now = _CI_STATES.get(status, ("as in the base", "changed, so CI may run another program"))
        group = pipelines if path.startswith(_PIPELINES) else others
        group.append(FieldChange(path, before, now))
    return pipelines, others


def _list_changed_files(repository: Repository, commit: Commit, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields git's letter of the change and the path of each file below `paths` that the commits change.

    If their names are too many to be read, yields the folders.
    """
    if not paths:
        return
    options = ("--no-renames", "--name-status", "-z", commit.base, "HEAD", "--")
    arguments = (*options, *(f":(top,literal){path}" for path in paths))
    try:
        output = repository.git("diff-tree", "-r", *arguments, max_output=_MAX_NAMES)
    except LedgerUnavailable:
        output = repository.git("diff-tree", *arguments)
    fields = os.fsdecode(output).split("\0")
    yield from zip(fields[::2], fields[1::2], strict=False)


def _load_project_at(context: Context, tree: Tree, ref: str) -> tuple[Project | None, tuple[str, ...]]:
    """Returns the project at a ref, and notes on what could not be read of it.

    If the ref does not declare the environment, it is read in its own default one. It is None if its settings cannot be
    read.
    """
    notes: tuple[str, ...] = ()
    try:
        try:
            settings = load_settings(tree, context.options.environment, context.settings.salt)
        except UsageMistake:
            default = load_settings(tree, None, context.settings.salt).default_environment
            settings = load_settings(tree, default or None, context.settings.salt)
            own = f"{ref} declares no environment {context.settings.environment}"
            notes = (f"{own}: it is compared in its environment {default or DEFAULT_ENVIRONMENT}",)
    except ProblemsFound as error:
        return None, (f"nothing can be compared: {_describe_errors(error.problems, ref)}",)
    project = load_project(tree, settings, RENDER_MONITOR)
    errors = [problem for problem in project.problems if problem.is_error]
    return project, (*notes, *([f"not all can be compared: {_describe_errors(errors, ref)}"] if errors else []))


def _describe_errors(problems: list[Problem], ref: str) -> str:
    """Says how many errors a ref has, and quotes the first."""
    first = next(problem for problem in problems if problem.is_error)
    number = pluralize(sum(problem.is_error for problem in problems), "problem")
    return f"{ref} has {number}, the first at {first.place}: {first.message}"
