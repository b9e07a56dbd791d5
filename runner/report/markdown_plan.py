"""A plan as Markdown, for a comment below a pull request or a job's summary.

A reader who sees only this can say what will be sent, to whom, how many, from where, and what to worry about: counts
first, worries next, a table of the messages, then each one's text unfolds. It is cut between messages, never inside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runner.compare.comparison import Comparison, MessageChange
from runner.declare.audience import TableAudience
from runner.declare.sample import Sample
from runner.errors import Problem
from runner.plan.deliveries import ACTIONS, Action, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.privacy import MASK, reveal_or_mask
from runner.report import comparison_text
from runner.report.html_text import visible_text
from runner.report.markdown_escaping import (
    code_block,
    details,
    escape_text,
    fit_to_length,
    html_code,
    inline_code,
    table_cell,
    truncate,
    wrap_lines,
)
from runner.report.markdown_results import (
    MAX_COMMENT_LENGTH,
    MAX_INLINE_LENGTH,
    MAX_TABLE_LENGTH,
    heading,
    hint_line,
    inline_text,
    problem,
)
from runner.report.problem_text import left_out, pluralize

_OF_WORRIES = 8_000  # characters, of guards and of warnings each


_OF_TEXT = 6_000  # of one message's text, and of its source


_WORRYING: tuple[Action, ...] = ("edited", "unknown", "refused")


def _no_sample(_: PlannedMessage) -> Sample | None:
    return None


@dataclass(frozen=True, slots=True)
class Review:
    """What a review shows: a plan, warnings about its files, notes on the ledger, how to get a sample of a message."""

    plan: Plan
    warnings: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    sample: Callable[[PlannedMessage], Sample | None] = field(default=_no_sample)
    sandbox: bool = False
    comparison: Comparison | None = None

    def extra_warnings(self) -> list[str]:
        """What to worry about besides guards and problems: of the ledger, and of what changed."""
        return [*self.notes, *(self.comparison.warnings() if self.comparison else ())]

    def change(self, message: PlannedMessage) -> MessageChange | None:
        """What happened to a message, where that was looked at."""
        return self.comparison.find_change(message.name) if self.comparison else None


def plan(seen: Review, *, show_values: bool, limit: int = MAX_COMMENT_LENGTH) -> str:
    """A plan of at most `limit` characters. `show`: recipients' values in clear."""
    planned, sends = seen.plan, seen.plan.send_counts()
    messages = sorted(planned.messages, key=lambda message: not _matters(message, seen))
    blocks = [
        f"{heading(planned.environment)}, {_where(seen)}",
        *(comparison_text.caution(seen.comparison) if seen.comparison else ()),
        _counts(planned, sends),
        *(comparison_text.heading(seen.comparison) if seen.comparison else ()),
        *_guards(planned.guards, show_values=show_values),
        *_warnings(seen, show_values=show_values),
        *_table(messages, seen, sends),
    ]
    digest = f"Digest {inline_code(planned.digest)}"
    unfolded = [message for message in messages if _matters(message, seen)]
    room = limit - len("\n\n".join([*blocks, digest])) - 200
    unfolding = (_details(message, sends[message.name], seen, show_values=show_values) for message in unfolded)
    blocks.extend(fit_to_length(unfolding, len(unfolded), room, "messages, whose texts there is no room for"))
    return "\n\n".join([*blocks, digest]) + "\n"


def _where(seen: Review) -> str:
    if seen.sandbox:
        return "in the sandbox (nothing leaves the machine)"
    workspace = truncate(seen.plan.workspace, MAX_INLINE_LENGTH)
    return f"workspace {inline_code(workspace)}" if workspace else "a workspace that is not pinned yet"


def _matters(message: PlannedMessage, seen: Review) -> bool:
    """Whether its text is to be read: it is sent, now or later; or something about it is unusual, or changed."""
    change = seen.change(message)
    if change and change.kind not in {"unchanged", "uncompared"}:
        return True
    return bool(message.counts["send"] or _later(message) or any(message.counts[action] for action in _WORRYING))


def _later(message: PlannedMessage) -> int:
    """How many are excluded only because it is too early."""
    return 0 if message.is_expired else message.counts["excluded"]


def _counts(planned: Plan, sends: dict[str, int]) -> str:
    sending = sum(number > 0 for number in sends.values())
    first = f"{planned.to_send:,} to send" + (f", of {pluralize(sending, 'message')}" if sending else "")
    if planned.to_send < planned.counts["send"]:
        first += f", the first of {planned.counts['send']:,}"
    rest = [f"{planned.counts[action]:,} {action}" for action in ACTIONS[1:] if planned.counts[action]]
    return " · ".join([f"**{first}**", *rest])


