"""A connection to a server that may be silent, or answer without end: its answers have limits of time and size."""

import math
import socket
import struct
import sys
import time
from typing import Any, NoReturn, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Wait

Result = TypeVar("Result")

_MAX_ANSWER_SECONDS = 120.0  # as for git; the server itself ends most statements after 15 seconds
_MAX_ANSWER_BYTES = 256 << 20  # libpq keeps an answer in memory, and takes a cell of 1 GiB
_RECEIVED_BYTES = struct.Struct("=128xQ")  # tcpi_bytes_received in Linux's tcp_info


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """Is closed, with an OperationalError, when an answer takes too long, also if it comes a byte at a time.

    An answer is the whole result of a statement, or a block of COPY, or a row of a stream. `deadline` is for all of
    them, in the seconds of time.monotonic(). On Linux an answer that comes by TCP is limited in its bytes too.
    """

    deadline = math.inf

    def wait(self, gen: PQGen[Result], *args: Any, **options: Any) -> Result:
        """Returns the answer for which `gen` waits. psycopg calls this for everything that it reads."""
        try:
            state = next(gen)
        except StopIteration as end:  # a row that is here already, as most of COPY are
            result: Result = end.value
            return result
        return super().wait(self._limit(gen, state), *args, **options)

    def _limit(self, answer: PQGen[Result], state: Wait) -> PQGen[Result]:
        deadline = min(self.deadline, time.monotonic() + _MAX_ANSWER_SECONDS)
        max_bytes = self._received_bytes() + _MAX_ANSWER_BYTES
        while True:
            ready = yield state  # psycopg goes on ten times a second, also if nothing came
            if time.monotonic() > deadline:
                self._refuse("the server takes too long to answer")
            if self._received_bytes() > max_bytes:
                self._refuse(f"the server's answer has more than {_MAX_ANSWER_BYTES >> 20} MiB")
            try:
                state = answer.send(ready)
            except StopIteration as end:
                result: Result = end.value
                return result

    def _refuse(self, message: str) -> NoReturn:
        self.close()  # else psycopg would read on up to the end of the statement
        raise psycopg.OperationalError(message)

    def _received_bytes(self) -> int:
        """Returns how many bytes came on this connection; 0 where the system does not say it."""
        link = socket.socket(fileno=self.pgconn.socket)
        try:
            if sys.platform != "linux" or link.family == socket.AF_UNIX:
                return 0
            (count,) = _RECEIVED_BYTES.unpack(
                link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_BYTES.size)
            )
            return int(count)
        finally:
            link.detach()
