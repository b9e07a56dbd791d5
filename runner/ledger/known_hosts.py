"""Which hosts a command may contact as a ledger: those that the base commit or a person named.

The author of a pull request can change `lock:`. If a plan contacted that address, its host would get the password from
the environment, and could answer that every message was sent already.
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

    A person names it in MSGRUN_LOCK, or by a command that starts or moves a ledger. Only an address with `://` is
    checked: a lockfile is on no host, and the URL behind the name of a git remote is set in no file of the project.
    An address that passed is added to `context.known_hosts` and not checked again.
    Raises LedgerUnavailable if the remote is needed and does not answer.
    """
    lock = context.settings.lock
    if "://" not in lock or lock in context.known_hosts or lock == os.environ.get("MSGRUN_LOCK"):
        return
    repository = find_repository(context.tree.root.resolve())
    # Without a remote there are no commits of others. A ledger that was used here was started or moved by a person.
    is_known = repository is None or not repository.relevant_remotes() or was_used(context, lock)
    if repository and not is_known:
        base = base_commit(context, repository)
        if not base or _read_lock_at(context, repository, base) != lock:
            shown = redact_password(lock)
            raise GuardRefused(
                f"lock: names a ledger that the base commit {base[:10]} does not, so it is not asked: {shown}",
                f"once merged it is. If you trust its host: MSGRUN_LOCK={shown}. msgrun lock begin or lock import"
                " starts it",
            )
    context.known_hosts.add(lock)


def is_merged(context: Context, repository: Repository, commit: str) -> bool:
    """Whether a commit is the base commit or an ancestor, so its content was reviewed. Raises LedgerUnavailable."""
    base = base_commit(context, repository)
    return bool(base) and repository.try_git("merge-base", "--is-ancestor", commit, base) is not None


def base_commit(context: Context, repository: Repository) -> str:
    """The commit that the commits under review are based on; empty if there is none.

    It is the merge base of HEAD and the ref of `--against`, or without that option the default branch; without a merge
    base, that ref itself.
    Raises LedgerUnavailable if the remote is needed and does not answer.
    """
    ref = context.base_ref or _default_branch(repository)
    return repository.try_git("merge-base", ref, "HEAD") or repository.try_git("rev-parse", ref) or ""


def _default_branch(repository: Repository) -> str:
    """A ref or commit of the default branch: from this clone, else fetched from the remote, else HEAD."""
    remote = repository.relevant_remotes()[-1]
    head_ref = f"refs/remotes/{remote}/HEAD"
    if repository.try_git("rev-parse", "--verify", "--quiet", f"{head_ref}^{{commit}}"):
        return head_ref
    branch = repository.default_branch(remote)
    return (repository.fetch(remote, branch) if branch else None) or "HEAD"


def _read_lock_at(context: Context, repository: Repository, commit: str) -> str:
    """The value of `lock:` of this environment in a commit; empty if its settings are not valid."""
    with tree_at(repository, Commit(commit, commit), context.tree.root.resolve()) as tree:
        try:
            return load_settings(tree, context.options.environment).lock
        except (ProblemsFound, UsageMistake):
            return ""
