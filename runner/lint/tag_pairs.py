"""Which tags of an HTML text do not pair, and which text stands outside of blocks. Source: HTML standard, 13.1.2."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from runner.lint.html import BLOCK_TAGS, VOID_TAGS, ParsedHtml, Tag, TextRun, is_known_tag

Span = tuple[int, int]


_CLOSES_P = BLOCK_TAGS - {"caption", "dd", "dt", "legend", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}


_KEEPS_P = frozenset({"button", "caption", "marquee", "object", "table", "td", "template", "th"})


# An open tag on the left ends where one on the right begins.
_IMPLIED: dict[str, frozenset[str]] = {
    name: frozenset(ends.split())
    for name, ends in {
        "li": "li", "dt": "dt dd", "dd": "dt dd", "option": "option optgroup", "optgroup": "optgroup",
        "td": "td th tr tbody tfoot", "th": "td th tr tbody tfoot", "tr": "tr tbody tfoot", "thead": "tbody tfoot",
        "tbody": "tbody tfoot", "colgroup": "thead tbody tfoot tr", "head": "body", "rt": "rt rp", "rp": "rt rp",
    }.items()
}  # fmt: skip


_OPTIONAL = frozenset({*_IMPLIED, "tfoot", "html", "body"})


@dataclass(frozen=True, slots=True)
class TagFault:
    """Something that does not pair: a rule's code, its offset, what is wrong; `optional` where HTML allows it."""

    code: str
    start: int
    message: str
    is_valid_html: bool = False


@dataclass(slots=True)
class _Flow:
    """A run of HTML that is shown as one: the text itself, or a macro's, which is shown somewhere else."""

    is_main: bool
    open: list[Tag] = field(default_factory=list)
    # How many tags were open where each branch began, and the fewest since.
    branches: list[list[int]] = field(default_factory=list)


class TagPairs:
    """Pairs the tags of a text. `faults` in order; not `balanced` if a branch opens or closes what it does not own.

    A branch is what an `if` or a `for` may leave out; an aside is what stands elsewhere in the text than it is shown.
    """

    def __init__(self, markup: ParsedHtml, branches: Sequence[Span] = (), asides: Sequence[Span] = ()) -> None:
        self.faults: list[TagFault] = []
        self.is_balanced = True
        self._crossed: list[str] = []
        self._ended_p = ""
        self._beside = False
        self._has_blocks = any(tag.name in BLOCK_TAGS for tag in markup.tags)
        self._flows = [_Flow(is_main=True)]
        for _, _, event in sorted(self._events(markup, branches, asides), key=lambda event: event[:2]):
            self._meet(event)
        self._end_flow()

    def _events(
        self, markup: ParsedHtml, branches: Sequence[Span], asides: Sequence[Span]
    ) -> Iterable[tuple[int, int, Tag | TextRun | str]]:
        yield from ((tag.start, 5, tag) for tag in markup.tags)
        edges = sorted({edge for span in (*branches, *asides) for edge in span})
        yield from ((part.start, 5, part) for words in markup.text_runs for part in _cut(words, edges))
        # Of an empty one nothing opens, so nothing could be closed.
        for start, end in (span for span in branches if span[0] < span[1]):
            yield from ((start, 4, "branch"), (end, 1, "end branch"))
        for start, end in (span for span in asides if span[0] < span[1]):
            yield from ((start, 3, "aside"), (end, 2, "end aside"))

    def _meet(self, event: Tag | TextRun | str) -> None:
        flow = self._flows[-1]
        match event:
            case TextRun():
                self._words(event)
            case Tag(is_end=True):
                self._end(event, flow)
            case Tag():
                self._start(event, flow)
            case "branch":
                flow.branches.append([len(flow.open)] * 2)
            case "end branch":
                depth, lowest = flow.branches.pop()
                self.is_balanced &= len(flow.open) == depth == lowest
            case "aside":
                self._flows.append(_Flow(is_main=False))
            case _:
                self._end_flow()

    def _start(self, tag: Tag, flow: _Flow) -> None:
        if not is_known_tag(tag.name):
            return
        if tag.name in BLOCK_TAGS:
            self._beside = False
        while flow.open and tag.name in _IMPLIED.get(flow.open[-1].name, ()):
            self._remove(flow, len(flow.open) - 1)
        if tag.name == "p" or tag.name in _CLOSES_P:
            self._close_p(tag, flow)
        names = {opened.name for opened in flow.open}
        is_closed = tag.raw.endswith("/>") and (":" in tag.name or names & {"svg", "math"})
        if tag.name not in VOID_TAGS and not is_closed:
            flow.open.append(tag)

    def _close_p(self, tag: Tag, flow: _Flow) -> None:
        for index in range(len(flow.open) - 1, -1, -1):
            opened = flow.open[index]
            if opened.name in _KEEPS_P:
                return
            if opened.name == "p":
                self._remove(flow, index)
                if tag.name == "p":
                    self._unclosed(opened, "another <p> begins before it ends")
                else:
                    self._ended_p = tag.name
                return

    def _end(self, tag: Tag, flow: _Flow) -> None:
        name = tag.name
        if not is_known_tag(name):
            return
        if name in BLOCK_TAGS:
            self._beside = False
        at = next((index for index in range(len(flow.open) - 1, -1, -1) if flow.open[index].name == name), None)
        if at is None:
            self._stray(tag)
            return
        for opened in flow.open[at + 1 :]:
            self._unclosed(opened, f"</{name}> comes before its end")
            self._crossed.append(opened.name)
        while len(flow.open) > at:
            self._remove(flow, len(flow.open) - 1)

    def _stray(self, tag: Tag) -> None:
        name = tag.name
        if name in self._crossed:
            self._crossed.remove(name)  # the other half of what was told already
        elif name == "p" and self._ended_p:
            message = f"</p> closes nothing: <{self._ended_p}> has ended the paragraph"
            self.faults.append(TagFault("stray-tag", tag.start, message))
            self._ended_p = ""
        else:
            self.faults.append(TagFault("stray-tag", tag.start, f"</{name}> closes nothing"))

    def _unclosed(self, tag: Tag, why: str) -> None:
        if tag.name not in _OPTIONAL:
            fault = TagFault(
                "unclosed-tag", tag.start, f"<{tag.name}> is not closed: {why}", is_valid_html=tag.name == "p"
            )
            self.faults.append(fault)

    def _end_flow(self) -> None:
        for opened in self._flows.pop().open:
            self._unclosed(opened, "the text ends before it")

    def _words(self, words: TextRun) -> None:
        flow = self._flows[-1]
        outside = flow.is_main and self._has_blocks and not any(tag.name in BLOCK_TAGS for tag in flow.open)
        if outside and not self._beside and (start := words.find_visible_start()) is not None:
            self._beside = True  # what follows it in the same gap is the same mistake
            self.faults.append(TagFault("text-outside-block", start, "this text stands beside the blocks"))

    @staticmethod
    def _remove(flow: _Flow, index: int) -> None:
        del flow.open[index]
        for branch in flow.branches:
            branch[1] = min(branch[1], len(flow.open))


def _cut(words: TextRun, edges: list[int]) -> Iterable[TextRun]:
    """The run in pieces: what stands next to each other in a template may be shown in different places."""
    start, end = words.start, words.start + len(words.text)
    cuts = [start, *(edge for edge in edges if start < edge < end), end]
    for begin, after in pairwise(cuts):
        yield TextRun(begin, words.text[begin - start : after - start], words.is_code)
