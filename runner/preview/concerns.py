"""What should worry a reviewer: of the whole project for the index, of a change, of the texts, and of the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from runner.characters import show_on_one_line
from runner.compare.comparison import Comparison, MessageChange
from runner.compare.declared_fields import FieldChange
from runner.compare.word_diff import diff_words
from runner.declare.authorship import Authorship
from runner.declare.keys_and_digests import visible_words
from runner.errors import MsgrunError, Problem
from runner.ledger.facts import Facts
from runner.ledger.key_state import name_ids
from runner.lint.text_checks import mentions_unsubscribe
from runner.plan.file_problems import assign_problems
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.plan.text_variants import TextVariant
from runner.preview.preview_input import PreviewInput
from runner.preview.sampling import MessageSample
from runner.preview.views import Concern, MessageView, RecipientView, Tone
from runner.privacy import mark_private_values, reveal_or_mask, reveal_or_mask_same_width
from runner.shown_command import shown_command

# Labels of concerns that the index lists by their text, because the text names what changed.
LISTED_BY_TEXT = frozenset({"warning", "new host", "sender", "expires", "limit", "audience", "dates", "hidden link"})
_MAX_NEW_HOSTS = 10
_GROWTH = 1.5  # times its recipients before; an audience that grew by less is common
_MIN_ADDED = 5  # recipients: 2 in place of 1 are no surprise
_FIELDS = {
    **dict.fromkeys(("from.id", "from.email", "from.name"), ("sender", "another sender: {before} → {now}")),
    "expires": ("expires", "expires was removed, it was {before}: an old job could send it for ever"),
    "max_recipients": ("limit", "max_recipients was loosened: {before} → {now}"),
}
_MAX_DUPLICATES = 20  # that are listed
_FEW = 20  # a text that one in so many recipients gets, or fewer, is easily overlooked
_MAX_RARE = 3  # rare texts that are listed
_MAX_WORDS = 120  # characters of the words that only a rare text has


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
        text = f"{setting.name}: {setting.before or 'none'} → {setting.now or 'none'}"
        yield Concern("bad", "guard changed", show_on_one_line(text), "this setting guards what is sent, and to whom")
    for change in comparison.changes:
        if change.kind == "removed":
            yield from (Concern("warn", "removed", show_on_one_line(text)) for text in change.warnings)


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


def list_change_concerns(comparison: Comparison, change: MessageChange) -> Iterator[Concern]:
    """Yields what should worry of the change of one message."""
    hosts = [host for host, names in comparison.new_hosts.items() if change.name in names]
    for host in islice(hosts, _MAX_NEW_HOSTS):
        text = f"a link or an image leads to a new host, {host}, which no message of {comparison.against} has"
        yield Concern("bad", "new host", show_on_one_line(text), "see where it leads before you approve it")
    if len(hosts) > _MAX_NEW_HOSTS:
        yield Concern("bad", "new host", f"{len(hosts) - _MAX_NEW_HOSTS:,} more new hosts", "see the comment of plan")
    for field in change.fields:
        if field.name in _FIELDS and field.before and _is_loosened(field.name, field.before, field.now):
            label, text = _FIELDS[field.name]
            old, new = format_values(field)
            yield Concern("bad", label, text.format(before=old, now=new))
    overlap = change.audience
    if overlap and overlap.added >= _MIN_ADDED and overlap.count_now >= _GROWTH * overlap.count_before:
        before, now = overlap.count_before, overlap.count_now
        times = f", {now / before:.1f} times as many".replace(".0 ", " ") if before else ""
        yield Concern("bad", "audience", f"more recipients: {before:,} → {now:,}{times}")
    elif overlap and min(overlap.added, overlap.removed) >= _MIN_ADDED and overlap.same < overlap.removed:
        text = f"other recipients: {overlap.same:,} of {overlap.count_before:,} stay, {overlap.added:,} are new"
        yield Concern("bad", "audience", text)


def _is_loosened(name: str, before: str, now: str) -> bool:
    match name:
        case "expires":
            return not now
        case "max_recipients":
            return not now or int(now) > int(before)
        case _:
            return True


def format_values(field: FieldChange) -> tuple[str, str]:
    """Returns the values of a field before and now, in words."""
    return _format_value(field.name, field.before), _format_value(field.name, field.now)


def _format_value(name: str, value: str) -> str:
    if name == "max_recipients" and value:
        return f"{int(value):,}"
    # A time at midnight UTC is a day, as it is mostly declared.
    return show_on_one_line(value.removesuffix("T00:00:00Z") or "none")


def list_text_concerns(recipients: Sequence[RecipientView]) -> Iterator[Concern]:
    """Yields what should worry of the texts that the sampled recipients get."""
    for text in dict.fromkeys(recipient.date_conflict for recipient in recipients if recipient.date_conflict):
        yield Concern("warn", "dates", show_on_one_line(text))
    links = (link for recipient in recipients for link in recipient.checks.links if link.hidden)
    for name, address, how in dict.fromkeys((link.text, link.address, link.hidden) for link in links):
        text = f"a reader may not see the link {name or address}: it is {how}"
        tone: Tone = "bad" if mentions_unsubscribe(f"{name} {address}") else "warn"
        yield Concern(tone, "hidden link", text, "look for it in the preview of its message")
    conditions = dict.fromkeys(name for recipient in recipients for name in recipient.checks.style_conditions)
    if conditions:
        text = f"a style sheet of the body asks for {', '.join(conditions)}: the text may differ in a mail client"
        yield Concern(
            "warn",
            "style sheet",
            show_on_one_line(text),
            f"read the HTML, in Changes or with {shown_command('render', 'NAME')}",
        )


def count_other_texts(sample: MessageSample) -> Iterator[Concern]:
    """Yields how many recipients get a text that the page does not show."""
    if sample.other_count:
        gets = "recipient gets another text" if sample.other_count == 1 else "recipients get other texts"
        text = f"{sample.other_count:,} {gets} of this message, which the page does not show"
        yield Concern("warn", "other texts", text, f"to read them: {shown_command('render', 'NAME')}")


def list_rare_texts(sample: MessageSample, authorship: Authorship) -> Iterator[Concern]:
    """Yields the words that few recipients read, and most do not: only the templates' own words, so no values."""
    if not sample.variants:
        return
    total = sum(variant.count for variant in sample.variants) + sample.other_count
    usual = _read_words(sample.variants[0], authorship)
    rare = [variant for variant in sample.variants[1:] if variant.count * _FEW <= total]
    for variant in rare[:_MAX_RARE]:
        parts = diff_words(usual, _read_words(variant, authorship))
        words = " … ".join(part.text.strip() for part in parts if part.kind == "added" and part.text.strip())
        shown = words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"
        gets = f"{variant.count:,} of {total:,} {'recipients reads' if variant.count == 1 else 'recipients read'}"
        yield Concern("warn", "few recipients", show_on_one_line(f"{gets} what most do not: {shown or 'less text'}"))


def _read_words(variant: TextVariant, authorship: Authorship) -> str:
    return visible_words(authorship.comparable_text(variant.delivery))


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
