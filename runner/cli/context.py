"""The context of a command: its options, its output, and the project and settings that it works with."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.options import GlobalOptions, current_options
from runner.cli.output import Output
from runner.cli.render_time_limit import RENDER_MONITOR, limit_render_time
from runner.current_work import CURRENT_WORK
from runner.declare.project import Project
from runner.declare.project_reader import ProjectReader, is_within, load_project, make_project_reader
from runner.declare.project_root import SETTINGS_FILE, find_root
from runner.declare.read_cache import ReadCache
from runner.declare.sending_times import QuietHours
from runner.declare.settings import Settings, load_chosen_settings, load_settings
from runner.declare.tree import Tree
from runner.errors import Cancelled, GuardRefused, ProblemsFound, UsageMistake
from runner.ledger.lock_address import DeclaredLedger, LedgerAddress, LockfileAddress, default_lockfile, parse_address
from runner.managed_path import managed_path, user_path
from runner.report.terminal_text import style
from runner.shown_command import show_default_environment, show_folder

if TYPE_CHECKING:
    from runner.git.repository import Repository
    from runner.ledger.context import LedgerContext
    from runner.ledger.facts import Facts
    from runner.ledger.record import Header

KEPT_FOLDER = ".msgrun"
SANDBOX_FOLDER = f"{KEPT_FOLDER}/sandbox"


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """One run of one command in one project: its options, output, files and settings.

    `base_ref` is the ref of --against. `lock_override` is the address in MSGRUN_LOCK.
    """

    options: GlobalOptions
    output: Output
    tree: Tree
    settings: Settings
    base_ref: str = ""
    lock_override: LedgerAddress | None = None

    @property
    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)

    @property
    def ledger(self) -> "LedgerContext":
        """What the ledger has to know of this command. In the sandbox, the ledger is a lockfile of its own."""
        from runner.ledger.context import LedgerContext  # noqa: PLC0415  # saves a command without a ledger 15 ms

        settings, is_sandbox = self.settings, self.options.sandbox
        address, declared = self.lock_override or settings.lock, _declared_ledger(settings)
        if is_sandbox:
            address = LockfileAddress(f"{SANDBOX_FOLDER}/{default_lockfile(settings.stem).path}")
            declared = DeclaredLedger(address)
        return LedgerContext(
            root=self.tree.root,
            address=address,
            declared=declared,
            environment=settings.environment,
            stem=settings.stem,
            salt=settings.salt,
            now=lambda: self.now,
            report=self.output.note,
            warn=self._warn,
            declared_at=self._declared_at,
            base_ref=self.base_ref,
            is_sandbox=is_sandbox,
            trusts_host=self.lock_override is not None,
        )

    def _warn(self, text: str, hint: str) -> None:
        """Prints a warning that the question repeats, with which a person confirms a run."""
        self.output.repeated_warnings.append(f"{text} {hint}")
        self.output.note(f"{style('warning', 'yellow')}: {text}", hint)

    @property
    def sandbox_folder(self) -> Path:
        """The folder of the sandbox's state and of its own ledger. Raises GuardRefused if the path is a link."""
        return managed_path(self.tree.root, SANDBOX_FOLDER)

    @property
    def sandbox_state(self) -> Path:
        """The file of the messages that the sandbox accepted. Raises GuardRefused if the path is a link."""
        return managed_path(self.tree.root, f"{SANDBOX_FOLDER}/state.jsonl")

    @property
    def quiet_hours(self) -> QuietHours | None:
        """The time of the day in which nothing is sent. The sandbox has none: what is sent to it wakes no person."""
        return None if self.options.sandbox else self.settings.quiet_hours

    def kept_path(self, name: str) -> Path:
        """Returns the path of a file of .msgrun; the sandbox has its own. Raises GuardRefused if the path is a link."""
        folder = SANDBOX_FOLDER if self.options.sandbox else KEPT_FOLDER
        return managed_path(self.tree.root, f"{folder}/{name}")

    @property
    def online_status_file(self) -> Path:
        """The file with what `status --online` found. Raises GuardRefused if the path is a link."""
        return self.kept_path(f"online-{self.settings.stem}.json")

    def header_of(self, facts: "Facts") -> "Header":
        """Returns the header of a ledger: its id and its workspace. Raises GuardRefused as `Headers.merged`."""
        return facts.headers.merged(self.settings.salt)

    def load_project(self, paths: tuple[str, ...] = (), cache: ReadCache | None = None) -> Project:
        """Reads the declarations. `paths` are as the user typed them, relative to the working directory or -C."""
        selected = [self.relative_to_root(path) for path in paths]
        return load_project(self.tree, self.settings, RENDER_MONITOR, selected, cache)

    def project_reader(self, paths: tuple[str, ...] = ()) -> ProjectReader:
        """Returns a reader for the same declarations, which can read some of the files at a time."""
        return make_project_reader(
            self.tree, self.settings, RENDER_MONITOR, [self.relative_to_root(path) for path in paths]
        )

    def path_filter(self, paths: tuple[str, ...]) -> Callable[[str], bool]:
        """Returns a test for paths from the root: whether the paths that the user typed select it. None select all."""
        selection = [self.relative_to_root(path) for path in paths]
        return lambda path: not selection or any(is_within(path, selected) for selected in selection)

    def load_valid_project(self, paths: tuple[str, ...] = (), cache: ReadCache | None = None) -> Project:
        """Reads the declarations. Raises ProblemsFound if one has an error, with the problems of recipients too.

        `cache` has what was read before, with the same settings and all declarations.
        """
        project = self.load_project(paths, cache)
        if any(problem.is_error for problem in project.problems):
            raise ProblemsFound([*project.problems, *project.find_recipient_problems()])
        return project

    def confirm(self, question: str, count: int = 0, if_declined: str = "Nothing was changed.") -> None:
        """Asks the user to confirm, unless --yes was given. Raises Cancelled if the user declines.

        Without a terminal --yes is needed. If `count`, the number of recipients, is over 20, the user must type it.
        `if_declined` says what was done when the user declines.
        """
        if not self.options.yes:
            self.ask_to_confirm(question, count, if_declined)

    def ask_to_confirm(self, question: str, count: int, if_declined: str) -> None:
        """Asks as `confirm`, even with --yes. Raises GuardRefused without a terminal."""
        if not self.output.is_interactive:
            self.output.note(f"The question is: {question}")
        self.require_terminal()
        from runner.cli import prompts  # noqa: PLC0415  # saves 2 ms in a command that asks nothing

        if count > prompts.MAX_WITHOUT_COUNT:
            is_confirmed = prompts.confirm_count(self.output, count)
        else:
            is_confirmed = prompts.confirm(self.output, question)
        if not is_confirmed:
            raise Cancelled(f"Cancelled. {if_declined}")

    def require_terminal(self) -> None:
        """Raises GuardRefused if there is no terminal to confirm on."""
        if not self.output.is_interactive:
            command = shlex.join(["msgrun", *self.options.arguments, "--yes"])
            raise GuardRefused("no terminal to confirm on", f"pass --yes{'' if '@' in command else f': {command}'}")

    def is_full_selection(self, paths: tuple[str, ...]) -> bool:
        """Returns whether the paths select everything that is declared."""
        return not paths or any(self.relative_to_root(path) in {".", "messages"} for path in paths)

    def resolve_path(self, path: Path) -> Path:
        """Returns the full path of a file that the user named, relative to the working directory or -C."""
        return Path(os.path.normpath(self.options.start_folder / path))

    def user_path(self, path: Path) -> Path:
        """Returns the full path of what the user named to be written. Raises GuardRefused if it is a project's link."""
        return user_path(self.tree.root, self.resolve_path(path))

    def relative_to_root(self, path: str) -> str:
        """Returns a path that the user typed, relative to the root. Raises UsageMistake if it is outside."""
        full = self.resolve_path(Path(path))
        root = self.tree.root
        if not full.is_relative_to(root):
            raise UsageMistake(f"{path} is outside the project {root}")
        return full.relative_to(root).as_posix()

    def _declared_at(self, repository: "Repository", commit: str) -> DeclaredLedger | None:
        """Reads what msgrun.yaml of a commit names; None if it names nothing that can be read for this environment."""
        path = self.tree.root / SETTINGS_FILE
        name = repository.relative_path(path) or SETTINGS_FILE  # a bare repository has the project at its top
        content = repository.read_blob(commit, name)
        if content is None:
            return None
        if path.exists() and path.read_bytes() == content:
            return _declared_ledger(self.settings)
        with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
            (Path(folder) / SETTINGS_FILE).write_bytes(content)
            try:
                return _declared_ledger(load_settings(Tree(Path(folder)), self.options.environment))
            except (ProblemsFound, UsageMistake):
                return None


