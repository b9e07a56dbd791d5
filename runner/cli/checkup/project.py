"""Checks of the installation, the project's files, git and the ledger, and of what reconcile will need."""

import filecmp
import importlib.util
import os
import platform
from collections import Counter
from dataclasses import replace
from pathlib import Path
from shlex import quote

from runner import __version__
from runner.cli.context import Context
from runner.cli.pauses import find_pause
from runner.cli.scaffold import REQUIRED_LINES, find_missing_lines
from runner.declare.project import Project
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.schema import SCHEMA_NAMES, schema_path
from runner.declare.settings import Settings
from runner.declare.tree import Tree
from runner.errors import GuardRefused, LedgerUnavailable, UsageMistake
from runner.git.process import GitFailed
from runner.git.pushing import failure_reason, is_permanent_failure
from runner.git.repository import Repository, find_repository
from runner.ledger.lock_address import BranchAddress, DatabaseAddress, LockfileAddress
from runner.ledger.opening import LedgerReading, read_ledger, require_current
from runner.report.checkup_text import Check
from runner.report.problem_text import list_first, pluralize
from runner.shown_command import shown_command, shown_git

_MAX_NAMED = 3  # messages
_COUNT_COMMITS = ("rev-list", "--left-right", "--count", "HEAD...@{upstream}")  # ahead, a tab, behind
_EXTRAS = {"sql": "duckdb", "postgres": "psycopg"}  # the package that each of them installs
_PROBE_REF = "refs/heads/msgrun-doctor"  # never created: the push is a dry run


def check_installation(settings: Settings, project: Project) -> list[Check]:
    """Returns the checks of the version and of the extras."""
    version = f"msgrun {__version__}, Python {platform.python_version()}"
    return [Check("version", "ok", version), _check_extras(settings, project)]


def _check_extras(settings: Settings, project: Project) -> Check:
    installed = [extra for extra, package in _EXTRAS.items() if importlib.util.find_spec(package)]
    missing = [extra for extra in _EXTRAS if extra not in installed]
    if isinstance(settings.lock, DatabaseAddress) and "postgres" in missing:
        return Check("extras", "fail", "the ledger needs msgrun[postgres]", "pip install 'msgrun[postgres]'")
    needed = [problem for problem in project.problems if problem.code == "needs-extra"]
    if needed:
        return Check("extras", "fail", f"{needed[0].place.path} needs another package", needed[0].hint)
    parts = [f"{', '.join(installed)} installed"] if installed else []
    if missing:
        parts.append(f"{', '.join(missing)} not installed, and not needed")
    return Check("extras", "ok", "; ".join(parts))


def check_project(context: Context, project: Project) -> Check:
    """Returns the check of the declarations, without the rows of their audiences."""
    errors = sum(problem.is_error for problem in project.problems)
    if errors:
        return Check("project", "fail", f"{pluralize(errors, 'problem')} in the files", shown_command("validate"))
    has_settings = (context.tree.root / SETTINGS_FILE).exists()
    without = "" if has_settings else f", without a {SETTINGS_FILE}"
    detail = f"{pluralize(len(project.declarations), 'message')}{without}"
    if not project.declarations:
        return Check("project", "warn", f"no message is declared{without}", shown_command("new", "NAME"))
    return Check("project", "ok", detail)


def check_pauses(context: Context) -> Check:
    """Returns the check whether something puts off what would be sent now: a hold or quiet hours."""
    try:
        reason = find_pause(context)
    except GuardRefused as error:  # the file that holds is a link
        return Check("sending", "fail", str(error.message), error.hint)
    if reason:
        return Check("sending", "warn", str(reason.message), reason.hint)
    hours = context.settings.quiet_hours
    return Check("sending", "ok", f"not now in quiet hours: {hours}" if hours else "no HOLD, no quiet hours")


