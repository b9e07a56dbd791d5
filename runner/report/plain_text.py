"""Plan files and ledgers as text. Recipients' values are masked unless `show_values`."""

from collections import Counter
from collections.abc import Sequence

from runner.ledger.facts import Facts, MessageStatus
from runner.ledger.key_state import STATUS_WORDS, KeyStatus, State, name_ids
from runner.plan.plan_file import PlanFile, PlanFileChange
from runner.privacy import reveal_or_mask
from runner.report.problem_text import list_first
from runner.report.recipients import NO_NAMES, Recipients
from runner.report.terminal_text import one_line, style
from runner.shown_command import shown_command

MAX_LISTED = 20  # entries of a list
_MAX_DUPLICATES = 3  # of a message that have a line each


def format_plan_file_changes(file: PlanFile, changes: Sequence[PlanFileChange]) -> str:
    """Returns how a plan file differs from the declarations, and the command that writes the file again."""
    lines = [f"{file.path} is out of date" if file.exists else f"there is no {file.path} yet"]
    lines.extend(f"  {change.kind:<8} {change.name}: {change.detail}" for change in changes[:MAX_LISTED])
    if len(changes) > MAX_LISTED:
        lines.append(f"  and {len(changes) - MAX_LISTED:,} more")
    lines.append(f"  hint: {file.write_command}")
    return "\n".join(lines)


def format_plan_file_change_lines(
    file: PlanFile, changes: Sequence[PlanFileChange], limit: int = MAX_LISTED
) -> list[str]:
    """Returns how a plan file differs from the declarations: a sentence for each message, at most `limit`."""
    lines = [
        f"{file.path} is out of date for {change.name} ({change.kind}): {change.detail}" for change in changes[:limit]
    ]
    return [*lines, *([f"and for {len(changes) - limit:,} more"] if len(changes) > limit else [])]


def count_by_message(statuses: Counter[MessageStatus]) -> dict[tuple[str, int], Counter[KeyStatus]]:
    """Returns the counts by status of each message, as (name, revision)."""
    messages: dict[tuple[str, int], Counter[KeyStatus]] = {}
    for entry, number in statuses.items():
        messages.setdefault((entry.message, entry.revision), Counter())[entry.status] += number
    return messages


def count_by_status(statuses: Counter[MessageStatus]) -> Counter[KeyStatus]:
    """Returns the counts by status of all messages."""
    return sum(count_by_message(statuses).values(), Counter())


def format_message_counts(message_statuses: Counter[MessageStatus]) -> list[str]:
    """Returns a line for each revision of a message, with its counts by status."""
    messages = count_by_message(message_statuses)
    width = max((len(name) for name, _ in messages), default=0)
    return [
        one_line(f"{name:<{width}}  revision {revision}  ") + list_counts(by_status)
        for (name, revision), by_status in sorted(messages.items())
    ]


def list_counts(by_status: Counter[KeyStatus]) -> str:
    """Returns the counts by status, e.g. 2 sent, 1 unknown; empty if there are none."""
    return ", ".join(f"{by_status[status]:,} {word}" for status, word in STATUS_WORDS.items() if by_status[status])


def format_ledger_warnings(facts: Facts, recipients: Recipients, *, show_values: bool) -> list[str]:
    """Returns the warnings that every command prints that reads the ledger: torn lines, and messages sent twice."""
    lines = [
        one_line(f"{style('warning', 'yellow')}: {place} is torn: what can be read of it is kept")
        for place in facts.torn_lines[:MAX_LISTED]
    ]
    return [*lines, *format_duplicates(facts, recipients, show_values=show_values)]


def format_duplicates(facts: Facts, recipients: Recipients = NO_NAMES, *, show_values: bool = False) -> list[str]:
    """Returns warnings about the first messages that were sent twice, and how many others there are."""
    by_message: dict[str, list[State]] = {}
    for state in facts.duplicates():
        by_message.setdefault(state.record.message, []).append(state)
    lines = []
    for message, states in list(by_message.items())[:MAX_LISTED]:
        if len(states) > _MAX_DUPLICATES:
            named = [reveal_or_mask(recipients.name(state.record), show_values=show_values) for state in states[:3]]
            what = f"{style('duplicate', 'red', 'bold')}: {message} went twice to {list_first(named, len(states))}"
            see = one_line(shown_command("status", message, "--all"))
            command = one_line(shown_command("resolve", "--message", message, "--all", "--duplicate"))
            lines.append(f"{one_line(what)}\n  hint: to see all of them: {see}; to report them no more: {command}")
        else:
            lines += [format_duplicate(state, recipients, show_values=show_values) for state in states]
    if len(by_message) > MAX_LISTED:
        lines.append(f"{style('duplicate', 'red', 'bold')}: of {len(by_message) - MAX_LISTED:,} more messages, too")
    return lines


def format_duplicate(state: State, recipients: Recipients = NO_NAMES, *, show_values: bool = False) -> str:
    """Returns a warning that a recipient got a message twice."""
    ids, key = name_ids(state.sent_records), state.record.key[:12]
    who = reveal_or_mask(recipients.name(state.record), show_values=show_values)
    what = one_line(f"{style('duplicate', 'red', 'bold')}: {state.record.message} went twice to {who}, as {ids}")
    return f"{what}\n  hint: to report it no more: {one_line(shown_command('resolve', key, '--duplicate'))}"
