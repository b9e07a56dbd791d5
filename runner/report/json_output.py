"""JSON for programs. `format_version` changes when a program that reads the old form would misread the new one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from runner.declare.address_search import Address
from runner.declare.declaration import SUBSCRIPTION_KEY
from runner.errors import Problem
from runner.ledger.facts import MessageStatus
from runner.ledger.key_state import KeyStatus, State
from runner.plan.deliveries import ACTIONS, PlannedDelivery, PlannedMessage
from runner.plan.plan import Plan
from runner.plan.sending_rules import SendingRules
from runner.privacy import reveal_or_mask
from runner.report import plan_words
from runner.report.json_text import to_json
from runner.report.plain_text import count_by_message

FORMAT_VERSION = 1
_BATCH = 1000  # deliveries in one part of the output
_CLOSING_BRACE = "\n}"
STATUSES: tuple[KeyStatus, ...] = ("sent", "unknown", "refused", "free")


@dataclass(frozen=True, slots=True)
class OnlineJson:
    """What Intercom shows of what was sent: counts, also by message as (name, revision), and conversations by key."""

    counts: Mapping[str, int]
    messages: Mapping[tuple[str, int], Mapping[str, int]]
    deliveries: Mapping[str, Mapping[str, Any]]


def format_problems(items: Iterable[Problem], *, show_values: bool) -> str:
    """Returns the problems as JSON, in the order given."""
    rows = [
        {
            "path": problem.place.path,
            "line": problem.place.line,
            "column": problem.place.column,
            "severity": str(problem.severity),
            "code": problem.code,
            "message": reveal_or_mask(problem.message, show_values=show_values),
            "recipient": reveal_or_mask(problem.recipient, show_values=show_values),
            "hint": problem.hint,
        }
        for problem in items
    ]
    return _serialize_document({"problems": rows})


def format_plan(
    planned: Plan,
    salt_check: str = "",
    changes: dict[str, Any] | None = None,
    notices: Sequence[str] = (),
    rules: SendingRules | None = None,
    paths: Sequence[str] = (),
) -> Iterator[str]:
    """Yields a plan as JSON: digest, counts, messages, every delivery with its action, and the guards.

    A delivery is one line.
    Yields parts, each without the line end of its last line, so that a million deliveries are never in memory at once.
    Where an audience in the workspace was not read, the digests of its message and of the plan are null, and the
    message's counts are. A plan that is saved to be applied has a `salt_check`. One whose senders were looked up has
    `senders`: each as declared, with its id. One that was compared with a git ref has `changes`. `notices` hold for all
    that is sent. A saved plan has the `rules` and the `paths` that it was made with.
    """
    head = {
        "environment": planned.environment,
        "workspace": planned.workspace,
        **({"salt_check": salt_check} if salt_check else {}),
        **({"paths": list(paths)} if paths else {}),
        **({"rules": rules} if rules else {}),
        **({"senders": _list_senders(planned)} if planned.sender_ids else {}),
        **({"notices": list(notices)} if notices else {}),
        "digest": planned.digest or None,
        **({"unread": planned.unread} if planned.unread else {}),
        "counts": _select_counts(planned.counts, ACTIONS),
        "messages": list(map(_describe_message, planned.messages)),
    }
    yield f'{_serialize_document(head).removesuffix(_CLOSING_BRACE)},\n  "deliveries": ['
    lines = (_serialize_delivery(message, delivery) for message in planned.messages for delivery in message.deliveries)
    yield from _join_items(lines)
    guards = [
        {"code": guard.code, "message": guard.message, "hint": guard.hint, "messages": list(guard.messages)}
        for guard in planned.guards
    ]
    last_keys = {"guards": guards, **({"changes": changes} if changes else {})}
    tail = to_json(last_keys).removeprefix("{\n")
    yield f"  ],\n{tail}"


def _describe_message(message: PlannedMessage) -> dict[str, Any]:
    return {
        "name": message.name,
        "revision": message.declaration.revision,
        "digest": message.digest or None,
        "counts": None if message.is_unread else _select_counts(message.counts, ACTIONS),
        "left_out": dict(message.left_out),
        **({SUBSCRIPTION_KEY: name} if (name := message.declaration.require_subscription) else {}),
        **({"audience": plan_words.audience_to_dict(message)} if message.workspace_contacts else {}),
    }


def _list_senders(planned: Plan) -> list[dict[str, str]]:
    return [{sender.kind: sender.value, "id": admin_id} for sender, admin_id in planned.sender_ids.items()]


def _serialize_delivery(message: PlannedMessage, delivery: PlannedDelivery) -> str:
    return orjson.dumps(
        {
            "key": delivery.key,
            "message": message.name,
            "revision": message.declaration.revision,
            "to": delivery.display_name,
            "action": delivery.action,
            "digest": delivery.digest,
            "reason": delivery.reason,
            **({"code": delivery.code} if delivery.code else {}),
        }
    ).decode()


def format_status(
    message_statuses: Counter[MessageStatus],
    states: Iterable[State],
    addresses: Mapping[str, Address],
    online: OnlineJson | None = None,
) -> Iterator[str]:
    """Yields the ledger as JSON: counts, and for each delivery the record that decides its status, one line each.

    `addresses` are the recipients' addresses by key, where they may be shown. Yields parts, as `plan` does.
    """
    messages = count_by_message(message_statuses)
    head: dict[str, Any] = {
        "counts": _select_counts(sum(messages.values(), Counter()), STATUSES),
        "messages": [
            {"name": name, "revision": revision, "counts": _select_counts(by_status, STATUSES)}
            | ({"online": online.messages.get((name, revision))} if online else {})
            for (name, revision), by_status in sorted(messages.items())
        ],
    }
    if online:
        head["online"] = online.counts
    yield f'{_serialize_document(head).removesuffix(_CLOSING_BRACE)},\n  "deliveries": ['
    yield from _join_items(orjson.dumps(_state_to_dict(state, addresses, online)).decode() for state in states)
    yield "  ]\n}"


def _join_items(lines: Iterator[str]) -> Iterator[str]:
    """Yields the items of a JSON list, in parts of many lines."""
    last = next(lines, None)
    while batch := list(islice(lines, _BATCH)):
        yield "".join(f"    {line},\n" for line in (last, *batch[:-1])).removesuffix("\n")
        last = batch[-1]
    if last:
        yield f"    {last}"


def _state_to_dict(state: State, addresses: Mapping[str, Address], online: OnlineJson | None) -> dict[str, Any]:
    """Returns the record that decides a delivery's status, its address if known, and when an edit was accepted.

    Without an outcome, the status is unknown and not claimed: a reader cannot tell whether the message was sent.
    """
    value = state.record.to_dict() | ({"accepted_at": state.accepted_at} if state.accepted_at else {})
    if address := addresses.get(state.record.key):
        value["address"] = f"{address.kind}:{address.value}"
    if online and (conversation := online.deliveries.get(state.record.key)):
        value["online"] = conversation
    return {**value, "status": "unknown"} if value["status"] == "claimed" else value


def _select_counts(counts: Counter[Any], names: Iterable[str]) -> dict[str, int]:
    return {name: counts[name] for name in names}


def _serialize_document(value: dict[str, Any]) -> str:
    return to_json({"format_version": FORMAT_VERSION, **value})
