"""Records of what a user decides about deliveries: that they count as sent or as not sent. Nothing is POSTed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.key_state import KeyStatus, State
from runner.ledger.record import ACCEPT, DUPLICATE, Record
from runner.plan.deliveries import PlannedMessage
from runner.shown_command import shown_command

_SETTLED: Mapping[KeyStatus, str] = {
    "sent": "it counts as sent, and that cannot be taken back; with a higher revision: all get the message again",
    "refused": "that delivery was refused, so it was not sent",
    "free": "that delivery is known to be not sent: the next apply sends it",
}


def accept_edits(message: PlannedMessage, facts: Facts, at: str) -> list[Record]:
    """Returns copies of the sent records of edited deliveries, with the current content and digest.

    A delivery that was redirected never reached its recipient, so turning redirect off is not an edit to accept.
    """
    records, is_redirected = [], message.declaration.redirect is not None
    for planned in message.deliveries:
        state = facts.state(planned.key)
        if planned.action == "edited" and state and state.record.redirected == is_redirected:
            content = message.declaration.content
            records.append(replace(state.record, content=content, digest=planned.digest, at=at, by=ACCEPT))
    return records


def adopt_deliveries(message: PlannedMessage, run_id: str, plan: str, at: str) -> list[Record]:
    """Returns sent records without a message id for deliveries that the ledger does not have as sent or unknown.

    These have no record, or their attempts were refused or released.
    """
    records = [
        Record(
            key=planned.key,
            attempt=f"{run_id}-{number}",
            status="sent",
            message=message.name,
            revision=message.declaration.revision,
            to=planned.display_name,
            digest=planned.digest,
            content=message.declaration.content,
            plan=plan,
            at=at,
            by="adopt",
        )
        for number, planned in enumerate(message.deliveries, 1)
        if planned.action not in {"sent", "edited", "unknown"}
    ]
    return [replace(record, contact=record.known_contact) for record in records]


def resolve_unknown(states: list[State], sent_id: str | None, at: str) -> list[Record]:
    """Returns the outcome that the user found out for unknown deliveries: sent with an id, or (None) not sent.

    `sent_id` is empty if the id is not known.

    If one key has several open attempts, the newest is taken as the one that was sent, at its own time. `at` is when it
    was decided. Raises UsageMistake if one id is given for several deliveries.
    """
    if sent_id and len(states) > 1:
        raise UsageMistake("one message id cannot stand for several deliveries", "resolve them one by one, by key")
    records: list[Record] = []
    for state in states:
        if sent_id is None:
            records.extend(_close_attempt(record, "released", at) for record in state.open_attempts)
        else:
            attempt = state.open_attempts[-1]
            records.append(replace(_close_attempt(attempt, "sent", attempt.at), id=sent_id, decided=at))
    return records


def acknowledge_duplicates(facts: Facts, key: str | None, message: str | None, at: str) -> list[Record]:
    """Returns records with which a person acknowledges that deliveries were sent twice.

    They are copies of the sent records of every attempt but the first. Raises UsageMistake if `message` is None and not
    exactly one key fits.
    """
    states = [state for state in facts.duplicates() if message in (None, state.record.message)]
    if message is None:
        states = [state for state in states if key and state.record.key.startswith(key)]
        if len(states) != 1:
            raise UsageMistake(
                f"{len(states)} duplicates have a key that begins with {key}", f"{shown_command('status')} lists them"
            )
    return [
        replace(record, code=DUPLICATE, by="person", at=at)
        for state in states
        for record in state.duplicate_records[1:]
    ]


def find_unknown(facts: Facts, key: str | None, message: str | None) -> list[State]:
    """Returns the unknown deliveries: of a message, the one whose key begins with `key`, or all if both are None.

    Raises UsageMistake if not exactly one key fits.
    """
    states = list(facts.states_with("unknown"))
    if key is None:
        return [state for state in states if message in {None, state.record.message}]
    matching = [state for state in states if key and state.record.key.startswith(key)]
    if len(matching) > 1:
        number = len(matching)
        raise UsageMistake(f"{number} unknown deliveries have a key that begins with {key}", "give more of the key")
    if not matching:
        matching_keys = [candidate for candidate in facts if key and candidate.startswith(key)]
        state = facts.state(matching_keys[0]) if matching_keys else None
        hint = _SETTLED[state.status] if state else f"{shown_command('status')} lists them"
        if any(state.record.message == key for state in states):
            hint = f"{key} is a message: use --message {key} --all, with --not-sent or with --sent -"
        raise UsageMistake(f"no unknown delivery has the key {key}", hint)
    return matching


def _close_attempt(record: Record, status: Literal["sent", "released"], at: str) -> Record:
    """Returns the outcome of an open attempt, as decided by a person."""
    return replace(record, status=status, at=at, by="person", code="", sender="", opens_conversation=False)
