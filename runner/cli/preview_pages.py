"""Makes the preview of a project and writes its pages."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.cli.against import compare_with_base, open_base
from runner.cli.context import Context
from runner.cli.pauses import current_notices
from runner.cli.planned_ledger import describe_ledger, plan_with_ledger, read_planned_ledger
from runner.cli.planning import build_review
from runner.cli.worker_pool import create_worker_pool
from runner.declare.project import Project
from runner.declare.read_cache import ReadCache
from runner.declare.tree import Tree
from runner.deliver.online_status_file import load_online_status
from runner.errors import UsageMistake
from runner.managed_path import managed_path
from runner.plan.message_planner import PlanOptions
from runner.preview.builder import build_preview
from runner.preview.pages import GENERATOR
from runner.preview.preview_input import KeptViews, PreviewInput
from runner.preview.sent_history import SentHistory
from runner.preview.views import Preview

_FOLDER = ".msgrun/preview"
_WRITTEN = {"index.html", "pages", "assets"}
_MAX_HEAD = 4096  # bytes of a page's head


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What the user wants to see: messages by name (none: all), against which git ref, how many recipients of each."""

    names: tuple[str, ...] = ()
    against: str | None = None
    recipient_count: int | None = None


@dataclass(frozen=True, slots=True)
class PreviewMemory:
    """What --serve keeps from one build of the pages to the next, as long as msgrun.yaml is as it was."""

    reads: ReadCache = field(default_factory=ReadCache)
    views: KeptViews = field(default_factory=dict)


def load_preview(context: Context, request: PreviewRequest, memory: PreviewMemory | None = None) -> Preview:
    """Plans the project and returns its preview. `memory` is for --serve. Raises what planning raises."""
    names = request.names
    with open_base(context, request.against) as base:
        project = context.load_valid_project(cache=memory.reads if memory else None)
        selected = select_messages(project, names)
        ledger = read_planned_ledger(context, base)
        options = PlanOptions()
        plan, warnings = plan_with_ledger(context, selected, ledger, options)
        comparison = None
        if base:
            review = build_review(context, plan, warnings)
            comparison = compare_with_base(context, base, review, ledger.facts, project, ())
            if names:
                kept = tuple(change for change in comparison.changes if change.name in names)
                comparison = replace(comparison, changes=kept)
        source = PreviewInput(
            plan=plan,
            settings=context.settings,
            project=context.tree.root.resolve().name,
            warnings=warnings,
            notes=(*current_notices(context), *describe_ledger(context, ledger)),
            history=SentHistory(ledger.facts, load_online_status(context.online_status_file)),
            comparison=comparison,
            recipient_count=request.recipient_count,
            show_values=context.output.show_values,
            is_sandbox=context.options.sandbox,
            kept_views=memory.views if memory else None,
        )
        return build_preview(source, create_worker_pool(context.options.jobs))


def select_messages(project: Project, names: tuple[str, ...]) -> Project:
    """Returns the project with the named messages alone, or with all if there are no names. Raises UsageMistake."""
    for name in names:
        project.require(name)
    if not names:
        return project
    return project._replace(declarations=tuple(each for each in project.declarations if each.name in names))


def find_output_folder(context: Context, out: Path | None) -> Path:
    """Returns the folder for the pages.

    Raises UsageMistake if it holds what no preview wrote, and GuardRefused if it is a link of the project.
    """
    if out is None:
        return managed_path(context.tree.root, _FOLDER)
    folder = context.user_path(out)
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise UsageMistake(f"{out} holds other files than a preview", "name a folder that is empty or does not exist")
    return folder


def _is_ours(folder: Path) -> bool:
    """Returns whether a folder is empty or has the pages of a preview alone. Other pages may have the same names."""
    names = {path.name for path in folder.iterdir()}
    if not names or names - _WRITTEN:
        return not names
    return GENERATOR.encode() in Tree(folder).peek("index.html", _MAX_HEAD)


def write_pages(folder: Path, pages: Mapping[str, str]) -> Path:
    """Writes the pages in place of those of an earlier preview. Returns the path of the index."""
    for name in _WRITTEN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace")
    return folder / "index.html"
