"""Which hosts a command may contact as a ledger: those that the base commit or a person named.

The author of a pull request can change `lock:`. If a plan contacted that address, its host would get the password from
the environment, and could answer that every message was sent already.
"""

from collections.abc import Callable
from shlex import quote

from runner.errors import GuardRefused
from runner.git.repository import Repository
from runner.ledger.context import DeclaredLedger, LedgerContext


def require_known_host(context: LedgerContext) -> None:
    """Raises GuardRefused if the address names a host that neither the base commit's `lock:` nor a person named.

    A person names it in MSGRUN_LOCK, or in `lock move`. Raises LedgerUnavailable if the remote is needed and does not
    answer.
    """
    if context.trusts_host or not context.address.has_host:
        return
    if is_reviewed(context, lambda base: base.address == context.address):
        return
    setting = context.address.setting
    raise GuardRefused(
        f"lock: names a ledger that the base commit does not, so it is not asked: {context.address.display_name}",
        "commit msgrun.yaml and merge it first: git push; or, if you trust that host:"
        f" MSGRUN_LOCK={quote(setting)} before the command",
    )


def is_reviewed(context: LedgerContext, names_it: Callable[[DeclaredLedger], bool]) -> bool:
    """Returns whether msgrun.yaml of the base commit passes a test.

    Also where there is neither a remote nor a ref to compare with, so no commits of others.
    """
    repository = context.repository
    if repository is None or not (context.base_ref or repository.relevant_remotes()):
        return True
    declared = find_base_ledger(context, repository)
    return declared is not None and names_it(declared)


def find_base_ledger(context: LedgerContext, repository: Repository) -> DeclaredLedger | None:
    """Returns the ledger that msgrun.yaml of the base commit declares; None without a base commit or a ledger in it.

    Raises LedgerUnavailable if the remote is needed and does not answer.
    """
    base = _base_commit(context, repository)
    return context.declared_at(repository, base) if base else None


def _base_commit(context: LedgerContext, repository: Repository) -> str:
    """Returns the commit that the commits under review are based on; empty if there is none.

    It is the merge base of HEAD and the ref of `--against`, or without that option the default branch; without a merge
    base, that ref itself. Raises LedgerUnavailable if the remote is needed and does not answer.
    """
    ref = context.base_ref or _default_branch(repository)
    return repository.try_git("merge-base", ref, "HEAD") or repository.try_git("rev-parse", ref) or ""


def _default_branch(repository: Repository) -> str:
    """Returns a ref or commit of the default branch: from this clone, else fetched from the remote, else HEAD."""
    remote = repository.relevant_remotes()[-1]
    head_ref = f"refs/remotes/{remote}/HEAD"
    if repository.try_git("rev-parse", "--verify", "--quiet", f"{head_ref}^{{commit}}"):
        return head_ref
    branch = repository.list_remote_refs(remote, "HEAD")[1]
    return (repository.fetch(remote, branch) if branch else None) or "HEAD"
