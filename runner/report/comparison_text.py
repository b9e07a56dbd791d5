"""The comparison of a plan with a git ref: as text, as JSON, and as parts of the Markdown of a review."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from runner.compare.audience_overlap import Overlap
from runner.compare.comparison import CHANGE_KINDS, Comparison, MessageChange
from runner.compare.declared_fields import FieldChange
from runner.compare.word_diff import DiffPart, cut_shared_ends, diff_words
from runner.current_work import CURRENT_WORK
from runner.privacy import reveal_or_mask
from runner.report.html_text import visible_text
from runner.report.markdown_escaping import (
    MAX_INLINE_LENGTH,
    code_block,
    fit_to_length,
    inline_code,
    shorten_block,
    shorten_line,
    strip_controls,
)
from runner.report.problem_text import list_first
from runner.report.terminal_text import style
from runner.report.word_diff import format_diff

_COLOURS = {"new": "green", "changed": "yellow", "removed": "red", "uncompared": "yellow"}
_SIGN_COLOURS = {"-": "red", "+": "green"}
_SHORT = 10  # digits of a commit's hash, removed messages that are named
_MAX_DIFF_LENGTH = 4_000  # characters of a diff on a terminal
_MAX_DIFFS = 8  # of one message: of its subject and body, and of included files
_MAX_CAUTION_LENGTH = 8_000  # characters of the changed guards
_GUARD_LENGTHS = (MAX_INLINE_LENGTH, 120, 40)  # characters of a value; the shorter ones if there are many


def format_comparison(
    comparison: Comparison, *, show_values: bool, except_warnings: AbstractSet[str] = frozenset()
) -> str:
    """Returns the changed guards, each changed message with its differences, the notes, and the counts.

    Warnings that are in `except_warnings` are left out, because the plan below has them.
    """
    blocks = [f"{style('!', 'red')} {line}" for line in describe_guard_changes(comparison.guard_changes)]
    blocks += [style(f"Changes against {_describe_ref(comparison)}", "bold")]
    blocks += [
        _format_change(change, except_warnings, show_values=show_values)
        for change in comparison.changes
        if change.kind != "unchanged" or set(change.warnings) - except_warnings
    ]
    blocks += [f"{style('!', 'yellow')} {note}" for note in comparison.all_notes()]
    blocks.append(_format_counts(comparison))
    return "\n\n".join(blocks)


def describe_guard_changes(changes: Sequence[FieldChange]) -> list[str]:
    """Returns the changed settings that guard sending, a line each. A long list is cut, with a count."""

    def describe(name: str, before: str, now: str) -> str:
        return f"changed guard {name}: {_on_one_line(before)} -> {_on_one_line(now)}"

    return _fit_guard_changes(changes, describe)


def _fit_guard_changes(
    changes: Sequence[FieldChange], describe: Callable[[str, str, str], str], start: str = ""
) -> list[str]:
    """Returns a line for each change. Of many changes the values are shortened; of very many, the rest is counted."""
    for length in _GUARD_LENGTHS:
        lines = [describe(shorten_line(field.name, length), *_shorten(field, length)) for field in changes]
        if sum(map(len, lines)) + len(lines) <= _MAX_CAUTION_LENGTH:
            return lines
    return fit_to_length(lines, len(lines), _MAX_CAUTION_LENGTH, "changed guards", separator="\n", start=start)


def to_dict(comparison: Comparison, *, show_values: bool) -> dict[str, Any]:
    """Returns the comparison as an object for JSON."""
    return {
        "against": comparison.against,
        "commit": comparison.commit,
        "counts": {kind: comparison.counts[kind] for kind in CHANGE_KINDS},
        "guards": [
            {"name": field.name, "before": field.before, "now": field.now} for field in comparison.guard_changes
        ],
        "notes": comparison.all_notes(),
        "messages": [
            {
                "name": change.name,
                "change": change.kind,
                "fields": [{"name": field.name, "before": field.before, "now": field.now} for field in change.fields],
                "audience": _overlap_to_dict(change.audience),
                **{
                    name: [part._asdict() for part in parts]
                    for name, parts in list_differences(change, show_values=show_values)
                },
                "warnings": list(change.warnings),
            }
            for change in comparison.changes
        ],
    }


def format_heading(comparison: Comparison) -> list[str]:
    """Returns the counts in one line of Markdown, and a line that names the removed messages."""
    removed = [inline_code(change.name) for change in comparison.changes if change.kind == "removed"]
    first = list_first(removed[:_SHORT], len(removed))
    removed_lines = [f"Removed: {first}. Nothing is sent for it any more."] if removed else []
    own = f"Commit {inline_code(comparison.head[:_SHORT])}, compared" if comparison.head else "Compared"
    return [f"{own} with {inline_code(_describe_ref(comparison))}: {_format_counts(comparison)}", *removed_lines]


def format_caution(changes: Sequence[FieldChange]) -> list[str]:
    """Returns the changed settings that guard sending, as an alert in Markdown: a reviewer has to see them first.

    Empty if none changed.
    """

    def describe(name: str, before: str, now: str) -> str:
        return f"> - {_format_value(name)}: {_format_value(before)} → {_format_value(now)}"

    head = "> [!CAUTION]\n> **These commits change what guards the sending:**"
    return ["\n".join([head, ">", *_fit_guard_changes(changes, describe, "> - ")])] if changes else []


def format_details(change: MessageChange, room: int, *, show_values: bool) -> list[str]:
    """Returns the changes of one message, as blocks of Markdown, in `room` characters."""
    lines = [
        f"- {inline_code(field.name)}: {_format_value(before)} → {_format_value(now)}"
        for field in change.fields
        for before, now in [_shorten(field, MAX_INLINE_LENGTH)]
    ]
    if change.audience and change.audience.has_changes:
        lines.append(f"- audience: {change.audience}")
    shown_lines = fit_to_length(lines, len(lines), room // 2, "changed fields", separator="\n", start="- ")
    blocks = ["\n".join(["**Changed**", "", *shown_lines])] if lines else []
    for name, text in _format_differences(change, show_values=show_values):
        shown = name if name.isalpha() else inline_code(name)
        blocks.append(
            "\n\n".join([f"**Changes of the {shown}**", *([code_block(text, "diff", room // 3)] if text else ())])
        )
    blocks += (note[0].upper() + note[1:] + "." for note in _explain(change, show_values=show_values))
    return fit_to_length(blocks, len(blocks), room, "changes")


def list_differences(change: MessageChange, *, show_values: bool) -> Iterator[tuple[str, list[DiffPart]]]:
    """Yields the names of subject and body with their diff parts, as a reader sees the texts.

    If one side has no sample, these are the changed texts as they are written.
    """
    for field in change.written:
        with CURRENT_WORK.on_file(f"the texts of {change.name}"):
            parts = diff_words(strip_controls(field.before), strip_controls(field.now))
        yield field.name, parts
    if change.before and change.now:
        for name in ("subject", "body"):
            read = visible_text if name == "body" else reveal_or_mask
            with CURRENT_WORK.on_file(f"the {name} of {change.name}"):
                before, now = (
                    read(getattr(side, name), show_values=show_values) for side in (change.before, change.now)
                )
                # Not earlier: <U+200B> would be read as a tag.
                parts = diff_words(strip_controls(before), strip_controls(now))
            yield name, parts


def _format_change(change: MessageChange, except_warnings: AbstractSet[str], *, show_values: bool) -> str:
    head = f"{style(change.kind, _COLOURS.get(change.kind))}  {style(change.name, 'bold')}"
    lines = [head]
    lines += [
        f"  {field.name}: {before or 'none'} -> {now or 'none'}"
        for field in change.fields
        for before, now in [_shorten(field, _MAX_DIFF_LENGTH)]
    ]
    if change.audience and change.audience.has_changes:
        lines.append(f"  audience: {change.audience}")
    for name, text in _format_differences(change, show_values=show_values):
        shown = shorten_block(text, _MAX_DIFF_LENGTH, is_diff=True)
        lines += [f"  {_on_one_line(name)}:", *(_color_line(line) for line in shown.split("\n") if line)]
    lines += [f"  {note}" for note in _explain(change, show_values=show_values)]
    lines += [f"  {style('!', 'yellow')} {warning}" for warning in change.warnings if warning not in except_warnings]
    return "\n".join(lines)


def _format_differences(change: MessageChange, *, show_values: bool) -> Iterator[tuple[str, str]]:
    """Yields the name of each text that differs, with its diff. Of many, the rest is counted."""
    differences = (each for each in list_differences(change, show_values=show_values) if _has_differences(each[1]))
    yield from ((name, format_diff(parts)) for name, parts in islice(differences, _MAX_DIFFS))
    if len(change.written) > _MAX_DIFFS:
        yield f"{len(change.written) - _MAX_DIFFS:,} more texts", ""


def _color_line(line: str) -> str:
    return f"    {style(line, _SIGN_COLOURS.get(line[:1]))}"


def _explain(change: MessageChange, *, show_values: bool) -> Iterator[str]:
    """Yields what a reader has to know to understand the differences of a message."""
    parts = list_differences(change, show_values=show_values)
    return change.notes(is_same_text=not any(_has_differences(each) for _, each in parts))


def _has_differences(parts: list[DiffPart]) -> bool:
    return any(part.kind != "same" for part in parts)


def _shorten(field: FieldChange, length: int) -> tuple[str, str]:
    """Returns both values in at most some `length` characters, so that their difference is seen.

    Of two long lists only the entries that were removed and added are shown, and of other texts what stands between the
    parts that they share.
    """
    values = field.before, field.now
    if all(values) and max(map(len, values)) > length:
        values = _list_changed_entries(*values) or cut_shared_ends(*values)
    return shorten_line(values[0], length), shorten_line(values[1], length)


def _list_changed_entries(before: str, now: str) -> tuple[str, str] | None:
    """Returns which entries of a list were removed and added; None if those that stay are not in the same order."""
    old, new = before.split(", "), now.split(", ")
    known, declared = set(old), set(new)
    removed, added = [each for each in old if each not in declared], [each for each in new if each not in known]
    if '"' in before + now:
        return None  # an entry may have a comma
    is_same_order = [each for each in old if each in declared] == [each for each in new if each in known]
    if not is_same_order or len(old) + len(new) == 2:  # noqa: PLR2004  # one entry in each of them
        return None  # a filter may mean something else in another order
    return (
        f"{len(old):,} entries, removed: {', '.join(removed) or 'none'}",
        f"{len(new):,} entries, added: {', '.join(added) or 'none'}",
    )


def _on_one_line(value: str) -> str:
    return " ".join(value.split()) or "none"


def _format_value(value: str) -> str:
    return inline_code(value) if value else "none"


def _overlap_to_dict(overlap: Overlap | None) -> dict[str, int] | None:
    if overlap is None:
        return None
    return {"added": overlap.added, "removed": overlap.removed, "same": overlap.same, "altered": overlap.altered}


def _describe_ref(comparison: Comparison) -> str:
    is_hash = comparison.commit.startswith(comparison.against)
    return comparison.against if is_hash else f"{comparison.against} ({comparison.commit[:_SHORT]})"


def _format_counts(comparison: Comparison) -> str:
    counts = comparison.counts
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in CHANGE_KINDS if counts[kind]) or "no message on either side"
