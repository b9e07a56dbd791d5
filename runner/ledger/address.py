"""Parses `lock:`, the address of the ledger: a file, a branch of a git remote, or a PostgreSQL database."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from runner.errors import LedgerUnavailable, UsageMistake


def redact_password(lock: str) -> str:
    """Returns `lock` without its password. The variable MSGRUN_LOCK may contain one."""
    return parse_database_address(lock).display_name if is_postgres(lock) and has_password(lock) else lock


DEFAULT_BRANCH = "msgrun-ledger"
_GIT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_GIT_SCHEMES = {"https", "http", "ssh", "file"}
_GIT_HINT = "git+origin for a remote of this clone, or git+https://host/repository.git; #branch names another branch"


@dataclass(frozen=True, slots=True)
class BranchAddress:
    """A file on a branch of a git remote: the remote's name or URL, the branch's short name, and the file's path."""

    remote: str
    branch: str
    path: str

    def __str__(self) -> str:
        return f"{self.remote}#{self.branch}:{self.path}"

    @property
    def ref(self) -> str:
        """The full name of the branch on the remote."""
        return f"refs/heads/{self.branch}"

    @property
    def cache_ref(self) -> str:
        """The ref of this clone that has what was last fetched.

        One flat name: refs for the branches `a` and `a/b` would otherwise be in each other's way.
        """
        return f"refs/msgrun/{quote(f'{self.remote}#{self.branch}', safe='').replace('.', '%2E').replace('~', '%7E')}"

    @property
    def pushed_ref(self) -> str:
        """The ref of this clone that has what it pushed since the last fetch, without the history."""
        return self.cache_ref.replace("refs/msgrun/", "refs/msgrun/kept/")

    @property
    def removed_ref(self) -> str:
        """The ref of this clone that has records that it once read and that the remote no longer has."""
        return self.cache_ref.replace("refs/msgrun/", "refs/msgrun/aside/")


def parse_branch_address(lock: str, path: str) -> BranchAddress:
    """Parses `lock: git+…`; `path` is the file on the branch. Raises UsageMistake."""
    remote, _, branch = lock.removeprefix("git+").partition("#")
    branch = branch or DEFAULT_BRANCH
    url = _split_git_url(remote) if "://" in remote else None
    if url and (url.password is not None or url.query or (url.username and url.scheme in {"http", "https"})):
        hint = "git finds credentials by itself: a credential helper, GITHUB_TOKEN as actions/checkout sets it up, SSH"
        raise UsageMistake("lock: holds credentials, and is in git for everybody to read", hint)
    if not (url.scheme in _GIT_SCHEMES and url.path if url else _GIT_NAME.fullmatch(remote)):
        raise UsageMistake(f"lock: {lock} names no git remote", _GIT_HINT)
    if not _GIT_NAME.fullmatch(branch) or ".." in branch or "//" in branch or branch.endswith(("/", ".", ".lock")):
        raise UsageMistake(f"lock: {branch} cannot be a branch", _GIT_HINT)
    return BranchAddress(remote, branch, path)


def _split_git_url(remote: str) -> SplitResult:
    """Splits the URL of a git remote. Raises UsageMistake if it has no host, or one that is not valid."""
    try:
        url = urlsplit(remote)
        is_valid = url.scheme == "file" or (bool(url.hostname) and url.port != 0)
    except ValueError:  # brackets without an address between them, or a port that is not a number
        is_valid = False
    if not is_valid:
        raise UsageMistake("lock: names no git remote: its URL has no valid host", _GIT_HINT)
    return url


POSTGRES_SCHEMES = ("postgresql://", "postgres://")
URL_HINT = "write it as postgresql://host/database#schema; see libpq's connection URIs"
_DEFAULT_SCHEMA = "msgrun"  # where `lock:` names none
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PASSWORD_PARAMETER = re.compile(r"(?i)(password|secret)\s*=\s*[^\s&]")
_HOSTS_AND_DATABASE = re.compile(r"[^:]*(:\d+)?(,[^:]*(:\d+)?)*/.*")  # hosts with or without ports, and a database
_CONNINFO_KEYWORD = re.compile(r"(?i)\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The address of a ledger in a database.

    `conninfo` is what libpq connects to, `schema` the PostgreSQL schema with the tables, and `display_name` the name of
    both in messages, without any credential.
    """

    conninfo: str
    schema: str
    display_name: str


def is_postgres(lock: str) -> bool:
    """Returns whether `lock` is the address of a database."""
    return lock.startswith(POSTGRES_SCHEMES)


def is_conninfo(lock: str) -> bool:
    """Returns whether `lock` has a form that is not accepted: libpq's `host=… dbname=…`, or a scheme in capitals."""
    return bool(_CONNINFO_KEYWORD.match(lock)) or (
        lock.strip().lower().startswith(POSTGRES_SCHEMES) and not is_postgres(lock)
    )


def parse_database_address(lock: str) -> DatabaseAddress:
    """Parses `lock: postgresql://…`.

    Raises LedgerUnavailable. Its message repeats nothing of `lock`, because any part may belong to a password.
    """
    conninfo, _, schema = lock.rpartition("#") if "#" in lock else (lock, "", _DEFAULT_SCHEMA)
    if not _SCHEMA_NAME.fullmatch(schema):
        hint = "small letters, digits and underscores; in a user or a password, # is written %23"
        raise LedgerUnavailable("what follows # in lock: is no name of a schema", hint)
    user, hosts_and_database = _split_user(conninfo)
    if user is None or "/" in user:  # libpq would read a part of the password as a port, and print it in its error
        hint = "in a user or a password, / is written %2F, ? %3F, # %23, @ %40"
        raise LedgerUnavailable("lock: is no address of a database that can be read", hint)
    return DatabaseAddress(conninfo, schema, f"postgresql://{hosts_and_database}#{schema}")


def has_password(lock: str) -> bool:
    """Returns whether `lock` may contain a password, in any spelling. msgrun.yaml, which everybody reads, must not."""
    user, _ = _split_user(lock)
    return user is None or ":" in user or bool(_PASSWORD_PARAMETER.search(unquote(lock)))


def _split_user(url: str) -> tuple[str | None, str]:
    """Splits a connection URL into the user, with any password, and the rest: the hosts and the database.

    The user is None if it is not certain where it ends.
    """
    address, _, query = url.partition("://")[2].partition("?")
    user, _, hosts_and_database = address.rpartition("@")
    is_doubtful = (
        "@" in query
        and not user
        and ":" in hosts_and_database
        and not _HOSTS_AND_DATABASE.fullmatch(hosts_and_database)
    )
    return None if is_doubtful else user, hosts_and_database


def is_shared_ledger(lock: str) -> bool:
    """Returns whether `lock` is the address of a ledger that is not a file on this machine."""
    return "://" in lock or lock.startswith("git+")
