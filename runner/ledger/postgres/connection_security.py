"""How a server on another machine has to prove who it is, and how a password may be sent to it."""

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import certifi

# Only a server that knows it already can make anything of the answer to a SCRAM challenge.
_METHODS = "scram-sha-256"


def add_secure_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of libpq, the strictest by default where the server is on another machine.

    What the address or a variable of libpq says stays as it is. Where a service file alone names the host, it decides.
    Source: PostgreSQL's documentation of libpq, "Parameter Key Words" and "SSL Support".
    """
    if all(_is_here(host) for host in _hosts(given)):
        return dict(given)
    mode = given.get("sslmode") or os.environ.get("PGSSLMODE") or "verify-full"
    defaults = {} if os.environ.get("PGSSLMODE") else {"sslmode": mode}
    if not os.environ.get("PGREQUIREAUTH"):
        defaults["require_auth"] = _METHODS
    has_root = os.environ.get("PGSSLROOTCERT") or (Path.home() / ".postgresql/root.crt").exists()
    if mode == "verify-full" and not has_root:
        # Not sslrootcert=system: the OpenSSL in psycopg's wheels looks for it in a folder of its own.
        defaults["sslrootcert"] = ssl.get_default_verify_paths().cafile or certifi.where()
    return {**defaults, **given}


def _hosts(given: Mapping[str, Any]) -> Iterator[str]:
    """Every host that a connection may be tried at."""
    for name in ("host", "hostaddr"):
        hosts = given.get(name) or os.environ.get(f"PG{name.upper()}") or ""
        yield from str(hosts).split(",")


def _is_here(host: str) -> bool:
    """Whether a host is this machine: none is, a socket's folder, localhost, or an address of the loopback."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
