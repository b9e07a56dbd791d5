"""What a plan changes, as text, as JSON, and as pieces of the Markdown of a review."""

from collections.abc import Iterator
from typing import Any

import click

from runner.compare.audience_overlap import Overlap
from runner.compare.comparison import CHANGE_KINDS, Comparison, MessageChange
from runner.privacy import reveal_or_mask
from runner.report.html_text import visible_text
from runner.report.markdown_escaping import code_block, inline_code, strip_controls, truncate
from runner.report.word_diff import DiffPart, diff_lines, diff_words, inline_diff

_COLOURS = {"new": "green", "changed": "yellow", "removed": "red", "uncompared": "yellow"}


_SHORT = 10  # digits of a commit's hash


_OF_DIFFERENCE = 4_000  # characters


_SAME_TEXT = "the text reads the same; what differs is in its source"


def text(found: Comparison, *, show_values: bool) -> str:
    """What changed: each message that did, with its differences, then the counts."""
    blocks = [f"{click.style('!', fg='red')} {line}" for line in guard_changes(found)]
    blocks += [click.style(f"Changes against {_against(found)}", bold=True)]
    blocks += [
        _block(change, show_values=show_values)
        for change in found.changes
        if change.kind != "unchanged" or change.warnings
    ]
    blocks += [f"{click.style('!', fg='yellow')} {note}" for note in found.notes]
    blocks.append(_counts(found))
    return "\n\n".join(blocks)


def guard_changes(found: Comparison) -> list[str]:
    """What changed of the settings that guard the sending, a line each."""
    return [
        f"changed guard {field.name}: {field.before or 'none'} -> {field.now or 'none'}"
        for field in found.guard_changes
    ]


def to_dict(found: Comparison, *, show_values: bool) -> dict[str, Any]:
    """What changed, for machines."""
    return {
        "against": found.against,
        "commit": found.commit,
        "counts": {kind: found.counts[kind] for kind in CHANGE_KINDS},
        "guards": [{"name": field.name, "before": field.before, "now": field.now} for field in found.guard_changes],
        "notes": [reveal_or_mask(note, show_values=show_values) for note in found.notes],
        "messages": [
            {
                "name": change.name,
                "change": change.kind,
                "fields": [{"name": field.name, "before": field.before, "now": field.now} for field in change.fields],
                "audience": _audience(change.audience),
                **{
                    name: [part._asdict() for part in parts]
                    for name, parts in differences(change, show_values=show_values)
                },
                "warnings": list(change.warnings),
            }
            for change in found.changes
        ],
    }


def heading(found: Comparison) -> list[str]:
    """What changed in one line of Markdown, and which messages are gone."""
    removed = [inline_code(change.name) for change in found.changes if change.kind == "removed"]
    more = f" and {len(removed) - _SHORT:,} more" if len(removed) > _SHORT else ""
    gone = [f"Removed: {', '.join(removed[:_SHORT])}{more}. Nothing is sent for it any more."] if removed else []
    return [f"Compared with {inline_code(_against(found))}: {_counts(found)}", *gone]


def caution(found: Comparison) -> list[str]:
    """What changed of the settings that guard the sending, in Markdown: the first thing that a reviewer has to see."""
    lines = [
        f"> - {inline_code(field.name)}: {_was(field.before)} → {_was(field.now)}" for field in found.guard_changes
    ]
    head = "> [!CAUTION]\n> **These commits change what guards the sending:**"
    return ["\n".join([head, ">", *lines])] if lines else []


def details(change: MessageChange, *, show_values: bool) -> list[str]:
    """What changed in one message, as blocks of Markdown."""
    facts = [f"- {inline_code(field.name)}: {_was(field.before)} → {_was(field.now)}" for field in change.fields]
    if change.audience and change.audience.has_changes:
        facts.append(f"- audience: {_overlap(change.audience)}")
    blocks = [f"**Changed**\n\n{chr(10).join(facts)}"] if facts else []
    for name, parts in differences(change, show_values=show_values):
        if _differs(parts):
            blocks += [f"**Changes of the {name}**", code_block(truncate(diff_lines(parts), _OF_DIFFERENCE), "diff")]
    return [*blocks, *(note[0].upper() + note[1:] + "." for note in _notes(change, show_values=show_values))]


def differences(change: MessageChange, *, show_values: bool) -> Iterator[tuple[str, list[DiffPart]]]:
    """The parts of subject and body, as they can be read; nothing where a side has no sample."""
    if change.before and change.now:
        for name in ("subject", "body"):
            before, now = (
                strip_controls(reveal_or_mask(getattr(side, name), show_values=show_values))
                for side in (change.before, change.now)
            )
            yield (
                name,
                diff_words(visible_text(before), visible_text(now)) if name == "body" else diff_words(before, now),
            )


def _block(change: MessageChange, *, show_values: bool) -> str:
    head = f"{click.style(change.kind, fg=_COLOURS.get(change.kind))}  {click.style(change.name, bold=True)}"
    found = [head]
    found += [f"  {field.name}: {field.before or 'none'} -> {field.now or 'none'}" for field in change.fields]
    if change.audience and change.audience.has_changes:
        found.append(f"  audience: {_overlap(change.audience)}")
    for name, parts in differences(change, show_values=show_values):
        if _differs(parts):
            found.append(f"  {name}: {inline_diff(parts)}")
    found += [f"  {note}" for note in _notes(change, show_values=show_values)]
    found += [f"  {click.style('!', fg='yellow')} {warning}" for warning in change.warnings]
    return "\n".join(found)


def _notes(change: MessageChange, *, show_values: bool) -> Iterator[str]:
    """What a reader of the differences has to know to understand them."""
    if not change.is_content_changed:
        return
    if not (change.before and change.now):
        yield "one side cannot be rendered, so the texts are not compared"
        return
    if not any(_differs(parts) for _, parts in differences(change, show_values=show_values)):
        yield _SAME_TEXT
    if (change.before.kind, change.before.value) != (change.now.kind, change.now.value):
        yield "the samples are of two recipients: nobody is on both sides that was looked at"


def _differs(parts: list[DiffPart]) -> bool:
    return any(part.kind != "same" for part in parts)


def _was(value: str) -> str:
    return inline_code(value) if value else "none"


def _overlap(found: Overlap) -> str:
    parts = [
        (found.added, "added"),
        (found.removed, "removed"),
        (found.same, "the same"),
        (found.unreadable, "unreadable"),
    ]
    counts = ", ".join(f"{number:,} {word}" for number, word in parts if number)
    return f"{counts}; {found.altered:,} of the same with other values" if found.altered else counts


def _audience(found: Overlap | None) -> dict[str, int] | None:
    if found is None:
        return None
    return {"added": found.added, "removed": found.removed, "same": found.same, "altered": found.altered}


def _against(found: Comparison) -> str:
    is_hash = found.commit.startswith(found.against)
    return found.against if is_hash else f"{found.against} ({found.commit[:_SHORT]})"


def _counts(found: Comparison) -> str:
    counts = found.counts
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in CHANGE_KINDS if counts[kind]) or "no message on either side"
