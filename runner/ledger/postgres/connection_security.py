"""Secure defaults for libpq: how a remote server must prove its identity, and how a password may be sent to it."""

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import certifi

# With SCRAM, the answer to a challenge reveals the password only to a server that knows it already.
_AUTH_METHODS = "scram-sha-256"


def add_secure_defaults(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters for libpq, with the strictest defaults if the server is on another machine.

    Values of the address and of libpq's environment variables stay as they are. If only a service file names the host,
    its values decide.
    Source: PostgreSQL's documentation of libpq, "Parameter Key Words" and "SSL Support".
    """
    if all(_is_local(host) for host in _hosts(parameters)):
        return dict(parameters)
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE") or "verify-full"
    defaults = {} if os.environ.get("PGSSLMODE") else {"sslmode": mode}
    if not os.environ.get("PGREQUIREAUTH"):
        defaults["require_auth"] = _AUTH_METHODS
    has_root_certificate = os.environ.get("PGSSLROOTCERT") or (Path.home() / ".postgresql/root.crt").exists()
    if mode == "verify-full" and not has_root_certificate:
        # Not sslrootcert=system: the OpenSSL in psycopg's wheels looks for it in a folder of the build machine.
        defaults["sslrootcert"] = ssl.get_default_verify_paths().cafile or certifi.where()
    return {**defaults, **parameters}


def _hosts(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yields every host that libpq may connect to."""
    for name in ("host", "hostaddr"):
        hosts = parameters.get(name) or os.environ.get(f"PG{name.upper()}") or ""
        yield from str(hosts).split(",")


def _is_local(host: str) -> bool:
    """Returns whether a host is this machine: no host, the folder of a socket, localhost, or a loopback address."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
