"""The records of a ledger, and the state of a key, which does not depend on the order of its records.

An attempt is (key, attempt). Within one attempt the highest status decides. A key is sent if any attempt is, else
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


CONTACT_NOT_FOUND = "contact_not_found"  # the code of a refusal whose contact is looked up again


@dataclass(frozen=True, slots=True)
class Header:
    """The workspace and the salt that a ledger belongs to; an empty field is unknown.

    A header with a `turn` also says where the ledger moved in that turn; an empty `moved_to` means that it came back.
    The highest turn of a ledger decides.
    """

    workspace: str = ""
    salt_check: str = ""
    turn: int = 0
    moved_to: str = ""

    def to_line(self) -> bytes:
        """Returns the header as a line of the lockfile."""
        value: dict[str, Any] = {"msgrun_lock": VERSION, "workspace": self.workspace, "salt_check": self.salt_check}
        return orjson.dumps(value | ({"turn": self.turn, "moved": self.moved_to} if self.turn else {})) + b"\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One claim or outcome of one attempt. Empty fields are left out of the file.

    `to` never contains an email address or a user_id. `sender` and `conversation` are only in claims, for reconcile to
    compare. `extra` is the JSON of fields that this version does not know.
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
        """Whether reconcile can search for it: it opens a conversation, and what to compare is known."""
        return self.conversation and all((self.contact, self.sender, self.text, self.at))

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as a JSON object, in the order of the fields."""
        own = {name: value for name in _FIELDS if (value := getattr(self, name))}
        return {**own, **(orjson.loads(self.extra) if self.extra else {})}

    def to_line(self) -> bytes:
        """Returns the record as a line of the lockfile."""
        return orjson.dumps(self.to_dict()) + b"\n"


_FIELDS = tuple(field.name for field in dataclasses.fields(Record) if field.name != "extra")
_TYPES: dict[str, type] = {**dict.fromkeys(_FIELDS, str), "revision": int, "conversation": bool}


@dataclass(frozen=True, slots=True)
class State:
    """The state of a key: its status, the record that decides it, and the records of each attempt's highest status."""

    status: KeyStatus
    record: Record
    attempts: tuple[Record, ...]

    @property
    def sent_records(self) -> list[Record]:
        """The records with the status sent."""
        return [record for record in self.attempts if record.status == "sent"]

    @property
    def open_attempts(self) -> list[Record]:
        """The records of the attempts whose outcome is not known."""
        return [record for record in self.attempts if record.status in {"claimed", "unknown"}]

    def was_sent_as(self, content: str, digest: str) -> bool:
        """Returns whether a sent record has this content or this digest.

        If none has, the message was edited after it was sent.
        """
        return any(record.content == content or record.digest == digest for record in self.sent_records)

    def was_refused_as(self, digest: str) -> bool:
        """Returns whether exactly this payload was refused, which is final unless no contact was found."""
        return any(record.code != CONTACT_NOT_FOUND for record in self._refused_as(digest))

    def was_not_found_as(self, digest: str) -> bool:
        """Returns whether no contact was found for exactly this payload.

        That is not final: a new contact may be missing from Intercom's search for minutes.
        """
        return any(record.code == CONTACT_NOT_FOUND for record in self._refused_as(digest))

    def _refused_as(self, digest: str) -> list[Record]:
        return [record for record in self.attempts if record.status == "refused" and record.digest == digest]

    @property
    def is_duplicate(self) -> bool:
        """Whether two attempts were sent with different ids: the recipient got the message twice."""
        ids: dict[str, set[str]] = {}
        for record in self.sent_records:
            if record.id:
                ids.setdefault(record.attempt, set()).add(record.id)
        attempt_ids = list(ids.values())
        return any(one != other for one in attempt_ids for other in attempt_ids)


def fold_records(records: Iterable[Record]) -> State:
    """Returns the state of a key from all its records, in any order."""
    by_attempt: dict[str, list[Record]] = {}
    for record in records:
        by_attempt.setdefault(record.attempt, []).append(record)
    top: list[Record] = []
    for attempt_records in by_attempt.values():
        highest = max(RANK[record.status] for record in attempt_records)
        top.extend(record for record in attempt_records if RANK[record.status] == highest)
    top.sort(key=lambda record: (record.at, record.attempt, record.to_line()))
    status = key_status({record.status for record in top})
    deciding = {"sent": {"sent"}, "unknown": {"claimed", "unknown"}, "refused": {"refused"}, "free": {"released"}}[
        status
    ]
    return State(status, [record for record in top if record.status in deciding][-1], tuple(top))


def salt_check(salt: str) -> str:
    """Returns eight hex digits that tell one salt from another, and do not reveal it."""
    return hashlib.sha256(f"msgrun:{salt}".encode()).hexdigest()[:8]


def key_status(statuses: AbstractSet[str]) -> KeyStatus:
    """Returns the status of a key whose attempts have these statuses."""
    if "sent" in statuses:
        return "sent"
    if statuses & {"claimed", "unknown"}:
        return "unknown"
    return "refused" if "refused" in statuses else "free"


def parse_entry(value: dict[str, Any], origin: str, number: int) -> Record | Header:
    """Returns the record or header that an object on a ledger's line is.

    `origin` and `number` name the line in errors. Raises LedgerUnavailable.
    """
    if "msgrun_lock" in value:
        if value["msgrun_lock"] != VERSION:
            message = f"{origin}:{number}: this ledger has version {value['msgrun_lock']}"
            raise LedgerUnavailable(message, "update msgrun")
        turn = turn_value if isinstance(turn_value := value.get("turn"), int) else 0
        texts = (str(value.get(name) or "") for name in ("workspace", "salt_check", "moved"))
        workspace, check, moved = texts
        return Header(workspace, check, turn, moved if turn else "")
    if not (_is_text(value.get("key")) and _is_text(value.get("attempt")) and str(value.get("status")) in RANK):
        hint = "a newer msgrun may have written it; if the file was edited, take the line back from git"
        raise LedgerUnavailable(f"{origin}:{number}: this is no record of a ledger", hint)
    fields: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, field_value in value.items():
        if name not in _TYPES:
            others[name] = field_value
        elif field_value:
            if not isinstance(field_value, _TYPES[name]):
                hint = "take the line back from git"
                raise LedgerUnavailable(f"{origin}:{number}: {name} has the wrong type", hint)
            fields[name] = field_value
    extra = orjson.dumps(others, option=orjson.OPT_SORT_KEYS).decode() if others else ""
    return Record(**fields, extra=extra)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
