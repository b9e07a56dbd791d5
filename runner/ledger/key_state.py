"""The state of a key: what all its records say together, in whatever order they come.

An attempt is (key, attempt). Within one attempt the highest status decides. A key is sent if any attempt is, else
unknown if any attempt is claimed or unknown, else refused if any is, else free.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal

from runner.clock import parse_timestamp
from runner.ledger.record import ACCEPT, CONTACT_NOT_FOUND, DUPLICATE, RANK, Record

KeyStatus = Literal["sent", "unknown", "refused", "free"]
# As a person reads them, in the order of a summary.
STATUS_WORDS: Mapping[KeyStatus, str] = {"sent": "sent", "unknown": "unknown", "refused": "refused", "free": "not sent"}

_LIVE_TIME = timedelta(seconds=120)  # a live run writes the outcome of a claim sooner
_MAX_IDS, _MAX_ID = 10, 128  # ids of one delivery that a line names; characters of an id, as Intercom gives them


@dataclass(frozen=True, slots=True)
class State:
    """The state of a key: its status, the record that decides it, and the records of each attempt's highest status.

    If it was sent, `record` is of the sending, not a copy that a later decision added: its time is that of the sending.
    """

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

    @property
    def accepted_at(self) -> str:
        """When an edit was accepted that came after the sending; empty if none was."""
        return max((record.at for record in self.sent_records if record.by == ACCEPT), default="")

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
        """Whether two attempts were sent with different ids, and no person has acknowledged that."""
        return len(self.duplicate_records) > 1

    @property
    def duplicate_records(self) -> list[Record]:
        """The first record of the earliest attempt that was sent, and of each attempt that was sent with other ids.

        Acknowledged attempts do not count.
        """
        acknowledged = {record.attempt for record in self.sent_records if record.code == DUPLICATE}
        attempts: dict[str, list[Record]] = {}
        for record in self.sent_records:
            if record.id and record.attempt not in acknowledged:
                attempts.setdefault(record.attempt, []).append(record)
        ids = [{record.id for record in records} for records in attempts.values()]
        return [
            records[0] for records, own in zip(attempts.values(), ids, strict=True) if own is ids[0] or own != ids[0]
        ]


def is_live_claim(record: Record, now: datetime) -> bool:
    """Returns whether the run of an open attempt may still be sending it: it was claimed less than two minutes ago.

    A time further ahead than that is a wrong clock, and no sign of a run.
    """
    at = parse_timestamp(record.at) if record.status == "claimed" else None
    return at is not None and abs(now - at) < _LIVE_TIME


def latest_end(claims: Iterable[Record]) -> datetime | None:
    """Returns the time from which on the runs of some open attempts count as over; None if no time is known."""
    times = filter(None, (parse_timestamp(record.at) for record in claims))
    newest = max(times, default=None)
    return newest + _LIVE_TIME if newest else None


def name_ids(records: Iterable[Record]) -> str:
    """Returns the ids of the messages that these records say were sent, the first ones of many."""
    ids = sorted({record.id for record in records if record.id})
    more = [f"{len(ids) - _MAX_IDS:,} more"] if len(ids) > _MAX_IDS else []
    return " and ".join([*(identifier[:_MAX_ID] for identifier in ids[:_MAX_IDS]), *more])


def fold_records(records: Iterable[Record]) -> State:
    """Returns the state of a key from all its records, in any order."""
    top = list(chain.from_iterable(group_by_attempt(records)))
    top.sort(key=lambda record: (record.at, record.attempt, record.to_line()))
    status = key_status({record.status for record in top})
    deciding = {"sent": {"sent"}, "unknown": {"claimed", "unknown"}, "refused": {"refused"}, "free": {"released"}}[
        status
    ]
    candidates = [record for record in top if record.status in deciding]
    sendings = [record for record in candidates if not record.is_decision]
    return State(status, (sendings or candidates)[-1], tuple(top))


def group_by_attempt(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yields the records of each attempt that decide it: those with its highest status."""
    by_attempt: dict[str, list[Record]] = {}
    for record in records:
        by_attempt.setdefault(record.attempt, []).append(record)
    for attempt in by_attempt.values():
        top = max(RANK[record.status] for record in attempt)
        yield [record for record in attempt if RANK[record.status] == top]


def key_status(statuses: AbstractSet[str]) -> KeyStatus:
    """Returns the status of a key whose attempts have these statuses."""
    if "sent" in statuses:
        return "sent"
    if statuses & {"claimed", "unknown"}:
        return "unknown"
    return "refused" if "refused" in statuses else "free"
