"""Problems, errors and guards as the pages of a preview show them: on one line, and masked."""

from collections.abc import Mapping

from runner.characters import show_on_one_line
from runner.errors import MsgrunError, Problem
from runner.plan.guards import Guard
from runner.preview.views import Concern
from runner.privacy import mark_private_values, reveal_or_mask, reveal_or_mask_same_width


def describe_problem(problem: Problem, *, show_values: bool, messages: tuple[str, ...] = ()) -> Concern:
    """Returns a problem of a file as the pages show it."""
    message = problem.message if show_values else mark_private_values(problem.message, ())
    path = (
        problem.place.path
        if show_values
        else reveal_or_mask(mark_private_values(problem.place.path, ()), show_values=False)
    )
    return Concern(
        tone="bad" if problem.is_error else "warn",
        label=problem.code,
        text=show_on_one_line(reveal_or_mask(message, show_values=show_values)),
        hint=show_on_one_line(problem.hint),
        place=show_on_one_line(f"{path}:{problem.place.line}:{problem.place.column}"),
        recipient=show_on_one_line(reveal_or_mask(problem.recipient, show_values=show_values)),
        excerpt=show_on_one_line(reveal_or_mask_same_width(problem.excerpt, show_values=show_values)).strip()[:400],
        messages=messages,
    )


def describe_error(error: MsgrunError, *, show_values: bool) -> Concern:
    """Returns an error that is about no file as the pages show it."""
    text = show_on_one_line(reveal_or_mask(error.message, show_values=show_values))
    return Concern("bad", "error", text, show_on_one_line(error.hint))


def describe_guard(guard: Guard, pages: Mapping[str, str]) -> Concern:
    """Returns a guard as the pages show it. `pages` has the page of each message by its name."""
    names = tuple(pages[name] for name in guard.messages if name in pages)
    return Concern("bad", guard.code, show_on_one_line(guard.message), show_on_one_line(guard.hint), messages=names)
