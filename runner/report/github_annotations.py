"""Annotations for GitHub's workflow log. Source: GitHub's documentation of workflow commands.

GitHub shows ten annotations of a kind for each step and drops the others without a word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import MsgrunError, Place, Problem
from runner.privacy import reveal_or_mask

if TYPE_CHECKING:  # validate prints annotations too, and plans nothing
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

    def command(self, folder: str) -> str:
        """As a workflow command; `folder` is where the project lies in GitHub's workspace: empty, or ending in /."""
        at = f"{_at(self.place, folder)}," if self.place else ""
        return f"::{self.kind} {at}title={_property(self.title)}::{_escaped(self.message)}"

    def line(self) -> str:
        """As a line of the log, which begins in a way that is no command."""
        place = f"{self.place}: " if self.place else ""
        return f"- {place}{self.kind}: {' '.join(self.message.split())} [{self.title}]"


def problems(found: Iterable[Problem], *, show_values: bool, path_prefix: str = "") -> str:
    """Problems as annotations: those of a whole declaration before those that only one recipient shows."""
    ordered = sorted(found, key=lambda problem: (bool(problem.recipient), problem.place.sort_key))
    return annotations((_problem(problem, show_values=show_values) for problem in ordered), path_prefix)


def plan(
    planned: "Plan", warnings: Iterable[Problem], worries: Iterable[str], *, show_values: bool, path_prefix: str = ""
) -> str:
    """A plan as annotations: guards, what is unusual, warnings, and the sums with the digest as a notice.

    `worries` are about the ledger, or about what changed.
    """
    places = {message.name: message.declaration.place for message in planned.messages}
    found = [
        Annotation(
            "error",
            guard.code,
            f"{reveal_or_mask(guard.message, show_values=show_values)}\n"
            f"hint: {reveal_or_mask(guard.hint, show_values=show_values)}",
            places.get(guard.messages[0]) if guard.messages else None,
        )
        for guard in planned.guards
    ]
    for message in planned.messages:
        for action in ("unknown", "refused"):
            if number := message.counts[action]:
                text = f"{number:,} of {len(message.deliveries):,} deliveries of {message.name} are {action}"
                found.append(Annotation("warning", action, text, message.declaration.place))
    found.extend(
        Annotation("warning", "msgrun plan", reveal_or_mask(worry, show_values=show_values)) for worry in worries
    )
    found.extend(_problem(problem, show_values=show_values) for problem in warnings)
    workspace = f", workspace {planned.workspace}" if planned.workspace else ""
    counts = ", ".join(f"{number:,} {action}" for action, number in planned.counts.items() if number) or "nothing"
    text = f"{planned.to_send:,} to send now, in environment {planned.environment}{workspace}\n{counts}\n"
    found.append(Annotation("notice", "msgrun plan", f"{text}digest {planned.digest}"))
    return annotations(found, path_prefix)


def failure(error: MsgrunError, *, show_values: bool) -> str:
    """What ended a command."""
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return Annotation("error", "msgrun", reveal_or_mask(f"{error.message}{hint}", show_values=show_values)).command("")


def annotations(found: Iterable[Annotation], folder: str) -> str:
    """Annotations as GitHub's log takes them: of each kind as many as it shows, and the rest as lines of the log."""
    every = list(found)
    lines: list[str] = []
    for kind in KINDS:
        same = [annotation for annotation in every if annotation.kind == kind]
        shown = same if len(same) <= MAX_ANNOTATIONS else same[: MAX_ANNOTATIONS - 1]
        lines.extend(annotation.command(folder) for annotation in shown)
        if rest := same[len(shown) :]:
            noun = kind if len(rest) == 1 else f"{kind}s"
            lines.append(
                Annotation(kind, "msgrun", f"+{len(rest):,} more {noun}: see the log of this step").command("")
            )
            lines.extend([f"::group::+{len(rest):,} more {noun}", *(item.line() for item in rest), "::endgroup::"])
    return "\n".join(lines)


def _problem(problem: Problem, *, show_values: bool) -> Annotation:
    who = f" ({problem.recipient})" if problem.recipient else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    text = reveal_or_mask(f"{problem.message}{who}{hint}", show_values=show_values)
    return Annotation(str(problem.severity), problem.code, text, problem.place)


def _at(place: Place, folder: str) -> str:
    path = _property(folder + reveal_or_mask(place.path, show_values=False))
    return f"file={path},line={place.line},col={place.column}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
