"""Breaks a process from below: one that it is on the PYTHONPATH of, or a fork that calls `break_process`.

Nothing of it stands in the product.

| variable | what it does |
|---|---|
| FAULTS_TIMEOUT | no socket waits longer than so many seconds |
| FAULTS_SYNCED | notes in that file what every finished fsync made durable |
| FAULTS_DISK | an fsync takes up to so many seconds |
| FAULTS_CLOCK | AFTER:BY, the wall clock jumps by so many seconds, so many seconds after the start |
| FAULTS_NAME | this name is 127.0.0.1 |
| FAULTS_DNS | AFTER:FOR, nobody knows it for so many seconds, so many seconds after it was first asked for |
| FAULTS_NOTES | a line of that file for every name that was not found and every handshake that failed |
| FAULTS_DIE | CALL:NUMBER:WHERE, kill -9 at that call; before, half or after it |

CALL is one of `write fsync ftruncate replace send recv`.
"""

import datetime as dt
import itertools
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

_write, _fsync, _open = os.write, os.fsync, os.open


def cap_timeouts(seconds: float) -> None:
    settimeout = socket.socket.settimeout

    def capped(self: socket.socket, value: float | None) -> None:
        settimeout(self, value if value is None else min(value, seconds))

    socket.socket.settimeout = capped  # type: ignore[method-assign]


def note_syncs(file: str, slowest: float) -> None:
    """A power cut loses at most what was appended after the last fsync that ended: so that size is noted."""
    paths: dict[int, str] = {}
    notes = _open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def noted_open(path: Any, *args: Any, **kwargs: Any) -> int:
        descriptor = _open(path, *args, **kwargs)
        paths[descriptor] = os.path.realpath(os.fsdecode(path))
        return descriptor

    def noted_fsync(descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        time.sleep(random.uniform(0, slowest))
        _fsync(descriptor)
        if descriptor in paths:
            _write(notes, f"{size} {paths[descriptor]}\n".encode())

    os.open, os.fsync = noted_open, noted_fsync


def jump(after: float, by: float) -> None:
    start, real_time, real = time.monotonic(), time.time, dt.datetime

    def shift() -> float:
        return by if time.monotonic() - start >= after else 0.0

    class Jumping(real):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return real.fromtimestamp(real_time() + shift(), tz)

    time.time = lambda: real_time() + shift()
    dt.datetime = Jumping  # type: ignore[misc]


def resolve(name: str, after: float, lasting: float) -> None:
    real, first = socket.getaddrinfo, []

    def asked(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != name:
            return real(host, *args, **kwargs)
        first.append(time.monotonic())
        if after <= time.monotonic() - first[0] < after + lasting:
            note("a name was not found")
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1", *args, **kwargs)

    socket.getaddrinfo = asked


def watch_handshakes() -> None:
    import ssl  # noqa: PLC0415  # slow, and not for every process

    real = ssl.SSLSocket.do_handshake

    def handshake(self: ssl.SSLSocket, *args: Any, **kwargs: Any) -> None:
        try:
            real(self, *args, **kwargs)
        except ssl.SSLCertVerificationError:
            note("a wrong certificate")
            raise

    ssl.SSLSocket.do_handshake = handshake  # type: ignore[method-assign]


def note(line: str) -> None:
    notes = _open(os.environ["FAULTS_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    _write(notes, line.encode() + b"\n")
    os.close(notes)


def die(spec: str) -> None:
    name, number, where = spec.split(":")
    count = itertools.count(1)

    def here() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(count) != int(number):
                return real(*args, **kwargs)
            if where == "half":
                data = bytes(args[1])
                real(args[0], data[: len(data) // 2])
            elif where == "after":
                real(*args, **kwargs)
            return here()

        return call

    _wrap(name, deadly)


def _wrap(name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    if name in {"write", "fsync", "ftruncate", "replace"}:
        setattr(os, name, wrapper(getattr(os, name)))
    else:
        method = {"send": "sendall", "recv": "recv_into"}[name]
        setattr(socket.socket, method, wrapper(getattr(socket.socket, method)))


def break_process() -> None:
    """Does what the variables say."""
    settings = os.environ
    if "FAULTS_TIMEOUT" in settings:
        cap_timeouts(float(settings["FAULTS_TIMEOUT"]))
    if "FAULTS_SYNCED" in settings:
        note_syncs(settings["FAULTS_SYNCED"], float(settings.get("FAULTS_DISK", "0")))
    if "FAULTS_CLOCK" in settings:
        jump(*map(float, settings["FAULTS_CLOCK"].split(":")))
    if "FAULTS_NAME" in settings:
        resolve(settings["FAULTS_NAME"], *map(float, settings.get("FAULTS_DNS", "0:0").split(":")))
        watch_handshakes()
    if "FAULTS_DIE" in settings:
        die(settings["FAULTS_DIE"])


if "runner" in sys.orig_argv:
    break_process()
