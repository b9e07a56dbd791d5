"""Where `lock:` says that the ledger is: a file, a branch of a git remote, or a PostgreSQL database."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from runner.errors import LedgerUnavailable, UsageMistake


def redact_password(lock: str) -> str:
    """What `lock:` says, without a password, which MSGRUN_LOCK may hold."""
    return parse_database_address(lock).display_name if is_postgres(lock) and has_password(lock) else lock


DEFAULT_BRANCH = "msgrun-ledger"


_GIT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")


_GIT_SCHEMES = {"https", "http", "ssh", "file"}


_GIT_HINT = "git+origin for a remote of this clone, or git+https://host/repository.git; #branch names another branch"


@dataclass(frozen=True, slots=True)
class BranchAddress:
    """Where the file is: a remote's name or URL, a branch there (its short name), and the path on the branch."""

    remote: str
    branch: str
    path: str

    def __str__(self) -> str:
        return f"{self.remote}#{self.branch}:{self.path}"

    @property
    def ref(self) -> str:
        """The branch on the remote."""
        return f"refs/heads/{self.branch}"

    @property
    def cache_ref(self) -> str:
        """Where this clone keeps what it fetched last; one flat name, which is no other branch's folder."""
        return f"refs/msgrun/{quote(f'{self.remote}#{self.branch}', safe='').replace('.', '%2E').replace('~', '%7E')}"

    @property
    def pushed_ref(self) -> str:
        """Where it keeps what it pushed since, without its history."""
        return self.cache_ref.replace("refs/msgrun/", "refs/msgrun/kept/")

    @property
    def removed_ref(self) -> str:
        """Where it keeps what it knew and the remote has no more."""
        return self.cache_ref.replace("refs/msgrun/", "refs/msgrun/aside/")


def parse_branch_address(lock: str, path: str) -> BranchAddress:
    """The address that `lock: git+…` means. Raises UsageMistake."""
    remote, _, branch = lock.removeprefix("git+").partition("#")
    branch = branch or DEFAULT_BRANCH
    url = _git_url(remote) if "://" in remote else None
    if url and (url.password is not None or url.query or (url.username and url.scheme in {"http", "https"})):
        hint = "git finds credentials by itself: a credential helper, GITHUB_TOKEN as actions/checkout sets it up, SSH"
        raise UsageMistake("lock: holds credentials, and is in git for everybody to read", hint)
    if not (url.scheme in _GIT_SCHEMES and url.path if url else _GIT_NAME.fullmatch(remote)):
        raise UsageMistake(f"lock: {lock} names no git remote", _GIT_HINT)
    if not _GIT_NAME.fullmatch(branch) or ".." in branch or "//" in branch or branch.endswith(("/", ".", ".lock")):
        raise UsageMistake(f"lock: {branch} cannot be a branch", _GIT_HINT)
    return BranchAddress(remote, branch, path)


def _git_url(remote: str) -> SplitResult:
    """The parts of a URL. Raises UsageMistake if it has no host, or one that cannot be."""
    try:
        url = urlsplit(remote)
        is_valid = url.scheme == "file" or (bool(url.hostname) and url.port != 0)
    except ValueError:  # of brackets without an address between them, or a port that is no number
        is_valid = False
    if not is_valid:
        raise UsageMistake("lock: names no git remote: its URL has no valid host", _GIT_HINT)
    return url


POSTGRES_SCHEMES = ("postgresql://", "postgres://")


URL_HINT = "write it as postgresql://host/database#schema; see libpq's connection URIs"


_SCHEMA = "msgrun"  # where none is named


_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


_SECRET = re.compile(r"(?i)(password|secret)\s*=\s*[^\s&]")


_PLACE = re.compile(r"[^:]*(:\d+)?(,[^:]*(:\d+)?)*/.*")  # hosts with or without ports, and a database


_KEYWORD = re.compile(r"(?i)\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """What libpq connects to, the PostgreSQL schema with the tables, and what to call both without any credential."""

    conninfo: str
    schema: str
    display_name: str


def is_postgres(lock: str) -> bool:
    """Whether `lock:` names a database."""
    return lock.startswith(POSTGRES_SCHEMES)


def is_conninfo(lock: str) -> bool:
    """Whether `lock:` has libpq's other form, `host=… dbname=…`, or a scheme that only looks like one of ours."""
    return bool(_KEYWORD.match(lock)) or (lock.strip().lower().startswith(POSTGRES_SCHEMES) and not is_postgres(lock))


def parse_database_address(lock: str) -> DatabaseAddress:
    """What `lock:` says. Raises LedgerUnavailable, which repeats nothing that may be part of a password."""
    conninfo, _, schema = lock.rpartition("#") if "#" in lock else (lock, "", _SCHEMA)
    if not _NAME.fullmatch(schema):
        hint = "small letters, digits and underscores; in a user or a password, # is written %23"
        raise LedgerUnavailable("what follows # in lock: is no name of a schema", hint)
    user, place = _parts(conninfo)
    if user is None or "/" in user:  # libpq would take a part of the password for a port, and say so
        hint = "in a user or a password, / is written %2F, ? %3F, # %23, @ %40"
        raise LedgerUnavailable("lock: is no address of a database that can be read", hint)
    return DatabaseAddress(conninfo, schema, f"postgresql://{place}#{schema}")


def has_password(lock: str) -> bool:
    """Whether `lock:` of a file that everybody reads says a password, however it is spelt."""
    user, _ = _parts(lock)
    return user is None or ":" in user or bool(_SECRET.search(unquote(lock)))


def _parts(url: str) -> tuple[str | None, str]:
    """Who connects, None if nobody can tell, and the hosts and the database."""
    before, _, query = url.partition("://")[2].partition("?")
    user, _, place = before.rpartition("@")
    is_doubtful = "@" in query and not user and ":" in place and not _PLACE.fullmatch(place)
    return None if is_doubtful else user, place


def is_shared_ledger(lock: str) -> bool:
    """Whether `lock:` names something else than a file."""
    return "://" in lock or lock.startswith("git+")
