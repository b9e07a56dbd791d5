"""A hostile PostgreSQL server. It passes on what a real one answers, up to a message from which it does as it likes."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.lock_address import DatabaseAddress, parse_address
from runner.ledger.postgres import bounded_connection, connection
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.record import Header, Record, salt_check
from tests.support.postgres import Server

MIB = 1024 * 1024
RECORD = Record(key="0" * 32, attempt="A-0", status="claimed", message="seed", revision=1, plan="p" * 20)
Attack = Callable[[socket.socket], None]


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


def row(*cells: bytes) -> bytes:
    return message(
        b"D", struct.pack("!H", len(cells)) + b"".join(struct.pack("!I", len(cell)) + cell for cell in cells)
    )


def send_again_and_again(part: bytes, pause: float = 0.0) -> Attack:
    def send(link: socket.socket) -> None:
        while True:
            link.sendall(part)
            time.sleep(pause)

    return send


def be_silent(link: socket.socket) -> None:
    link.recv(1)  # libpq sends no more before it has an answer
    link.recv(1)


def send_large(kind: bytes, head: bytes) -> Attack:
    """Returns what sends one message of 900 MB."""

    def send(link: socket.socket) -> None:
        link.sendall(kind + struct.pack("!I", 900_000_000) + head)
        send_again_and_again(b"y" * 65536)(link)

    return send


DRIP = send_again_and_again(b"x", 0.01)
HEADER = row(b"", salt_check("").encode(), b"", b"0", b"", b"")
LARGE_CELL = struct.pack("!HI", 6, 899_999_990)
SLOW = {
    # what the client has asked, the server's message that is the last honest one, and what follows
    "silent after a statement": (b"SET search_path", b"", be_silent),
    "silent in the headers": (b"FROM headers", b"T", be_silent),
    "silent before the records": (b"COPY", b"", be_silent),
    "silent in the records": (b"COPY", b"H", be_silent),
    "silent after the records": (b"COPY", b"c", be_silent),
    "a byte at a time of a header": (b"FROM headers", b"T", lambda link: (link.sendall(b"D\0\1\0\0"), DRIP(link))),
    "a byte at a time of a record": (b"COPY", b"H", lambda link: (link.sendall(b"d\0\1\0\0"), DRIP(link))),
    "headers, slowly": (b"FROM headers", b"T", send_again_and_again(HEADER, 0.01)),
    "records, slowly": (b"COPY", b"H", send_again_and_again(message(b"d", b"\n"), 0.01)),
    "notices": (b"FROM headers", b"T", send_again_and_again(message(b"N", b"SNOTICE\0Mm\0\0"), 0.01)),
    "values of settings": (b"COPY", b"", send_again_and_again(message(b"S", b"a\0b\0"), 0.01)),
}
LARGE = {
    "a cell of a header": (b"FROM headers", b"T", send_large(b"D", LARGE_CELL)),
    "a cell of the snapshot": (b"pg_current_snapshot", b"T", send_large(b"D", struct.pack("!HI", 1, 899_999_990))),
    "a record": (b"COPY", b"H", send_large(b"d", b"")),
    "a notice": (b"COPY", b"", send_large(b"N", b"SNOTICE\0M")),
    "an error": (b"FROM headers", b"T", send_large(b"E", b"SERROR\0M")),
    "rows where one is expected": (b"pg_current_snapshot", b"T", send_again_and_again(row(b"1:1:") * 1000)),
    "rows of a statement that has none": (b"BEGIN", b"T", send_again_and_again(row(b"1:1:") * 1000)),
}


class Front:
    """Listens before a PostgreSQL, and attacks once `attack` is set.

    The attack begins when the client has sent `question`, after the next message of kind `after`, or before the
    answer if that is empty.
    """

    def __init__(self, port: int) -> None:
        self.attack: tuple[bytes, bytes, Attack] | None = None
        self._real_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", self._real_port)) as far:
            asked = threading.Event()
            threading.Thread(target=self._ask, args=(near, far, asked), daemon=True).start()
            answers = far.makefile("rb")
            while kind := answers.read(1):
                length = answers.read(4)
                content = answers.read(struct.unpack("!I", length)[0] - 4)
                if self.attack and asked.is_set() and not self.attack[1]:
                    self.attack[2](near)
                near.sendall(kind + length + content)
                if self.attack and asked.is_set() and kind == self.attack[1]:
                    self.attack[2](near)

    def _ask(self, near: socket.socket, far: socket.socket, asked: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                if self.attack and self.attack[0] in data:
                    asked.set()
                far.sendall(data)


@pytest.fixture
def front(server: Server) -> Iterator[Front]:
    front = Front(server.port)
    yield front
    front.close()


@pytest.fixture
def ledger(server: Server, front: Front) -> Iterator[PostgresLedger]:
    """A ledger that was read once from an honest server."""
    lock = server.lock.replace(f":{server.port}", f":{front.port}")
    address = parse_address(f"{lock}?sslmode=disable&gssencmode=disable#bounds", "messages")
    assert isinstance(address, DatabaseAddress)
    with contextlib.closing(PostgresLedger(address, "", "one", retry_seconds=0.01)) as ledger:
        ledger.create(Header("", salt_check("")))
        yield ledger
        front.attack = None


def test_a_server_that_is_silent_or_slow_does_not_hold_a_command_up(
    ledger: PostgresLedger, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_connection, "_MAX_ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(connection, "_MAX_WORK_SECONDS", 0.15)
    assert refusals(ledger, front, SLOW) == dict.fromkeys(SLOW, "the server takes too long to answer")
    front.attack = (b"SELECT claim", b"", be_silent)
    with pytest.raises(ClaimsUncertain):
        ledger.commit([], [RECORD])


def test_an_answer_without_end_does_not_fill_the_memory(
    ledger: PostgresLedger, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_connection, "_MAX_ANSWER_BYTES", MIB)
    assert refusals(ledger, front, LARGE) == dict.fromkeys(LARGE, "the server's answer has more than 1 MiB")


def refusals(ledger: PostgresLedger, front: Front, attacks: dict[str, tuple[bytes, bytes, Attack]]) -> dict[str, str]:
    """Returns why the ledger was not read, by the attack's name."""
    reasons = {}
    for name, front.attack in attacks.items():
        ledger._connection.close()
        with pytest.raises(LedgerUnavailable) as refused:
            ledger.refresh()
        reasons[name] = refused.value.message.partition(": ")[2]
    return reasons


def test_a_notification_that_is_no_text_is_no_crash(ledger: PostgresLedger, front: Front) -> None:
    def notify(link: socket.socket) -> None:
        link.sendall(message(b"A", struct.pack("!I", 1) + b"\xff\xfe\0\xff\0"))

    front.attack = (b"SELECT claim", b"", notify)
    with pytest.raises(ClaimsUncertain, match="not UTF-8"):
        ledger.commit([], [RECORD])
