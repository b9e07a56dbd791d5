"""Problems, errors and guards as the pages of a preview show them: on one line, and masked."""

from collections.abc import Iterator, Mapping

from runner.characters import show_on_one_line
from runner.errors import MsgrunError, Problem
from runner.ledger.facts import Facts
from runner.ledger.key_state import name_ids
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.preview.views import Concern
from runner.privacy import mark_private_values, reveal_or_mask, reveal_or_mask_same_width
from runner.shown_command import shown_command

_MAX_DUPLICATES = 20  # that are listed


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


def list_ledger_concerns(facts: Facts, pages: Mapping[str, str], plan: Plan) -> Iterator[Concern]:
    """Yields what should worry of the ledger itself: duplicates, damage, and what is unknown beside the plan."""
    duplicates = facts.duplicates()
    for state in duplicates[:_MAX_DUPLICATES]:
        record, ids = state.record, name_ids(state.duplicate_records)
        text = f"{record.message} went twice to {record.to} (key {record.key[:12]}), as {ids}"
        hint = f"once that is settled: {shown_command('resolve', record.key[:12], '--duplicate')}"
        page = (pages[record.message],) if record.message in pages else ()
        yield Concern("bad", "duplicate", show_on_one_line(text), show_on_one_line(hint), messages=page)
    if len(duplicates) > _MAX_DUPLICATES:
        yield Concern("bad", "duplicate", f"{len(duplicates) - _MAX_DUPLICATES:,} more went out twice")
    planned = {(message.name, message.declaration.revision): message.counts["unknown"] for message in plan.messages}
    for (name, revision, status), number in sorted(facts.counts().items()):
        if status == "unknown" and (count := number - planned.get((name, revision), 0)) > 0:
            text = f"{name}, revision {revision}: {count:,} of unknown outcome, which this plan does not have"
            page = (pages[name],) if name in pages else ()
            hint = f"see {shown_command('status', name)}"
            yield Concern("bad", "unknown", show_on_one_line(text), show_on_one_line(hint), messages=page)
    if places := facts.torn_lines:
        others = f" (and {len(places) - 1:,} more)" if len(places) > 1 else ""
        text = f"{places[0]}{others} is torn: what can be read of it is kept"
        yield Concern("warn", "torn", show_on_one_line(text))
