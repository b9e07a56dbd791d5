"""Parses `lock:`, the address of the ledger: a file, a branch of a git remote, or a PostgreSQL database.

Each kind of address has the same three properties. `setting` is the value of `lock:`, without a password; it is equal
for equal addresses. `display_name` is its name in messages. `has_host` says whether a host that it names is contacted.
"""

import re
from dataclasses import dataclass
from posixpath import isabs, normpath
from urllib.parse import parse_qsl, unquote, urlsplit

from runner.characters import has_invisible
from runner.errors import UsageMistake
from runner.git.remote_url import is_remote_url


@dataclass(frozen=True, slots=True)
class LockfileAddress:
    """A file, by its path from the project's root."""

    path: str

    @property
    def is_outside(self) -> bool:
        """Whether the path leaves the project."""
        return isabs(self.path) or self.path.startswith("..")

    @property
    def setting(self) -> str:
        """The value of `lock:`. A file named like an address of another kind needs `./` before it."""
        return f"./{self.path}" if self.path.startswith("git+") or may_be_database(self.path) else self.path

    @property
    def display_name(self) -> str:
        """Its name in messages."""
        return self.path

    @property
    def has_host(self) -> bool:
        """Always False: a file is on no host."""
        return False


DEFAULT_BRANCH = "msgrun-ledger"
_GIT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
CREDENTIALS_HINT = (
    "git finds credentials by itself: a credential helper, GITHUB_TOKEN as actions/checkout sets it up, SSH"
)
_GIT_HINT = "git+origin for a remote of this clone, or git+https://host/repository.git; #branch names another branch"


@dataclass(frozen=True, slots=True)
class BranchAddress:
    """A file on a branch of a git remote: the remote's name or URL, the branch's short name, and the file's path."""

    remote: str
    branch: str
    path: str

    @property
    def setting(self) -> str:
        """The value of `lock:`."""
        return f"git+{self.remote}" + ("" if self.branch == DEFAULT_BRANCH else f"#{self.branch}")

    @property
    def display_name(self) -> str:
        """Its name in messages."""
        return f"{self.remote}#{self.branch}:{self.path}"

    @property
    def has_host(self) -> bool:
        """Whether it names a host. The URL behind the name of a git remote is in no file of the project."""
        return "://" in self.remote

    @property
    def ref(self) -> str:
        """The full name of the branch on the remote."""
        return f"refs/heads/{self.branch}"


def _parse_branch_address(lock: str, path: str) -> BranchAddress:
    remote, _, branch = lock.removeprefix("git+").partition("#")
    branch = branch or DEFAULT_BRANCH
    if "://" in remote and has_credentials(remote):
        raise UsageMistake(
            "lock: contains credentials, which anyone who can read the repository can read", CREDENTIALS_HINT
        )
    if not (is_remote_url(remote) if "://" in remote else _GIT_NAME.fullmatch(remote)):
        raise UsageMistake(f"lock: {lock} names no git remote", _GIT_HINT)
    if not _GIT_NAME.fullmatch(branch) or ".." in branch or "//" in branch or branch.endswith(("/", ".", ".lock")):
        raise UsageMistake(f"lock: {branch} cannot be a branch", _GIT_HINT)
    return BranchAddress(remote, branch, path)


def has_credentials(remote: str) -> bool:
    """Returns whether the URL of a git remote may contain a password or a token, also if it lacks its scheme.

    A query counts as a token. The user of an SSH address, as in git@host:path, is not a secret.
    """
    if "://" not in remote:
        user, separator, _ = remote.partition("@")
        return bool(separator) and ":" in user and "/" not in user
    try:
        url = urlsplit(remote)
        _ = url.port  # raises ValueError after a password with a /: what is before the / looks like a port
    except ValueError:
        return "@" in remote
    is_token = bool(url.username) and url.scheme in {"http", "https"}
    return url.password is not None or bool(url.query) or is_token


