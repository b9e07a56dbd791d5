"""Lists what the index warns of."""

from collections.abc import Iterator, Mapping, Sequence

from runner.characters import show_on_one_line
from runner.compare.comparison import Comparison
from runner.plan.file_problems import assign_problems
from runner.preview.change_concerns import LISTED_BY_TEXT
from runner.preview.concerns import describe_guard, describe_problem, list_ledger_concerns
from runner.preview.preview_input import PreviewInput
from runner.preview.views import Concern, MessageView, Tone
from runner.privacy import reveal_or_mask


def list_index_concerns(
    source: PreviewInput, messages: Sequence[MessageView], pages: Mapping[str, str]
) -> Iterator[Concern]:
    """Yields what the index warns of: what stops apply, what guards changed, then the findings, the worst first."""
    for guard in source.plan.guards:
        yield describe_guard(guard, pages)
    comparison = source.comparison
    if comparison:
        yield from list_comparison_concerns(comparison)
    yield from list_ledger_concerns(source.history.facts, pages, source.plan)
    for note in (*source.notes, *(comparison.notes if comparison else ())):
        yield Concern("warn", "note", show_on_one_line(reveal_or_mask(note, show_values=source.show_values)))
    guarded = {(guard.code, pages[name]) for guard in source.plan.guards for name in guard.messages if name in pages}
    sends = {message.page: message.to_send for message in messages}
    grouped: dict[tuple[Tone, str], list[tuple[MessageView, Concern]]] = {}  # by the code, or by the text
    for message in messages:
        for concern in message.concerns:
            if (concern.label, message.page) not in guarded:
                kind = concern.text if concern.label in LISTED_BY_TEXT else concern.label
                grouped.setdefault((concern.tone, kind), []).append((message, concern))
    concerns = []
    for group in grouped.values():
        first, concerned = group[0][1], tuple(dict.fromkeys(message.page for message, _ in group))
        others = len(group) - len(concerned)  # each other message has a link of its own
        text = f"{first.text} (and {others:,} more)" if others else first.text
        concerns.append(Concern(first.tone, first.label, text, first.hint, first.place, first.recipient, "", concerned))
    yield from sorted(concerns, key=lambda concern: -sum(sends[page] for page in concern.messages))
    named = {
        problem.place for group in assign_problems(source.plan.messages, source.warnings).values() for problem in group
    }
    for problem in source.warnings:
        if problem.place not in named:
            yield describe_problem(problem, show_values=source.show_values)


def list_comparison_concerns(comparison: Comparison) -> Iterator[Concern]:
    """Yields what worries of changes that are on no message's page."""
    for setting in comparison.guard_changes:
        if setting.name == "from":  # each message whose sender it changes says so
            continue
        text = f"{setting.name}: {setting.before or 'none'} → {setting.now or 'none'}"
        yield Concern("bad", "guard changed", show_on_one_line(text), "this setting guards what is sent, and to whom")
    for change in comparison.changes:
        if change.kind == "removed":
            yield from (Concern("warn", "removed", show_on_one_line(text)) for text in change.warnings)
