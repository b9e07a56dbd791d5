"""Finds the tags of an HTML text that do not pair, and the text outside of blocks. Source: HTML standard, 13.1.2."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from runner.lint.html import BLOCK_TAGS, VOID_TAGS, ParsedHtml, Tag, TextRun, is_known_tag
from runner.lint.text_checks import Fault, PlacedFault

Span = tuple[int, int]
_P_CLOSING_TAGS = BLOCK_TAGS - {"caption", "dd", "dt", "legend", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}
_P_KEEPING_TAGS = frozenset({"button", "caption", "marquee", "object", "table", "td", "template", "th"})
# A start tag on the right ends an open tag on the left.
_IMPLIED_ENDS: dict[str, frozenset[str]] = {
    name: frozenset(ends.split())
    for name, ends in {
        "li": "li", "dt": "dt dd", "dd": "dt dd", "option": "option optgroup", "optgroup": "optgroup",
        "td": "td th tr tbody tfoot", "th": "td th tr tbody tfoot", "tr": "tr tbody tfoot", "thead": "tbody tfoot",
        "tbody": "tbody tfoot", "colgroup": "thead tbody tfoot tr", "head": "body", "rt": "rt rp", "rp": "rt rp",
    }.items()
}  # fmt: skip
MAX_OPEN_TAGS = 256  # at once; a mail of nested tables has some sixty, and browsers themselves stop at 512
_OPTIONAL_END_TAGS = frozenset({*_IMPLIED_ENDS, "tfoot", "html", "body"})


@dataclass(slots=True)
class _Flow:
    """HTML that is rendered in one place: the text itself (`is_main`), or a macro's, which is rendered elsewhere."""

    is_main: bool
    open_tags: list[Tag] = field(default_factory=list)
    # For each open branch: how many tags were open at its start, and the fewest since.
    branches: list[list[int]] = field(default_factory=list)


class TagPairs:
    """The tags of a text, paired by `pair_tags`. `faults` are in the order in which they are noticed.

    `is_balanced` is false if a branch opens a tag that it does not close, or closes one that it did not open.
    """

    def __init__(self, *, has_blocks: bool) -> None:
        self.faults: list[PlacedFault] = []
        self.is_balanced = True
        self._crossed_names: Counter[str] = Counter()
        self._is_too_deep = False
        self._p_closing_name = ""
        self._is_reported_outside = False
        self._has_blocks = has_blocks
        self._flows = [_Flow(is_main=True)]

    def add(self, event: Tag | TextRun | str) -> None:
        """Adds the next part of the text, or the start or end of a branch or a detached span."""
        flow = self._flows[-1]
        if self._is_too_deep and isinstance(event, Tag):
            return
        match event:
            case TextRun():
                self._check_text(event)
            case Tag(is_end=True):
                self._end_tag(event, flow)
            case Tag():
                self._start_tag(event, flow)
            case "branch":
                flow.branches.append([len(flow.open_tags)] * 2)
            case "end branch":
                depth, lowest = flow.branches.pop()
                self.is_balanced &= len(flow.open_tags) == depth == lowest
            case "detached":
                self._flows.append(_Flow(is_main=False))
            case _:
                self.end_flow()

    def _start_tag(self, tag: Tag, flow: _Flow) -> None:
        if not is_known_tag(tag.name):
            return
        if tag.name in BLOCK_TAGS:
            self._is_reported_outside = False
        while flow.open_tags and tag.name in _IMPLIED_ENDS.get(flow.open_tags[-1].name, ()):
            self._remove(flow, len(flow.open_tags) - 1)
        if tag.name == "p" or tag.name in _P_CLOSING_TAGS:
            self._close_p(tag, flow)
        is_closed = tag.raw.endswith("/>") and (
            ":" in tag.name or any(opened.name in {"svg", "math"} for opened in flow.open_tags)
        )
        if tag.name in VOID_TAGS or is_closed:
            return
        flow.open_tags.append(tag)
        if len(flow.open_tags) > MAX_OPEN_TAGS:
            self._is_too_deep = True
            message = f"{MAX_OPEN_TAGS} tags are open before <{tag.name}>: which of them pair is not checked any more"
            self._add("unclosed-tag", tag.start, message)

    def _close_p(self, tag: Tag, flow: _Flow) -> None:
        for index in range(len(flow.open_tags) - 1, -1, -1):
            opened = flow.open_tags[index]
            if opened.name in _P_KEEPING_TAGS:
                return
            if opened.name == "p":
                self._remove(flow, index)
                if tag.name == "p":
                    self._add_unclosed(opened, "another <p> begins before it ends")
                else:
                    self._p_closing_name = tag.name
                return

    def _end_tag(self, tag: Tag, flow: _Flow) -> None:
        name = tag.name
        if not is_known_tag(name):
            return
        if name in BLOCK_TAGS:
            self._is_reported_outside = False
        open_index = next(
            (index for index in range(len(flow.open_tags) - 1, -1, -1) if flow.open_tags[index].name == name), None
        )
        if open_index is None:
            self._add_stray(tag)
            return
        for opened in flow.open_tags[open_index + 1 :]:
            self._add_unclosed(opened, f"</{name}> comes before its end")
            self._crossed_names[opened.name] += 1
        while len(flow.open_tags) > open_index:
            self._remove(flow, len(flow.open_tags) - 1)

    def _add_stray(self, tag: Tag) -> None:
        name = tag.name
        if self._crossed_names[name]:
            self._crossed_names[name] -= 1  # its start tag has been reported as unclosed
        elif name == "p" and self._p_closing_name:
            message = f"</p> closes nothing: <{self._p_closing_name}> has ended the paragraph"
            self._add("stray-tag", tag.start, message)
            self._p_closing_name = ""
        else:
            self._add("stray-tag", tag.start, f"</{name}> closes nothing")

    def _add_unclosed(self, tag: Tag, why: str) -> None:
        if tag.name not in _OPTIONAL_END_TAGS:
            message = f"<{tag.name}> is not closed: {why}"
            self._add("unclosed-tag", tag.start, message, is_valid_html=tag.name == "p")

    def end_flow(self) -> None:
        """Ends the innermost flow: the text itself after its last part."""
        flow = self._flows.pop()
        for opened in () if self._is_too_deep else flow.open_tags:
            self._add_unclosed(opened, f"the text ends without </{opened.name}>")

    def _check_text(self, text_run: TextRun) -> None:
        flow = self._flows[-1]
        is_outside = flow.is_main and self._has_blocks and not any(tag.name in BLOCK_TAGS for tag in flow.open_tags)
        if is_outside and not self._is_reported_outside and (start := text_run.find_visible_start()) is not None:
            self._is_reported_outside = True  # more text before the next block is the same mistake
            self._add("text-outside-block", start, "this text stands beside the blocks")

    def _add(self, code: str, start: int, message: str, *, is_valid_html: bool = False) -> None:
        self.faults.append(PlacedFault(start, Fault(code, message), is_valid_html))

    @staticmethod
    def _remove(flow: _Flow, index: int) -> None:
        del flow.open_tags[index]
        for branch in flow.branches:
            branch[1] = min(branch[1], len(flow.open_tags))


