"""What a command works with: the project found from here, and somebody to ask."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from runner.cli.options import GlobalOptions
from runner.cli.output import Output, remember_options
from runner.cli.process import limit_render_time
from runner.declare.project import Project, find_root
from runner.declare.project_reader import ProjectReader, is_within, load_project
from runner.declare.settings import Settings, load_settings
from runner.declare.template.template import RenderMonitor
from runner.declare.tree import Tree
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.managed_path import managed_path

SANDBOX_FOLDER = ".msgrun/sandbox"


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """One run of one command in one project."""

    options: GlobalOptions
    output: Output
    tree: Tree
    settings: Settings
    base_ref: str = ""  # the ref of --against: what it names was reviewed
    known_hosts: set[str] = field(default_factory=set)  # ledgers on hosts that may be asked, as `lock:` names them

    @property
    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    @property
    def sandbox_folder(self) -> Path:
        """Where the sandbox keeps its state and its own ledger. Raises GuardRefused if a link is in its place."""
        return managed_path(self.tree.root, SANDBOX_FOLDER)

    @property
    def sandbox_state(self) -> Path:
        """The messages that the sandbox made. Raises GuardRefused likewise."""
        return managed_path(self.tree.root, f"{SANDBOX_FOLDER}/state.jsonl")

    @property
    def stop_file(self) -> Path:
        """The file that ends a run in order, once it is there."""
        return managed_path(self.tree.root, ".msgrun/stop")

    def load_project(self, paths: tuple[str, ...] = ()) -> Project:
        """Reads the declarations; `paths` are as the user typed them, relative to where the command runs."""
        return load_project(self.tree, self.settings, RENDER_WATCH, [self._from_root(path) for path in paths])

    def project_reader(self, paths: tuple[str, ...] = ()) -> ProjectReader:
        """What reads the same declarations part by part."""
        return ProjectReader(self.tree, self.settings, RENDER_WATCH, [self._from_root(path) for path in paths])

    def load_project_from(self, tree: Tree, settings: Settings) -> Project:
        """Reads the declarations of another tree, with renders bounded as here."""
        return load_project(tree, settings, RENDER_WATCH)

    def path_filter(self, paths: tuple[str, ...]) -> Callable[[str], bool]:
        """Whether a path from the root is among those that the user typed; all are where none was."""
        chosen = [self._from_root(path) for path in paths]
        return lambda path: not chosen or any(is_within(path, one) for one in chosen)

    def load_valid_project(self, paths: tuple[str, ...] = ()) -> Project:
        """Reads the declarations, prints what is wrong, and goes on only if nothing is. Raises ProblemsFound."""
        project = self.load_project(paths)
        if any(problem.is_error for problem in project.problems):
            raise ProblemsFound([*project.problems, *project.find_recipient_problems()])
        return project

    def confirm(self, question: str, *, yes: bool, count: int = 0, if_declined: str = "nothing was done") -> None:
        """Asks on a terminal, and needs --yes off it. A count over 20 must be typed. Raises GuardRefused.

        `otherwise` says what a no leaves done.
        """
        if yes:
            return
        if not self.output.is_interactive:
            raise GuardRefused("nobody is there to be asked", "--yes says yes")
        if count > 20:  # noqa: PLR2004  # so many that a reflex would do harm
            answer = click.prompt(
                f"{question} Type the number of recipients to go on", default="", show_default=False, err=True
            )
            if answer.strip().replace(",", "") != str(count):
                raise GuardRefused(f"{answer or 'nothing'} is not {count}: {if_declined}")
        elif not click.confirm(question, err=True):
            raise GuardRefused(f"you said no: {if_declined}")

    def is_full_selection(self, paths: tuple[str, ...]) -> bool:
        """Whether the paths select everything that is declared."""
        return not paths or any(self._from_root(path) in {".", "messages"} for path in paths)

    def resolve_path(self, path: Path) -> Path:
        """A file that the user named, from where the command runs."""
        return Path(os.path.normpath(Path.cwd() / (self.options.directory or Path()) / path))

    def _from_root(self, path: str) -> str:
        full = self.resolve_path(Path(path))
        root = self.tree.root
        if not full.is_relative_to(root):
            raise UsageMistake(f"{path} is outside the project {root}")
        return full.relative_to(root).as_posix()


RENDER_WATCH = RenderMonitor()


def _folder(root: Path, workspace: str) -> str:
    """Where the project lies in GitHub's workspace, which annotations take paths from; empty at its top or outside."""
    top = Path(workspace)
    if not workspace or not root.resolve().is_relative_to(top.resolve()) or root.resolve() == top.resolve():
        return ""
    return f"{root.resolve().relative_to(top.resolve()).as_posix()}/"


@contextlib.contextmanager
def open_context(base: str = "") -> Iterator[Context]:
    """The session of the running command; `base` is the ref of --against. Raises UsageMistake, ProblemsFound."""
    options = click.get_current_context().ensure_object(GlobalOptions)
    remember_options(options)
    start = Path(os.path.normpath(Path.cwd() / (options.directory or Path())))
    if not start.is_dir():
        raise UsageMistake(f"there is no folder {options.directory}")
    tree = Tree(find_root(start))
    options.path_prefix = _folder(tree.root, os.environ.get("GITHUB_WORKSPACE", ""))
    screen = Output.from_options(options, os.environ)
    with limit_render_time(RENDER_WATCH):
        # CI hands over a secret that is not set as an empty variable.
        salt, lock = os.environ.get("MSGRUN_SALT") or None, os.environ.get("MSGRUN_LOCK") or None
        yield Context(options, screen, tree, load_settings(tree, options.environment, salt, lock), base)