POSTGRES_SCHEMES = ("postgresql://", "postgres://")
URL_HINT = "write it as postgresql://host/database#schema; see libpq's connection URIs"
_DEFAULT_SCHEMA = "msgrun"  # where `lock:` names none
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Other parameters of libpq make it write, read or run what its files name (sslkeylogfile, passfile, service).
_PARAMETERS = frozenset({
    "application_name", "channel_binding", "connect_timeout", "gssencmode", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts", "options", "password", "port",
    "require_auth", "ssl_min_protocol_version", "sslmode", "sslnegotiation", "sslrootcert", "sslsni",
    "target_session_attrs", "tcp_user_timeout", "user",
})  # fmt: skip
_HOST = r"(?:\[[^]/?#@]*]|[^][:,/?#@]*)(?::\d*)?"  # a port is a number, so that no part of a password is taken for one
_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^:/?#@]*(?P<password>:[^/?#@]*)?@)?(?P<hosts_and_database>{_HOST}(?:,{_HOST})*/[^/?#@]*)"
    r"(?:\?(?P<query>[^#]*))?"
)
_CONNINFO_KEYWORD = re.compile(r"(?i)\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A ledger in a database: what libpq connects to, and the PostgreSQL schema with the tables.

    `hosts_and_database` is the part of the URL without user, password and parameters. msgrun.yaml, which everybody
    reads, must not have a password.
    """

    conninfo: str
    schema: str
    hosts_and_database: str
    has_password: bool = False

    @property
    def setting(self) -> str:
        """The value of `lock:`; with a password only its name in messages."""
        if self.has_password:
            return self.display_name
        return self.conninfo if self.schema == _DEFAULT_SCHEMA else f"{self.conninfo}#{self.schema}"

    @property
    def display_name(self) -> str:
        """Its name in messages, without user and password."""
        return f"postgresql://{self.hosts_and_database}#{self.schema}"

    @property
    def has_host(self) -> bool:
        """Always True."""
        return True


LedgerAddress = LockfileAddress | BranchAddress | DatabaseAddress


@dataclass(frozen=True, slots=True)
class DeclaredLedger:
    """What msgrun.yaml says of an environment's ledger: its address, its id, and the URL of the git remote to ask.

    The id and the URL are empty if msgrun.yaml does not name them.
    """

    address: LedgerAddress
    ledger_id: str = ""
    remote: str = ""


def file_stem(environment: str | None) -> str:
    """Returns what the names of an environment's files begin with; None stands for the unnamed environment."""
    return f"messages.{environment}" if environment else "messages"


def default_lockfile(stem: str) -> LockfileAddress:
    """Returns the lockfile of an environment for which `lock:` names no ledger."""
    return LockfileAddress(f"{stem}.lock")


def parse_address(lock: str, stem: str) -> LedgerAddress:
    """Parses the value of `lock:` or MSGRUN_LOCK; `stem` begins the names of the environment's files.

    Raises UsageMistake. Its message repeats nothing of a database's address: any part may belong to a password.
    """
    if has_invisible(decoded := unquote(lock)) or "\n" in decoded:
        raise UsageMistake("lock: holds an invisible character", "write it again")
    if lock.startswith("git+"):
        return _parse_branch_address(lock, f"{stem}.lock")
    if lock.startswith(POSTGRES_SCHEMES):
        return _parse_database_address(lock)
    if may_be_database(lock):  # libpq's `host=… dbname=…`, or a scheme in capitals
        raise UsageMistake("lock: is not the address of a ledger in a database", URL_HINT)
    if "://" in lock:
        scheme = lock.partition("://")[0]
        raise UsageMistake(
            f"lock: {scheme}: is not a kind of ledger", "a file, git+origin, or postgresql://host/database"
        )
    return LockfileAddress(normpath(lock))


def may_be_database(lock: str) -> bool:
    """Returns whether `lock` is meant as the address of a database, also in a form that is not accepted."""
    return bool(_CONNINFO_KEYWORD.match(lock)) or lock.strip().lower().startswith(POSTGRES_SCHEMES)


def _parse_database_address(lock: str) -> DatabaseAddress:
    conninfo, _, schema = lock.rpartition("#") if "#" in lock else (lock, "", _DEFAULT_SCHEMA)
    if not _SCHEMA_NAME.fullmatch(schema):
        hint = "small letters, digits and underscores; in a user or a password, # is written %23"
        raise UsageMistake("what follows # in lock: is not the name of a schema", hint)
    url = _URL.fullmatch(conninfo)
    if url is None:
        hint = f"{URL_HINT}; in a user or a password, / is written %2F, ? %3F, # %23, @ %40, : %3A"
        raise UsageMistake("lock: is not the address of a database that can be read", hint)
    parameters = {name for name, _ in parse_qsl(url["query"] or "", keep_blank_values=True)}
    if not parameters <= _PARAMETERS:
        hint = "client certificates, password files and services stand in libpq's variables, such as PGSSLCERT"
        raise UsageMistake("lock: has a parameter of a connection that is not taken from there", hint)
    has_password = url["password"] is not None or "password" in parameters
    return DatabaseAddress(conninfo, schema, url["hosts_and_database"], has_password)
