"""What changed of a message since a git ref: both sides as a recipient sees them, with the differences marked."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from runner.characters import show_invisible, show_on_one_line
from runner.compare.comparison import MessageChange
from runner.compare.declared_fields import FieldChange
from runner.compare.declared_texts import list_texts_and_variables
from runner.compare.word_diff import DiffPart, cut_shared_ends, diff_tokens, diff_words
from runner.declare.declaration import Declaration
from runner.declare.sample import Sample
from runner.preview.body_frame import Style, build_frame, estimate_height, is_plain_text
from runner.preview.concerns import format_values
from runner.preview.named_masks import show_or_name
from runner.preview.views import ChangeView, Side
from runner.privacy import reveal_or_mask

_MAX_VALUE = 300  # characters of a field's value
_MAX_SOURCE = 200_000  # characters of a text as it is written
_MAX_INLINE = 100  # characters of a field and its values, beside the message's name
_MAX_WORDS = 60  # characters of changed words there; of a body, on each side
# Tokens of HTML. A comment, a style sheet, a tag and an entity are one token each, so no mark is placed inside them.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|$)|<(?:style|script|title|textarea)\b.*?(?:</(?:style|script|title|textarea)\s*>|$)|</?[a-zA-Z][^>]*>?|&#?\w+;|"
    r"\w+(?:[.,'\u2019-]\w+)*|\s+|.",
    re.DOTALL | re.IGNORECASE,
)
# Of the mark itself, because a style sheet of the body could hide a mark that another style sheet colours.
_MARK = "all:unset!important;text-decoration:{}!important;background:{}!important;color:{}!important"
_MARK_STYLES = {
    "ins": _MARK.format("underline", "#b9f0c8", "#0b3d1c"),
    "del": _MARK.format("line-through", "#ffd0cc", "#6b0f08"),
}


def build_change(change: MessageChange, style: Style, *, show_values: bool) -> ChangeView:
    """Returns the view of a change. `style` is that of the message as it is now."""
    before = now = None
    sources = []
    subject_parts: Sequence[DiffPart] = ()
    parts: Sequence[DiffPart] = ()
    if change.before and change.now:
        bodies = [
            show_or_name(each.body, show_values=show_values, is_html=True) for each in (change.before, change.now)
        ]
        parts = diff_tokens(*(_TOKEN.findall(body) for body in bodies))
        subjects = [show_or_name(side.subject, show_values=show_values) for side in (change.before, change.now)]
        subject_parts = diff_words(*subjects)
        before = _build_side(change.before, "removed", subject_parts, parts, style, show_values=show_values)
        now = _build_side(change.now, "added", subject_parts, parts, style, show_values=show_values)
        sources = [("HTML source", mark_parts(parts))]
    texts = {"subject": subject_parts, "body": parts}
    for field in change.written:
        name = show_on_one_line(field.name)
        texts[name] = diff_words(field.before, field.now)
        sources.append((name, mark_parts(texts[name])))
    changed = {
        name: each for name, each in texts.items() if any(part.kind != "same" and part.text.strip() for part in each)
    }
    return ChangeView(
        kind=change.kind,
        parts=tuple(_list_changed_parts(change, changed)),
        fields=tuple((field.name, *_shorten(field)) for field in change.fields),
        audience=str(change.audience) if change.audience and change.audience.has_changes else "",
        notes=tuple(change.notes(is_same_text=not changed)),
        before=before,
        now=now,
        sources=tuple(sources),
    )


def show_written(declaration: Declaration) -> tuple[tuple[str, str], ...]:
    """Returns the texts of a message as they are written, each with its name, as a page shows them."""
    written = list_texts_and_variables(declaration).items()
    return tuple((show_on_one_line(name), show_invisible(_cut(source, _MAX_SOURCE))) for name, source in written)


def _cut(text: str, length: int) -> str:
    rest = len(text) - length
    return f"{text[:length]}… and {rest:,} more characters" if rest > 0 else text


def _list_changed_parts(change: MessageChange, texts: Mapping[str, Sequence[DiffPart]]) -> Iterator[str]:
    yield from (_describe_field(field) for field in change.fields)
    yield from (_describe_text(name, parts) for name, parts in texts.items())
    if change.is_content_changed and not texts:
        yield "the text that others get, or its source" if change.before and change.now else "text"
    if change.audience and change.audience.has_changes:
        yield f"recipients: {change.audience}"


def _describe_text(name: str, parts: Sequence[DiffPart]) -> str:
    """Returns the name of a text, with the changed words of its first place. The index shows a long subject whole."""
    groups = ([*group] for is_same, group in groupby(parts, lambda part: part.kind == "same") if not is_same)
    places = [group for group in groups if any(part.text.strip() for part in group)]
    words = {part.kind: show_on_one_line(" ".join(part.text.split())) for part in places[0]}
    before, now = words.get("removed") or "none", words.get("added") or "none"
    if name == "subject" and (len(places) > 1 or len(before) + len(now) > _MAX_WORDS):
        return name
    before, now = (word if len(word) <= _MAX_WORDS else f"{word[:_MAX_WORDS]}…" for word in (before, now))
    others = len(places) - 1
    more = f", and {others} more {'place' if others == 1 else 'places'}" if others else ""
    return f"{name}: {before} → {now}{more}"


def _describe_field(field: FieldChange) -> str:
    """Returns the name of a field, with its values if they are short."""
    before, now = format_values(field)
    values = f"{field.name}: {before} → {now}"
    return values if len(values) <= _MAX_INLINE else field.name


def mark_parts(parts: Iterable[DiffPart], hidden: str = "") -> Markup:
    """Returns the parts as text with marks, without those of the kind `hidden`."""
    tags = {"added": "ins", "removed": "del"}
    return Markup("").join(
        Markup("<{0}>{1}</{0}>").format(tags[part.kind], show_invisible(part.text))
        if part.kind in tags
        else Markup("{}").format(show_invisible(part.text))
        for part in parts
        if part.kind != hidden
    )


def _build_side(
    sample: Sample,
    kind: str,
    subject_parts: Iterable[DiffPart],
    parts: Iterable[DiffPart],
    style: Style,
    *,
    show_values: bool,
) -> Side:
    """Returns one side. `kind` is the kind of the parts that only this side has."""
    tag, hidden = ("del", "added") if kind == "removed" else ("ins", "removed")
    body = "".join(
        _mark_words(part.text, tag) if part.kind == kind else part.text for part in parts if part.kind != hidden
    )
    to = reveal_or_mask(sample.to, show_values=show_values)
    is_text = is_plain_text(reveal_or_mask(sample.body, show_values=True))
    frame = build_frame(body, style, is_text=is_text)
    return Side(show_on_one_line(to), mark_parts(subject_parts, hidden), frame, estimate_height(body))


def _mark_words(html: str, tag: str) -> str:
    """Returns HTML with each run of words in it inside a mark. Its tags stay as they are."""
    pieces: list[str] = []
    words: list[str] = []
    for token in [*_TOKEN.findall(html), "<"]:
        if not token.startswith("<"):
            words.append(token)
            continue
        if text := "".join(words):
            pieces.append(f'<{tag} style="{_MARK_STYLES[tag]}">{text}</{tag}>' if text.strip() else text)
        words.clear()
        pieces.append(token)
    return "".join(pieces[:-1])


def _shorten(field: FieldChange) -> tuple[str, str]:
    """Returns both values of a field, of long ones what differs."""
    before, now = field.before, field.now
    if max(len(before), len(now)) > _MAX_VALUE:
        before, now = cut_shared_ends(before, now)
    return _cut(show_on_one_line(before), _MAX_VALUE), _cut(show_on_one_line(now), _MAX_VALUE)
