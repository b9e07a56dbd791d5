"""The ledger of a command: reads or opens it, prints its warnings, and writes to msgrun.yaml which one is current.

Also who runs msgrun, and where, as CI or git names it: for the records of a run, and of what a person decides.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.cli.context import Context
from runner.cli.options import EXIT
from runner.cli.recipients import name_recipients
from runner.clock import new_run_id
from runner.declare.address_search import is_address
from runner.declare.project import suggest_name
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.settings import Settings, load_all_settings
from runner.declare.settings_editor import set_settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.git.pushing import ci_job_url
from runner.git.repository import Repository, find_repository
from runner.ledger import opening
from runner.ledger.facts import Facts
from runner.ledger.history import sent_revisions
from runner.ledger.known_hosts import own_remote_url
from runner.ledger.ledger import Ledger
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.opening import LedgerReading
from runner.ledger.record import RunOrigin
from runner.managed_path import managed_path
from runner.privacy import mark_private
from runner.report import plain_text
from runner.report.problem_text import join_names
from runner.report.recipients import NO_NAMES
from runner.report.terminal_text import one_line
from runner.shown_command import shown_command

# In this order. GitHub's first name is of the person who ran a job again, the second of the one who ran it first.
_ACTOR_VARIABLES = ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")
_MAX_ACTOR = 80  # characters
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]{1,300}")  # without @: no credentials


def read_ledger(context: Context, *, refuses: bool = True) -> LedgerReading:
    """Reads the ledger without a lock, and prints warnings about torn lines and duplicates.

    Prints a note if apply would refuse this ledger, unless `refuses` leaves that to the caller. Raises GuardRefused,
    then also if msgrun.yaml names a ledger that is nowhere; LedgerUnavailable.
    """
    reading = opening.read_ledger(context.ledger)
    _print_warnings(context, reading.facts)
    if refuses and reading.refusal:
        if not (reading.exists or len(reading.facts)):
            raise reading.refusal
        context.output.note(str(reading.refusal), reading.refusal.hint)
    return reading


@contextlib.contextmanager
def open_ledger(context: Context, command: str) -> Iterator[Ledger]:
    """Opens the current ledger to write, and prints the same warnings. Raises GuardRefused, LedgerUnavailable."""
    new_lock, no_fetch = context.options.new_lock, context.options.no_fetch
    with opening.open_ledger(context.ledger, command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _print_warnings(context, ledger.facts)
        ledger_id = context.header_of(ledger.facts).ledger
        if new_lock and ledger_id and not (context.settings.ledger_id or context.options.sandbox):
            context.output.note(f"add to msgrun.yaml, so that no other ledger is used by accident: ledger: {ledger_id}")
        yield ledger


def warn_of_same_workspace(context: Context, workspace: str, messages: AbstractSet[str]) -> list[str]:
    """Returns a warning for each lockfile of another environment that has sent some messages in the workspace, too."""
    warnings = []
    for settings in load_all_settings(context.tree).values():
        address = settings.lock
        if isinstance(address, LockfileAddress) and address != context.ledger.address:
            facts = Facts()
            with contextlib.suppress(LedgerUnavailable, GuardRefused):  # a ledger that this run does not write
                facts.read_file(managed_path(context.tree.root, address.path), address.path)
                has_workspace = facts.headers.merged(settings.salt).workspace == workspace
                sent = sorted(messages & {name for name, _ in sent_revisions(facts)}) if has_workspace else []
                if sent:
                    what = f"{address.path} has {join_names(sent)} as sent from workspace {workspace}, too"
                    warnings.append(f"{what}: who got it there gets it again")
    return warnings


def require_known_name(context: Context, facts: Facts, name: str | None) -> None:
    """Raises UsageMistake if neither the ledger nor a declaration has a message of this name; None is every message."""
    if name is None or name in (recorded := facts.message_names()):
        return
    try:
        declarations = context.load_project().declarations
    except ProblemsFound:
        declarations = ()
    declared = {declaration.name for declaration in declarations}
    if is_address(name):
        status = shown_command("status", name if context.output.show_values else "ADDRESS")
        raise UsageMistake(
            mark_private(name) + " is a recipient, not a message", f"for what this recipient got: {status}"
        )
    if name not in declared:
        hint = suggest_name(name, declarations, sorted({*declared, *recorded}))
        raise UsageMistake(f"no message is named {name}, and the ledger knows none", hint)


def exit_code_of(facts: Facts) -> int:
    """Returns the exit code of a command that has done its work: a ledger with duplicates is reported by each."""
    return EXIT.guard if facts.duplicates() else EXIT.done


def refuse_lockfile(context: Context) -> None:
    """Raises GuardRefused if the ledger is a lockfile: the disk of a CI job is lost with the job."""
    address, repository = context.ledger.address, context.ledger.repository
    if isinstance(address, LockfileAddress) and not context.options.sandbox:
        remote = (repository.main_remote if repository else "") or "origin"
        raise GuardRefused(
            f"the ledger is the file {address.path}, which is lost with the disk of this CI job. The next job would"
            " send everything again",
            f"move it to a branch of the git remote: {context.ledger.command} lock move git+{remote}; or, if the disk"
            " outlives the job: --lockfile-in-ci",
        )


def require_valid_address(context: Context, lock: str) -> None:
    """Raises UsageMistake if msgrun.yaml cannot be written with this address, or is not valid then."""
    ledger_id = context.settings.ledger_id or new_run_id()
    try:
        text, _ = _edit_settings(context, ledger_id, lock)
        _load_from_text(text)
    except ProblemsFound as error:  # not at a place of the file, which has no such line
        problem = error.problems[0]
        if problem.code == "shared-lock":
            raise UsageMistake(f"{lock} is the lockfile of another environment", "name another file") from error
        raise UsageMistake(problem.message, problem.hint) from error


def save_current_ledger(context: Context, ledger_id: str, lock: str | None = None) -> None:
    """Writes to msgrun.yaml which ledger is current: its id, its address if `lock` is given, and the remote to ask.

    Prints what was written. Does nothing if msgrun.yaml says so already. Raises UsageMistake.
    """
    text, changes = _edit_settings(context, ledger_id, lock)
    path = managed_path(context.tree.root, SETTINGS_FILE)
    try:
        if changes:
            write_atomically(path, [text.encode()])
    except OSError as error:
        raise UsageMistake(f"{SETTINGS_FILE} cannot be written: {error.strerror}", f"write to it: {changes}") from error
    for name, value in changes.items():
        why = "; apply asks there, in every clone and fork, whether the ledger moved" if name == "remote" else ""
        context.output.sentence(one_line(f"wrote {name}: {value} to {SETTINGS_FILE}{why}"))


def save_remote(context: Context) -> None:
    """Writes `remote:` to msgrun.yaml if the ledger is a lockfile and the clone has one remote, and prints it.

    A fork that moves the lockfile then marks it on this remote too. In CI, where msgrun.yaml is not committed, nothing
    is written.
    """
    repository = context.ledger.repository
    is_lockfile = isinstance(context.ledger.address, LockfileAddress)
    if repository is None or not is_lockfile or context.settings.remote or os.environ.get("CI"):
        return
    if len((repository.try_git("remote") or "").split()) == 1:
        try:
            save_current_ledger(context, context.settings.ledger_id)
        except UsageMistake as error:
            context.output.note(f"{error.message}: {error.hint}")


def _edit_settings(context: Context, ledger_id: str, lock: str | None) -> tuple[str, dict[str, str]]:
    """Returns the new text of msgrun.yaml, and the values in it that change, by name. Raises UsageMistake."""
    settings, environment, remote = context.settings, context.options.environment, own_remote_url(context.ledger)
    own = {"ledger": ledger_id} if settings.ledger_id != ledger_id else {}
    if lock is not None and context.ledger.parse(lock) != settings.lock:
        own = {"lock": lock, **own}
    project = {"remote": remote} if remote and not settings.remote else {}
    path = managed_path(context.tree.root, SETTINGS_FILE)
    try:
        text = path.read_bytes().decode() if path.exists() else ""
    except OSError as error:
        raise UsageMistake(f"{SETTINGS_FILE} cannot be read: {error.strerror}") from error
    for name, values in ((environment, own), (None, project)):
        text = set_settings(text, name, values) if values else text
    kept = _find_inherited_addresses(context, text) if "lock" in own and environment is None else {}
    for name, address in kept.items():
        text = set_settings(text, name, {"lock": address})
    return text, {**own, **project, **{f"environments.{name}.lock": address for name, address in kept.items()}}


def _find_inherited_addresses(context: Context, text: str) -> dict[str, str]:
    """Returns the present address of each environment that would look elsewhere with this text of msgrun.yaml.

    Its ledger does not move with that of the project. An environment that has no ledger yet may follow. Raises
    ProblemsFound.
    """
    addresses, after = {}, _load_from_text(text)
    for name, settings in load_all_settings(context.tree).items():
        if name is None or after[name].lock == settings.lock:
            continue
        is_file = isinstance(settings.lock, LockfileAddress)
        if not is_file or settings.ledger_id or (context.tree.root / settings.lock.setting).exists():
            addresses[name] = settings.lock.setting
    return addresses


def _load_from_text(text: str) -> dict[str | None, Settings]:
    """Returns the settings of every environment, from the text of msgrun.yaml. Raises ProblemsFound."""
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        (Path(folder) / SETTINGS_FILE).write_bytes(text.encode())
        return load_all_settings(Tree(Path(folder)))


def _print_warnings(context: Context, facts: Facts) -> None:
    duplicates = [state.record for state in facts.duplicates()[: plain_text.MAX_LISTED]]
    recipients = name_recipients(context, facts, duplicates) if duplicates else NO_NAMES
    show_values = context.output.show_values
    for line in plain_text.format_ledger_warnings(facts, recipients, show_values=show_values):
        context.output.message(line)


def find_run_origin(root: Path) -> RunOrigin:
    """Returns who runs msgrun in the project at `root`: as CI names the actor, else the user.name of git.

    An email address is left out: it has no place in a ledger.
    """
    repository = _find_repository(root)
    actor = next((value for name in _ACTOR_VARIABLES if (value := os.environ.get(name))), "")
    if not actor and repository and not os.environ.get("CI"):
        actor = repository.try_git("config", "user.name") or ""
    actor = "".join(character for character in actor if character.isprintable()).strip()[:_MAX_ACTOR]
    url = ci_job_url(os.environ)
    commit = (repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") or "") if repository else ""
    return RunOrigin("" if "@" in actor else actor, url if _URL.fullmatch(url) else "", commit)


def _find_repository(root: Path) -> Repository | None:
    try:
        return find_repository(root.resolve())
    except LedgerUnavailable:  # the sandbox needs no git; a ledger that does has refused already
        return None
