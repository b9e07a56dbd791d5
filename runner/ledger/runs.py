"""Who applied what, when, and in which run: what audit asks of the records of a ledger."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from runner.clock import time_of_run
from runner.ledger.facts import Facts
from runner.ledger.key_state import group_by_attempt
from runner.ledger.record import ACCEPT, DUPLICATE, NO_ORIGIN, Record, RunOrigin

# What was done: `apply` sent, also where reconcile found the outcome later; the others are decisions of a person.
RecordingCommand = Literal["apply", "adopt", "accept", "resolve", "resolve --duplicate"]
_MAX_SEARCHED = 200_000  # keys whose records are read to find who made a run


@dataclass(slots=True)
class RunEntry:
    """What one run, or one decision about its attempts, did to one revision of a message.

    `decided` is the time of the decision; empty if there is none. `origin` is empty where older versions wrote the
    records. `first` and `last` are times of its records. `plan` is the digest of the plan that was applied.
    `reconciled` counts those of `sent` that reconcile found; the ledger does not say when. `not_sent` counts what never
    left, or was decided to be not sent. `being_sent` counts those of `unknown` that a run may be sending now.
    `resolved` counts what a run left unknown, if a person has decided about it since: the entry of that decision counts
    it too.
    """

    run: str
    command: RecordingCommand
    decided: str
    message: str
    revision: int
    first: str = ""
    last: str = ""
    plan: str = ""
    origin: RunOrigin = field(default=NO_ORIGIN)
    sent: int = 0
    reconciled: int = 0
    refused: int = 0
    unknown: int = 0
    being_sent: int = 0
    not_sent: int = 0
    resolved: int = 0

    @property
    def action(self) -> tuple[str, RecordingCommand, str]:
        """What the entries have in common that belong together: the run or decision."""
        return self.run, self.command, self.decided

    def add(self, record: Record, *, is_live: bool) -> None:
        """Counts the record that decides an attempt, or an open one, which a run may be sending if `is_live`."""
        time = record.recorded_at
        self.first, self.last = min(self.first or time, time), max(self.last, time)
        self.plan = self.plan or record.plan
        match record.status:
            case "sent":
                self.sent += 1
                self.reconciled += record.by == "reconcile"
            case "refused":
                self.refused += 1
            case "released":
                self.not_sent += 1
            case "claimed" | "unknown":
                self.unknown += 1
                self.being_sent += is_live

    def add_resolved(self, record: Record) -> None:
        """Counts an attempt about which a person has decided. That of the run is taken if the entry has no time."""
        time = time_of_run(record.run) or record.at
        self.first, self.last = self.first or time, self.last or time
        self.plan = self.plan or record.plan
        self.resolved += 1


def list_runs(
    facts: Facts, message: str | None = None, is_live: Callable[[Record], bool] = lambda _: False
) -> list[RunEntry]:
    """Returns an entry for each run and revision of a message, of all messages or one: the latest run first.

    `is_live` says of a claim whether a run may be sending it now.
    """
    entries: dict[tuple[str, RecordingCommand, str, str, int], RunEntry] = {}
    origins: dict[tuple[str, RecordingCommand, str], RunOrigin] = {}
    resolved: list[Record] = []
    of_runs: dict[str, RunOrigin] = {}
    for _, grouped in groupby(facts.records(), key=lambda record: record.key):
        records = list(grouped)
        of_runs |= {one.run: _origin_of(one) for one in records if one.actor and _recording_command(one) == "apply"}
        for record in _deciding_records(records):
            run, command = record.run, _recording_command(record)
            action = run, command, "" if command == "apply" else record.recorded_at
            origin = _origin_of(record)
            if origin != NO_ORIGIN:
                origins[action] = origin
            if message in (None, record.message):
                key = *action, record.message, record.revision
                entries.setdefault(key, RunEntry(*key)).add(record, is_live=is_live(record))
                resolved += [record] if command == "resolve" else []
    for record in sorted(resolved, key=lambda record: record.at):
        of_run: tuple[str, RecordingCommand, str, str, int] = (record.run, "apply", "", record.message, record.revision)
        entries.setdefault(of_run, RunEntry(*of_run)).add_resolved(record)
    origins = {(run, "apply", ""): origin for run, origin in of_runs.items()} | origins
    named = [replace(entry, origin=origins.get(entry.action, NO_ORIGIN)) for entry in entries.values()]
    ends: dict[tuple[str, RecordingCommand, str], str] = {}
    for entry in named:
        ends[entry.action] = max(ends.get(entry.action, ""), entry.last)
    named.sort(key=lambda entry: (entry.message, entry.revision))
    return sorted(named, key=lambda entry: (ends[entry.action], *entry.action), reverse=True)


def find_actors(facts: Facts, runs: Collection[str]) -> dict[str, str]:
    """Returns who made these runs, as far as the records that were added last say it.

    A run writes it into its first claim and its first outcome only.
    """
    actors: dict[str, str] = {}
    for row in range(len(facts) - 1, max(-1, len(facts) - 1 - _MAX_SEARCHED), -1):
        if len(actors) == len(runs):
            break
        found = (record for record in facts.index.read_records(row) if record.actor and record.run in runs)
        actors.update((record.run, record.actor) for record in found)
    return actors


def _origin_of(record: Record) -> RunOrigin:
    return RunOrigin(record.actor, record.run_url, record.commit)


def _deciding_records(records: list[Record]) -> Iterator[Record]:
    """Yields the records of a key to count: of each attempt one that decides it, and those of later decisions."""
    if len(records) == 1:  # as of most keys, of which a ledger may have a million
        yield records[0]
        return
    for deciding in group_by_attempt(records):
        yield from [record for record in deciding if not record.is_decision][:1]
        yield from (record for record in deciding if record.is_decision)


def _recording_command(record: Record) -> RecordingCommand:
    if record.by == ACCEPT:
        return "accept"
    if record.by == "adopt":
        return "adopt"
    if record.code == DUPLICATE:
        return "resolve --duplicate"
    return "resolve" if record.by == "person" else "apply"
