"""No pull request makes msgrun ask a host that its repository did not name before, nor send it a password."""

import contextlib
import shlex
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest

from runner.errors import LedgerUnavailable
from runner.ledger.lock_address import DatabaseAddress
from runner.ledger.postgres.connection import Connection
from tests.support.clones import Clone
from tests.support.postgres import Server

# PORT is the one on which the witness listens.
ADDRESSES = [
    "postgresql://127.0.0.1:PORT/x",
    "postgresql://ann@127.0.0.1:PORT/x?sslmode=disable#msgrun",
    "postgres://localhost:PORT/x",
    "postgresql:///x?host=127.0.0.1&port=PORT",
    "postgresql:///x?hostaddr=127.0.0.1&port=PORT",
    "postgresql://127.0.0.1:PORT,127.0.0.2:PORT/x",
    "postgresql://%6c%6f%63%61%6c%68%6f%73%74:PORT/x",
    "git+http://127.0.0.1:PORT/x.git",
    "git+https://127.0.0.1:PORT/x.git",
    "git+ssh://127.0.0.1:PORT/x.git",
    "git+http://127.0.0.1:PORT/x.git#main",
]
AGAINST = ("--against", "origin/main")
COMMANDS = [
    ("plan",), ("plan", *AGAINST), ("lock", "verify"), ("lock", "verify", *AGAINST), ("status",), ("lock", "show"),
    ("lock", "stats"), ("lock", "export"), ("apply", "--yes"), ("reconcile", "--yes"), ("adopt", "first", "--yes"),
]  # fmt: skip


@pytest.fixture
def witness() -> Iterator[tuple[str, list[bytes]]]:
    """A port on this machine, and what every connection to it said first."""
    said: list[bytes] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def listen() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                with link:
                    said.append(link.recv(4096))

        threading.Thread(target=listen, daemon=True).start()
        yield str(listening.getsockname()[1]), said
        listening.shutdown(socket.SHUT_RDWR)