def pair_tags(parsed_html: ParsedHtml, branches: Sequence[Span] = (), detached_spans: Sequence[Span] = ()) -> TagPairs:
    """Pairs the tags of a text.

    `branches` are the spans that an `if` or a `for` may leave out. `detached_spans` are rendered at another place than
    they are written.
    """
    tag_pairs = TagPairs(has_blocks=any(tag.name in BLOCK_TAGS for tag in parsed_html.tags))
    for _, _, event in sorted(_iter_events(parsed_html, branches, detached_spans), key=lambda event: event[:2]):
        tag_pairs.add(event)
    tag_pairs.end_flow()
    return tag_pairs


def _iter_events(
    parsed_html: ParsedHtml, branches: Sequence[Span], detached_spans: Sequence[Span]
) -> Iterable[tuple[int, int, Tag | TextRun | str]]:
    yield from ((tag.start, 5, tag) for tag in parsed_html.tags)
    edges = sorted({edge for span in (*branches, *detached_spans) for edge in span})
    yield from ((part.start, 5, part) for text_run in parsed_html.text_runs for part in _split_run(text_run, edges))
    # Empty spans are left out: the end of one would be sorted before its start.
    for start, end in (span for span in branches if span[0] < span[1]):
        yield from ((start, 4, "branch"), (end, 1, "end branch"))
    for start, end in (span for span in detached_spans if span[0] < span[1]):
        yield from ((start, 3, "detached"), (end, 2, "end detached"))


def _split_run(text_run: TextRun, edges: list[int]) -> Iterable[TextRun]:
    """Splits a text run at the edges of spans: neighbours in a template may be rendered in different places."""
    start, end = text_run.start, text_run.start + len(text_run.text)
    bounds = [start, *edges[bisect_right(edges, start) : bisect_left(edges, end)], end]
    for part_start, part_end in pairwise(bounds):
        yield TextRun(part_start, text_run.text[part_start - start : part_end - start], text_run.is_code)
