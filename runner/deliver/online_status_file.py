"""The file with what `status --online` found, so that the preview can show it offline: counts, keys and times.

It is read as strictly as an answer of Intercom: another program may have written it. If git tracks it, a pull request
may have brought it, and it is not read.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from runner.atomic_write import write_atomically
from runner.deliver.online_status import ONLINE_STATUSES, OnlineStatus, OnlineStatuses
from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.facts import Facts, MessageStatus

_VERSION = 1
_MAX_SIZE = 16 << 20  # bytes of the file
_MAX_MESSAGES = 2_000
_MAX_LISTED = 20  # deliveries of a message that were replied to or dropped
_MAX_TEXT = 128  # characters of a name or a time


@dataclass(frozen=True, slots=True)
class MessageOnlineStatus:
    """What became of the deliveries of one revision of a message, as Intercom showed it at the time `at`.

    `listed` are the first of those that were dropped or replied to, as (key, status, time of the first reply or empty).
    """

    at: str
    counts: Mapping[OnlineStatus, int]
    listed: tuple[tuple[str, OnlineStatus, str], ...] = ()


OnlineStatusByMessage = dict[tuple[str, int], MessageOnlineStatus]  # by name and revision


def load_online_status(path: Path) -> OnlineStatusByMessage:
    """Returns what the file holds; nothing if there is none, or one that msgrun did not write."""
    try:
        if path.stat().st_size > _MAX_SIZE:
            return {}
        repository = find_repository(path.parent.resolve())
        if repository and repository.tracked_files(path.parent):
            return {}
        value = orjson.loads(path.read_bytes())
        return dict(map(_parse_message, value["messages"])) if value["format_version"] == _VERSION else {}
    except (OSError, ValueError, TypeError, KeyError, LedgerUnavailable):
        return {}


def save_online_status(path: Path, statuses: OnlineStatuses, facts: Facts, at: str) -> None:
    """Writes what was found at the time `at` in place of what the file says of the same messages.

    A message of which only some of the deliveries that were sent were looked up is left out. A disk that takes no file
    changes nothing else.
    """
    entries, sent = load_online_status(path), facts.counts()
    listed: dict[tuple[str, int], list[tuple[str, OnlineStatus, str]]] = {}
    for delivery in statuses.listed():
        if state := facts.state(delivery.key):
            message = state.record.message, state.record.revision
            listed.setdefault(message, []).append((delivery.key, delivery.status, delivery.replied_at))
    for message, counts in statuses.counts.items():
        if counts.total() == sent[MessageStatus(*message, "sent")]:
            entries.pop(message, None)
            entries[message] = MessageOnlineStatus(at, counts, tuple(listed.get(message, ())[:_MAX_LISTED]))
    latest = list(entries.items())[-_MAX_MESSAGES:]
    rows = [
        {"name": name, "revision": revision, "at": entry.at, "counts": entry.counts, "listed": entry.listed}
        for (name, revision), entry in latest
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, [orjson.dumps({"format_version": _VERSION, "messages": rows})])
    except OSError:
        return


def _parse_message(row: Any) -> tuple[tuple[str, int], MessageOnlineStatus]:
    """Returns a message of the file. Raises ValueError, TypeError or KeyError if it is none."""
    if not isinstance(row["counts"], dict):
        raise TypeError(row)
    counts = Counter({_parse_status(status): _parse_count(count) for status, count in row["counts"].items()})
    listed = tuple((_parse_text(key), _parse_status(status), _parse_text(at)) for key, status, at in row["listed"])
    name = _parse_text(row["name"]), _parse_count(row["revision"])
    return name, MessageOnlineStatus(_parse_text(row["at"]), counts, listed[:_MAX_LISTED])


def _parse_status(value: Any) -> OnlineStatus:
    if value not in ONLINE_STATUSES:
        raise ValueError(value)
    return cast("OnlineStatus", value)


def _parse_count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def _parse_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise ValueError(value)
    return value
