"""Which git remotes know of a project's ledger: those of the clone, and the one that `remote:` of msgrun.yaml names."""

from urllib.parse import urlsplit

from runner.git.repository import Repository
from runner.ledger.context import LedgerContext
from runner.ledger.known_hosts import is_reviewed
from runner.ledger.lock_address import has_credentials


def find_remotes(context: LedgerContext) -> tuple[tuple[str, ...], str]:
    """Returns the clone's remotes to ask, and the one that all clones share; empty if there is none.

    That is the repository which `remote:` of msgrun.yaml names: a remote of the clone, or its URL if that was reviewed.
    A clone of a fork has another origin.
    """
    repository, url = context.repository, context.declared.remote
    names = () if repository is None else repository.relevant_remotes()
    if url:
        for name in names:
            if repository and is_same_repository(repository, name, url):
                return names, name
        if is_reviewed(context, lambda base: base.remote == url):
            return names, url
    return names, names[-1] if names else ""


def is_same_repository(repository: Repository, remote: str, url: str) -> bool:
    """Returns whether a remote of a clone is the repository at a URL, by any protocol and any name of the host."""
    return _path_of(_url(repository, remote)) == _path_of(url)


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
    if url.startswith("/"):
        return f"file://{url}"
    is_path = "://" not in url and ":" not in url.partition("/")[0]
    return "" if is_path or has_credentials(url) else url


def _url(repository: Repository, remote: str) -> str:
    return repository.try_git("remote", "get-url", remote) or ""


def _path_of(url: str) -> str:
    """Returns the path of a URL of git, e.g. acme/mail: the same by https and ssh, and by another name of the host."""
    is_short = "://" not in url and ":" in url.partition("/")[0]  # git@host:path
    return (url.partition(":")[2] if is_short else urlsplit(url).path).strip("/").removesuffix(".git")
