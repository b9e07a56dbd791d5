"""A run as text: the question before it, what it did, what is left and why, and what a second Ctrl-C left behind."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runner.declare.settings import DEFAULT_ENVIRONMENT
from runner.deliver.stop import AFTER_QUIET_HOURS, GO_ON
from runner.deliver.summary import ReportedDelivery, Summary
from runner.plan.plan import Plan
from runner.privacy import reveal_or_mask
from runner.report.delivery_list import ListedDelivery, format_delivery_list
from runner.report.layout import wrap_lines
from runner.report.plan_actions import format_names
from runner.report.problem_text import pluralize
from runner.report.progress_text import format_duration
from runner.report.recipients import Recipients
from runner.report.status_text import StatusView
from runner.report.terminal_text import one_line, style

_PAUSES = frozenset({"signal", "later"})  # the kinds of a stop that puts the rest off, without an error
_IN_NEXT_STEPS = frozenset({"", GO_ON, AFTER_QUIET_HOURS})  # hints that the next steps say too
_NO_BEGINNINGS: Mapping[str, str] = MappingProxyType({})
_MIN_DURATION = 5.0  # seconds; how long a shorter run took is of no interest
_MAX_MESSAGES = 10  # messages that a question lists


@dataclass(frozen=True, slots=True)
class Rest:
    """How many deliveries of a plan a run did not try by intention, and the option that says so."""

    number: int
    option: str


def format_question(
    plan: Plan, workspace: str, warnings: Iterable[str], total: int, beginnings: Mapping[str, str] = _NO_BEGINNINGS,
    *, show_values: bool = False,
) -> str:  # fmt: skip
    """Returns what a person confirms: what is sent, to how many, from which workspace, and the warnings about it.

    `beginnings` are the subjects, or how the texts begin, by the name of the message. If the plan is a canary, it sends
    fewer than `total`, and another question follows.
    """
    counts = Counter({name: number for name, number in plan.send_counts().items() if number})
    named = counts.most_common(_MAX_MESSAGES)
    environment = "" if plan.environment == DEFAULT_ENVIRONMENT else f", environment {plan.environment}"
    recipients = style(pluralize(plan.to_send, "recipient"), "bold")
    if plan.to_send < total:
        recipients = f"{style(f'the first {plan.to_send:,}', 'bold')} of {pluralize(total, 'recipient')}"
    lines = ["", one_line(f"Send to {recipients} from workspace {style(workspace, 'bold')}{environment}:")]
    width = len(f"{named[0][1]:,}") if named else 0
    names = max((len(name) for name, _ in named), default=0)
    messages = {message.name: message for message in plan.messages}
    for name, number in named:
        lines.append(one_line(f"  {number:>{width},}  {name:<{names}}  {beginnings.get(name, '')}".rstrip()))
        if people := format_names(messages[name], number, show_values=show_values):
            lines.append(one_line(f"  {'':>{width}}  {people}"))
    if len(counts) > len(named):
        others = counts.total() - sum(number for _, number in named)
        lines.append(f"  {others:>{width},}  by {pluralize(len(counts) - len(named), 'other message')}")
    lines += [one_line(f"  {style('!', 'yellow')} {warning}") for warning in warnings]
    return "\n".join(lines)


def format_summary(
    done: Summary, recipients: Recipients, rest: Rest | None, view: StatusView, *, unknown_before: int = 0
) -> str:
    """Returns what a run did: counts by outcome, what is left and why, and the deliveries to look at.

    `unknown_before` is the number of deliveries that earlier runs left unknown.
    """
    words = {"sent": "sent by this run", "left": f"left{_why_left(done, show_values=view.show_values)}"}
    colours = {"sent": "green" if done.sent else None, "unknown": "red"}
    counts = [
        style(f"{number:,} {words.get(word, word)}", colours.get(word, "yellow"))
        for word, number in done.counts().items()
    ]
    counts += [style(format_unknown_before(unknown_before), "red")] if unknown_before else []
    counts += [style(format_rest(rest), "yellow")] if rest else []
    took = f" · {format_duration(done.seconds)}" if done.seconds >= _MIN_DURATION else ""
    lines = [one_line(f"{', '.join(counts)}{style(took, 'dim')}")]
    items = [_to_listed(item, word) for word, item in done.reported()]
    listed = format_delivery_list(items, recipients, view)
    end = _explain_end(done, show_values=view.show_values)
    blocks = [lines, listed, end] if listed else [[*lines, *end]]
    return wrap_lines("\n\n".join("\n".join(block) for block in blocks if block), view.width)


def _explain_end(done: Summary, *, show_values: bool) -> list[str]:
    """Returns the warnings of a run, what unknown means, and why it stopped."""
    lines = _format_warnings(done, show_values=show_values)
    if done.unknown:
        lines.append("An unknown delivery may have arrived, and is never sent again by itself.")
    if done.stop and not _is_pause(done):
        message = reveal_or_mask(done.stop.message, show_values=show_values)
        rest = "" if done.remaining else ", after all were tried"
        lines.append(one_line(f"{style('stopped', 'red', 'bold')}: {message}{rest}"))
    if done.stop and done.stop.hint not in _IN_NEXT_STEPS:
        lines.append(one_line(f"  hint: {done.stop.hint}"))
    return lines


def format_unknown_before(number: int) -> str:
    """Returns how many deliveries earlier runs left unknown."""
    return f"{number:,} unknown from earlier runs"


def format_rest(rest: Rest) -> str:
    """Returns how many deliveries were left, and by which option."""
    return f"{rest.number:,} left by {rest.option}"


def format_canary(done: Summary, recipients: Recipients, *, show_values: bool) -> str:
    """Returns to whom a canary was sent, with the links to look at in Intercom, and the warnings about it."""
    lines = [style(f"{done.sent:,} sent as the canary", "green")]
    named = [(reveal_or_mask(recipients.name(record), show_values=show_values), record) for record in done.first_sent]
    for name, record in sorted(named, key=lambda item: (item[1].message, item[0])):
        lines.append(one_line(f"  {record.message}  {name}  message {record.id}"))
        if url := recipients.contact_url(record):
            lines.append(one_line(f"    {style(url, 'dim')}"))
    if done.sent > len(named):
        lines.append(f"  and {done.sent - len(named):,} more")
    return "\n".join(lines + _format_warnings(done, show_values=show_values))


def _format_warnings(done: Summary, *, show_values: bool) -> list[str]:
    return [
        one_line(f"{style('warning', 'yellow')}: {reveal_or_mask(warning, show_values=show_values)}")
        for warning in done.warnings
    ]


def format_first_signal(name: str, in_flight: int, seconds: float) -> str:
    """Returns the answer to the first Ctrl-C or other signal, at once."""
    if not in_flight:
        return f"{name}: stopping, with no request in flight."
    return (
        f"{name}: stopping. Waiting up to {seconds:.0f} s for {pluralize(in_flight, 'request')} in flight; "
        f"a second {name} leaves {'it' if in_flight == 1 else 'them'} unknown."
    )


def format_second_signal(name: str, done: Summary) -> str:
    """Returns what a second Ctrl-C or other signal left behind. The process ends after it.

    How many are unknown is not said: until the run has noticed the first signal, it goes on to claim.
    """
    return f"Stopped by a second {name}. {done.sent:,} sent by this run; what was in flight is unknown."


def _is_pause(done: Summary) -> bool:
    """Returns whether a run put the rest off without an error; the counts say why."""
    return done.stop is not None and done.stop.kind in _PAUSES and done.remaining > 0


def _why_left(done: Summary, *, show_values: bool) -> str:
    """Returns why deliveries are left, where no error is the reason; else an empty text."""
    if done.stop is None or not _is_pause(done):
        return ""
    return f": {reveal_or_mask(done.stop.message, show_values=show_values)}"


def _to_listed(item: ReportedDelivery, status: str) -> ListedDelivery:
    code = f"{item.record.code}: " if item.record.code and item.detail else item.record.code
    return ListedDelivery(item.record, status, code + item.detail)
