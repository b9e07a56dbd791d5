"""A plan as text for a terminal or a log: what goes out, to whom, and what needs a decision.

Each message has a block. Messages that need neither are counted in the last lines, unless all are asked for. A symbol
says what becomes of a message or of a part of its deliveries, so the plan reads the same without colours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.declare.audience.audience import TableAudience
from runner.declare.audience.selection import format_left_out
from runner.declare.sample import Sample
from runner.declare.settings import DEFAULT_ENVIRONMENT
from runner.plan.deliveries import ACTIONS, BEING_SENT, Action, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.privacy import mark_private_values, reveal_or_mask
from runner.report.first_sample import find_sample, find_variant, format_beginning
from runner.report.guard_steps import list_guard_steps
from runner.report.html_text import describe_layout, visible_text
from runner.report.layout import GAP, display_width, flow, wrap
from runner.report.next_steps import NextStep, format_next_steps
from runner.report.notices import format_notices
from runner.report.plan_actions import describe_actions, format_reason, most_frequent
from runner.report.plan_words import (
    NO_DIGEST,
    count_unread,
    format_file_problems,
    format_sender,
    format_subscription,
    format_undeclared_recipients,
    is_empty,
    list_moments,
    reading_lines,
)
from runner.report.problem_text import pluralize
from runner.report.review import Review
from runner.report.terminal_text import one_line, style
from runner.shown_command import shown_command, shown_path

SYMBOLS: Mapping[Action, str] = {
    "edited": "~", "unknown": "?", "send": "+", "refused": "x", "excluded": "-", "sent": "=",
}  # fmt: skip
_COLOURS = {
    "edited": "red", "unknown": "red", "send": "green", "refused": "yellow", "excluded": "yellow", "sent": "dim",
}  # fmt: skip
_WORDS = {"send": "to send", "sent": "already sent"}
_INDENT = "    "
_MIN_SUBJECT_ROOM = 30  # columns; with less beside the name, the subject has lines of its own
_MAX_NAME_COLUMN = 28  # columns; the subjects stand below each other unless a name is longer
_MAX_BODY_LINES = 60


@dataclass(frozen=True, slots=True)
class PlanView:
    """How a plan is displayed.

    `command` is plan or apply. `width` is in columns, 0 for no limit. With `show_values`, recipients' values are in
    clear. `show_all`: also messages with nothing to send or to decide. `show_bodies`: a sample of each. `now` is when
    the plan was made. `steps` are what a person can do next, after those that the guards name.
    """

    command: str
    width: int
    show_values: bool
    now: datetime
    show_all: bool = False
    show_bodies: bool = False
    steps: Sequence[NextStep] = ()


def format_plan(review: Review, view: PlanView) -> str:
    """Returns a plan as text: a block for each message, the guards, the counts, and the digest."""
    planned = review.plan
    sends = planned.send_counts()
    guarded = {name for item in planned.guards for name in item.messages}
    shown = [
        message for message in planned.messages if view.show_all or needs_attention(message) or message.name in guarded
    ]
    shown.sort(key=lambda message: list(SYMBOLS).index(_choose_symbol_action(message)))
    name_width = max((width for message in shown if (width := len(message.name)) <= _MAX_NAME_COLUMN), default=0)
    notices = format_notices(review.notices, view.width, show_values=view.show_values)
    blocks = ["\n".join([_format_heading(review, view), *notices])]
    warnings = format_file_problems(review, show_values=view.show_values)
    blocks += [
        _format_message(message, sends[message.name], name_width, review, view, warnings.get(message.name, ()))
        for message in shown
    ]
    in_steps, steps = list_guard_steps(review)
    blocks += _format_guards(planned.guards, in_steps, view.width)
    blocks.append(_format_totals(planned, len(planned.messages) - len(shown), view))
    next_steps = format_next_steps([*steps, *view.steps], view.width)
    return "\n\n".join(blocks) + (f"\n{next_steps}" if next_steps else "")


def format_check(planned: Plan, view: PlanView) -> str:
    """Returns the findings of the recipient check by message, and the number left to send to; empty without any."""
    lines = []
    for message in planned.messages:
        counts = message.deliveries.checked_counts()
        if counts:
            lines.append(one_line(f"  {style(message.name, 'bold')}"))
        for (action, reason), number in most_frequent(counts):
            text = format_reason(message, action, reason, number, show_values=view.show_values)
            lines.append(_fill(f"{style(SYMBOLS[action], _COLOURS[action])} {text}", view, extra="  "))
    if not lines:
        return ""
    lines.append(f"  {planned.to_send:,} left to send" if planned.to_send else "  no recipient is left")
    return "\n".join(["Checked in Intercom:", *lines])


def needs_attention(message: PlannedMessage) -> bool:
    """Returns whether something of a message is to send now or later, or whether a person has to decide about it."""
    is_left = any(message.counts[action] for action in ("send", "excluded", "edited", "unknown"))
    return is_left or message.is_unread or is_empty(message) or message.undeclared_count > 0


def _choose_symbol_action(message: PlannedMessage) -> Action:
    """Returns the action whose symbol stands before the message: the first of SYMBOLS that a delivery has.

    A message whose audience was not read has the symbol of `unknown`.
    """
    if message.is_unread:
        return "unknown"
    return next((action for action in SYMBOLS if message.counts[action]), "sent")


def _format_guards(guards: Sequence[Guard], in_steps: Sequence[Guard], width: int) -> Iterator[str]:
    """Yields the guards that stop the run, each with its hint unless it is in the steps at the end."""
    for item in guards:
        lines = [f"{style('guard', 'red', 'bold')}: {item.message} [{item.code}]"]
        lines += [f"  hint: {item.hint}"] if item not in in_steps else []
        if item is guards[-1]:
            stops = "this guard stops" if len(guards) == 1 else f"{len(guards)} guards stop"
            lines.append(f"Nothing is sent: {stops} the run.")
        yield "\n".join(wrap(one_line(line), width, indent="  ") for line in lines)


def _list_counts(planned: Plan) -> list[str]:
    """Returns the counts by action, and how many are sent now, if that is fewer than are to be sent."""
    parts = []
    for action in ACTIONS:
        number, being_sent = planned.counts[action], planned.being_sent if action == "unknown" else 0
        if being_sent:
            parts.append(style(f"{being_sent:,} {BEING_SENT}", "yellow"))
        if number > being_sent:
            part = style(f"{number - being_sent:,} {_WORDS.get(action, action)}", _COLOURS[action])
            is_limited = action == "send" and planned.to_send < number
            parts.append(f"{part} ({planned.to_send:,} in this run)" if is_limited else part)
    return parts


def _format_heading(review: Review, view: PlanView) -> str:
    planned = review.plan
    environment = [planned.environment] if planned.environment != DEFAULT_ENVIRONMENT else []
    workspace = f"workspace {planned.workspace}" if planned.workspace else "workspace of the token"
    items = [style(f"msgrun {view.command}", "bold"), *environment, "sandbox" if review.sandbox else workspace]
    return flow(map(one_line, items), view.width)


def _format_totals(planned: Plan, hidden: int, view: PlanView) -> str:
    by_action = planned.counts
    unread = [style(text, "yellow") for text in count_unread(planned)]
    first = [] if by_action["send"] or unread else ["nothing to send" if planned.messages else "no message is declared"]
    items = [*first, *_list_counts(planned), *unread]
    items = [f"{style('Plan:', 'bold')} {items[0]}", *items[1:]]
    lines = [flow(items, view.width, separator=", ", at_break=",") + "."]
    if hidden:
        option = "--all" if view.command == "plan" else shown_command("plan", "--all")
        need, pronoun = ("has", "it") if hidden == 1 else ("have", "them")
        text = f"{pluralize(hidden, 'message')} {need} nothing to send ({option} shows {pronoun})."
        lines.append(wrap(style(text, "dim"), view.width, indent="  "))
    lines.append(style(f"digest {planned.digest or NO_DIGEST}", "dim"))  # never cut or broken: it is copied to --expect
    return "\n".join(lines)


def _format_message(
    message: PlannedMessage, sends: int, name_width: int, review: Review, view: PlanView, in_files: Iterable[str]
) -> str:
    sample = find_sample(message, review)
    lines = [
        _format_title(message, sample, name_width, view),
        flow(_list_properties(message, review.plan, view), view.width, indent=_INDENT),
    ]
    actions = list(describe_actions(message, sends, show_values=view.show_values))
    for action, text in actions:
        is_plain = len(actions) == 1 and action in {"send", "sent"}  # - needs its word beside it
        symbol = "" if is_plain else f"{style(SYMBOLS[action], _COLOURS[action])} "
        lines.append(_fill(f"{symbol}{text}", view, extra="  " if symbol else ""))
    lines += [_fill(text, view) for text in reading_lines(message)]
    if message.left_out:
        lines.append(_fill(f"left out: {format_left_out(message.left_out)}", view))
    warnings = [
        *in_files,
        *message.warnings,
        *([format_undeclared_recipients(message)] if message.undeclared_count else ()),
    ]
    lines += [_fill(f"{style('!', 'yellow')} {warning}", view, extra="  ") for warning in warnings]
    if sample and view.show_bodies:
        lines += _format_body(message, sample, view)
    if view.show_bodies and sends > len(message.first_recipients):
        path = shown_path(message.declaration.document.source.path)
        lines.append(_fill(f"all recipients: {shown_command('plan', path, '--recipients')}", view))
    return "\n".join(lines)


def _fill(text: str, view: PlanView, extra: str = "") -> str:
    """Returns a line of a block, below the message's name. The lines that follow it are indented by `extra` more."""
    return wrap(_INDENT + one_line(text), view.width, indent=_INDENT + extra)


