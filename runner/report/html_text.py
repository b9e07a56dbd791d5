"""The text that a reader sees of a message's body, line by line, with the addresses of its links.

The body is read as a browser reads it: by the tree that the HTML standard makes of it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from runner.characters import unescape_html
from runner.mail_display.element_style import find_page_look
from runner.mail_display.look import Look
from runner.mail_display.plain_reading import is_read_in_one_way
from runner.mail_display.simple_layout import LayoutCheck
from runner.mail_elements import is_mail_element
from runner.privacy import AnyText, reveal_or_mask
from runner.report.element_label import BRACKETS, SOURCE_HINT
from runner.report.hosts import describe_hosts_in_text
from runner.report.private_html import has_open_tag, read_private_html
from runner.report.problem_text import list_first
from runner.report.text_collector import TextCollector

_TAG = re.compile(r"<[a-zA-Z/!?]")
_OPEN_PLACE = f"[a recipient's value stands where HTML is built: what others see may differ, {SOURCE_HINT}]"
SEVERAL_READINGS = f"[tags are not ended as they are begun: what is displayed may differ, {SOURCE_HINT}]"
_ELEMENT = re.compile(r"<([a-zA-Z][^\s/>]{0,40})")
_MAX_LAYOUT_NAMES = 3
_MAX_NAMES = 10  # of elements and attributes that mails do not use
_MAX_LENGTH, _MAX_BODY_TAGS = 200_000, 20_000  # Gmail cuts a mail at half; newsletters have thousands of tags


@dataclass(frozen=True, slots=True)
class _ReadBody:
    """The text of a body, and what of it goes beyond a simple layout."""

    text: str
    layout: tuple[str, ...] = ()


def visible_text(body: AnyText, *, show_values: bool) -> str:
    """Returns the text of a body, HTML or not, with a blank line between paragraphs. A link is `text (address)`.

    What an element does to its text other than to decorate it is in brackets that say so: what is hidden, struck, or
    shown by Outlook alone, and what is not known here. A style sheet and a drawing are only named. A body is given as
    it is written once this process has read MAX_TAGS of them.
    """
    return _read(body, show_values=show_values).text


def describe_layout(body: AnyText, *, show_values: bool) -> str:
    """Returns a sentence if a body may look different from its text: with what it is laid out, the first things of it.

    Empty if each line stands below the one before it, and nothing is covered: see `simple_layout`.
    """
    names = _read(body, show_values=show_values).layout
    listed = list_first(names[:_MAX_LAYOUT_NAMES], len(names))
    return f"laid out with {listed}; the preview shows how it looks, and this text only its words" if names else ""


@lru_cache(maxsize=256)
def _read(body: AnyText, *, show_values: bool) -> _ReadBody:
    sent, shown = (reveal_or_mask(body, show_values=show) for show in (True, show_values))
    shown = shown.translate(BRACKETS)
    is_plain = not _TAG.search(sent) and ("&" not in sent or unescape_html(sent) == sent)
    if is_plain and (isinstance(body, str) or not has_open_tag(body.parts)):
        text = describe_hosts_in_text(shown[:_MAX_LENGTH])
        lines = [line.rstrip() for line in re.split(r"\r\n|[\r\n]", text)]
        layout = LayoutCheck()
        for line in re.split(r"\r\n|[\r\n]", sent[:_MAX_LENGTH]):
            layout.read_text(line, Look())
            layout.end_line()
        return _ReadBody("\n".join([*_note_cut(len(shown) - _MAX_LENGTH), *lines]).strip(), tuple(layout.names))
    if READ_TAGS.count > MAX_TAGS:
        text = f"[not read: the texts before it have {MAX_TAGS:,} tags. It is shown as it is written]\n{shown}"
        return _ReadBody(text)
    end = _find_end(sent)
    html = read_private_html(body, show_values=show_values, max_length=end)
    events = [*html.events]
    collector = TextCollector(find_page_look(event for event, _ in events))
    for event, displayed in events:
        collector.add(event, displayed)
    notes = [_OPEN_PLACE] if html.has_open_place else []
    # Also the elements that the tree lacks, because another reader may have another tree.
    tags = dict.fromkeys(match[1].lower() for match in _ELEMENT.finditer(shown) if match[1].lower() != "noscript")
    collector.uncommon |= {f"<{tag}>": None for tag in tags if not is_mail_element(tag)}
    if names := [*collector.uncommon]:
        listed = html.mask(list_first(names[:_MAX_NAMES], len(names))).translate(BRACKETS)
        notes.append(f"[{listed} may be displayed in another way than shown here: {SOURCE_HINT}]")
    if not is_read_in_one_way(sent[:end], (event for event, _ in events)):
        notes.append(SEVERAL_READINGS)
    text = "\n".join([*notes, *_note_cut(html.cut), html.mask(collector.text)])
    return _ReadBody(text, tuple(map(html.mask, collector.layout.names)))


def _note_cut(count: int) -> list[str]:
    return [f"[its last {count:,} characters are not read here]"] if count > 0 else []


@dataclass(slots=True)
class _ReadTags:
    """The number of tags that this process has read, of all bodies."""

    count: int = 0


READ_TAGS = _ReadTags()
MAX_TAGS = 500_000  # which take about a minute; 500 newsletters


def _find_end(body: str) -> int:
    """Returns the length up to which a body is read, and counts its tags."""
    end = min(len(body), _MAX_LENGTH)
    tags = islice(re.finditer("<", body), _MAX_BODY_TAGS + 1)
    starts = [tag.start() for tag in tags if tag.start() < end]
    READ_TAGS.count += len(starts)
    return starts[-1] if len(starts) > _MAX_BODY_TAGS else end
