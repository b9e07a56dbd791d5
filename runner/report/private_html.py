"""A body with recipients' values, read twice: as it is sent, and with a word in place of each value.

What is displayed has the words, which become masks at the end. How it is displayed is what the sent body says. So the
reviewer sees the structure that is sent, and no value.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from runner.characters import unescape_html
from runner.mail_display.html_events import Event, read_events
from runner.privacy import MASK, AnyText, Private, Text, find_words, mark_unwritten_words, reveal_or_mask

VALUE_WORD = r"v[0-9a-f]{16}v"  # stands for a value until all is masked
# What an escaped value may be, to end an attribute that has no quotes, a tag, or a comment.
_PROBES = ("{0} {0}=x {0}", "/", "--", "--!", "-", "")
_OPEN_TAG = re.compile(r"<(?!!--)[^\s<>]*$|&#?\w*$")


@dataclass(frozen=True, slots=True)
class PrivateHtml:
    """`events` are pairs: as the body is sent, and as it is displayed, masked by `mask`.

    `has_open_place`: a recipient's value stands where HTML is built, so that others may get another structure. `cut`
    characters of the body's end are left out.
    """

    events: Iterable[tuple[Event, Event]]
    mask: Callable[[str], str]
    has_open_place: bool = False
    cut: int = 0


def read_private_html(body: AnyText, *, show_values: bool, max_length: int) -> PrivateHtml:
    """Returns the events of a body. With `show_values` they are displayed as they are sent.

    Beyond `max_length` characters it is cut.
    """
    parts, cut = _shorten((body,) if isinstance(body, str) else body.parts, max_length)
    body = Text(parts)
    values = {part.value for part in parts if isinstance(part, Private)}
    sent = reveal_or_mask(body, show_values=True)
    if show_values or not values:
        return PrivateHtml(((event, event) for event in read_events(sent)), str, cut=cut)
    # Unpredictable, so that no file holds one.
    words = {value: f"v{secrets.token_hex(8)}v" for value in values}
    found_values = {word: value for value, word in words.items()}
    pattern = re.compile("|".join(found_values))
    sent_events = list(read_events(sent))
    shown_events = list(read_events(_fill(parts, words.__getitem__)))
    has_open_place = _has_open_place(parts, words, shown_events, pattern)

    def reveal(text: str) -> str:
        return pattern.sub(lambda match: unescape_html(found_values[match[0]]), text)

    pairs = _pair(sent_events, shown_events, reveal)
    if pairs is None:
        written = find_words(part for part in parts if isinstance(part, str))
        masked = [_mask_words(event, written) for event in sent_events]
        return PrivateHtml(zip(sent_events, masked, strict=True), str, has_open_place=True, cut=cut)
    return PrivateHtml(pairs, lambda text: pattern.sub(MASK, text), has_open_place, cut)


def _shorten(parts: tuple[str | Private, ...], max_length: int) -> tuple[tuple[str | Private, ...], int]:
    """Returns the parts up to a length, and how many characters are left out."""
    kept: list[str | Private] = []
    room, cut = max_length, 0
    for part in parts:
        text = part if isinstance(part, str) else part.value
        if len(text) <= room:
            kept.append(part)
        elif room and isinstance(part, str):
            kept.append(part[:room])
        cut += max(0, len(text) - room)
        room = max(0, room - len(text))
    return tuple(kept), cut


def _fill(parts: Iterable[str | Private], replace_value: Callable[[str], str]) -> str:
    return "".join(part if isinstance(part, str) else replace_value(part.value) for part in parts)


def has_open_tag(parts: Sequence[str | Private]) -> bool:
    """Returns whether a recipient's value stands right behind the beginning of a tag or of an entity."""
    return any(
        isinstance(part, Private) and isinstance(before, str) and _OPEN_TAG.search(before[-100:]) is not None
        for before, part in pairwise(parts)
    )


def _has_open_place(
    parts: tuple[str | Private, ...], words: dict[str, str], events: list[Event], pattern: re.Pattern[str]
) -> bool:
    """Returns whether a value of some recipient could change the structure, though it is escaped."""
    if has_open_tag(parts):
        return True
    seen: set[str] = set()
    last = Event("end")
    for event in events:
        is_raw = last.kind == "start" and last.name == "style"
        if pattern.search(" ".join((event.name, *event.attributes, event.text if is_raw else ""))):
            return True
        seen.update(pattern.findall(" ".join((event.text, *event.attributes.values()))))
        last = event
    if len(seen) < len(words):
        return True
    shape = _shape(events)
    return any(
        _shape(read_events(_fill(parts, lambda value: probe.format(words[value])))) != shape  # noqa: B023
        for probe in (_PROBES if any(event.kind == "comment" for event in events) else _PROBES[:2])
    )


def _shape(events: Iterable[Event]) -> list[tuple[str, ...]]:
    """Returns what a recipient's value must not change: the elements, and the names of their attributes."""
    return [
        (event.kind, event.name, *event.attributes) for event in events if event.kind in {"start", "end", "comment"}
    ]


def _pair(sent: list[Event], shown: list[Event], reveal: Callable[[str], str]) -> list[tuple[Event, Event]] | None:
    """Returns each event as it is sent and as it is displayed; None if the two bodies are different trees."""
    pairs: list[tuple[Event, Event]] = []
    position = 0
    for event in shown:
        text = reveal(event.text)
        if event.kind == "text" and not text:
            continue
        other = sent[position] if position < len(sent) else None
        position += 1
        if (
            other is None
            or (other.kind, other.name, _plain(other.text)) != (event.kind, event.name, _plain(text))
            or [*other.attributes] != [*event.attributes]
            or any(_plain(other.attributes[name]) != _plain(reveal(value)) for name, value in event.attributes.items())
        ):
            return None
        pairs.append((other, event))
    return pairs if position == len(sent) else None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


def _mask_words(event: Event, written: frozenset[str]) -> Event:
    def mask(text: str) -> str:
        return reveal_or_mask(mark_unwritten_words(text, written), show_values=False)

    attributes = {mask(name): mask(value) for name, value in event.attributes.items()}
    return replace(event, name=mask(event.name), text=mask(event.text), attributes=attributes)
