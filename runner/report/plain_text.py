"""Plans, runs and ledgers as text. Recipients' values stay marked as private; who prints masks them or not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import click

from runner.deliver.summary import ReportedDelivery, Summary
from runner.ledger.facts import Facts, MessageStatus
from runner.ledger.record import Record, State
from runner.plan.deliveries import ACTIONS, Action, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.plan.plan_file import PlanFile, PlanFileChange
from runner.report.problem_text import left_out, pluralize

_COLOURS = {"send": "green", "edited": "red", "unknown": "red", "refused": "yellow", "excluded": "yellow"}


_TO_SEND = {"send": "to send"}


MAX_LISTED = 20


def plan(planned: Plan) -> str:
    """A plan: each message with its counts first, then what is unusual, the guards, the sums and the digest."""
    where = f" to workspace {planned.workspace}" if planned.workspace else ""
    blocks = [click.style(f"Plan for environment {planned.environment}{where}", bold=True)]
    sends = planned.send_counts()
    blocks.extend(_message(message, sends[message.name]) for message in planned.messages)
    blocks.extend(guard(found) for found in planned.guards)
    limited = f" (now the first {planned.to_send} to send)" if planned.to_send < planned.counts["send"] else ""
    blocks.append(f"{counts(planned.counts)}{limited}\ndigest {planned.digest}")
    return "\n\n".join(blocks)


def guard(found: Guard) -> str:
    """A guard that says no, and its way out."""
    return f"{click.style('guard', fg='red', bold=True)}: {found.message} [{found.code}]\n  hint: {found.hint}"


def plan_file_changes(file: PlanFile, changes: Sequence[PlanFileChange]) -> str:
    """How a plan file differs from what is declared, and the way to write it anew."""
    lines = [f"{file.path} is out of date" if file.exists else f"there is no {file.path} yet"]
    lines.extend(f"  {change.kind:<8} {change.name}: {change.detail}" for change in changes[:MAX_LISTED])
    if len(changes) > MAX_LISTED:
        lines.append(f"  and {len(changes) - MAX_LISTED:,} more")
    lines.append(f"  hint: {file.write_command}")
    return "\n".join(lines)


def plan_file_change_lines(file: PlanFile, changes: Sequence[PlanFileChange], most: int = MAX_LISTED) -> list[str]:
    """The same, a sentence a message, of at most so many."""
    told = [
        f"{file.path} is out of date for {change.name} ({change.kind}): {change.detail}" for change in changes[:most]
    ]
    return [*told, *([f"and for {len(changes) - most:,} more"] if len(changes) > most else [])]


def undeclared_recipients(message: PlannedMessage) -> str:
    """That a saved plan sends what is no longer declared."""
    return f"{message.name}: {pluralize(message.undeclared_count, 'recipient')} of the saved plan no longer declared"


def counts(found: Mapping[Action, int]) -> str:
    """The counts by action, in one line."""
    told = [
        click.style(f"{found[action]:,} {_TO_SEND.get(action, action)}", fg=_COLOURS.get(action))
        for action in ACTIONS
        if found.get(action)
    ]
    return ", ".join(told) or "nothing is declared"


def summary(done: Summary) -> str:
    """What a run did: counts by outcome, every refusal, everything unknown, and why it stopped."""
    parts = [
        (done.sent, "sent", "green"),
        (len(done.refused), "refused", "yellow"),
        (len(done.still_not_found), "not found again", "yellow"),
        (len(done.unknown), "unknown", "red"),
        (done.remaining, "left", "yellow"),
        (done.skipped, "expired", "yellow"),
    ]
    told = [click.style(f"{number:,} {word}", fg=colour) for number, word, colour in parts if number]
    lines = [", ".join(told) or "nothing was sent"]
    if done.claimed_by_others:
        lines.append(f"{done.claimed_by_others:,} left to other runs, which claimed them meanwhile")
    if done.released:
        lines.append(f"{pluralize(done.released, 'claim')} released: provably not sent")
    lines.extend(f"  refused  {_told(item)}" for item in done.refused)
    lines.extend(f"  not found again  {_told(item)}" for item in done.still_not_found)
    lines.extend(f"  unknown  {_told(item)}" for item in done.unknown)
    lines.extend(f"{click.style('warning', fg='yellow')}: {warning}" for warning in done.warnings)
    if done.unknown:
        first = done.unknown[0].record
        lines.append("An unknown delivery may have arrived and is never sent again by itself.")
        lines.extend(_reconcile(told.record for told in done.unknown))
        lines.append(
            "Look in Intercom, then say\n"
            f"  msgrun resolve {first.key[:12]} --sent ID    or    msgrun resolve {first.key[:12]} --not-sent"
        )
    if done.stop:
        hint = f"\n  hint: {done.stop.hint}" if done.stop.hint else ""
        lines.append(f"{click.style('stopped', fg='red', bold=True)}: {done.stop.message}{hint}")
    return "\n".join(lines)


def status(known: Counter[MessageStatus], listed: Iterable[State], unknown: Iterable[State]) -> str:
    """What a ledger knows: counts a message, then of what somebody has to look at (`listed`) the first.

    `unknown` are the unknown ones of these, which reconcile may find.
    """
    lines = message_counts(known)
    lines.extend(
        f"  {state.status:<8} {state.record.message} {state.record.to}  key {state.record.key[:12]}  "
        f"{state.record.at}{_coded(state)}"
        for state in islice(listed, MAX_LISTED)
    )
    open_ = sum(number for held, number in known.items() if held.status in {"unknown", "refused"})
    if open_ > MAX_LISTED:
        lines.append(f"  and {open_ - MAX_LISTED:,} more")
    lines.extend(_reconcile(record for state in unknown for record in state.open_attempts))
    return "\n".join(lines) or "nothing was sent yet"


def message_counts(known: Counter[MessageStatus]) -> list[str]:
    """A line for each revision of a message, with its counts by status."""
    messages: dict[tuple[str, int], Counter[str]] = {}
    for (name, revision, found), number in known.items():
        messages.setdefault((name, revision), Counter())[found] += number
    width = max((len(name) for name, _ in messages), default=0)
    return [
        f"{name:<{width}}  revision {revision}  "
        + ", ".join(f"{number:,} {word}" for word, number in sorted(found.items()))
        for (name, revision), found in sorted(messages.items())
    ]


def ledger_warnings(facts: Facts) -> list[str]:
    """What everybody who loads the ledger must hear: torn lines, and messages that somebody got twice."""
    lines = [
        f"{click.style('warning', fg='yellow')}: {place} is torn: what can be read of it is kept"
        for place in facts.torn_lines[:MAX_LISTED]
    ]
    return [*lines, *(duplicate(state) for state in facts.duplicates())]


def duplicate(state: State) -> str:
    """That somebody got a message twice."""
    ids = " and ".join(sorted({record.id for record in state.sent_records if record.id}))
    return (
        f"{click.style('duplicate', fg='red', bold=True)}: {state.record.message} went twice to {state.record.to} "
        f"(key {state.record.key[:12]}), as {ids}"
    )


def _message(message: PlannedMessage, sends: int) -> str:
    declaration = message.declaration
    kind = f"{declaration.message_type} from admin {declaration.sender}"
    lines = [
        f"{click.style(message.name, bold=True)}  revision {declaration.revision}  {kind}",
        f"  {pluralize(len(message.deliveries), 'recipient')}: {counts(message.counts)}",
    ]
    if message.left_out:
        lines.append(f"  left out: {left_out(message.left_out)}")
    if message.sample and sends:
        rest = f", and {sends - len(message.sample):,} more" if sends > len(message.sample) else ""
        lines.append(f"  to {', '.join(message.sample[:sends])}{rest}")
    reasons = message.deliveries.reasons()
    shown = sorted(reasons.items(), key=lambda item: -item[1])
    for (action, reason), number in shown[:MAX_LISTED]:
        lines.append(f"  {click.style('!', fg='yellow')} {number:,} {action}: {reason}")
    if len(shown) > MAX_LISTED:
        lines.append(f"  and {len(shown) - MAX_LISTED:,} other reasons")
    if message.undeclared_count:
        lines.append(f"  {click.style('!', fg='yellow')} {undeclared_recipients(message)}")
    return "\n".join(lines)


def _told(item: ReportedDelivery) -> str:
    record = item.record
    code = f"{record.code}: " if record.code and item.detail else record.code
    request = f" (request {record.request_id})" if record.request_id else ""
    return f"{record.message} {record.to}  {code}{item.detail}{request}  key {record.key[:12]}"


def _reconcile(unknown: Iterable[Record]) -> list[str]:
    """The command that may find out by itself what is unknown, where there is something to find."""
    number = sum(record.is_searchable for record in unknown)
    return [f"msgrun reconcile looks for {number:,} of the unknown in Intercom"] if number else []


def _coded(state: State) -> str:
    record = state.record
    request = f"(request {record.request_id})" if record.request_id else ""
    told = " ".join(filter(None, (record.code, request)))
    return f"  {told}" if told else ""