def _format_title(message: PlannedMessage, sample: Sample | None, name_width: int, view: PlanView) -> str:
    """Returns the symbol, name and type of a message, and beside or below them how its text begins."""
    action = _choose_symbol_action(message)
    name = message.name + " " * max(0, name_width - len(message.name))
    head = f"  {style(SYMBOLS[action], _COLOURS[action], 'bold')} {style(name, 'bold')}{GAP}"
    head += f"{message.declaration.message_type}{GAP}"
    beginning = one_line(format_beginning(sample, show_values=view.show_values)) if sample else ""
    if not view.width:
        return f"{head}{beginning}".rstrip()
    used = display_width(head)
    if view.width - used >= _MIN_SUBJECT_ROOM:
        return wrap(f"{head}{beginning}", view.width, indent=" " * used).rstrip()
    bare_head = f"  {style(SYMBOLS[action], _COLOURS[action], 'bold')} {style(message.name, 'bold')}"
    items = [bare_head, message.declaration.message_type]
    title = flow(items, view.width, indent=_INDENT, separator=GAP)
    return f"{title}\n{wrap(_INDENT + beginning, view.width, indent=_INDENT)}" if beginning else title


def _list_properties(message: PlannedMessage, planned: Plan, view: PlanView) -> list[str]:
    declaration, audience = message.declaration, message.declaration.audience
    sender = format_sender(declaration.sender, planned.sender_ids)
    items = [_INDENT + _format_path(declaration.document.source.path, view), f"from admin {sender}"]
    if isinstance(audience, TableAudience):
        items.append(f"to {_format_path(audience.source.title, view)}")
    if declaration.revision > 1:
        items.append(f"revision {declaration.revision}")
    items += list_moments(message, view.now)
    items += [subscription] if (subscription := format_subscription(declaration)) else []
    return [one_line(item) for item in items]


