"""The ways out of the guards that stop a run, as steps."""

from collections.abc import Sequence

from runner.plan.guards import Guard, WayOut
from runner.report.next_steps import NextStep
from runner.report.problem_text import join_names
from runner.report.review import Review

_MAX_STEPS = 3  # guards whose ways out are steps; others have a hint


def list_guard_steps(review: Review, *, for_comment: bool = False) -> tuple[Sequence[Guard], list[NextStep]]:
    """Returns the guards whose ways out are steps, and these steps.

    What they share is shown once: what shows the edits first, unless the review has it, and what sends the others last.
    A comment does not offer that: nothing of a pull request is sent before it is merged. Nor may it change a lockfile.
    """
    guards = [item for item in review.plan.guards if item.ways_out][:_MAX_STEPS]
    names = {name for item in guards for name in item.messages}
    changes = review.comparison.changes if review.comparison else ()
    is_seen = names <= {change.name for change in changes if change.is_content_changed and change.before}
    edited: dict[str, list[str]] = {}  # the messages whose edits a command shows
    others = dict[WayOut, None]()
    for way in (way for item in guards for way in item.ways_out):
        if way.shows_edit_of:
            edited.setdefault(way.command, []).append(way.shows_edit_of)
        elif not (way.sends_others and for_comment):
            others[way] = None
    see = [WayOut(f"See the edit of {join_names(edits)}", command) for command, edits in edited.items()]
    ways = [*([] if is_seen else see), *sorted(others, key=lambda way: (not way.is_shared, way.sends_others))]
    when = (
        f" (after the merge: no pull request may change {review.lockfile})" if for_comment and review.lockfile else ""
    )
    return guards, [
        NextStep(f"{way.purpose}{when if way.writes_ledger else ''}", (way.command,) if way.command else ())
        for way in ways
    ]
