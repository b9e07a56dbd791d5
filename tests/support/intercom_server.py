"""An Intercom that breaks: an independent server that knows only the facts of INTERCOM.md, in a process of its own.

    python tests/support/intercom_server.py --log FILE [--seed 1] [--faults reset_after=0.01,429=0.02] [--limit 167]

Prints its ports: of HTTP on 127.0.0.1 and, where there is one, ::1; and of HTTPS, 0 without `--tls`; then its hosts.
Every message that it makes is a line of the log, handed to the kernel before any answer leaves: the log is the witness.
Which fault a request meets depends on the seed, the recipient and the number of the try alone.
It imports nothing of the product, and the product's sandbox knows nothing of it.
"""

import argparse
import asyncio
import contextlib
import email.utils
import gzip
import html
import json
import os
import random
import signal
import socket
import ssl
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

WINDOW = 10  # seconds

# What may happen to a POST /messages. `_before`: nothing is made. Off unless `--faults` names them.
FAULTS = (
    "reset_before", "reset_after",  # the connection is reset
    "drop_before", "drop_after",  # it is closed in order
    "500_before", "500_after", "502_html", "502_after", "503", "408_after",
    "429", "429_bare",  # with the headers of the limit, and without
    "429_mute",  # without anything that says how long to wait
    "cut_json", "cut_body", "empty_200", "wrong_type", "no_id", "array_200", "201",
    "user_message",  # an inbound conversation is made instead, and nobody gets the message
    "slow", "slow_before",  # answered, or even made, only when the client has given up
    "late",  # a 500, and then the true answer on the same connection
    "redirect", "gzip", "chunked",
    "close",  # a good answer, after which the connection is closed without notice
)  # fmt: skip
RARE = {"429_mute": 0.0003, "user_message": 0.0003}  # the one costs ten seconds, the other ends a run
ALL = ",".join(f"{name}={RARE.get(name, 0.006)}" for name in FAULTS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `body` as it goes on the wire."""

    status: int
    body: bytes
    headers: tuple[str, ...] = ("Content-Type: application/json; charset=utf-8",)


@dataclass(slots=True)
class Intercom:
    """What the server knows: the messages it made, the tries it saw, and the window of its rate limit."""

    log: int
    seed: str
    faults: list[tuple[str, float]]
    limit: int
    latency: float
    idle: float
    slow: float
    tries: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    windows: Counter[int] = field(default_factory=Counter)  # what was made in each
    made: int = 0
    opened: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # conversations of each contact
    window: int = 0
    used: int = 0

    def fault(self, recipient: str) -> str:
        """The fault of this try at this recipient, or nothing."""
        self.tries[recipient] += 1
        at = random.Random(f"{self.seed}:{recipient}:{self.tries[recipient]}").random()
        for name, share in self.faults:
            at -= share
            if at < 0:
                return name
        return ""

    def create(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Makes a message, and writes it down before anybody hears of it."""
        self.made += 1
        now = time.time()
        self.windows[int(now) // WINDOW] += 1
        made = {"id": f"m{self.made}", "at": now, "to": payload["to"].get("id"), "body": payload["body"]}
        os.write(self.log, json.dumps(made).encode() + b"\n")
        self.counts["made"] += 1
        if payload.get("create_conversation_without_contact_reply"):
            self.open(made, str(payload["from"]["id"]))
        return {
            "type": "admin_message",
            "id": made["id"],
            "created_at": int(time.time()),
            "message_type": payload["message_type"],
            "body": payload["body"],
            "owner": {"type": "admin", "id": str(payload["from"]["id"]), "name": "Wash"},
        }

    def open(self, made: dict[str, Any], author: str) -> None:
        """Opens the message's conversation, which the search finds some seconds later; and now and then others.

        Those are an older one with the same text, and one of another admin's: no message of the campaign's.
        """
        chance = random.Random(f"{self.seed}:{made['to']}:{self.tries[made['to']]}:opened")
        every = self.opened.setdefault(made["to"], [])
        every.append(conversation(made, author, made["at"] + chance.uniform(0, 3)))
        if chance.random() < 0.1:
            every.append(conversation({**made, "id": f"old{self.made}", "at": made["at"] - 72_000}, author))
        if chance.random() < 0.1:
            every.append(conversation({**made, "id": f"other{self.made}"}, "7"))

    def admitted(self) -> bool:
        """Counts a request in its window of ten seconds of the clock; whether the limit has room for it."""
        window = int(time.time()) // WINDOW
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return not self.limit or self.used <= self.limit

    def limits(self) -> tuple[str, ...]:
        """The headers of the rate limit."""
        if not self.limit:
            return ()
        return (
            f"X-RateLimit-Limit: {self.limit}",
            f"X-RateLimit-Remaining: {max(0, self.limit - self.used)}",
            f"X-RateLimit-Reset: {(self.window + 1) * WINDOW}",
        )


def answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def error(status: int, code: str, message: str = "no") -> Answer:
    return answer({"type": "error.list", "request_id": "r", "errors": [{"code": code, "message": message}]}, status)


def conversation(made: dict[str, Any], author: str, found_from: float = 0.0) -> dict[str, Any]:
    """A conversation that a message opened. Intercom wraps texts, and its times are whole seconds."""
    return {
        "type": "conversation",
        "id": f"c{made['id']}",
        "created_at": int(made["at"]),
        "source": {
            "type": "conversation",
            "id": made["id"],
            "subject": "",
            "body": f"<p>{html.escape(made['body'])}</p>",
            "author": {"type": "admin", "id": author},
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": made["to"]}]},
        "found_from": found_from,
    }


def fits(term: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether a conversation fits a term of a search, or a group of terms."""
    if term["operator"] in {"AND", "OR"}:
        judged = [fits(one, found) for one in term["value"]]
        return all(judged) if term["operator"] == "AND" else any(judged)
    match term["field"], term["operator"]:
        case "contact_ids", "=":
            return bool(found["contacts"]["contacts"][0]["id"] == term["value"])
        case "source.author.id", "=":
            return bool(found["source"]["author"]["id"] == term["value"])
        case "created_at", ">":  # by day, as Intercom compares dates
            return int(found["created_at"]) // 86_400 > int(term["value"]) // 86_400
        case field_and_operator:
            raise AssertionError(field_and_operator)


def contacts_of(term: dict[str, Any]) -> set[str]:
    """The contacts that a search names; it must name some, or it would read the whole workspace."""
    if term["operator"] in {"AND", "OR"}:
        return set().union(*(contacts_of(one) for one in term["value"]))
    return {term["value"]} if term["field"] == "contact_ids" else set()


def contact(identifier: str) -> dict[str, Any]:
    """The one contact with an address: every address has one. Its id tells the address to who reads the log."""
    address = identifier if "@" in identifier else f"{identifier}@example.com"
    found = identifier.partition("@")[0]
    return {"type": "contact", "id": found, "role": "user", "email": address, "external_id": found, "created_at": 1}


class Connection(asyncio.Protocol):
    """One connection: requests in, one at a time, and whatever the faults make of the answers."""

    def __init__(self, intercom: Intercom, every: set["Connection"]) -> None:
        self.intercom = intercom
        self.every = every
        self.buffer = b""
        self.is_deaf = False
        self.is_answering = False
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.every.add(self)
        self.intercom.counts["connections"] += 1
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.every.discard(self)
        if self.timer:
            self.timer.cancel()

    def rest(self) -> None:
        """Waits for the next request; after too long the connection ends, as that of a server behind a network.

        The server closes at its idle timeout; a request that was sent before the close could be seen on the other
        side finds nobody. So for one latency the connection takes bytes and answers none, and then it is reset.
        """
        if self.intercom.idle:
            self.timer = asyncio.get_running_loop().call_later(self.intercom.idle, self.go_deaf)

    def go_deaf(self) -> None:
        self.is_deaf = True
        self.timer = asyncio.get_running_loop().call_later(self.intercom.latency, self.transport.close)

    def data_received(self, data: bytes) -> None:
        if self.is_deaf:
            self.intercom.counts["requests on a closed connection"] += 1
            self.reset()
            return
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                if line[:15].lower() == "content-length:":
                    length = int(line[15:])
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            if self.timer:
                self.timer.cancel()
            method, path, _ = head.split(" ", 2)
            self.is_answering = True
            if self.intercom.latency:
                asyncio.get_running_loop().call_later(self.intercom.latency / 2, self.respond, method, path, body)
            else:
                self.respond(method, path, body)

    def respond(self, method: str, path: str, body: bytes) -> None:
        intercom = self.intercom
        intercom.counts["requests"] += 1
        if path == "/counts":
            self.send(answer({**intercom.counts, "open": len(self.every), "windows": intercom.windows}))
        elif not intercom.admitted():
            intercom.counts["429 of the limit"] += 1
            self.send(error(429, "rate_limit_exceeded"), intercom.limits())
        elif method == "POST" and path == "/messages":
            payload = json.loads(body)
            fault = intercom.fault(str(payload["to"].get("id")))
            intercom.counts[f"fault {fault}" if fault else "good"] += 1
            self.post(payload, fault)
        else:
            self.read(method, path, body)

    def read(self, method: str, path: str, body: bytes) -> None:
        """Reading has its faults too, half as many and simpler ones: nothing hangs on them but patience."""
        fault = self.intercom.fault(f"read {path} {body!r}") if path != "/me" else ""
        if fault in {"500_before", "502_html", "503", "500_after"}:
            self.send(error(503, "service_unavailable"))
        elif fault in {"reset_before", "reset_after"}:
            self.reset()
        elif fault == "429":
            self.send(error(429, "rate_limit_exceeded"), self.retry_soon())
        elif path == "/me":
            self.send(answer({"type": "admin", "id": "394051", "app": {"type": "app", "id_code": "acme"}}))
        elif path == "/contacts/search" and method == "POST":
            query = json.loads(body)["query"]
            terms = query["value"] if query["operator"] == "OR" else [query]
            values = query["value"] if query["operator"] == "IN" else [term["value"] for term in terms]
            found = [contact(value) for value in values]
            self.send(answer({"type": "list", "data": found, "total_count": len(found), "pages": {"type": "pages"}}))
        elif path == "/conversations/search" and method == "POST":
            self.send(answer(self.search(json.loads(body))))
        elif path.startswith("/contacts/"):
            self.send(answer(contact(path.removeprefix("/contacts/"))))
        else:
            self.send(error(404, "not_found"))

    def search(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A page of the conversations that are asked for and that the index knows already."""
        query, page = asked["query"], asked["pagination"]
        named = sorted(contacts_of(query))
        assert 0 < len(named) <= 15, named
        every = [found for name in named for found in self.intercom.opened.get(name, ())]
        fitting = [found for found in every if found["found_from"] <= time.time() and fits(query, found)]
        start, size = int(page.get("starting_after") or 0), min(page["per_page"], 7)  # so that there are several pages
        following = {"next": {"starting_after": str(start + size)}} if len(fitting) > start + size else {}
        self.intercom.counts["searches"] += 1
        return {
            "type": "conversation.list",
            "conversations": fitting[start : start + size],
            "total_count": len(fitting),
            "pages": {"type": "pages", **following},
        }

    def post(self, payload: dict[str, Any], fault: str) -> None:  # noqa: C901, PLR0912, PLR0915  # a table of faults
        create = self.intercom.create
        loop = asyncio.get_running_loop()
        match fault:
            case "reset_before":
                self.reset()
            case "reset_after":
                create(payload)
                self.reset()
            case "drop_before":
                self.transport.close()
            case "drop_after":
                create(payload)
                self.transport.close()
            case "500_before":
                self.send(error(500, "server_error"))
            case "500_after":
                create(payload)
                self.send(error(500, "server_error"))
            case "502_html":
                self.send(Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", ("Content-Type: text/html",)))
            case "502_after":
                create(payload)
                self.send(Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", ("Content-Type: text/html",)))
            case "503":
                self.send(error(503, "service_unavailable"), ("Retry-After: 1",))
            case "408_after":
                create(payload)
                self.send(Answer(408, b""))
            case "429":
                self.send(error(429, "rate_limit_exceeded"), self.retry_soon())
            case "429_bare":  # a Retry-After is a header too; without any a client waits for a whole window
                self.send(Answer(429, b"", ("Retry-After: 1",)), bare=True)
            case "429_mute":
                self.send(Answer(429, b""), bare=True)
            case "cut_json":
                self.send(Answer(200, json.dumps(create(payload)).encode()[:25]))
            case "cut_body":
                text = json.dumps(create(payload)).encode()
                self.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text[:25])
                self.transport.close()
            case "empty_200":
                create(payload)
                self.send(Answer(200, b""))
            case "wrong_type":
                create(payload)
                self.send(Answer(200, b"<html>OK</html>", ("Content-Type: text/html",)))
            case "no_id":
                self.send(answer({name: value for name, value in create(payload).items() if name != "id"}))
            case "array_200":
                self.send(answer([create(payload)]))
            case "201":
                self.send(answer(create(payload), 201))
            case "user_message":
                self.send(answer({"type": "user_message", "id": "inbound", "body": payload["body"]}))
            case "slow":
                made = create(payload)
                loop.call_later(self.intercom.slow, self.send, answer(made))
            case "slow_before":
                loop.call_later(self.intercom.slow, lambda: self.send(answer(create(payload))))
            case "late":
                made = create(payload)
                self.send(error(500, "server_error"))
                loop.call_later(0.004, self.send, answer(made))
            case "redirect":
                self.send(Answer(307, b"", ("Location: /messages",)))
            case "gzip":
                packed = gzip.compress(json.dumps(create(payload)).encode())
                self.send(Answer(200, packed, ("Content-Type: application/json", "Content-Encoding: gzip")))
            case "chunked":
                text = json.dumps(create(payload)).encode()
                parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:9], text[9:], b""))
                self.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts)
                self.rest()
            case "close":
                self.send(answer(create(payload)))
                loop.call_later(self.intercom.latency / 2 + 0.001, self.transport.close)
            case "":
                self.send(answer(create(payload)))
            case _:
                raise AssertionError(fault)

    def retry_soon(self) -> tuple[str, ...]:
        """The headers of a limit whose window ends within a second: a real one would stretch every test."""
        return ("X-RateLimit-Limit: 100000", "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {int(time.time()) + 1}")

    def send(self, found: Answer, extra: tuple[str, ...] = (), *, bare: bool = False) -> None:
        limits = () if bare or any(name.startswith("X-RateLimit") for name in extra) else self.intercom.limits()
        lines = [
            f"HTTP/1.1 {found.status} X",
            *found.headers,
            f"Content-Length: {len(found.body)}",
            f"Date: {email.utils.formatdate(usegmt=True)}",
            "X-Request-Id: r1",
            *limits,
            *extra,
        ]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + found.body
        if self.intercom.latency:
            asyncio.get_running_loop().call_later(self.intercom.latency / 2, self.write, data)
        else:
            self.write(data)
        if self.timer:
            self.timer.cancel()
        self.rest()

    def write(self, data: bytes) -> None:
        self.is_answering = False
        if not self.transport.is_closing():
            self.transport.write(data)

    def reset(self) -> None:
        found = self.transport.get_extra_info("socket")
        if not self.transport.is_closing():
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of two certificates for the same name: one that the client trusts, and one that it does not."""

    trusted: str
    wrong: str

    def context(self) -> ssl.SSLContext:
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(self.trusted)
        return found


async def serve(intercom: Intercom, port: int, refuse: tuple[int, float], certificates: Certificates | None) -> None:
    """Listens; now and then nobody does for some seconds, or whoever does has the wrong certificate.

    `refuse` says after every how many messages, and for how long; connections at rest are closed then.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    every: set[Connection] = set()

    async def listen(host: str, port: int, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        return await loop.create_server(
            lambda: Connection(intercom, every), host, port, backlog=512, ssl=tls, reuse_address=True
        )

    listeners = [await listen("127.0.0.1", port)]
    port = listeners[0].sockets[0].getsockname()[1]
    hosts = ["127.0.0.1"]
    with contextlib.suppress(OSError):  # not every machine has it
        listeners.append(await listen("::1", port))
        hosts.append("::1")
    context = certificates.context() if certificates else None
    secure = await listen("127.0.0.1", 0, context) if context else None
    print(port, secure.sockets[0].getsockname()[1] if secure else 0, *hosts, flush=True)
    count, seconds = refuse
    following = count
    while not stopped.is_set():
        await asyncio.sleep(0.01 if count else 0.2)
        if count and intercom.made >= following:
            for listener in listeners:
                listener.close()
            if context and certificates:
                context.load_cert_chain(certificates.wrong)
            intercom.counts["refused phases"] += 1
            for one in list(every):
                if not one.is_answering:
                    one.transport.close()
            await asyncio.sleep(seconds)
            listeners = [await listen(host, port) for host in hosts]
            if context and certificates:
                context.load_cert_chain(certificates.trusted)
            following = intercom.made + count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--faults", default="", help="NAME=SHARE,… or `all`")
    parser.add_argument("--limit", type=int, default=0, help="requests in a window of ten seconds; 0 for none")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds, half of it on the way here")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds after which a connection at rest is closed")
    parser.add_argument("--slow", type=float, default=2.0, help="seconds of a slow answer")
    parser.add_argument("--refuse", default="0:0", help="COUNT:SECONDS, nobody listens after every COUNT messages")
    parser.add_argument("--tls", nargs=2, metavar="FILE", help="certificates with keys: a trusted and a wrong one")
    args = parser.parse_args()
    pairs = (part.split("=") for part in (ALL if args.faults == "all" else args.faults).split(",") if part)
    faults = [(name, float(share)) for name, share in pairs]
    if unknown := {name for name, _ in faults} - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    log = os.open(args.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    intercom = Intercom(log, args.seed, faults, args.limit, args.latency, args.idle, args.slow)
    count, seconds = args.refuse.split(":")
    certificates = Certificates(*args.tls) if args.tls else None
    asyncio.run(serve(intercom, args.port, (int(count), float(seconds)), certificates))


if __name__ == "__main__":
    main()
