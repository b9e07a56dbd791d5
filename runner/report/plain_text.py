"""Plans, runs and ledgers as text. Recipients' values are masked unless `show_values`."""

from collections import Counter
from collections.abc import Iterable, Sequence

from runner.deliver.summary import ReportedDelivery, Summary
from runner.ledger.facts import Facts, MessageStatus
from runner.ledger.key_state import State
from runner.ledger.record import Record
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan_file import PlanFile, PlanFileChange
from runner.privacy import reveal_or_mask
from runner.report.problem_text import pluralize
from runner.report.terminal_text import one_line, style

MAX_LISTED = 20  # entries of a list


def plan_file_changes(file: PlanFile, changes: Sequence[PlanFileChange]) -> str:
    """How a plan file differs from the declarations, and the command that writes the file again."""
    lines = [f"{file.path} is out of date" if file.exists else f"there is no {file.path} yet"]
    lines.extend(f"  {change.kind:<8} {change.name}: {change.detail}" for change in changes[:MAX_LISTED])
    if len(changes) > MAX_LISTED:
        lines.append(f"  and {len(changes) - MAX_LISTED:,} more")
    lines.append(f"  hint: {file.write_command}")
    return "\n".join(lines)


def plan_file_change_lines(file: PlanFile, changes: Sequence[PlanFileChange], most: int = MAX_LISTED) -> list[str]:
    """How a plan file differs from the declarations: a sentence for each message, at most `most`."""
    lines = [
        f"{file.path} is out of date for {change.name} ({change.kind}): {change.detail}" for change in changes[:most]
    ]
    return [*lines, *([f"and for {len(changes) - most:,} more"] if len(changes) > most else [])]


def undeclared_recipients(message: PlannedMessage) -> str:
    """A warning that a saved plan sends to recipients that are no longer declared."""
    return f"{message.name}: {pluralize(message.undeclared_count, 'recipient')} of the saved plan no longer declared"


def summary(done: Summary, *, show_values: bool) -> str:
    """What a run did: counts by outcome, every refused and every unknown delivery, and why it stopped."""
    parts = [
        (done.sent, "sent", "green"),
        (len(done.refused), "refused", "yellow"),
        (len(done.still_not_found), "not found again", "yellow"),
        (len(done.unknown), "unknown", "red"),
        (done.remaining, "left", "yellow"),
        (done.skipped, "expired", "yellow"),
    ]
    counts_by_outcome = [style(f"{number:,} {word}", colour) for number, word, colour in parts if number]
    lines = [", ".join(counts_by_outcome) or "nothing was sent"]
    if done.claimed_by_others:
        lines.append(f"{done.claimed_by_others:,} left to other runs, which claimed them meanwhile")
    if done.released:
        lines.append(f"{pluralize(done.released, 'claim')} released: provably not sent")
    lines.extend(f"  refused  {_format_delivery(item, show_values=show_values)}" for item in done.refused)
    lines.extend(
        f"  not found again  {_format_delivery(item, show_values=show_values)}" for item in done.still_not_found
    )
    lines.extend(f"  unknown  {_format_delivery(item, show_values=show_values)}" for item in done.unknown)
    lines.extend(
        one_line(f"{style('warning', 'yellow')}: {reveal_or_mask(warning, show_values=show_values)}")
        for warning in done.warnings
    )
    if done.unknown:
        first = done.unknown[0].record
        lines.append("An unknown delivery may have arrived and is never sent again by itself.")
        lines.extend(_suggest_reconcile(item.record for item in done.unknown))
        lines.append(
            "Look in Intercom, then say\n"
            f"  msgrun resolve {first.key[:12]} --sent ID    or    msgrun resolve {first.key[:12]} --not-sent"
        )
    if done.stop:
        message = reveal_or_mask(done.stop.message, show_values=show_values)
        lines.append(one_line(f"{style('stopped', 'red', 'bold')}: {message}"))
        if done.stop.hint:
            lines.append(one_line(f"  hint: {done.stop.hint}"))
    return "\n".join(lines)


def message_counts(message_statuses: Counter[MessageStatus]) -> list[str]:
    """A line for each revision of a message, with its counts by status."""
    messages: dict[tuple[str, int], Counter[str]] = {}
    for (name, revision, key_status), number in message_statuses.items():
        messages.setdefault((name, revision), Counter())[key_status] += number
    width = max((len(name) for name, _ in messages), default=0)
    return [
        one_line(f"{name:<{width}}  revision {revision}  ")
        + ", ".join(f"{number:,} {word}" for word, number in sorted(by_status.items()))
        for (name, revision), by_status in sorted(messages.items())
    ]


def ledger_warnings(facts: Facts) -> list[str]:
    """Warnings that every command prints that reads the ledger: torn lines, and messages sent twice."""
    lines = [
        one_line(f"{style('warning', 'yellow')}: {place} is torn: what can be read of it is kept")
        for place in facts.torn_lines[:MAX_LISTED]
    ]
    return [*lines, *(duplicate(state) for state in facts.duplicates())]


def duplicate(state: State) -> str:
    """A warning that a recipient got a message twice."""
    ids = " and ".join(sorted({record.id for record in state.sent_records if record.id}))
    key = state.record.key[:12]
    return one_line(
        f"{style('duplicate', 'red', 'bold')}: {state.record.message} went twice to {state.record.to} "
        f"(key {key}), as {ids}. Once that is settled: msgrun resolve {key} --duplicate"
    )


def _format_delivery(item: ReportedDelivery, *, show_values: bool) -> str:
    record = item.record
    code = f"{record.code}: " if record.code and item.detail else record.code
    request = f" (request {record.request_id})" if record.request_id else ""
    detail = reveal_or_mask(item.detail, show_values=show_values)
    return one_line(f"{record.message} {record.to}  {code}{detail}{request}  key {record.key[:12]}")


def _suggest_reconcile(unknown: Iterable[Record]) -> list[str]:
    """The advice to run reconcile; empty if it can look up none of the unknown deliveries."""
    number = sum(record.is_searchable for record in unknown)
    return [f"msgrun reconcile looks for {number:,} of the unknown in Intercom"] if number else []
