"""Annotations for GitHub's workflow log. Source: GitHub's documentation of workflow commands.

GitHub shows ten annotations of a kind for each step, and drops the others without a message.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.characters import show_invisible, show_on_one_line
from runner.errors import MsgrunError, Place, Problem
from runner.privacy import reveal_or_mask
from runner.report.terminal_text import one_line, remove_styles

if TYPE_CHECKING:  # validate prints annotations too, and does not need the planner
    from runner.plan.guards import Guard
    from runner.plan.plan import Plan


MAX_ANNOTATIONS = 10  # of a kind, for each step
KINDS = ("error", "warning", "notice")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What GitHub shows, at a line or for the whole run. `kind` is one of KINDS."""

    kind: str
    title: str
    message: str
    place: Place | None = None

    def command(self, path_prefix: str) -> str:
        """Returns the annotation as a workflow command.

        `path_prefix` is the folder of the project in GitHub's workspace: empty, or ending in /.
        """
        position = f"{_format_position(self.place, path_prefix)}," if self.place else ""
        # The log shows the message alone: so it begins with the place.
        message = f"{show_on_one_line(f'{path_prefix}{self.place}')}: {self.message}" if self.place else self.message
        return f"::{self.kind} {position}title={_escape_property(self.title)}::{_escape_message(message)}"

    def line(self) -> str:
        """Returns the annotation as a line of the log that GitHub does not take for a command."""
        place = f"{self.place}: " if self.place else ""
        return one_line(f"- {place}{self.kind}: {' '.join(self.message.split())} [{self.title}]")


def format_problems(items: Iterable[Problem], *, show_values: bool, path_prefix: str = "") -> str:
    """Returns problems as annotations.

    Problems of a whole declaration come before those of a single recipient, because GitHub drops the last ones.
    """
    ordered = sorted(items, key=lambda problem: (bool(problem.recipient), problem.place.sort_key))
    return format_annotations((_annotate(problem, show_values=show_values) for problem in ordered), path_prefix)


def format_plan(
    planned: "Plan", warnings: Iterable[Problem], notes: Iterable[str], *, show_values: bool, path_prefix: str = ""
) -> str:
    """Returns a plan as annotations: guards, unusual actions, warnings, and the counts with the digest as a notice.

    `notes` are warnings about the ledger, or about what changed.
    """
    places = {message.name: message.declaration.place for message in planned.messages}
    items = [
        Annotation(
            "error",
            guard.code,
            "\n".join(map(show_on_one_line, (guard.message, *_list_hints(guard)))),
            places.get(guard.messages[0]) if guard.messages else None,
        )
        for guard in planned.guards
    ]
    for message in planned.messages:
        to_decide = message.counts["unknown"] - message.being_sent
        for action, number in (("unknown", to_decide), ("refused", message.counts["refused"])):
            if number:
                text = f"{number:,} of {len(message.deliveries):,} deliveries of {message.name} are {action}"
                items.append(Annotation("warning", action, text, message.declaration.place))
    items.extend(Annotation("warning", "msgrun plan", show_on_one_line(remove_styles(note))) for note in notes)
    items.extend(_annotate(problem, show_values=show_values) for problem in warnings)
    for name in planned.unread:
        text = f"{name} goes to an audience in the workspace, which was not read: how many get it is not known"
        items.append(Annotation("warning", "msgrun plan", text, places[name]))
    workspace = f", workspace {planned.workspace}" if planned.workspace else ""
    of_all = f" of {planned.counts['send']:,}" if planned.to_send < planned.counts["send"] else ""
    when = "to send, and a guard stops the run" if planned.guards else "to send now"
    text = f"{planned.to_send:,}{of_all} {when}, in environment {planned.environment}{workspace}\n"
    rest = [
        f"{number:,} {'already sent' if action == 'sent' else action}"
        for action, number in planned.counts.items()
        if number and action != "send"
    ]
    text += f"{', '.join(rest)}\n" if rest else ""
    items.append(Annotation("notice", "msgrun plan", f"{text}digest {planned.digest or 'not known'}"))
    return format_annotations(items, path_prefix)


def format_failure(error: MsgrunError, *, show_values: bool) -> str:
    """Returns the error that ended a command, as a workflow command."""
    hint = f"\nhint: {show_on_one_line(error.hint)}" if error.hint else ""
    return Annotation(
        "error", "msgrun", show_on_one_line(reveal_or_mask(error.message, show_values=show_values)) + hint
    ).command("")


def format_annotations(items: Iterable[Annotation], path_prefix: str) -> str:
    """Returns annotations as text for GitHub's log.

    Only as many of each kind as GitHub shows are workflow commands. The others are lines of the log, in a group.
    """
    all_items = list(items)
    lines: list[str] = []
    for kind in KINDS:
        of_kind = [annotation for annotation in all_items if annotation.kind == kind]
        shown = of_kind if len(of_kind) <= MAX_ANNOTATIONS else of_kind[: MAX_ANNOTATIONS - 1]
        lines.extend(annotation.command(path_prefix) for annotation in shown)
        if rest := of_kind[len(shown) :]:
            noun = kind if len(rest) == 1 else f"{kind}s"
            lines.append(
                Annotation(kind, "msgrun", f"+{len(rest):,} more {noun}: see the log of this step").command("")
            )
            lines.extend([f"::group::+{len(rest):,} more {noun}", *(item.line() for item in rest), "::endgroup::"])
    return "\n".join(lines)


def _list_hints(guard: "Guard") -> list[str]:
    """Returns the ways out of a guard, each with its command at the end of a line."""
    return [f"- {way.purpose}{f': {way.command}' if way.command else ''}" for way in guard.ways_out] or [
        f"hint: {guard.hint}"
    ]


def _annotate(problem: Problem, *, show_values: bool) -> Annotation:
    recipient = f" ({reveal_or_mask(problem.recipient, show_values=show_values)})" if problem.recipient else ""
    hint = f"\nhint: {show_on_one_line(problem.hint)}" if problem.hint else ""
    text = f"{show_on_one_line(reveal_or_mask(problem.message, show_values=show_values))}{recipient}{hint}"
    return Annotation(str(problem.severity), problem.code, text, problem.place)


def _format_position(place: Place, path_prefix: str) -> str:
    path = _escape_property(path_prefix + place.path)
    end = f",endColumn={place.column + place.length}" if place.length else ""
    return f"file={path},line={place.line},col={place.column}{end}"


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")


def _escape_message(text: str) -> str:
    return show_invisible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
