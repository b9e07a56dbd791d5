"""Which ledgers a command may ask: those that the base commit names, and those that a person named.

The author of a pull request writes its `lock:`. If a plan asked that address, its host would get the password of the
environment, and could answer that everything was sent already.
"""

import os

from runner.cli.context import Context
from runner.compare.commit_tree import Commit, tree_at
from runner.declare.settings import load_settings
from runner.errors import GuardRefused, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import redact_password
from runner.ledger.moves.last_used import was_used


def require_known_host(context: Context) -> None:
    """Raises GuardRefused if `lock:` names a host that neither the base commit nor a person named.

    Asked once for each ledger. The base commit is where HEAD left the ref of `--against`, or else the default branch. A
    lockfile is on no host, and where a remote of the clone is, no file of the project says. LedgerUnavailable if the
    remote is needed, and does not answer.
    """
    lock = context.settings.lock
    if "://" not in lock or lock in context.known_hosts or lock == os.environ.get("MSGRUN_LOCK"):
        return
    repository = find_repository(context.tree.root.resolve())
    # No commits of others, or a person began or moved the ledger in this clone.
    is_known = repository is None or not repository.relevant_remotes() or was_used(context, lock)
    if repository and not is_known:
        base = base_commit(context, repository)
        if not base or _named_at(context, repository, base) != lock:
            shown = redact_password(lock)
            raise GuardRefused(
                f"lock: names a ledger that the base commit {base[:10]} does not, so it is not asked: {shown}",
                f"once merged it is. If you trust its host: MSGRUN_LOCK={shown}. msgrun lock begin or lock import"
                " starts it",
            )
    context.known_hosts.add(lock)


def is_merged(context: Context, repository: Repository, commit: str) -> bool:
    """Whether a commit is part of the base, so that what it names was reviewed. Raises LedgerUnavailable."""
    base = base_commit(context, repository)
    return bool(base) and repository.try_git("merge-base", "--is-ancestor", commit, base) is not None


def base_commit(context: Context, repository: Repository) -> str:
    """The commit that the ones under review are based on; empty if there is none. Raises LedgerUnavailable."""
    ref = context.base_ref or _default_branch(repository)
    return repository.try_git("merge-base", ref, "HEAD") or repository.try_git("rev-parse", ref) or ""


def _default_branch(repository: Repository) -> str:
    """The default branch of the remote as this clone knows it, or else as the remote has it."""
    remote = repository.relevant_remotes()[-1]
    known = f"refs/remotes/{remote}/HEAD"
    if repository.try_git("rev-parse", "--verify", "--quiet", f"{known}^{{commit}}"):
        return known
    branch = repository.default_branch(remote)
    return (repository.fetch(remote, branch) if branch else None) or "HEAD"


def _named_at(context: Context, repository: Repository, commit: str) -> str:
    """What `lock:` of this environment names in a commit; empty where it has no valid settings."""
    with tree_at(repository, Commit(commit, commit), context.tree.root.resolve()) as tree:
        try:
            return load_settings(tree, context.options.environment).lock
        except (ProblemsFound, UsageMistake):
            return ""
