"""Finds the ledgers that `lock:` named before, and reads their records."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from runner.cli.context import Context
from runner.compare.commit_tree import Commit, tree_at
from runner.declare.settings import SETTINGS_FILE, load_settings
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger, redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.known_hosts import is_merged, require_known_host
from runner.ledger.lockfile.files import read_lockfile
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.moves.last_used import last_used

# HEAD shows a change of lock: that is not committed yet, HEAD^ one that the newest commit made.
RECENT_REFS = ("HEAD", "HEAD^")


@dataclass(frozen=True, slots=True)
class PreviousLedger:
    """A ledger that `lock:` named before: in the commit `hash`, or, without a hash, in the last run in this folder."""

    lock: str
    source: str  # the name of the commit, or of the run, in messages
    repository: Repository | None = None
    hash: str = ""


def find_previous_ledgers(
    context: Context, *, offline: bool = False, all_commits: bool = False
) -> Iterator[PreviousLedger]:
    """The ledgers that `lock:` named before instead of the current one, except for moves between two lockfiles.

    It reads msgrun.yaml of the last two commits, or with `all_commits` of HEAD and before each change of the file. If
    the file is not committed as it is, the ledger of the last run in this folder is included. In a shallow clone of one
    commit, the second one is fetched, unless `offline`. There are none in the sandbox, or with MSGRUN_LOCK.
    Raises LedgerUnavailable if the clone is shallow and `all_commits` are needed.
    """
    root = context.tree.root.resolve()
    if context.options.sandbox or os.environ.get("MSGRUN_LOCK"):
        return  # a variable that names the ledger names it for every commit
    repository, path = find_repository(root), root / SETTINGS_FILE
    settings_path = repository.relative_path(path) if repository else None
    current_content = path.read_bytes() if path.exists() else None
    if not (repository and settings_path and _is_committed(repository, settings_path, current_content)):
        lock = last_used(context)
        if lock and is_ledger_move(context, lock):
            yield PreviousLedger(lock, "in the last run here")
    if repository and settings_path:
        yield from _find_in_commits(
            context, repository, settings_path, current_content, offline=offline, all_commits=all_commits
        )


def _find_in_commits(
    context: Context,
    repository: Repository,
    settings_path: str,
    current_content: bytes | None,
    *,
    offline: bool,
    all_commits: bool,
) -> Iterator[PreviousLedger]:
    """The ledgers that commits name; `settings_path` is relative to the top of the work tree."""
    if all_commits:
        require_full_clone(context, repository)
    if not (offline or all_commits) and not repository.ensure_parent("HEAD"):
        context.output.note(
            "this shallow clone ends with its newest commit, so the ledger that lock: named before that is not asked:"
            " fetch-depth: 2"
        )
    parents_of_changes = (
        (repository.try_git("log", "--format=%h^", "--", f":(top){settings_path}") or "").split() if all_commits else []
    )
    contents = set()
    for ref in ("HEAD", *parents_of_changes) if all_commits else RECENT_REFS:
        commit = repository.try_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if (
            not commit
            or (content := repository.read_blob(commit, settings_path)) == current_content
            or content in contents
        ):
            continue
        contents.add(content)
        lock = lock_setting_at(context, Commit(ref, commit), repository)
        if is_ledger_move(context, lock):
            yield PreviousLedger(lock, ref, repository, commit)


def require_full_clone(context: Context, repository: Repository) -> None:
    """Raises LedgerUnavailable if the clone is shallow."""
    if repository.is_shallow:
        raise LedgerUnavailable(
            "this clone is shallow, and an older commit may have or name a ledger that knows what was sent",
            "git fetch --unshallow; or, if nothing ever was, name the ledger yourself: "
            f"{no_previous_ledger_hint(context)}",
        )


def _is_committed(repository: Repository, settings_path: str, current_content: bytes | None) -> bool:
    head = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return head is not None and repository.read_blob(head, settings_path) == current_content


def is_ledger_move(context: Context, lock: str) -> bool:
    """Whether `lock` is not the current ledger, and at least one of the two is a branch or a database."""
    return lock != context.settings.lock and (is_shared_ledger(lock) or is_shared_ledger(context.settings.lock))


def read_previous_ledger(context: Context, previous: PreviousLedger) -> Facts:
    """The records of a previous ledger. A lockfile that a commit named is read as it is in that commit.

    Raises GuardRefused or LedgerUnavailable if it cannot be read.
    """
    previous_context = replace(context, settings=replace(context.settings, lock=previous.lock))
    if is_shared_ledger(previous.lock):
        if not previous.repository or is_merged(context, previous.repository, previous.hash):
            context.known_hosts.add(previous.lock)
        try:
            require_known_host(previous_context)
        except GuardRefused as error:
            raise LedgerUnavailable(error.message, error.hint) from error
        facts = location_of(previous_context).read()
        facts.merged_header(context.settings.salt)
        return facts
    if not previous.repository:
        return read_lockfile(lockfile_paths(previous_context))
    path, facts = previous.repository.relative_path(context.tree.root / previous.lock), Facts()
    facts.read(
        (previous.repository.read_blob(previous.hash, path) if path else None) or b"",
        f"{previous.hash[:10]}:{previous.lock}",
    )
    return facts


def no_previous_ledger_hint(context: Context) -> str:
    """The setting of MSGRUN_LOCK with which the user states that there is no previous ledger."""
    return f"MSGRUN_LOCK={redact_password(context.settings.lock)}"


def lock_setting_at(context: Context, commit: Commit, repository: Repository) -> str:
    """The value of `lock:` in a commit; the current one if the settings of that commit are not valid."""
    root = context.tree.root.resolve()
    lock = os.environ.get("MSGRUN_LOCK") or None
    with tree_at(repository, commit, root) as tree:
        try:
            return load_settings(tree, context.options.environment, lock=lock).lock
        except (ProblemsFound, UsageMistake):  # reported where the settings of the two commits are compared
            return context.settings.lock
