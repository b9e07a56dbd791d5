"""Which ledgers `lock:` named before, and what they know."""

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

RECENT_REFS = ("HEAD", "HEAD^")  # a change of lock: that is not committed yet, and one that just was


@dataclass(frozen=True, slots=True)
class PreviousLedger:
    """A ledger that `lock:` named before: in the commit `hash`, or, without one, in the last run of this folder."""

    lock: str
    source: str  # what to call the commit, or the run
    repository: Repository | None = None
    hash: str = ""


def find_previous_ledgers(
    context: Context, *, offline: bool = False, all_commits: bool = False
) -> Iterator[PreviousLedger]:
    """What else `lock:` named in the last two commits, or in any: another kind, or another place.

    Of a msgrun.yaml that is in no commit as it is, also what it named in the last run of this folder. Of a clone that
    ends before the second commit, that one is fetched, unless `offline`. Raises LedgerUnavailable if a clone does not
    have what was `ever`.
    """
    root = context.tree.root.resolve()
    if context.options.sandbox or os.environ.get("MSGRUN_LOCK"):
        return  # a variable that names the ledger names it for every commit
    repository, path = find_repository(root), root / SETTINGS_FILE
    settings = repository.relative_path(path) if repository else None
    now = path.read_bytes() if path.exists() else None
    if not (repository and settings and _is_committed(repository, settings, now)):
        named = last_used(context)
        if named and is_ledger_move(context, named):
            yield PreviousLedger(named, "in the last run here")
    if repository and settings:
        yield from _committed(context, repository, settings, now, offline=offline, ever=all_commits)


def _committed(
    context: Context, repository: Repository, settings: str, now: bytes | None, *, offline: bool, ever: bool
) -> Iterator[PreviousLedger]:
    """`settings`: msgrun.yaml from the work tree's top; `now`: as it is."""
    if ever:
        require_full_clone(context, repository)
    if not (offline or ever) and not repository.ensure_parent("HEAD"):
        context.output.note(
            "this shallow clone ends with its newest commit, so the ledger that lock: named before that is not asked:"
            " fetch-depth: 2"
        )
    changes = (repository.try_git("log", "--format=%h^", "--", f":(top){settings}") or "").split() if ever else []
    seen = set()
    for ref in ("HEAD", *changes) if ever else RECENT_REFS:
        base = repository.try_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if not base or (then := repository.read_blob(base, settings)) == now or then in seen:
            continue
        seen.add(then)
        named = lock_setting_at(context, Commit(ref, base), repository)
        if is_ledger_move(context, named):
            yield PreviousLedger(named, ref, repository, base)


def require_full_clone(context: Context, repository: Repository) -> None:
    """Raises LedgerUnavailable if the clone does not have all commits."""
    if repository.is_shallow:
        raise LedgerUnavailable(
            "this clone is shallow, and an older commit may have or name a ledger that knows what was sent",
            "git fetch --unshallow; or, if nothing ever was, name the ledger yourself: "
            f"{no_previous_ledger_hint(context)}",
        )


def _is_committed(repository: Repository, settings: str, now: bytes | None) -> bool:
    head = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return head is not None and repository.read_blob(head, settings) == now


def is_ledger_move(context: Context, named: str) -> bool:
    """Whether the ledger of now is of another kind than this one, or elsewhere."""
    return named != context.settings.lock and (is_shared_ledger(named) or is_shared_ledger(context.settings.lock))


def read_previous_ledger(context: Context, before: PreviousLedger) -> Facts:
    """What a ledger of before knows; a lockfile that a commit named, what it knew in that commit.

    Raises GuardRefused, LedgerUnavailable, if it cannot be read.
    """
    then = replace(context, settings=replace(context.settings, lock=before.lock))
    if is_shared_ledger(before.lock):
        if not before.repository or is_merged(context, before.repository, before.hash):
            context.known_hosts.add(before.lock)
        try:
            require_known_host(then)
        except GuardRefused as error:
            raise LedgerUnavailable(error.message, error.hint) from error
        facts = location_of(then).read()
        facts.merged_header(context.settings.salt)
        return facts
    if not before.repository:
        return read_lockfile(lockfile_paths(then))
    path, facts = before.repository.relative_path(context.tree.root / before.lock), Facts()
    facts.read(
        (before.repository.read_blob(before.hash, path) if path else None) or b"", f"{before.hash[:10]}:{before.lock}"
    )
    return facts


def no_previous_ledger_hint(context: Context) -> str:
    """How to say that no ledger was before."""
    return f"MSGRUN_LOCK={redact_password(context.settings.lock)}"


def lock_setting_at(context: Context, commit: Commit, repository: Repository) -> str:
    """What `lock:` named as a commit has it."""
    root = context.tree.root.resolve()
    lock = os.environ.get("MSGRUN_LOCK") or None
    with tree_at(repository, commit, root) as tree:
        try:
            return load_settings(tree, context.options.environment, lock=lock).lock
        except (ProblemsFound, UsageMistake):  # told where the two are compared
            return context.settings.lock
