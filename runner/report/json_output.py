"""JSON for machines. `format_version` changes when a reader of the old form would go wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import orjson

from runner.errors import Problem
from runner.ledger.facts import MessageStatus
from runner.ledger.record import KeyStatus, State
from runner.plan.deliveries import ACTIONS, PlannedDelivery, PlannedMessage
from runner.plan.plan import Plan
from runner.privacy import reveal_or_mask

FORMAT_VERSION = 1


_BATCH = 1000  # deliveries in a part


_END = "\n}"


STATUSES: tuple[KeyStatus, ...] = ("sent", "unknown", "refused", "free")


def problems(found: Iterable[Problem], *, show_values: bool) -> str:
    """All problems, in the order of their places."""
    rows = [
        {
            "path": problem.place.path,
            "line": problem.place.line,
            "column": problem.place.column,
            "severity": str(problem.severity),
            "code": problem.code,
            "message": reveal_or_mask(problem.message, show_values=show_values),
            "recipient": problem.recipient,
            "hint": reveal_or_mask(problem.hint, show_values=show_values),
        }
        for problem in found
    ]
    return _document({"problems": rows})


def plan(planned: Plan, salt_check: str = "", changes: dict[str, Any] | None = None) -> Iterator[str]:
    """A plan: digest, counts, messages, every delivery with its action, and the guards; a line a delivery.

    In parts without their last line end, so that a million deliveries are never held at once. A plan that is saved to
    be applied also says the `salt_check`, and one that was compared what `changes`.
    """
    head = {
        "environment": planned.environment,
        "workspace": planned.workspace,
        **({"salt_check": salt_check} if salt_check else {}),
        "digest": planned.digest,
        "counts": _counts(planned.counts, ACTIONS),
        "messages": [
            {
                "name": message.name,
                "revision": message.declaration.revision,
                "digest": message.digest,
                "counts": _counts(message.counts, ACTIONS),
                "left_out": dict(message.left_out),
            }
            for message in planned.messages
        ],
    }
    yield f'{_document(head).removesuffix(_END)},\n  "deliveries": ['
    lines = (_delivery(message, delivery) for message in planned.messages for delivery in message.deliveries)
    yield from _listed(lines)
    guards = [
        {"code": guard.code, "message": guard.message, "hint": guard.hint, "messages": list(guard.messages)}
        for guard in planned.guards
    ]
    last_keys = {"guards": guards, **({"changes": changes} if changes else {})}
    tail = orjson.dumps(last_keys, option=orjson.OPT_INDENT_2).decode().removeprefix("{\n")
    yield f"  ],\n{tail}"


def _delivery(message: PlannedMessage, delivery: PlannedDelivery) -> str:
    return orjson.dumps(
        {
            "key": delivery.key,
            "message": message.name,
            "revision": message.declaration.revision,
            "to": delivery.display_name,
            "action": delivery.action,
            "digest": delivery.digest,
            "reason": delivery.reason,
        }
    ).decode()


def status(known: Counter[MessageStatus], states: Iterable[State]) -> Iterator[str]:
    """What a ledger knows: counts, and for each delivery the record that holds, a line each; in parts as a plan is."""
    messages: dict[tuple[str, int], Counter[str]] = {}
    for (name, revision, found), number in known.items():
        messages.setdefault((name, revision), Counter())[found] += number
    head = {
        "counts": _counts(sum(messages.values(), Counter()), STATUSES),
        "messages": [
            {"name": name, "revision": revision, "counts": _counts(found, STATUSES)}
            for (name, revision), found in sorted(messages.items())
        ],
    }
    yield f'{_document(head).removesuffix(_END)},\n  "deliveries": ['
    yield from _listed(orjson.dumps(_holding(state)).decode() for state in states)
    yield "  ]\n}"


def _listed(lines: Iterator[str]) -> Iterator[str]:
    """The items of a list, in parts of many lines."""
    last = next(lines, None)
    while batch := list(islice(lines, _BATCH)):
        yield "".join(f"    {line},\n" for line in (last, *batch[:-1])).removesuffix("\n")
        last = batch[-1]
    if last:
        yield f"    {last}"


def _holding(state: State) -> dict[str, Any]:
    """The record that holds; a claim that nothing followed is unknown to everybody who reads of it."""
    value = state.record.to_dict()
    return {**value, "status": "unknown"} if value["status"] == "claimed" else value


def _counts(found: Counter[Any], names: Iterable[str]) -> dict[str, int]:
    return {name: found[name] for name in names}


def _document(value: dict[str, Any]) -> str:
    return orjson.dumps({"format_version": FORMAT_VERSION, **value}, option=orjson.OPT_INDENT_2).decode()
