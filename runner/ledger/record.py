"""Records and their fold: a ledger is a set of facts, and what a key's state is does not depend on their order.

An attempt is (key, attempt). Within one attempt the highest status holds; a key is sent if any attempt is, else
unknown if any attempt is claimed or unknown, else refused if any is, else free.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.line import objects

VERSION = 1
Status = Literal["claimed", "unknown", "refused", "released", "sent"]
RANK: dict[str, int] = {"claimed": 0, "unknown": 1, "refused": 2, "released": 3, "sent": 4}
KeyStatus = Literal["sent", "unknown", "refused", "free"]


@dataclass(frozen=True, slots=True)
class Header:
    """Which workspace and which salt a ledger belongs to; an empty one is not known."""

    workspace: str = ""
    salt_check: str = ""

    def line(self) -> bytes:
        """As a line of the lockfile."""
        value = {"msgrun_lock": VERSION, "workspace": self.workspace, "salt_check": self.salt_check}
        return orjson.dumps(value) + b"\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One fact about one attempt. Empty fields are left out of the file; `extra` is JSON of fields we do not know.

    `to` never holds an address; `sender` and `conversation` (only in claims) are what reconcile compares.
    """

    key: str
    attempt: str
    status: Status
    message: str = ""
    revision: int = 0
    to: str = ""
    contact: str = ""
    id: str = ""
    digest: str = ""
    content: str = ""
    text: str = ""
    plan: str = ""
    at: str = ""
    code: str = ""
    request_id: str = ""
    by: str = ""
    sender: str = ""
    conversation: bool = False
    extra: str = ""

    @property
    def is_searchable(self) -> bool:
        """Whether reconcile can look for it: it opens a conversation, and what that looks like is known."""
        return self.conversation and all((self.contact, self.sender, self.text, self.at))

    def value(self) -> dict[str, Any]:
        """As a JSON object, in the order of the fields."""
        own = {name: found for name in _FIELDS if (found := getattr(self, name))}
        return {**own, **(orjson.loads(self.extra) if self.extra else {})}

    def line(self) -> bytes:
        """As a line of the lockfile."""
        return orjson.dumps(self.value()) + b"\n"


_FIELDS = tuple(field.name for field in dataclasses.fields(Record) if field.name != "extra")
_TYPES: dict[str, type] = {**dict.fromkeys(_FIELDS, str), "revision": int, "conversation": bool}


@dataclass(frozen=True, slots=True)
class State:
    """What holds for one key: its status, the record that says so, and every digest and content that matters."""

    status: KeyStatus
    record: Record
    attempts: tuple[Record, ...]

    @property
    def sent(self) -> list[Record]:
        """Every sent fact."""
        return [record for record in self.attempts if record.status == "sent"]

    @property
    def open(self) -> list[Record]:
        """The attempts whose outcome is not known."""
        return [record for record in self.attempts if record.status in {"claimed", "unknown"}]

    def was_sent_as(self, content: str, digest: str) -> bool:
        """Whether some sent fact has this content or this digest; if none has, the message was edited since."""
        return any(record.content == content or record.digest == digest for record in self.sent)

    def was_refused_as(self, digest: str) -> bool:
        """Whether this very payload was refused, which is final."""
        return any(record.status == "refused" and record.digest == digest for record in self.attempts)

    @property
    def is_duplicate(self) -> bool:
        """Whether two attempts were sent with different ids: somebody got the message twice."""
        ids: dict[str, set[str]] = {}
        for record in self.sent:
            if record.id:
                ids.setdefault(record.attempt, set()).add(record.id)
        found = list(ids.values())
        return any(one != other for one in found for other in found)


