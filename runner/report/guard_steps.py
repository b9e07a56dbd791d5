"""The ways out of the guards that stop a run, as steps."""

from collections.abc import Sequence

from runner.plan.guards import Guard
from runner.report.next_steps import NextStep
from runner.report.review import Review

_MAX_STEPS = 3  # guards whose ways out are steps; others have a hint


def list_guard_steps(review: Review) -> tuple[Sequence[Guard], list[NextStep]]:
    """Returns the guards whose ways out are steps, and these steps.

    What they share is shown once: the first step, to see the edits, and the last.
    """
    guards = [item for item in review.plan.guards if item.steps][:_MAX_STEPS]
    if not guards:
        return (), []
    (see, command), *_ = guards[0].steps
    steps = dict.fromkeys(step for item in reversed(guards) for step in reversed(item.steps[1:]))
    names = {name for item in guards for name in item.messages}
    changes = review.comparison.changes if review.comparison else ()
    is_seen = names <= {change.name for change in changes if change.is_content_changed and change.before}
    first = NextStep("Undo the edit if it is a mistake", ()) if is_seen else NextStep(see, (command,))
    return guards, [first, *(NextStep(purpose, (command,)) for purpose, command in reversed(steps))]
