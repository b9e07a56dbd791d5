"""What a person decides about deliveries: they count as sent, or as not sent. Nothing is POSTed here."""

from dataclasses import replace
from typing import Literal

from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.record import Record, State
from runner.plan.deliveries import PlannedMessage


def accept_edits(message: PlannedMessage, facts: Facts, at: str) -> list[Record]:
    """The sent facts of edited deliveries once more, with the content and digest that are declared now."""
    records = []
    for planned in message.deliveries:
        state = facts.state(planned.key)
        if planned.action == "edited" and state:
            content = message.declaration.content
            records.append(replace(state.record, content=content, digest=planned.digest, at=at, by="accept"))
    return records


def adopt_deliveries(message: PlannedMessage, run_id: str, plan: str, at: str) -> list[Record]:
    """Sent facts, without an id, for every delivery that nothing is known of or that was refused."""
    return [
        Record(
            key=planned.key,
            attempt=f"{run_id}-{number}",
            status="sent",
            message=message.name,
            revision=message.declaration.revision,
            to=planned.display_name,
            contact=planned.display_name.removeprefix("id:") if planned.display_name.startswith("id:") else "",
            digest=planned.digest,
            content=message.declaration.content,
            plan=plan,
            at=at,
            by="adopt",
        )
        for number, planned in enumerate(message.deliveries, 1)
        if planned.action not in {"sent", "edited", "unknown"}
    ]


def resolve_unknown(states: list[State], sent_id: str | None, at: str) -> list[Record]:
    """The outcome that a person found out for unknown deliveries: sent under an id, or (None) not sent.

    Of several open attempts at one key, the newest is the one that was sent. Raises UsageMistake.
    """
    if sent_id is not None and len(states) > 1:
        raise UsageMistake("one message id cannot stand for several deliveries", "resolve them one by one, by key")
    records: list[Record] = []
    for state in states:
        if sent_id is None:
            records.extend(_closed(record, "released", at) for record in state.open_attempts)
        else:
            records.append(replace(_closed(state.open_attempts[-1], "sent", at), id=sent_id))
    return records


def find_unknown(facts: Facts, key: str | None, message: str | None) -> list[State]:
    """The unknown deliveries of a message, or the one whose key begins so. Raises UsageMistake."""
    states = [state for found in facts.unknown_keys() if (state := facts.state(found))]
    if message is not None:
        return [state for state in states if state.record.message == message]
    matching = [state for state in states if key and state.record.key.startswith(key)]
    if len(matching) > 1:
        raise UsageMistake(f"{len(matching)} unknown deliveries have a key that begins with {key}", "give more of it")
    if not matching:
        known = [found for found in facts if key and found.startswith(key)]
        state = facts.state(known[0]) if known else None
        hint = f"that delivery is {state.status}" if state else "msgrun status lists them"
        raise UsageMistake(f"no unknown delivery has the key {key}", hint)
    return matching


def _closed(record: Record, status: Literal["sent", "released"], at: str) -> Record:
    return replace(record, status=status, at=at, by="person", sender="", conversation=False)