@dataclass(slots=True)
class Facts:
    """A set of facts and headers, and what follows from them. `torn` tells of lines that could not be read."""

    headers: set[Header] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    _records: dict[str, dict[Record, None]] = field(default_factory=dict)
    _messages: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    _contacts: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    _contents: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    def add(self, fact: Record | Header) -> bool:
        """Adds a fact; whether it was new."""
        if isinstance(fact, Header):
            if fact in self.headers:
                return False
            self.headers.add(fact)
            return True
        same_key = self._records.setdefault(fact.key, {})
        if fact in same_key:
            return False
        same_key[fact] = None
        message = (fact.message, fact.revision)
        self._messages.setdefault(message, set()).add(fact.key)
        if fact.contact:
            self._contacts.setdefault((*message, fact.contact), set()).add(fact.key)
        if fact.status == "sent" and fact.content:
            self._contents.setdefault(fact.content, set()).add(message)
        return True

    def read(self, data: bytes, origin: str) -> None:
        """Adds every line of a lockfile or journal. Raises LedgerUnavailable if it is none, or a newer version's."""
        whole = False
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.strip():
                values, is_torn = objects(line)
                if is_torn:
                    self.torn.append(f"{origin}:{number}")
                for value in values:
                    self.add(_parsed(value, origin, number))
                whole = whole or bool(values)
        if data.strip() and not whole and not data.lstrip(b"\xef\xbb\xbf \n").startswith(b"{"):
            raise LedgerUnavailable(
                f"{origin} is no lockfile: no line of it can be read",
                "a pointer of Git LFS, or encrypted? Get the file itself; without it everything would be sent again",
            )

    def merge(self, other: "Facts") -> None:
        """Adds everything that others know, and which of their lines were torn."""
        self.headers |= other.headers
        for record in other.records():
            self.add(record)
        self.torn.extend(other.torn)

    def state(self, key: str) -> State | None:
        """What holds for a key, if anything is known of it."""
        records = self._records.get(key)
        return folded(records) if records else None

    def of(self, key: str) -> tuple[Record, ...]:
        """Every fact about a key."""
        return tuple(self._records.get(key, ()))

    def __iter__(self) -> Iterator[str]:
        """Every key."""
        return iter(self._records)

    def records(self) -> Iterator[Record]:
        """Every fact."""
        return (record for records in self._records.values() for record in records)

    def keys_of(self, message: str, revision: int) -> frozenset[str]:
        """The keys with a fact of this revision of a message."""
        return frozenset(self._messages.get((message, revision), ()))

    def messages_with(self, content: str) -> frozenset[tuple[str, int]]:
        """The messages (name, revision) that this content was sent as."""
        return frozenset(self._contents.get(content, ()))

    def reached(self, message: str, revision: int, contact: str, *, but: str = "") -> bool:
        """Whether a revision was, or may have been, sent to an Intercom contact, under another key than `but`."""
        keys = self._contacts.get((message, revision, contact), set()) - {but}
        return any(state.status in {"sent", "unknown"} for key in keys if (state := self.state(key)))

    def duplicates(self) -> list[State]:
        """The keys that were sent twice, by message and key."""
        found = [state for key in self._records if (state := self.state(key)) and state.is_duplicate]
        return sorted(found, key=lambda state: (state.record.message, state.record.key))

    def header(self, salt: str) -> Header:
        """What the headers agree on, for this salt. Raises GuardRefused if they contradict each other or the salt."""
        ours = salt_check(salt)
        workspaces = sorted({header.workspace for header in self.headers if header.workspace})
        if len(workspaces) > 1:
            raise GuardRefused(
                f"the ledger belongs to two workspaces: {' and '.join(workspaces)}",
                "lockfiles of two workspaces were merged; give each its own environment in msgrun.yaml",
            )
        if any(header.salt_check not in {"", ours} for header in self.headers):
            raise GuardRefused(
                "the salt is not the one that this ledger was written with",
                "with another salt nothing sent would be recognised; put back salt: of msgrun.yaml, or MSGRUN_SALT",
            )
        return Header(workspaces[0] if workspaces else "", ours)


def folded(records: Iterable[Record]) -> State:
    """The state of a key from all its facts, in whatever order they come."""
    by_attempt: dict[str, list[Record]] = {}
    for record in records:
        by_attempt.setdefault(record.attempt, []).append(record)
    top: list[Record] = []
    for facts in by_attempt.values():
        highest = max(RANK[record.status] for record in facts)
        top.extend(record for record in facts if RANK[record.status] == highest)
    top.sort(key=lambda record: (record.at, record.attempt, record.line()))
    status = _key_status({record.status for record in top})
    deciding = {"sent": {"sent"}, "unknown": {"claimed", "unknown"}, "refused": {"refused"}, "free": {"released"}}[
        status
    ]
    return State(status, [record for record in top if record.status in deciding][-1], tuple(top))


def salt_check(salt: str) -> str:
    """Eight hex digits that tell one salt from another without telling the salt."""
    return hashlib.sha256(f"msgrun:{salt}".encode()).hexdigest()[:8]


def _key_status(statuses: set[Status]) -> KeyStatus:
    if "sent" in statuses:
        return "sent"
    if statuses & {"claimed", "unknown"}:
        return "unknown"
    return "refused" if "refused" in statuses else "free"


def _parsed(value: dict[str, Any], origin: str, number: int) -> Record | Header:
    if "msgrun_lock" in value:
        if value["msgrun_lock"] != VERSION:
            message = f"{origin}:{number}: this lockfile has version {value['msgrun_lock']}"
            raise LedgerUnavailable(message, "update msgrun")
        return Header(str(value.get("workspace") or ""), str(value.get("salt_check") or ""))
    if not (_is_text(value.get("key")) and _is_text(value.get("attempt")) and str(value.get("status")) in RANK):
        hint = "a newer msgrun may have written it; if the file was edited, take the line back from git"
        raise LedgerUnavailable(f"{origin}:{number}: this is no record of a lockfile", hint)
    known: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, found in value.items():
        if name not in _TYPES:
            others[name] = found
        elif found:
            if not isinstance(found, _TYPES[name]):
                hint = "take the line back from git"
                raise LedgerUnavailable(f"{origin}:{number}: {name} has the wrong type", hint)
            known[name] = found
    extra = orjson.dumps(others, option=orjson.OPT_SORT_KEYS).decode() if others else ""
    return Record(**known, extra=extra)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