def settings(lock: str) -> str:
    return f'salt: "rehearsal"\nfrom: {{type: admin, id: "394051"}}\nlock: {lock}\n'


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_host_that_only_the_pull_request_names_is_not_asked(
    author: Clone, witness: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    port, said = witness
    monkeypatch.setenv("PGPASSWORD", "correct-horse")
    author.git("checkout", "--quiet", "-b", "request")
    author.write("msgrun.yaml", settings(address.replace("PORT", port)))
    author.commit()
    for command in COMMANDS if address == ADDRESSES[0] else COMMANDS[1:4:2]:  # all of them ask at one place
        ran = author.msgrun(*command)
        assert (ran.code, "is not asked" in ran.err + ran.out) == (5, True), (command, ran.err)
    assert said == []


def test_nor_one_that_a_commit_in_its_middle_names(author: Clone, witness: tuple[str, list[bytes]]) -> None:
    port, said = witness
    before = (author.path / "msgrun.yaml").read_text()
    author.git("checkout", "--quiet", "-b", "request")
    author.write("msgrun.yaml", settings(f"postgresql://127.0.0.1:{port}/x"))
    author.commit()
    author.write("msgrun.yaml", before)
    author.commit()
    for command in COMMANDS:
        author.msgrun(*command)
    assert said == []


def test_nor_one_of_another_environment_or_in_a_shallow_checkout(
    author: Clone, witness: tuple[str, list[bytes]], job: Callable[..., Clone]
) -> None:
    port, said = witness
    lock = f"postgresql://127.0.0.1:{port}/x"
    author.git("checkout", "--quiet", "-b", "request")
    author.write("msgrun.yaml", settings("git+origin") + f"environments:\n  prod: {{lock: {lock}}}\n")
    author.commit()
    author.git("push", "--quiet", "origin", "request")
    for clone in (author, job("job", "request", "request")):
        for command in (("plan",), ("lock", "verify"), ("apply", "--yes")):
            ran = clone.msgrun("-e", "prod", *command)
            assert (ran.code, "is not asked" in ran.err) == (5, True), ran.err
    assert said == []


def test_a_person_may_name_a_new_host_and_once_it_is_merged_everybody_asks_it(
    author: Clone, server: Server, job: Callable[..., Clone]
) -> None:
    author.git("checkout", "--quiet", "-b", "request")
    author.write("msgrun.yaml", settings(server.lock))
    author.commit()
    assert author.msgrun("plan").code == 5
    author.env["MSGRUN_LOCK"] = server.lock
    assert author.msgrun("plan").code == 0
    assert author.msgrun("lock", "begin").code == 0
    del author.env["MSGRUN_LOCK"]
    assert author.msgrun("plan").code == 5
    author.commit()
    author.git("push", "--quiet", "origin", "HEAD:main")
    assert author.msgrun("plan").code == 0
    assert job("job", "main").msgrun("apply", "--yes").code == 0
    assert len(author.sent()) == 3


def test_the_ref_of_against_is_the_base(author: Clone, server: Server) -> None:
    author.git("checkout", "--quiet", "-b", "release")
    author.write("msgrun.yaml", settings(server.lock))
    author.commit()
    author.env["MSGRUN_LOCK"] = server.lock
    assert author.msgrun("lock", "begin").code == 0
    del author.env["MSGRUN_LOCK"]
    author.commit()
    author.git("checkout", "--quiet", "-b", "request")
    assert author.msgrun("plan", "--against", "origin/main").code == 5
    assert author.msgrun("plan", "--against", "release").code == 0


OTHERS = [
    "postgresql://db.example.com/x", "postgresql://ann@203.0.113.7/x", "postgresql://[2001:db8::7]:5432/x",
    "postgresql://127.0.0.1,db.example.com/x", "postgresql:///x?host=db.example.com", "postgresql:///x?hostaddr=203.0.113.7",
    "postgresql://localhost/x?hostaddr=203.0.113.7", "postgresql://%64b.example.com/x", "postgresql://localhost.example.com/x",
    "postgresql://127.0.0.1.example.com/x",
]  # fmt: skip
OURS = [
    "postgresql:///x", "postgresql://localhost/x", "postgresql://127.0.0.1:5433/x", "postgresql://[::1]/x",
    "postgresql:///x?host=/var/run/postgresql", "postgresql://%2Ftmp/x",
]  # fmt: skip
CERTIFICATES = ssl.get_default_verify_paths().cafile or certifi.where()


def connected(address: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What libpq is given for an address."""
    import psycopg  # noqa: PLC0415  # as the module under test
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415  # likewise

    given: list[str] = []

    def connect(conninfo: str, **_: object) -> None:
        given.append(conninfo)
        raise psycopg.OperationalError("not today")

    monkeypatch.setattr(psycopg.Connection, "connect", connect)
    with pytest.raises(Exception, match="not today"):
        Connection(DatabaseAddress(address, "msgrun", "shown"), retry_seconds=0).fetch_rows("SELECT 1")
    return {name: str(value) for name, value in conninfo_to_dict(given[0]).items()}


@pytest.mark.parametrize("address", OTHERS)
def test_another_machine_has_to_prove_who_it_is_and_gets_no_password_in_clear(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = connected(address, monkeypatch)
    assert (given["sslmode"], given["sslrootcert"], given["require_auth"]) == (
        "verify-full",
        CERTIFICATES,
        "scram-sha-256",
    )


@pytest.mark.parametrize("address", OURS)
def test_this_machine_needs_no_certificate(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not {"sslmode", "sslrootcert", "require_auth"} & connected(address, monkeypatch).keys()


def test_the_address_and_the_environment_may_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    given = connected("postgresql://db/x?sslmode=verify-ca&sslrootcert=/etc/db.crt&require_auth=password", monkeypatch)
    assert (given["sslmode"], given["sslrootcert"], given["require_auth"]) == ("verify-ca", "/etc/db.crt", "password")
    assert "sslrootcert" not in connected("postgresql://db/x?sslmode=require", monkeypatch)
    assert connected("postgresql://db/x?sslmode=verify-full", monkeypatch)["sslrootcert"] == CERTIFICATES
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/db.crt")
    monkeypatch.setenv("PGREQUIREAUTH", "md5")
    given = connected("postgresql://db/x", monkeypatch)
    assert (given["sslmode"], "sslrootcert" in given, "require_auth" in given) == ("verify-full", False, False)
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert "sslmode" not in connected("postgresql://db/x", monkeypatch)
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.delenv("PGSSLMODE")
    assert connected("postgresql:///x", monkeypatch)["sslmode"] == "verify-full"


class Front:
    """A server before PostgreSQL that speaks TLS, if it has a certificate, and else as the network path of an attacker.

    `said` is all that clients sent to it in clear.
    """

    def __init__(self, to: int, certificate: Path | None) -> None:
        self.to, self.certificate, self.said = to, certificate, b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self.listening.accept()[:1], daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError), link:
            self.said += link.recv(8)  # SSLRequest
            if not self.certificate:
                link.sendall(b"N")
                self.said += link.recv(4096)
                link.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")  # AuthenticationCleartextPassword
                self.said += link.recv(4096)
                return
            link.sendall(b"S")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.certificate.with_name("key"))
            with (
                context.wrap_socket(link, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", self.to)) as real,
            ):
                threading.Thread(target=self._copy, args=(real, secure), daemon=True).start()
                self._copy(secure, real)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of db.test that signs itself; its key is beside it."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=db.test -addext subjectAltName=DNS:db.test"
    subprocess.run(
        [*shlex.split(command), "-keyout", "key", "-out", "cert"], cwd=folder, check=True, capture_output=True
    )
    return folder / "cert"


@pytest.fixture
def front(server: Server, certificate: Path) -> Iterator[Front]:
    made = Front(server.port, certificate)
    yield made
    made.close()


def rows(address: str) -> object:
    connection = Connection(DatabaseAddress(address, "msgrun", "shown"), retry_seconds=0)
    try:
        return connection.fetch_rows("SELECT 1")
    finally:
        connection.close()


def test_a_server_with_a_certificate_of_a_known_authority_is_trusted_by_its_own_name(
    server: Server, front: Front, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", str(certificate))
    tail = f".test:{front.port}/{server.database}?hostaddr=127.0.0.1&user=msgrun&require_auth=none"
    assert rows(f"postgresql://db{tail}") == [(1,)]
    with pytest.raises(LedgerUnavailable, match="does not match host name"):
        rows(f"postgresql://evil{tail}")
    monkeypatch.delenv("PGSSLROOTCERT")
    with pytest.raises(LedgerUnavailable, match="certificate verify failed") as refused:
        rows(f"postgresql://db{tail}")
    assert "sslrootcert=" in refused.value.hint
    with pytest.raises(LedgerUnavailable, match="SSL"):
        rows(f"postgresql://db.test:{server.port}/{server.database}?hostaddr=127.0.0.1&user=msgrun")


@pytest.mark.parametrize("more", ["", "&sslmode=prefer", "&sslmode=disable", "&sslmode=allow", "&sslmode=require"])
def test_a_server_in_between_that_asks_for_the_password_in_clear_does_not_get_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    front = Front(server.port, None)
    monkeypatch.setenv("PGPASSWORD", "correct-horse")
    with pytest.raises(LedgerUnavailable):
        rows(f"postgresql://db.test:{front.port}/x?hostaddr=127.0.0.1&user=msgrun&gssencmode=disable{more}")
    assert front.said
    assert b"correct-horse" not in front.said
    front.close()
