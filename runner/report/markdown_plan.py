"""A plan as Markdown, for a comment on a pull request or the summary of a job.

A reader who sees only this can say what will be sent, to whom, how many, from where, and what is unusual. The order is:
counts, warnings, a table of the messages, then the text of each message, which opens on a click. A long plan is cut
between messages, never inside one.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest

from runner.compare.declared_fields import format_value, list_audience_fields
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.selection import format_left_out
from runner.declare.declaration import Declaration
from runner.plan.deliveries import ACTIONS, BEING_SENT, Action, PlannedMessage
from runner.plan.guards import LEDGER_NOT_READ
from runner.plan.plan import Plan
from runner.privacy import AnyText, mark_private_values, reveal_or_mask
from runner.report import comparison_text, markdown_samples
from runner.report.guard_steps import list_guard_steps
from runner.report.markdown_escaping import (
    details,
    escape_text,
    fit_to_length,
    html_code,
    inline_code,
    is_cut,
)
from runner.report.markdown_results import (
    MAX_COMMENT_LENGTH,
    format_heading,
    format_hint,
    format_other_environments,
    format_problem,
    format_step,
    inline_text,
)
from runner.report.markdown_table import count_later, describe_cut, format_table
from runner.report.plan_words import (
    NO_DIGEST,
    count_unread,
    format_sender,
    format_subscription,
    format_unread,
    reading_lines,
)
from runner.report.problem_text import list_first, list_sample, pluralize
from runner.report.review import Review
from runner.shown_command import shown_command

_MAX_MESSAGES = 200  # whose texts are shown; a comment has room for some 100 short ones
_MIN_SHARE, _MIN_PART = 1_200, 1_000  # characters of a message, and of a part of it, if all are too long together
_MAX_NAMED, _MAX_NAME = 10, 100  # messages of which not all is shown, and characters of their paths
_LAST_LINE = 4_500  # characters of the lines that name what there is no room for
_MAX_WARNINGS_LENGTH = 8_000  # characters, for guards and for warnings each
_UNUSUAL_ACTIONS: tuple[Action, ...] = ("edited", "unknown", "refused")


def format_plan(review: Review, *, show_values: bool, limit: int = MAX_COMMENT_LENGTH) -> str:
    """Returns a plan as Markdown of at most `limit` characters.

    `show_values`: recipients' values are shown instead of masked.
    """
    planned, sends = review.plan, review.plan.send_counts()
    messages = sorted(planned.messages, key=partial(_rank, review=review, sends=sends))
    head = [f"{format_heading(planned.environment)}, {_describe_workspace(review)}"]
    head += comparison_text.format_caution(review.comparison.guard_changes) if review.comparison else ()
    blocks = [
        *_format_notices(review.notices, show_values=show_values),
        _format_counts(planned, sends),
        *(comparison_text.format_heading(review.comparison) if review.comparison else ()),
        *format_other_environments(review.other_environments),
        *_format_guards(review, show_values=show_values),
        *_format_warnings(review, show_values=show_values),
        *format_table(messages, sends, review.change_kind if review.comparison else None),
    ]
    digest = f"Digest {inline_code(planned.digest) if planned.digest else NO_DIGEST}"
    unfolded = [message for message in messages if _needs_reading(message, review)]
    if not (show_values or all(message.is_unread for message in unfolded)):
        command = inline_code(shown_command("plan"))
        blocks.append(f"Recipients are masked here: in a clone of this commit, {command} shows them on a terminal.")
    room = limit - len("\n\n".join([*head, *blocks, digest])) - _LAST_LINE
    shown, cut = _format_messages(unfolded, sends, review, room, show_values=show_values)
    return "\n\n".join([*head, *cut, *blocks, *shown, digest]) + "\n"


def _format_notices(notices: Sequence[AnyText], *, show_values: bool) -> list[str]:
    lines = [f"> {inline_text(notice, show_values=show_values)}" for notice in notices]
    return ["\n>\n".join(["> [!IMPORTANT]\n" + lines[0], *lines[1:]])] if lines else []


def _format_messages(
    messages: Sequence[PlannedMessage], sends: dict[str, int], review: Review, room: int, *, show_values: bool
) -> tuple[list[str], list[str]]:
    """Returns the details of the messages in `room` characters, and an alert if not all of a changed one is shown.

    No message takes the room of another one. If all are too long together, those that are longer than their share are
    shortened to it.
    """
    format_message = partial(_format_message, review=review, show_values=show_values)
    details_of_each = [format_message(message, sends[message.name]) for message in messages[:_MAX_MESSAGES]]
    if sum(map(len, details_of_each)) > room:
        lengths = [len(text) for text in details_of_each]
        share = max(room // len(messages), _MIN_SHARE)
        short = [length for length in lengths if length <= share]
        share = max((room - sum(short)) // max(len(lengths) - len(short), 1), share)
        details_of_each = [
            text if len(text) <= share else format_message(message, sends[message.name], room=share)
            for text, message in zip(details_of_each, messages, strict=False)
        ]
    noun = "messages, whose texts there is no room for"
    shown = fit_to_length(details_of_each, len(messages), room, noun, describe=partial(describe_cut, messages, sends))
    whole = {text for text in shown if not is_cut(text)}
    changed = [
        f"{inline_code(message.name)} in {inline_code(str(message.declaration.document.source.path), _MAX_NAME)}"
        for message, text in zip_longest(messages, details_of_each)
        if text not in whole and _is_changed(message, review)
    ]
    head = "> [!CAUTION]\n> **Of these new or changed messages not all is shown, so their files have to be read:**"
    return shown, [f"{head} {list_first(changed[:_MAX_NAMED], len(changed))}"] if changed else []


def _describe_workspace(review: Review) -> str:
    if review.sandbox:
        return "in the sandbox (nothing leaves the machine)"
    workspace = review.plan.workspace
    return f"workspace {inline_code(workspace)}" if workspace else "a workspace that is not pinned yet"


def _needs_reading(message: PlannedMessage, review: Review) -> bool:
    """Returns whether the text of a message is shown.

    It is if the message is sent now or later, or if something about it is unusual or changed.
    """
    return bool(
        _is_changed(message, review)
        or message.is_unread
        or message.counts["send"]
        or count_later(message)
        or message.deliveries.checked_counts()
        or any(message.counts[action] for action in _UNUSUAL_ACTIONS)
    )


def _is_changed(message: PlannedMessage, review: Review) -> bool:
    return review.change_kind(message) not in {"", "unchanged", "uncompared"}


def _rank(message: PlannedMessage, review: Review, sends: Mapping[str, int]) -> tuple[bool, bool, bool, bool, int]:
    """Returns what orders the messages: of those at the end the comment may have no more than the number.

    First is what the commits change, then messages whose recipients were not read, then what is sent now, to most.
    """
    is_read, is_same = not _needs_reading(message, review), not _is_changed(message, review)
    now = sends[message.name]
    return (is_read, is_same, not message.is_unread, not now, -now - count_later(message))


def _format_counts(planned: Plan, sends: dict[str, int]) -> str:
    sending = sum(number > 0 for number in sends.values())
    first = f"{planned.to_send:,} to send" + (f", of {pluralize(sending, 'message')}" if sending else "")
    if planned.to_send < planned.counts["send"]:
        first += f", the first of {planned.counts['send']:,}"
    if any(guard.code == LEDGER_NOT_READ for guard in planned.guards):
        first += ", if none of it was sent before"
    rest = [f"{planned.counts[action]:,} {action}" for action in ACTIONS[1:] if planned.counts[action]]
    rest += [f"**{text}**" for text in count_unread(planned)]
    is_unknown = planned.unread and not planned.counts["send"]
    return " · ".join([*([] if is_unknown else [f"**{first}**"]), *rest])


def _format_guards(review: Review, *, show_values: bool) -> list[str]:
    guards, (in_steps, steps) = review.plan.guards, list_guard_steps(review, for_comment=True)
    if not guards:
        return []
    lines = [
        f"> - **{escape_text(guard.code)}** {inline_text(guard.message, show_values=show_values)}"
        f"{format_hint('' if guard in in_steps else guard.hint)}"
        for guard in guards
    ]
    ways = [f"> {format_step(step)}" for step in steps]
    next_steps = fit_to_length(ways, len(ways), _MAX_WARNINGS_LENGTH, "ways", separator="\n", start="> - ")
    head = "> [!CAUTION]\n> **As it stands, nothing will be sent.** A guard says no:"
    return [
        "\n".join(
            [
                head,
                ">",
                *fit_to_length(lines, len(lines), _MAX_WARNINGS_LENGTH, "guards", separator="\n", start="> - "),
                *([">\n> Next:\n>", *next_steps] if steps else ()),
            ]
        )
    ]


def _format_warnings(review: Review, *, show_values: bool) -> list[str]:
    planned, lines = (
        review.plan,
        [f"> - {inline_text(note, show_values=show_values)}" for note in review.extra_warnings()],
    )
    if being_sent := planned.being_sent:
        lines.append(f"> - {being_sent:,} {BEING_SENT}")
    if unknown := planned.counts["unknown"] - being_sent:
        number = pluralize(unknown, "delivery", "deliveries")
        text = f"**unknown** whether {number} arrived: not sent again before a person or"
        lines.append(f"> - {text} `{shown_command('reconcile')}` has looked in Intercom")
    new = sum(message.deliveries.checked_counts("refused").total() for message in planned.messages)
    if refused := planned.counts["refused"] - new:
        lines.append(f"> - **refused** by Intercom before: {refused:,}, which are not tried again")
    lines.extend(f"> {format_problem(warning, show_values=show_values)}" for warning in review.warnings)
    if not lines:
        return []
    shown = fit_to_length(lines, len(lines), _MAX_WARNINGS_LENGTH, "warnings", separator="\n", start="> - ")
    return ["\n".join(["> [!WARNING]", *shown])]


def _format_checked(message: PlannedMessage, *, show_values: bool) -> Iterator[str]:
    """Yields what the check of the recipients found, with the first recipients of each reason."""
    for (action, reason), number in message.deliveries.checked_counts().most_common():
        named = message.first_recipients_by_reason.get((action, reason), ())
        names = list_sample([inline_code(reveal_or_mask(name, show_values=show_values)) for name in named], number)
        word = "sent anyway" if action == "send" else action
        yield f"{number:,} {word}: {escape_text(reason)}: {names}"


def _format_audience(declaration: Declaration, length: int, *, show_values: bool) -> list[str]:
    if not isinstance(declaration.audience, TableAudience):
        return []
    title = declaration.audience.source.title
    fields = list_audience_fields(declaration).items()
    words = [f"`{name}`: {inline_code(format_value(value), length)}" for name, value in fields]
    title = reveal_or_mask(mark_private_values(title, ()), show_values=show_values)
    return [f"Audience {inline_code(title)}, by {declaration.audience.kind}", *words]


def _format_message(message: PlannedMessage, sends: int, review: Review, *, show_values: bool, room: int = 0) -> str:
    """Returns the details of a message: where it is declared, who gets it, its changes, and a sample of its text.

    They have about `room` characters, if it is not 0, of which the last part gets a third at least.
    """
    part = max(room // 3, _MIN_PART) if room else MAX_COMMENT_LENGTH
    declaration = message.declaration
    kind = declaration.message_type + (f", template {declaration.template}" if declaration.template else "")
    if declaration.opens_conversation:
        kind += ", opens a conversation"
    lines = [
        (
            f"Declared in {inline_code(str(declaration.document.source.path))}: {kind}, "
            f"from admin {inline_code(format_sender(declaration.sender, review.plan.sender_ids))}"
        ),
    ]
    lines += _format_audience(declaration, part // 3, show_values=show_values)
    if subscription := format_subscription(declaration):
        lines.append(escape_text(subscription[0].upper() + subscription[1:]))
    lines += [escape_text(text) for text in reading_lines(message)]
    if message.left_out:
        lines.append(f"Left out: {format_left_out(message.left_out)}")
    if message.first_recipients and sends:
        names = [reveal_or_mask(name, show_values=show_values) for name in message.first_recipients[:sends]]
        redirect = declaration.redirect
        where = inline_code(reveal_or_mask(redirect.display_name, show_values=show_values)) if redirect else ""
        place = f"{where} in place of " if redirect else ""
        lines.append(f"To {place}{list_sample(list(map(inline_code, names)), sends)}")
    lines += _format_checked(message, show_values=show_values)
    title = f"{html_code(message.name)}: {sends:,} to send"
    if message.is_unread:
        lines.append(f"**{escape_text(format_unread(message))}**")
        title = f"{html_code(message.name)}: recipients not read"
    if (later := count_later(message)) and declaration.not_before:
        title += f", {later:,} not before {declaration.written('not_before')}"
    change = review.change(message)
    shown = fit_to_length([f"- {line}" for line in lines], len(lines), part, "lines", separator="\n", start="- ")
    blocks = ["\n".join(shown)]
    blocks += comparison_text.format_details(change, part, show_values=show_values) if change else ()
    rest = room and max(room - sum(map(len, blocks)), part)
    blocks += markdown_samples.format_samples(message, review.sample, rest, show_values=show_values)
    return details(f"{title} ({change.kind})" if change else title, blocks)
