"""Where a PostgreSQL ledger is: `postgresql://host/database#schema`, everything before the # as libpq reads it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from runner.errors import LedgerUnavailable

SCHEMES = ("postgresql://", "postgres://")


AS_URL = "write it as postgresql://host/database#schema; see libpq's connection URIs"


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
    shown: str


def is_postgres(lock: str) -> bool:
    """Whether `lock:` names a database."""
    return lock.startswith(SCHEMES)


def is_conninfo(lock: str) -> bool:
    """Whether `lock:` has libpq's other form, `host=… dbname=…`, or a scheme that only looks like one of ours."""
    return bool(_KEYWORD.match(lock)) or (lock.strip().lower().startswith(SCHEMES) and not is_postgres(lock))


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