def _guards(guards: Sequence[Guard], *, show_values: bool) -> list[str]:
    if not guards:
        return []
    lines = [
        f"> - **{escape_text(guard.code)}** {inline_text(guard.message, show_values=show_values)}"
        f"{hint_line(guard.hint, show_values=show_values)}"
        for guard in guards
    ]
    head = "> [!CAUTION]\n> **As it stands, nothing will be sent.** A guard says no:"
    return [
        "\n".join([head, ">", *fit_to_length(lines, len(lines), _OF_WORRIES, "guards", separator="\n", start="> - ")])
    ]


def _warnings(seen: Review, *, show_values: bool) -> list[str]:
    planned, lines = (
        seen.plan,
        [f"> - {inline_text(worry, show_values=show_values)}" for worry in seen.extra_warnings()],
    )
    if unknown := planned.counts["unknown"]:
        since = f"**unknown** whether {unknown:,} were sent: they are not sent again before a person or"
        lines.append(f"> - {since} `msgrun reconcile` has looked in Intercom")
    if refused := planned.counts["refused"]:
        lines.append(f"> - **refused** by Intercom before: {refused:,}, which are not tried again")
    lines.extend(f"> {problem(warning, show_values=show_values)}" for warning in seen.warnings)
    if not lines:
        return []
    shown = fit_to_length(lines, len(lines), _OF_WORRIES, "warnings", separator="\n", start="> - ")
    return ["\n".join(["> [!WARNING]", *shown])]


def _table(messages: Sequence[PlannedMessage], seen: Review, sends: dict[str, int]) -> list[str]:
    """A row a message; of the actions only those that some message has."""
    if not messages:
        return ["No message is declared."]
    actions = [action for action in ACTIONS[1:] if any(message.counts[action] for message in messages)]
    change = ["change"] if seen.comparison else []
    head = ["message", *change, "type", "from", "recipients", "to send", *actions, "revision", "expires"]
    rule = ["---", *["---"] * len(change), "---", "---", *["--:"] * (len(actions) + 3), "---"]
    rows = [_row(message, sends[message.name], actions, seen.change(message)) for message in messages]
    shown = fit_to_length(
        rows, len(rows), MAX_TABLE_LENGTH, "messages", separator="\n", start="| ", end=" |" * len(head)
    )
    return ["\n".join([_cells(head), _cells(rule), *shown])]


def _row(message: PlannedMessage, sends: int, actions: Sequence[Action], change: MessageChange | None) -> str:
    declared = message.declaration
    expires = _moment(declared.expires) if declared.expires else "never"
    return _cells(
        [
            table_cell(message.name),
            *([change.kind] if change else ()),
            declared.message_type,
            f"admin {table_cell(declared.sender)}",
            f"{len(message.deliveries):,}",
            f"**{sends:,}**" if sends else "0",
            *(f"{message.counts[action]:,}" for action in actions),
            str(declared.revision),
            f"**expired** {expires}" if message.is_expired else expires,
        ]
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%d %H:%M} UTC"


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _details(message: PlannedMessage, sends: int, seen: Review, *, show_values: bool) -> str:
    """What is worth knowing of a message: where it comes from, to whom it goes, and a sample of its text."""
    declared = message.declaration
    kind = f"{declared.message_type}, template {declared.template}" if declared.template else declared.message_type
    facts = [
        (
            f"Declared in {inline_code(str(declared.document.source.path))}: {kind}, "
            f"from admin {inline_code(declared.sender)}"
        ),
    ]
    if isinstance(declared.audience, TableAudience):
        facts.append(f"Audience {inline_code(declared.audience.source.title)}, by {declared.audience.kind}")
    if message.left_out:
        facts.append(f"Left out: {left_out(message.left_out)}")
    if message.sample and sends:
        rest = f" and {sends - len(message.sample):,} more" if sends > len(message.sample) else ""
        names = ", ".join(inline_code(reveal_or_mask(name, show_values=show_values)) for name in message.sample[:sends])
        facts.append(f"To {names}{rest}")
    found = seen.sample(message)
    title = f"{html_code(message.name)}: {sends:,} to send"
    if (later := _later(message)) and declared.not_before:
        title += f", {later:,} not before {_moment(declared.not_before)}"
    change = seen.change(message)
    return details(
        f"{title} ({change.kind})" if change else title,
        [
            "\n".join(f"- {fact}" for fact in facts),
            *(comparison_text.details(change, show_values=show_values) if change else ()),
            *(_sample(found, show_values=show_values) if found else ()),
        ],
    )


def _sample(found: Sample, *, show_values: bool) -> list[str]:
    body = reveal_or_mask(found.body, show_values=show_values)
    subject = reveal_or_mask(found.subject, show_values=show_values)
    masked = f"; {inline_code(MASK)} stands for what is the recipient's own" if MASK in subject + body else ""
    return [
        f"As {inline_code(reveal_or_mask(found.to, show_values=show_values))} sees it{masked}:",
        *([f"**Subject** {inline_code(truncate(subject, MAX_INLINE_LENGTH))}"] if subject else ()),
        code_block(wrap_lines(truncate(visible_text(body), _OF_TEXT))),
        details("HTML source", [code_block(truncate(body, _OF_TEXT), "html")]),
    ]
