"""What a command works with: the project found from here, its ledger's places, and the way to Intercom."""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.options import Globals
from runner.cli.screen import Screen, remember
from runner.cli.watching import watched
from runner.declare.project import Project, Settings, find_root, load, load_settings
from runner.declare.template import Watch
from runner.declare.tree import Tree
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, RunStopped, UsageMistake
from runner.ledger import git, lockfile
from runner.ledger.lockfile import Lockfile, Places
from runner.ledger.record import Facts, Header, salt_check

if TYPE_CHECKING:
    from runner.intercom import Transport

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SANDBOX_FOLDER = ".msgrun/sandbox"


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one command in one project."""

    options: Globals
    screen: Screen
    tree: Tree
    settings: Settings

    @property
    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    @property
    def sandbox_folder(self) -> Path:
        """Where the sandbox keeps its state and its own ledger."""
        return self.tree.root / _SANDBOX_FOLDER

    def project(self, paths: tuple[str, ...] = ()) -> Project:
        """Reads the declarations; `paths` are as the user typed them, relative to where the command runs."""
        return load(self.tree, self.settings, _WATCH, [self._from_root(path) for path in paths])

    def valid_project(self, paths: tuple[str, ...] = ()) -> Project:
        """Reads the declarations, prints what is wrong, and goes on only if nothing is. Raises ProblemsFound."""
        project = self.project(paths)
        if any(problem.is_error for problem in project.problems):
            raise ProblemsFound(list(project.problems))
        return project

    def places(self, *, tolerant: bool = False) -> Places:
        """Where the ledger lives. `tolerant`: without git's journal if git cannot be read. Raises LedgerUnavailable."""
        if self.options.sandbox:
            name = Path(self.settings.lock).name
            return Places(self.sandbox_folder / name, None, f"{_SANDBOX_FOLDER}/{name}")
        if "://" in self.settings.lock or self.settings.lock.startswith("git+"):
            raise LedgerUnavailable(
                f"lock: {self.settings.lock.split(':')[0]}: only a file is supported", "name a file"
            )
        path = self.tree.root / self.settings.lock
        try:
            repository = git.repository(self.tree.root.resolve())
        except LedgerUnavailable as error:
            if not tolerant:
                raise
            self.screen.note(f"without git's journal: {error.message}")
            repository = None
        return Places(path, repository.journal(path) if repository else None, self.settings.lock)

    def facts(self) -> Facts:
        """What the ledger knows, read without holding it; torn lines and duplicates are told."""
        places = self.places(tolerant=True)
        facts = lockfile.read(places)
        facts.header(self.settings.salt)
        self.tell_of(facts)
        return facts

    def tell_of(self, facts: Facts) -> None:
        """Tells of torn lines and duplicates, which everybody who loads a ledger must hear of."""
        from runner.report import text  # noqa: PLC0415  # imported where used

        for line in text.ledger_warnings(facts):
            self.screen.error(line)

    @contextlib.contextmanager
    def ledger(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Lockfile]:
        """The ledger, held alone and brought up to date. Raises GuardRefused, LedgerUnavailable."""
        places = self.places(tolerant=no_fetch)
        if not places.exists and not (new_lock or self.options.sandbox):
            raise GuardRefused(
                f"there is no lockfile {places.shown}",
                "without it everything would be sent again: take it back from git; if nothing was sent yet, --new-lock",
            )
        with Lockfile(places, self.settings.salt, command, self.now) as held:
            if not self.options.sandbox and not no_fetch:
                repository = git.repository(self.tree.root.resolve())
                if repository:
                    held.fold_in(repository.remote_versions(places.lockfile))
            healed = held.heal()
            if healed and not self.options.sandbox:
                self.screen.note(f"{places.shown} lacked {healed:,} records that git's journal or the remote knew")
            self.tell_of(held.facts)
            yield held

    @contextlib.contextmanager
    def transport(self) -> Iterator["Transport"]:
        """The way to Intercom, or to the embedded sandbox. Raises RunStopped without a token."""
        from runner.intercom.client import HOSTS, HttpTransport  # noqa: PLC0415  # requests is heavy

        if self.options.sandbox:
            from runner.sandbox import Sandbox  # noqa: PLC0415  # only here

            self.sandbox_folder.mkdir(parents=True, exist_ok=True)
            with Sandbox(state=self.sandbox_folder / "state.jsonl", rate_limit=1_000_000) as sandbox:
                yield HttpTransport(sandbox.url, "sandbox")
            return
        token = os.environ.get("INTERCOM_ACCESS_TOKEN") or os.environ.get("INTERCOM_TOKEN")
        if not token:
            raise RunStopped("there is no access token", "set INTERCOM_ACCESS_TOKEN, or try it with --sandbox")
        yield HttpTransport(_base_url(os.environ.get("INTERCOM_BASE_URL") or HOSTS[self.settings.region]), token)

    def confirmed(self, question: str, *, yes: bool, count: int = 0) -> None:
        """Asks on a terminal, and needs --yes off it. A count over 20 must be typed. Raises GuardRefused."""
        if yes:
            return
        if not self.screen.interactive:
            raise GuardRefused("nobody is there to be asked", "--yes says yes")
        if count > 20:  # noqa: PLR2004  # so many that a reflex would do harm
            answer = click.prompt(
                f"{question} Type the number of recipients to go on", default="", show_default=False, err=True
            )
            if answer.strip().replace(",", "") != str(count):
                raise GuardRefused(f"{answer or 'nothing'} is not {count}: nothing was done")
        elif not click.confirm(question, err=True):
            raise GuardRefused("you said no: nothing was done")

    def header(self) -> Header:
        """The header of a new lockfile."""
        return Header(self.settings.workspace, salt_check(self.settings.salt))

    def _from_root(self, path: str) -> str:
        start = self.options.directory or Path()
        full = Path(os.path.normpath(Path.cwd() / start / path))
        root = self.tree.root
        if not full.is_relative_to(root):
            raise UsageMistake(f"{path} is outside the project {root}")
        return full.relative_to(root).as_posix()


_WATCH = Watch()


@contextlib.contextmanager
def session() -> Iterator[Session]:
    """The session of the running command. Raises UsageMistake, ProblemsFound."""
    options = click.get_current_context().ensure_object(Globals)
    remember(options)
    screen = Screen.of(options, os.environ)
    start = Path(os.path.normpath(Path.cwd() / (options.directory or Path())))
    if not start.is_dir():
        raise UsageMistake(f"there is no folder {options.directory}")
    tree = Tree(find_root(start))
    with watched(_WATCH):
        salt, lock = os.environ.get("MSGRUN_SALT"), os.environ.get("MSGRUN_LOCK")
        yield Session(options, screen, tree, load_settings(tree, options.environment, salt, lock))


def run_id() -> str:
    """A new ULID: 48 bits of milliseconds and 80 random ones, so that ids of runs sort by time and never meet."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def _base_url(url: str) -> str:
    """The URL, if a token may travel to it: over HTTPS, or without leaving this machine. Raises UsageMistake."""
    from urllib.parse import urlsplit  # noqa: PLC0415  # only here

    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
        return url
    raise UsageMistake(
        "INTERCOM_BASE_URL is neither https nor on this machine", "the access token would travel in clear"
    )


def stderr_is_terminal() -> bool:
    """Whether progress can be drawn over itself."""
    return sys.stderr.isatty()