def _format_path(path: str, view: PlanView) -> str:
    """Returns a path for printing. A file's name may be a recipient's address."""
    return reveal_or_mask(mark_private_values(path, ()), show_values=view.show_values)


def _format_body(message: PlannedMessage, sample: Sample, view: PlanView) -> Iterator[str]:
    """Yields the lines of a body as its recipient sees it, behind a bar, and how many recipients get another text."""
    bar = f"{_INDENT}{style('|', 'dim')} "
    lines = visible_text(sample.body, show_values=view.show_values).split("\n")
    recipient = reveal_or_mask(sample.to, show_values=view.show_values)
    yield _fill(f"as {recipient} sees it{_describe_kind(message)}:", view)
    if layout := describe_layout(sample.body, show_values=view.show_values):
        text = f"{layout}: {shown_command('preview', message.name)}"
        yield _fill(one_line(f"{style('!', 'yellow')} {text}"), view, extra="  ")
    for line in lines[:_MAX_BODY_LINES]:
        yield wrap(f"{bar}{one_line(line)}".rstrip(), view.width, indent=bar)
    if len(lines) > _MAX_BODY_LINES:
        yield f"{bar}{style(f'and {len(lines) - _MAX_BODY_LINES:,} more lines', 'dim')}"
    shown = find_variant(message)
    if others := message.variants.count - (shown.count if shown else 0):
        render = shown_command("render", message.name)
        text = f"{pluralize(others, 'recipient')} of {message.name} will see other texts: {render} shows them"
        yield _fill(f"{style('!', 'yellow')} {text}", view, extra="  ")


def _describe_kind(message: PlannedMessage) -> str:
    template = ", in the template personal" if message.declaration.template == "personal" else ""
    return f"{template}, and it opens a conversation" if message.declaration.opens_conversation else template
