"""Lints a message: its texts once as they are written, then each delivery for what its own values can change.

The plan of a million deliveries must take only seconds. So in each delivery the linter searches the values for a few
texts and the rendered texts for a few known gaps. It compares the order of the tags only if the tags can pair
differently for each recipient. It checks in full only a delivery in which one of these searches succeeds.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from runner.characters import unescape_html
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.settings import Settings
from runner.lint import text_checks
from runner.lint.empty_values import MAX_GAPS, Gap, find_gaps, strip_tags
from runner.lint.findings import Findings, MessageFindings
from runner.lint.html import VALUE_CHAR, Tag, parse_html
from runner.lint.layout_builder import build_layout
from runner.lint.static_checks import MessageText, check_pairs, parse_message_text
from runner.lint.tag_checks import check_tag
from runner.lint.tag_pairs import pair_tags
from runner.lint.template_layout import RAW_VALUE_CHAR
from runner.lint.text_checks import Fault, PlacedFault
from runner.lint.value_checks import make_value_checks
from runner.privacy import mark_private

_MAX_UNCLIPPED = 102 * 1024  # bytes; Gmail hides the rest of a longer body behind a link
_WHOLE_TAGS = re.compile(r"<[^<>]*+>")
_TAG_NAMES = re.compile(r"</?[A-Za-z][^\s/>]*")
_MAX_REMEMBERED = 10_000
_MAX_BODY_FAULTS = 1000  # of one rendered body that are reported each; of the others only the first of each rule
MAX_SEARCHES = 50  # of one text, for tags that differ; each compares all tags of that name


class MessageLinter:
    """Lints one declaration: call `check_delivery` with every delivery, then `finish`."""

    def __init__(self, declaration: Declaration, settings: Settings, findings: Findings) -> None:
        self._declaration = declaration
        self._settings = settings
        self._findings = MessageFindings(findings, declaration)
        constants = {name: value for name, value in declaration.variables.items() if not callable(value)}
        layout = build_layout(declaration.body, declaration.body_origin)
        self._body = parse_message_text(layout, constants, is_html=True)
        self._texts = [self._body]
        if declaration.subject:
            layout = build_layout(declaration.subject, declaration.subject_origin)
            self._texts.insert(0, parse_message_text(layout, constants, is_html=False))
        self._value_checks = make_value_checks(self._texts, self._findings, self._label_recipient)
        wants_gaps = self._findings.is_enabled("empty-value")
        gaps = [gap for text in self._texts if wants_gaps for gap in islice(find_gaps(text, declaration), MAX_GAPS)]
        self._body_gaps = [(gap.text, gap) for gap in gaps if gap.message_text is self._body]
        self._subject_gaps = [gap for gap in gaps if gap.message_text is not self._body]
        self._tag_pattern = (
            (_WHOLE_TAGS if self._body.layout.has_raw_values else _TAG_NAMES) if self._body.has_varying_pairs else None
        )
        self._faults_by_shape: dict[int, tuple[PlacedFault, ...]] = {}
        self.delivery_count = 0
        self._doubtful_count = 0
        self._first_doubtful: Delivery | None = None
        self._mentions_unsubscribe = False

    def check_delivery(self, delivery: Delivery) -> None:
        """Checks one delivery. With the first one, also checks the texts as they are written."""
        body: str = delivery.payload["body"]
        self.delivery_count += 1
        if self.delivery_count == 1:
            self._check_first(body)
        self._value_checks.check(delivery)
        if delivery.kind == "email" and ("." not in delivery.value.rpartition("@")[2] or ".." in delivery.value):
            self._first_doubtful = self._first_doubtful or delivery
            self._doubtful_count += 1
        if len(body) > _MAX_UNCLIPPED // 4:  # a character takes at most four bytes
            self._check_size(body, delivery)
        for text, gap in self._body_gaps:
            if text in body and gap.is_in(body):
                self._add_gap(gap, delivery)
        if self._tag_pattern:
            self._check_body_shape(delivery, body, hash("".join(self._tag_pattern.findall(body))))
        if self._declaration.subject:
            self._check_subject(delivery, delivery.payload["subject"])

    def check_texts(self) -> None:
        """Checks the texts as they are written. This is for an audience that was not read, so that has no delivery."""
        self._check_first("")

    def finish(self) -> None:
        """Checks the declaration itself, after the last delivery: one rule needs the number of recipients."""
        declaration, findings = self._declaration, self._findings
        threshold = self._settings.lint.unsubscribe_above
        is_unread = declaration.audience.is_unread
        is_mailing = declaration.message_type == "email" and (is_unread or self.delivery_count > threshold)
        if is_mailing and not self._mentions_unsubscribe:
            recipients = "1 recipient" if self.delivery_count == 1 else f"{self.delivery_count:,} recipients"
            recipients = "an audience in the workspace" if is_unread else recipients
            message = f"this goes to {recipients} and does not say how to unsubscribe"
            findings.add_at_path(declaration.body_origin.path, Fault("no-unsubscribe", message))
        if self._first_doubtful:
            self._add_doubtful_address(self._first_doubtful)
        if declaration.expires is None:
            findings.add_at_path((), Fault("no-expires", "the key expires is missing: this can be sent for ever"))
        if self._settings.can_open_conversation and not declaration.opens_conversation:
            findings.add_without_conversation()
        findings.close(self.delivery_count)

    def _add_doubtful_address(self, first: Delivery) -> None:
        """Adds the first doubtful address, at its template, with the number of the others."""
        label = self._label_recipient(first)
        fault = "two dots in a row" if ".." in first.value else "no dot behind the @"
        message = f"{fault}: the address{f' of {label}' if label else ''}" + mark_private(f" ({first.value})", "")
        message += f", and {self._doubtful_count - 1:,} more in doubt" if self._doubtful_count > 1 else ""
        is_list = isinstance(self._declaration.document.value.get("to"), list)
        path = ("to", first.number - 1, "email") if is_list else ("to", "email")
        self._findings.add_at_path(path, Fault("doubtful-address", message))

    def _check_first(self, body: str) -> None:
        """Runs the checks that need only one rendered body."""
        for message_text in self._texts:
            message_text.check(self._findings)
        if self._declaration.subject and text_checks.is_shouting(self._texts[0].literal_text):
            message = "this subject is in capitals, or ends its sentences twice"
            self._findings.add_at_offset(self._texts[0].layout, 0, Fault("shouting-subject", message))
        whole_text = unescape_html(f"{self._body.literal_text}\n{body}")
        self._mentions_unsubscribe = text_checks.mentions_unsubscribe(whole_text)
        if not self._tag_pattern:
            for start, fault, is_valid_html in self._find_body_faults(body):
                self._findings.add_at_offset(self._body.layout, start, fault, as_warning=is_valid_html)

    def _check_size(self, body: str, delivery: Delivery) -> None:
        size = len(body) if body.isascii() else len(body.encode())
        if size > _MAX_UNCLIPPED and self._declaration.message_type == "email":
            fault = Fault("clipped-body", f"this body has {size / 1024:.0f} KB")
            self._findings.add_at_offset(self._body.layout, 0, fault, self._label_recipient(delivery))

    def _add_gap(self, gap: Gap, delivery: Delivery) -> None:
        if any(gap.text in text for text in text_checks.iter_strings(list(delivery.vars.values()))):
            return
        name = f"{gap.slot.sole_variable} was empty" if gap.slot.sole_variable else "what comes here was empty"
        message = f"{name}, which leaves “{strip_tags(gap.text)}”"
        fault = Fault("empty-value", message)
        self._findings.add_at_offset(gap.message_text.layout, gap.slot.start, fault, self._label_recipient(delivery))

    def _check_subject(self, delivery: Delivery, subject: str) -> None:
        message_text = self._texts[0]
        for gap in self._subject_gaps:
            if gap.is_in(subject):
                self._add_gap(gap, delivery)
        if len(subject) > text_checks.MAX_SUBJECT_LENGTH:
            fault = Fault("long-subject", f"this subject has {len(subject)} characters")
            self._findings.add_at_offset(message_text.layout, 0, fault, self._label_recipient(delivery))
        if subject.isupper() and text_checks.is_shouting(subject):
            fault = Fault("shouting-subject", "this subject is in capitals")
            self._findings.add_at_offset(message_text.layout, 0, fault, self._label_recipient(delivery))

    def _check_body_shape(self, delivery: Delivery, body: str, shape: int) -> None:
        """Reports the faults of a body's tags. `shape` is the hash of the tags in their order.

        Bodies of the same shape have the same faults, so they are searched for once a shape.
        """
        faults = self._faults_by_shape.get(shape)
        if faults is None:
            faults = tuple(_limit_faults(self._find_body_faults(body)))
            if len(self._faults_by_shape) < _MAX_REMEMBERED:
                self._faults_by_shape[shape] = faults
        for start, fault, is_valid_html in faults:
            self._findings.add_at_offset(
                self._body.layout, start, fault, self._label_recipient(delivery), as_warning=is_valid_html
            )

    def _find_body_faults(self, body: str) -> Iterator[PlacedFault]:
        """Yields the faults of a rendered body, each with the offset in the layout where it was written."""
        parsed_html = parse_html(body)
        locator = _TagLocator(self._body, parsed_html.tags)
        for number, tag in enumerate(parsed_html.tags):
            # A value with a space is reported at the value.
            faults = [fault for fault in check_tag(tag, mark_private) if fault.code != "unencoded-value"]
            written = locator.find_written_tag(number) if faults else None
            for fault in faults:
                yield PlacedFault(self._find_written_place(written, fault.code, locator.fallback_start), fault)
        if self._tag_pattern:
            for placed in check_pairs(pair_tags(parsed_html), parsed_html):
                yield placed._replace(start=locator.find_written_start(placed.start))

    def _find_written_place(self, written: Tag | None, code: str, fallback: int) -> int:
        """Returns where a fault of a tag was written: at the tag itself, or at the first value that it prints.

        Returns `fallback` if the tag was not found in the text as written.
        """
        if written is None:
            return fallback
        is_literal = any(fault.code == code for fault in check_tag(written))
        return written.start if is_literal else self._first_slot_starts.get(written.start, written.start)

    @cached_property
    def _first_slot_starts(self) -> dict[int, int]:
        """The start of the first slot in each tag of the body as written, by the start of the tag."""
        starts: dict[int, int] = {}
        for slot in self._body.layout.slots:
            if tag := self._body.find_enclosing_tag(slot):
                starts.setdefault(tag.start, slot.start)
        return starts

    def _label_recipient(self, delivery: Delivery) -> str:
        return self._declaration.audience.label(delivery.number)


def _limit_faults(faults: Iterator[PlacedFault]) -> Iterator[PlacedFault]:
    """Yields the first faults of a body, and after _MAX_BODY_FAULTS only those of a rule that has none yet."""
    codes: set[str] = set()
    for number, fault in enumerate(faults):
        if number < _MAX_BODY_FAULTS or fault.fault.code not in codes:
            codes.add(fault.fault.code)
            yield fault


class _TagLocator:
    """Finds the tags of a rendered text in the text as written.

    `fallback_start` is the offset for tags that are not found, and for those after MAX_SEARCHES: the first slot whose
    value may be markup, or 0.
    """

    def __init__(self, message_text: MessageText, rendered: tuple[Tag, ...]) -> None:
        self._tags = message_text.parsed_html.tags
        self._rendered = rendered
        self._candidates: dict[str, list[Tag]] = {}
        counts: Counter[str] = Counter()
        self._earlier_counts: list[int] = []  # of each rendered tag: how many before it are written alike
        for tag in rendered:
            self._earlier_counts.append(counts[tag.raw])
            counts[tag.raw] += 1
        self.fallback_start = next((slot.start for slot in message_text.layout.slots if slot.is_raw), 0)

    def find_written_tag(self, number: int) -> Tag | None:
        """Returns the rendered tag number `number` (from 0) as it was written; None if it is not found."""
        tag = self._rendered[number]
        candidates = self._candidates.get(tag.raw)
        if candidates is None:
            if len(self._candidates) == MAX_SEARCHES:
                return None
            candidates = self._candidates[tag.raw] = [written for written in self._tags if _is_made_from(written, tag)]
        return candidates[min(self._earlier_counts[number], len(candidates) - 1)] if candidates else None

    def find_written_start(self, start: int) -> int:
        """Returns where the tag at an offset of the rendered text, or the last one before it, was written."""
        number = bisect_right(self._rendered, start, key=lambda tag: tag.start) - 1
        written = self.find_written_tag(number) if number >= 0 else None
        return written.start if written else self.fallback_start


def _is_made_from(written: Tag, rendered: Tag) -> bool:
    """Returns whether the written tag renders to the other one for some values."""
    if written.name != rendered.name or written.is_end != rendered.is_end:
        return False
    if written.raw == rendered.raw:
        return True
    first, *others = re.split(f"[{RAW_VALUE_CHAR}{VALUE_CHAR}]+", written.raw)
    if not others or not rendered.raw.startswith(first):
        return False
    # Each literal part is taken where it occurs first, which leaves the most room for the next ones.
    position = len(first)
    for part in others[:-1]:
        start = rendered.raw.find(part, position)
        if start < 0:
            return False
        position = start + len(part)
    return rendered.raw.endswith(others[-1]) and len(rendered.raw) - len(others[-1]) >= position
