"""Records and their fold: a ledger is a set of facts, and what a key's state is does not depend on their order.

An attempt is (key, attempt). Within one attempt the highest status holds; a key is sent if any attempt is, else
unknown if any attempt is claimed or unknown, else refused if any is, else free.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from runner.errors import LedgerUnavailable

VERSION = 1
Status = Literal["claimed", "unknown", "refused", "released", "sent"]
RANK: dict[str, int] = {"claimed": 0, "unknown": 1, "refused": 2, "released": 3, "sent": 4}
KeyStatus = Literal["sent", "unknown", "refused", "free"]


CONTACT_NOT_FOUND = "contact_not_found"  # the code of a refusal that is looked up again


@dataclass(frozen=True, slots=True)
class Header:
    """Which workspace and which salt a ledger belongs to; an empty one is not known.

    With a `turn` also where the ledger moved then, empty if it came back: of all turns of a ledger the last holds.
    """

    workspace: str = ""
    salt_check: str = ""
    turn: int = 0
    moved_to: str = ""

    def to_line(self) -> bytes:
        """As a line of the lockfile."""
        value: dict[str, Any] = {"msgrun_lock": VERSION, "workspace": self.workspace, "salt_check": self.salt_check}
        return orjson.dumps(value | ({"turn": self.turn, "moved": self.moved_to} if self.turn else {})) + b"\n"


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

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object, in the order of the fields."""
        own = {name: found for name in _FIELDS if (found := getattr(self, name))}
        return {**own, **(orjson.loads(self.extra) if self.extra else {})}

    def to_line(self) -> bytes:
        """As a line of the lockfile."""
        return orjson.dumps(self.to_dict()) + b"\n"


_FIELDS = tuple(field.name for field in dataclasses.fields(Record) if field.name != "extra")
_TYPES: dict[str, type] = {**dict.fromkeys(_FIELDS, str), "revision": int, "conversation": bool}


@dataclass(frozen=True, slots=True)
class State:
    """What holds for one key: its status, the record that says so, and every digest and content that matters."""

    status: KeyStatus
    record: Record
    attempts: tuple[Record, ...]

    @property
    def sent_records(self) -> list[Record]:
        """Every sent fact."""
        return [record for record in self.attempts if record.status == "sent"]

    @property
    def open_attempts(self) -> list[Record]:
        """The attempts whose outcome is not known."""
        return [record for record in self.attempts if record.status in {"claimed", "unknown"}]

    def was_sent_as(self, content: str, digest: str) -> bool:
        """Whether some sent fact has this content or this digest; if none has, the message was edited since."""
        return any(record.content == content or record.digest == digest for record in self.sent_records)

    def was_refused_as(self, digest: str) -> bool:
        """Whether this very payload was refused, which is final but for a contact that was not found."""
        return any(record.code != CONTACT_NOT_FOUND for record in self._refused_as(digest))

    def was_not_found_as(self, digest: str) -> bool:
        """Whether no contact was found for this very payload: a new one may be missing from search for minutes."""
        return any(record.code == CONTACT_NOT_FOUND for record in self._refused_as(digest))

    def _refused_as(self, digest: str) -> list[Record]:
        return [record for record in self.attempts if record.status == "refused" and record.digest == digest]

    @property
    def is_duplicate(self) -> bool:
        """Whether two attempts were sent with different ids: somebody got the message twice."""
        ids: dict[str, set[str]] = {}
        for record in self.sent_records:
            if record.id:
                ids.setdefault(record.attempt, set()).add(record.id)
        found = list(ids.values())
        return any(one != other for one in found for other in found)


def fold_records(records: Iterable[Record]) -> State:
    """The state of a key from all its facts, in whatever order they come."""
    by_attempt: dict[str, list[Record]] = {}
    for record in records:
        by_attempt.setdefault(record.attempt, []).append(record)
    top: list[Record] = []
    for facts in by_attempt.values():
        highest = max(RANK[record.status] for record in facts)
        top.extend(record for record in facts if RANK[record.status] == highest)
    top.sort(key=lambda record: (record.at, record.attempt, record.to_line()))
    status = key_status({record.status for record in top})
    deciding = {"sent": {"sent"}, "unknown": {"claimed", "unknown"}, "refused": {"refused"}, "free": {"released"}}[
        status
    ]
    return State(status, [record for record in top if record.status in deciding][-1], tuple(top))


def salt_check(salt: str) -> str:
    """Eight hex digits that tell one salt from another without telling the salt."""
    return hashlib.sha256(f"msgrun:{salt}".encode()).hexdigest()[:8]


def key_status(statuses: AbstractSet[str]) -> KeyStatus:
    """What holds for a key whose attempts have these statuses."""
    if "sent" in statuses:
        return "sent"
    if statuses & {"claimed", "unknown"}:
        return "unknown"
    return "refused" if "refused" in statuses else "free"


def parse_entry(value: dict[str, Any], origin: str, number: int) -> Record | Header:
    """The fact that an object on a ledger's line is; `origin` and `number` say which. Raises LedgerUnavailable."""
    if "msgrun_lock" in value:
        if value["msgrun_lock"] != VERSION:
            message = f"{origin}:{number}: this ledger has version {value['msgrun_lock']}"
            raise LedgerUnavailable(message, "update msgrun")
        turn = found if isinstance(found := value.get("turn"), int) else 0
        texts = (str(value.get(name) or "") for name in ("workspace", "salt_check", "moved"))
        workspace, check, moved = texts
        return Header(workspace, check, turn, moved if turn else "")
    if not (_is_text(value.get("key")) and _is_text(value.get("attempt")) and str(value.get("status")) in RANK):
        hint = "a newer msgrun may have written it; if the file was edited, take the line back from git"
        raise LedgerUnavailable(f"{origin}:{number}: this is no record of a ledger", hint)
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
