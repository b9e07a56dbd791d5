"""Which hosts a command may ask about the ledger: the one at its address, and the git remotes that know of it.

The base commit or a person named them. The author of a pull request can change `lock:` and `remote:`. If a plan
contacted that address, its host would get the password from the environment, and could answer that every message was
sent already.
"""

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from runner.errors import GuardRefused
from runner.git.remote_url import is_remote_url
from runner.git.repository import Repository
from runner.ledger.context import LedgerContext
from runner.ledger.lock_address import DeclaredLedger, has_credentials


class UnknownHost(GuardRefused):
    """The ledger is on a host that may not be asked."""


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
    raise UnknownHost(
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

    The base is the merge base of HEAD and the ref of `--against`, or without that option the default branch; without a
    merge base, that ref itself. Raises LedgerUnavailable if the remote is needed and does not answer.
    """
    ref = context.base_ref or _default_branch(repository)
    base = repository.try_git("merge-base", ref, "HEAD") or repository.try_git("rev-parse", ref)
    return context.declared_at(repository, base) if base else None


def find_remotes(context: LedgerContext, repository: Repository) -> tuple[tuple[str, ...], str]:
    """Returns the clone's remotes to ask, and the one that all clones share; empty if there is none.

    That is the repository which `remote:` of msgrun.yaml names: a remote of the clone, or its URL if that was reviewed.
    A clone of a fork has another origin.
    """
    names, url = repository.relevant_remotes(), context.declared.remote
    if url:
        for name in names:
            if is_same_repository(repository, name, url):
                return names, name
        if is_reviewed(context, lambda base: base.remote == url):
            return names, url
    return names, names[-1] if names else ""


def is_same_repository(repository: Repository, remote: str, url: str) -> bool:
    """Returns whether a remote of a clone is the repository at a URL, by any protocol and any name of the host."""
    return _path_of(repository, _url(repository, remote)) == _path_of(repository, url)


def refuse_other_push_url(repository: Repository, remote: str) -> None:
    """Raises GuardRefused if a remote of a clone pushes to another repository than it fetches from.

    What this clone claims there, no other clone would read.
    """
    fetch, push = ["remote", "get-url", remote], ["remote", "get-url", "--push", remote]
    push_url = repository.try_git(*push)
    if push_url is None or is_same_repository(repository, remote, push_url):  # None: `remote` is a URL
        return
    raise GuardRefused(
        f"this clone fetches from {remote} and pushes to another repository, so no other clone would see what it sends",
        f'git remote set-url --push {remote} "$(git {" ".join(fetch)})"; or, if both are one repository: git remote'
        f' set-url {remote} "$(git {" ".join(push)})"',
    )


def own_remote_url(context: LedgerContext) -> str:
    """Returns the URL of the clone's main remote without credentials, for `remote:` of msgrun.yaml.

    Empty if there is none that another clone can use too: a relative path, or a password that is not part of https.
    """
    repository = context.repository
    remotes = repository.relevant_remotes() if repository else ()
    if repository is None or not remotes:
        return ""
    url = _url(repository, remotes[-1])
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if url.startswith(("/", "file:///")):  # of `git clone ../mail.git`, git keeps the two dots
        url = f"file://{Path(parts.path).resolve()}"
    return url if is_remote_url(url) and not has_credentials(url) else ""


def _default_branch(repository: Repository) -> str:
    """Returns a ref or commit of the default branch: from this clone, else fetched from the remote, else HEAD."""
    remote = repository.main_remote
    head_ref = f"refs/remotes/{remote}/HEAD"
    if repository.try_git("rev-parse", "--verify", "--quiet", f"{head_ref}^{{commit}}"):
        return head_ref
    commits, branch = repository.list_remote_refs(remote, "HEAD")
    if not branch or "HEAD" not in commits:
        return "HEAD"
    repository.fetch_missing(remote, {branch: commits["HEAD"]})
    return commits["HEAD"]


def _url(repository: Repository, remote: str) -> str:
    return repository.try_git("remote", "get-url", remote) or ""


def _path_of(repository: Repository, url: str) -> str:
    """Returns the path of a URL of git, e.g. acme/mail: the same by https and ssh, and by another name of the host."""
    is_short = "://" not in url and ":" in url.partition("/")[0]  # git@host:path
    path = url.partition(":")[2] if is_short else urlsplit(url).path
    if not is_short and urlsplit(url).scheme in {"", "file"}:
        path = str((repository.toplevel / path).resolve())
    return path.strip("/").removesuffix(".git")
