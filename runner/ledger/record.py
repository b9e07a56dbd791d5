"""The records of a ledger: claims and outcomes as lines of JSON, and the headers between them."""

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from typing import Any, Literal

import orjson

from runner.errors import LedgerUnavailable
from runner.ledger.mark import NO_MARK, MoveMark, parse_mark

VERSION = 1
LEDGER_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
Status = Literal["claimed", "unknown", "refused", "released", "sent"]
RANK: dict[str, int] = {"claimed": 0, "unknown": 1, "refused": 2, "released": 3, "sent": 4}
DUPLICATE = "duplicate"  # the code of a sent record with which a person acknowledges that a message was sent twice
MASKED = ":~"  # in `to` of a record: the recipient's kind, and the start of the key in place of its address
ACCEPT = "accept"  # the `by` of a copy of a sent record: an edit since the sending was accepted
CONTACT_NOT_FOUND = "contact_not_found"  # the code of a refusal whose contact is looked up again


@dataclass(frozen=True, slots=True)
class Header:
    """The workspace, the salt and the id of a ledger; an empty field is unknown. A header may also hold a mark."""

    workspace: str = ""
    salt_check: str = ""
    ledger: str = ""
    mark: MoveMark = NO_MARK

    def to_line(self) -> bytes:
        """Returns the header as a line of the lockfile."""
        value: dict[str, Any] = {"msgrun_lock": VERSION} | ({"ledger": self.ledger} if self.ledger else {})
        value |= {"workspace": self.workspace, "salt_check": self.salt_check}
        if self.mark.generation:
            value |= {
                "turn": self.mark.generation,
                "moved" if self.mark.status == "moved" else "from": self.mark.address,
            }
        return orjson.dumps(value | ({"pending": True} if self.mark.status == "pending" else {})) + b"\n"


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Who runs msgrun, and where: the name that CI or git has, the URL of the CI job, the commit. Empty is unknown."""

    actor: str = ""
    run_url: str = ""
    commit: str = ""


NO_ORIGIN = RunOrigin()


@dataclass(frozen=True, slots=True)
class Record:
    """One claim or outcome of one attempt. Empty fields are left out of the file.

    `to` never contains an email address or a user_id. `conversation` is the id of the conversation that the message
    opened, where Intercom gave it. `sender` and `opens_conversation` are only in claims and `unknown` outcomes, for
    reconcile to compare. `redirected`: the message went to `contact`, which is not the recipient. `decided` is when a
    person decided that an attempt was sent; `at` is then still the time of the attempt. `actor`, `run_url` and `commit`
    are in a few records of each run, and in the first of each decision. `forgotten` replaces the other
    records of its attempt with the same status: what they said about the recipient is gone, also where git brings them
    back. `extra` is the JSON of fields that this version does not know.
    """

    key: str
    attempt: str
    status: Status
    message: str = ""
    revision: int = 0
    to: str = ""
    contact: str = ""
    id: str = ""
    conversation: str = ""
    digest: str = ""
    content: str = ""
    text: str = ""
    plan: str = ""
    at: str = ""
    decided: str = ""
    code: str = ""
    request_id: str = ""
    by: str = ""
    sender: str = ""
    opens_conversation: bool = False
    redirected: bool = False
    actor: str = ""
    run_url: str = ""
    commit: str = ""
    forgotten: bool = False
    extra: str = ""

    def signed(self, origin: RunOrigin) -> "Record":
        """Returns the record with who wrote it, and where."""
        return dataclasses.replace(self, actor=origin.actor, run_url=origin.run_url, commit=origin.commit)

    @property
    def run(self) -> str:
        """The id of the run that made the attempt."""
        return self.attempt.rpartition("-")[0] or self.attempt

    @property
    def recipient_contact(self) -> str:
        """The contact, if it is the recipient; empty if it is not known, or if the message was redirected."""
        return "" if self.redirected else self.contact

    @property
    def known_contact(self) -> str:
        """Intercom's id of the contact; empty if the record does not have it."""
        is_clear = self.to.startswith("id:") and MASKED not in self.to
        return self.contact or (self.to.removeprefix("id:") if is_clear else "")

    def without_recipient(self) -> "Record":
        """Returns the record without what is known of its recipient. Key, status, digest and content stay."""
        to = f"id{MASKED}{self.key[:8]}" if self.to.startswith("id:") else self.to
        return dataclasses.replace(self, to=to, contact="", conversation="", text="", forgotten=True)

    @property
    def rank(self) -> int:
        """Sorts the records of one attempt: one replaces those with a lower rank."""
        return 2 * RANK[self.status] + self.forgotten

    @property
    def recorded_at(self) -> str:
        """When it was recorded: of what a person decided, the time of the decision."""
        return self.decided or self.at

    @property
    def is_searchable(self) -> bool:
        """Whether reconcile can search for it: it opens a conversation, and what to compare is known."""
        return self.opens_conversation and all((self.contact, self.sender, self.text, self.at))

    @property
    def is_decision(self) -> bool:
        """Whether it is a copy of a sent record with what a person decided later: its time is not a time of sending."""
        return self.status == "sent" and (self.by == ACCEPT or self.code == DUPLICATE)

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as a JSON object, in the order of the fields."""
        own = {name: value for name, value in zip(_FIELDS, _get_fields(self), strict=True) if value}
        return {**own, **(orjson.loads(self.extra) if self.extra else {})}

    def to_line(self) -> bytes:
        """Returns the record as a line of the lockfile. Raises TypeError for one that could not be read again."""
        value = self.to_dict()
        if not all(map(isinstance, value.values(), map(_TYPES.get, value, repeat(object)))):
            raise TypeError(f"a record with a field of another type: {value}")
        return orjson.dumps(value) + b"\n"


_FIELDS = tuple(field.name for field in dataclasses.fields(Record) if field.name != "extra")
_get_fields = attrgetter(*_FIELDS)
_FLAGS = ("opens_conversation", "redirected", "forgotten")
_TYPES: dict[str, type] = {**dict.fromkeys(_FIELDS, str), **dict.fromkeys(_FLAGS, bool), "revision": int}


def salt_check(salt: str) -> str:
    """Returns eight hex digits that tell one salt from another, and do not reveal it."""
    return hashlib.sha256(f"msgrun:{salt}".encode()).hexdigest()[:8]


def parse_entry(value: dict[str, Any], origin: str, number: int) -> Record | Header:
    """Returns the record or header that an object on a ledger's line is.

    `origin` and `number` name the line in errors. Raises LedgerUnavailable.
    """
    if "msgrun_lock" in value:
        if value["msgrun_lock"] != VERSION:
            message = f"{origin}:{number}: this ledger has version {value['msgrun_lock']}"
            raise LedgerUnavailable(message, "update msgrun")
        workspace, check, ledger = (str(value.get(name) or "") for name in ("workspace", "salt_check", "ledger"))
        if ledger and not LEDGER_ID.fullmatch(ledger):  # it becomes part of paths and of names of refs
            raise LedgerUnavailable(f"{origin}:{number}: this is not the id of a ledger", "take the line back from git")
        return Header(workspace, check, ledger, parse_mark(value))
    if not (_is_text(value.get("key")) and _is_text(value.get("attempt")) and str(value.get("status")) in RANK):
        hint = "if this is a lockfile, take the line back from git, or update msgrun if a newer one wrote it"
        raise LedgerUnavailable(f"{origin}:{number}: this is not a record of a ledger", hint)
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
    try:
        extra = orjson.dumps(others, option=orjson.OPT_SORT_KEYS).decode() if others else ""
    except orjson.JSONEncodeError as error:  # orjson writes fewer levels than it reads
        message = f"{origin}:{number}: a field is nested too deeply"
        raise LedgerUnavailable(message, "take the line back from git") from error
    return Record(**fields, extra=extra)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
