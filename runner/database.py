"""Where a PostgreSQL ledger is: `postgresql://host/database#schema`, everything before the # as libpq reads it."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from runner.errors import LedgerUnavailable

SCHEMES = ("postgresql://", "postgres://")
_SCHEMA = "msgrun"  # where none is named
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SECRETS = {"password", "sslpassword"}


@dataclass(frozen=True, slots=True)
class Address:
    """What libpq connects to, the PostgreSQL schema with the tables, and what to call both without any credential."""

    conninfo: str
    schema: str
    shown: str


def is_postgres(lock: str) -> bool:
    """Whether `lock:` names a database."""
    return lock.startswith(SCHEMES)


def address(lock: str) -> Address:
    """What `lock:` says. Raises LedgerUnavailable."""
    conninfo, _, schema = lock.partition("#")
    schema = schema or _SCHEMA
    if not _NAME.fullmatch(schema):
        raise LedgerUnavailable(f"#{schema} is no name of a schema", "small letters, digits and underscores")
    parts = urlsplit(conninfo)
    hosts = parts.netloc.rpartition("@")[2]
    return Address(conninfo, schema, f"postgresql://{hosts}{parts.path}#{schema}")


def has_password(lock: str) -> bool:
    """Whether `lock:` of a file that everybody reads says a password."""
    parts = urlsplit(lock.partition("#")[0])
    user = parts.netloc.rpartition("@")[0]
    return ":" in user or any(name in _SECRETS for name, _ in parse_qsl(parts.query))