def check_schemas(root: Path) -> Check:
    """Returns the check of the copies of the schemas, which editors read."""
    paths = {name: root / "schema" / f"{name}.schema.json" for name in SCHEMA_NAMES}
    copies = {name: path for name, path in paths.items() if path.is_file()}
    outdated = [name for name, path in copies.items() if not filecmp.cmp(path, schema_path(name), shallow=False)]
    if outdated:
        files = ", ".join(f"schema/{name}.schema.json" for name in outdated)
        fix = " && ".join(f"{shown_command('schema', name)} > schema/{name}.schema.json" for name in outdated)
        return Check("schemas", "warn", f"not those of this msgrun: {files}", fix)
    names = ", ".join(f"{name}.schema.json" for name in copies)
    return Check("schemas", "ok", f"up to date in schema/: {names}" if copies else "no copies for editors in schema/")


def check_git(root: Path) -> Check:
    """Returns the check of git: what is not committed, what was not pulled, and how lockfiles are merged."""
    try:
        repository = find_repository(root.resolve())
        return _check_repository(repository, root) if repository else _NO_GIT
    except (LedgerUnavailable, UsageMistake) as error:
        return Check("git", "fail", str(error.message), error.hint)


_NO_GIT = Check("git", "warn", "not a git repository: nothing keeps what was sent, or who changed what", "git init")


def _check_repository(repository: Repository, root: Path) -> Check:
    for name in REQUIRED_LINES:
        if find_missing_lines(Tree(root), name):
            return Check("git", "warn", f"{name} lacks a line that msgrun needs", shown_command("init"))
    prefix = repository.relative_path(root) or "."
    pathspec = ("--", f":(top,literal){prefix}") if prefix != "." else ()
    # Without optional locks git does not refresh its index, so this changes nothing.
    status = os.fsdecode(repository.git("--no-optional-locks", "status", "--porcelain", *pathspec))
    branch = repository.try_git("symbolic-ref", "--quiet", "--short", "HEAD") or "no branch"
    if changed := len(status.splitlines()):
        commit = f"{shown_git('add', '.')} && {shown_git('commit')}"
        return Check("git", "warn", f"{pluralize(changed, 'change')} not committed, on {branch}", commit)
    ahead, _, behind = (repository.try_git(*_COUNT_COMMITS) or "0\t0").partition("\t")
    if behind != "0":
        detail = f"{branch} lacks {pluralize(int(behind), 'commit')} of its upstream, as last fetched"
        return Check("git", "warn", detail, shown_git("pull"))
    not_pushed = f", {pluralize(int(ahead), 'commit')} not pushed" if ahead != "0" else ""
    return Check("git", "ok", f"everything is committed, on {branch}{not_pushed}")


def check_reconcile(context: Context, project: Project) -> Check:
    """Returns the check whether reconcile could find what became of a delivery whose answer was lost."""
    if not context.settings.can_open_conversation:
        detail = f"api_version {context.settings.api_version} opens no conversations: a person settles what is unknown"
        return Check("reconcile", "warn", detail, f'write api_version: "2.14" into {SETTINGS_FILE}')
    without = [declaration.name for declaration in project.declarations if not declaration.opens_conversation]
    if not without:
        return Check("reconcile", "ok", "every message opens a conversation, by which it is found if an answer is lost")
    if "no-conversation" in context.settings.lint.ignore:
        return Check(
            "reconcile", "ok", f"{len(without)} open no conversation, as lint.ignore of {SETTINGS_FILE} allows"
        )
    names = list_first(without[:_MAX_NAMED], len(without))
    detail = f"no conversation is opened by {names}: if an answer is lost, a person has to settle it"
    return Check("reconcile", "warn", detail, "add create_conversation_without_contact_reply: true to the message")


def check_ledger(context: Context) -> tuple[LedgerReading | None, list[Check]]:
    """Returns the records of the ledger, None if they cannot be read, and the checks."""
    notes: list[str] = []
    try:
        reading = read_ledger(replace(context.ledger, report=notes.append))
    except (GuardRefused, LedgerUnavailable) as error:
        unread = Check("ledger write", "skip", "the ledger is not read")
        return None, [Check("ledger", "fail", str(error.message), error.hint), unread]
    return reading, [_check_current(context, reading, notes), _check_writable(context)]