def _declared_ledger(settings: Settings) -> DeclaredLedger:
    return DeclaredLedger(settings.lock, settings.ledger_id, settings.remote)


def _workspace_prefix(root: Path, workspace: str) -> str:
    """Returns the folder of the project in what CI checked out, with a slash at its end; empty at its top or outside.

    Paths in annotations are relative to that folder.
    """
    top = Path(workspace)
    if not workspace or not root.resolve().is_relative_to(top.resolve()) or root.resolve() == top.resolve():
        return ""
    return f"{root.resolve().relative_to(top.resolve()).as_posix()}/"


@contextlib.contextmanager
def open_context(base: str = "", *, check_in_child: Callable[[Context], object] | None = None) -> Iterator[Context]:
    """Opens the context of the running command. `base` is the ref of --against.

    In the child of a supervisor, `check_in_child` replaces the `with` block: a command that sends or that writes the
    ledger runs in the first process (see `supervisor`). Raises UsageMistake, ProblemsFound, RunStopped.
    """
    options = current_options()
    start = options.start_folder
    if not start.is_dir():
        raise UsageMistake(f"there is no folder {options.directory}")
    tree = Tree(find_root(start))
    checkout = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or ""
    options.path_prefix = _workspace_prefix(tree.root, checkout)
    show_folder(options.path_prefix, os.path.relpath(start, tree.root))
    output = Output.from_options(options, os.environ)
    supervisor = options.supervisor
    if supervisor:
        supervisor.raise_failure()
    if supervisor and supervisor.is_child and check_in_child:
        with limit_render_time():
            check_in_child(_load_context(options, output, tree, base))
        supervisor.end_check()
    try:
        with limit_render_time():
            yield _load_context(options, output, tree, base)
    finally:
        _hide_from_git(tree.root)


def _hide_from_git(root: Path) -> None:
    """Writes a .gitignore into .msgrun, if that folder has none: it may hold ids of contacts."""
    with contextlib.suppress(OSError, GuardRefused):  # the command is over
        path = managed_path(root, f"{KEPT_FOLDER}/.gitignore")
        if path.parent.is_dir() and not path.exists():
            path.write_text("*\n")


def _load_context(options: GlobalOptions, output: Output, tree: Tree, base: str) -> Context:
    # CI systems pass a secret that is not set as an empty variable.
    with CURRENT_WORK.on_file(SETTINGS_FILE):
        settings = load_chosen_settings(tree, options.environment, os.environ.get("MSGRUN_SALT") or None)
    options.environment = settings.environment_name
    output = output._replace(environment=settings.environment)
    show_default_environment(settings.default_environment)
    lock = os.environ.get("MSGRUN_LOCK") or ""
    return Context(options, output, tree, settings, base, parse_address(lock, settings.stem) if lock else None)
