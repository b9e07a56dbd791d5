"""Counts what each contact got within the period of `frequency`: by the ledger, and by the plan that is checked."""

from array import array
from datetime import datetime

from runner.clock import format_timestamp, parse_timestamp
from runner.declare.sending_times import Frequency
from runner.key_table import KeyTable
from runner.ledger.contact_index import hash_contact
from runner.ledger.facts import Facts
from runner.ledger.history import RecentSendings

_MAX_NAMED = 3  # messages that a reason names
TOO_FREQUENT = "frequency"


class FrequencyCheck:
    """What contacts were sent by the records in `facts`, and what the plan sends them at `now`: 40 bytes a contact."""

    def __init__(self, limit: Frequency, facts: Facts, now: datetime) -> None:
        self.limit = limit
        self._now = now
        self._sendings = RecentSendings(facts, format_timestamp(now - limit.period))
        self._planned = KeyTable()
        self._counts = array("I")  # of each planned contact: the messages that the plan sends
        self._messages: dict[str, int] = {}
        self._first_messages = array("I")  # of each planned contact: the number of the first of them

    def add(self, contact: str, message: str) -> None:
        """Adds a delivery that the plan sends."""
        row = self._planned.add(hash_contact(contact))
        if row == len(self._counts):
            self._counts.append(0)
            self._first_messages.append(self._messages.setdefault(message, len(self._messages)))
        self._counts[row] += 1

    def find_excess(self, contact: str) -> str:
        """Returns what a contact got or gets that leaves no room for another message; empty if there is room.

        It also says from when on there is room again.
        """
        sendings = [
            (parse_timestamp(record.at) or self._now, record.message) for record in self._sendings.records_of(contact)
        ]
        row = self._planned.row_of(hash_contact(contact))
        planned = 0 if row is None else self._counts[row]
        if len(sendings) + planned < self.limit.most:
            return ""
        words = [f"{message} on {_format_minute(at)}" for at, message in sendings[-_MAX_NAMED:]]
        if row is not None:
            first = list(self._messages)[self._first_messages[row]]
            words.append(f"{first} in this run{f', and {planned - 1:,} more' if planned > 1 else ''}")
        times = [*(at for at, _ in sendings), *[self._now] * planned]
        free_from = times[-self.limit.most] + self.limit.period
        return f"{', '.join(words)}; may be sent from {_format_minute(free_from)} on"


def _format_minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