def _check_current(context: Context, reading: LedgerReading, notes: list[str]) -> Check:
    """Returns the check whether apply would accept the ledger, and then that of its state."""
    try:
        require_current(context.ledger, reading)
    except (GuardRefused, LedgerUnavailable) as error:
        return Check("ledger", "fail", str(error.message), error.hint)
    return _check_state(context, reading, notes)


def _check_state(context: Context, reading: LedgerReading, notes: list[str]) -> Check:
    name, facts = context.ledger.address.display_name, reading.facts
    is_lockfile_in_ci = isinstance(context.ledger.address, LockfileAddress) and os.environ.get("CI")
    if duplicates := facts.duplicates():
        fix = shown_command("resolve", duplicates[0].record.key[:12], "--duplicate")
        return Check("ledger", "fail", f"{len(duplicates)} deliveries went out twice", f"settle it, then {fix}")
    if is_lockfile_in_ci and not context.options.sandbox:
        detail = f"{name} is a file, and the disk of a CI job is lost with the job"
        move = f"{context.ledger.command} lock move git+origin"
        return Check("ledger", "fail", detail, f"{move}; or, if the disk outlives the job: apply --lockfile-in-ci")
    if not reading.exists and not context.options.sandbox:
        return Check("ledger", "warn", f"{name} is not started yet", context.ledger.begin_command)
    if facts.torn_lines:
        return Check("ledger", "warn", f"{name} has torn lines", shown_command("lock", "verify"))
    counts: Counter[str] = Counter()
    for group, number in facts.counts().items():
        counts[group.status] += number
    parts = [f"{counts[status]:,} {status}" for status in ("sent", "refused", "unknown") if counts[status]]
    detail = f"{name}: {', '.join(parts) or 'nothing sent yet'}"
    if counts["unknown"]:
        return Check("ledger", "warn", detail, shown_command("reconcile"))
    if notes:
        address = context.ledger.address
        fix = f"git ls-remote {quote(address.remote)}" if isinstance(address, BranchAddress) else ""
        return Check("ledger", "warn", notes[0], fix)
    return Check("ledger", "ok", f"{detail}; it is the current one")


def _check_writable(context: Context) -> Check:
    address = context.ledger.address
    if isinstance(address, LockfileAddress):
        path = context.tree.root / address.path
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        if os.access(place, os.W_OK) and os.access(place if place.is_dir() else place.parent, os.W_OK):
            return Check("ledger write", "ok", f"{address.path} can be written")
        return Check("ledger write", "fail", f"{place} may not be written", f"chmod u+w {quote(str(place))}")
    if isinstance(address, BranchAddress):
        return _try_push(context, address)
    return Check("ledger write", "skip", "a database shows that only when a run claims")


def _try_push(context: Context, address: BranchAddress) -> Check:
    """Returns the check whether the remote takes a push. It is a dry run: git connects, signs in, and sends nothing."""
    repository = context.ledger.repository
    commit = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") if repository else None
    if repository is None or not commit:
        return Check("ledger write", "skip", "without a commit no push can be tried")
    try:
        remote = repository.remote_arguments(address.remote)
        repository.git("push", "--dry-run", "--quiet", "--no-verify", *remote, f"{commit}:{_PROBE_REF}")
    except GitFailed as error:
        if not is_permanent_failure(error.output):
            detail = f"{address.remote} does not answer, so apply would send nothing"
            return Check("ledger write", "fail", detail, f"git ls-remote {quote(address.remote)}")
        fix = "let this machine push to the remote; in GitHub Actions: permissions: {contents: write}"
        return Check("ledger write", "fail", f"{address.remote} takes no push: {failure_reason(error)}", fix)
    except LedgerUnavailable as error:
        return Check("ledger write", "fail", str(error.message), f"git remote add {quote(address.remote)} URL")
    detail = f"{address.remote} lets this machine push; rulesets and hooks show only when a run claims"
    return Check("ledger write", "ok", detail)
