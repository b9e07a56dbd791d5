"""Which ledgers `lock:` named before, and what they know."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from runner.cli.context import Session
from runner.compare.commit_tree import Commit, tree_at
from runner.declare.settings import SETTINGS_FILE, load_settings
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_elsewhere, redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.known_hosts import is_merged, require_known_host
from runner.ledger.lockfile.files import read_lockfile
from runner.ledger.lockfile.location import places
from runner.ledger.moves.last_used import last_used

FORMER = ("HEAD", "HEAD^")  # a change of lock: that is not committed yet, and one that just was


@dataclass(frozen=True, slots=True)
class Before:
    """A ledger that `lock:` named before: in the commit `hash`, or, without one, in the last run of this folder."""

    lock: str
    at: str  # what to call the commit, or the run
    repository: Repository | None = None
    hash: str = ""


def seen_before(here: Session, *, offline: bool = False, ever: bool = False) -> Iterator[Before]:
    """What else `lock:` named in the last two commits, or in any: another kind, or another place.

    Of a msgrun.yaml that is in no commit as it is, also what it named in the last run of this folder. Of a clone that
    ends before the second commit, that one is fetched, unless `offline`. Raises LedgerUnavailable if a clone does not
    have what was `ever`.
    """
    root = here.tree.root.resolve()
    if here.options.sandbox or os.environ.get("MSGRUN_LOCK"):
        return  # a variable that names the ledger names it for every commit
    repository, path = find_repository(root), root / SETTINGS_FILE
    settings = repository.relative_path(path) if repository else None
    now = path.read_bytes() if path.exists() else None
    if not (repository and settings and _is_committed(repository, settings, now)):
        named = last_used(here)
        if named and is_move(here, named):
            yield Before(named, "in the last run here")
    if repository and settings:
        yield from _committed(here, repository, settings, now, offline=offline, ever=ever)


def _committed(
    here: Session, repository: Repository, settings: str, now: bytes | None, *, offline: bool, ever: bool
) -> Iterator[Before]:
    """`settings`: msgrun.yaml from the work tree's top; `now`: as it is."""
    if ever:
        reaches_back(here, repository)
    if not (offline or ever) and not repository.ensure_parent("HEAD"):
        here.screen.note(
            "this shallow clone ends with its newest commit, so the ledger that lock: named before that is not asked:"
            " fetch-depth: 2"
        )
    changes = (repository.try_git("log", "--format=%h^", "--", f":(top){settings}") or "").split() if ever else []
    seen = set()
    for ref in ("HEAD", *changes) if ever else FORMER:
        base = repository.try_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if not base or (then := repository.read_blob(base, settings)) == now or then in seen:
            continue
        seen.add(then)
        named = lock_at(here, Commit(ref, base), repository)
        if is_move(here, named):
            yield Before(named, ref, repository, base)


def reaches_back(here: Session, repository: Repository) -> None:
    """Raises LedgerUnavailable if the clone does not have all commits."""
    if repository.is_shallow:
        raise LedgerUnavailable(
            "this clone is shallow, and an older commit may have or name a ledger that knows what was sent",
            f"git fetch --unshallow; or, if nothing ever was, name the ledger yourself: {left_hint(here)}",
        )


def _is_committed(repository: Repository, settings: str, now: bytes | None) -> bool:
    head = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return head is not None and repository.read_blob(head, settings) == now


def is_move(here: Session, named: str) -> bool:
    """Whether the ledger of now is of another kind than this one, or elsewhere."""
    return named != here.settings.lock and (is_elsewhere(named) or is_elsewhere(here.settings.lock))


def former(here: Session, before: Before) -> Facts:
    """What a ledger of before knows; a lockfile that a commit named, what it knew in that commit.

    Raises GuardRefused, LedgerUnavailable, if it cannot be read.
    """
    then = replace(here, settings=replace(here.settings, lock=before.lock))
    if is_elsewhere(before.lock):
        if not before.repository or is_merged(here, before.repository, before.hash):
            here.known_hosts.add(before.lock)
        try:
            require_known_host(then)
        except GuardRefused as error:
            raise LedgerUnavailable(error.message, error.hint) from error
        facts = home(then).read()
        facts.merged_header(here.settings.salt)
        return facts
    if not before.repository:
        return read_lockfile(places(then))
    path, facts = before.repository.relative_path(here.tree.root / before.lock), Facts()
    facts.read(
        (before.repository.read_blob(before.hash, path) if path else None) or b"", f"{before.hash[:10]}:{before.lock}"
    )
    return facts


def left_hint(here: Session) -> str:
    """How to say that no ledger was before."""
    return f"MSGRUN_LOCK={redact_password(here.settings.lock)}"


def lock_at(here: Session, commit: Commit, repository: Repository) -> str:
    """What `lock:` named as a commit has it."""
    root = here.tree.root.resolve()
    lock = os.environ.get("MSGRUN_LOCK") or None
    with tree_at(repository, commit, root) as tree:
        try:
            return load_settings(tree, here.options.environment, lock=lock).lock
        except (ProblemsFound, UsageMistake):  # told where the two are compared
            return here.settings.lock
