"""The ways out of the guards that stop a run, as steps."""

from collections.abc import Sequence

from runner.plan.guards import SEE_EDIT, UNDO_SETTINGS, Guard
from runner.report.next_steps import NextStep
from runner.report.problem_text import join_names
from runner.report.review import Review

_FIRST = (SEE_EDIT, UNDO_SETTINGS)  # what steps begin with that are about several messages
_MAX_STEPS = 3  # guards whose ways out are steps; others have a hint


def list_guard_steps(review: Review) -> tuple[Sequence[Guard], list[NextStep]]:
    """Returns the guards whose ways out are steps, and these steps.

    What they share is shown once: what shows the edits first, unless the review has it, and what sends the others last.
    """
    guards = [item for item in review.plan.guards if item.steps][:_MAX_STEPS]
    names = {name for item in guards for name in item.messages}
    changes = review.comparison.changes if review.comparison else ()
    is_seen = names <= {change.name for change in changes if change.is_content_changed and change.before}
    see: dict[str, list[str]] = {}  # the messages whose edits a command shows
    others = dict[tuple[str, str], None]()
    for item in reversed(guards):
        for purpose, command in reversed(item.steps):
            if purpose.startswith(SEE_EDIT):
                see.setdefault(command, []).insert(0, purpose.removeprefix(SEE_EDIT))
            else:
                others[purpose, command] = None
    edits = [(f"{SEE_EDIT}{join_names(names)}", command) for command, names in reversed(see.items())]
    shown = sorted([*(() if is_seen else edits), *reversed(others)], key=lambda step: not step[0].startswith(_FIRST))
    return guards, [NextStep(purpose, (command,) if command else ()) for purpose, command in shown]
