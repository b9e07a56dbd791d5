"""Lints a message: once as it is written, then each delivery as far as it can differ.

The plan of a million deliveries must stay a matter of seconds, so a delivery is searched for what can only come from
its own values: a few words in them, a few known texts around them, and, only where tags can pair in another way for
each recipient, the order of its tags. Whatever one of these meets is looked at closely.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.lint import text_checks
from runner.lint.empty_values import Gap, find_gaps, strip_tags
from runner.lint.findings import Findings, MessageFindings
from runner.lint.html import Tag, parse_html
from runner.lint.layout_builder import build_layout
from runner.lint.static_checks import MessageText, check_links, check_pairs, check_tag
from runner.lint.tag_locator import TagLocator
from runner.lint.tag_pairs import TagPairs
from runner.lint.template_layout import Slot
from runner.privacy import mark_private

# In a value each of these is worth a closer look.
_MARKS = (*text_checks.NULL_WORDS, "http://", "{", "*|", "%%", "javascript:")
_WHOLE_TAGS = re.compile(r"<[^>]*>")
_TAG_NAMES = re.compile(r"</?[A-Za-z][^\s/>]*")
_MAX_SHAPES = 10_000
_Told = tuple[int, str, str, bool]  # where in the layout, the code, the message, whether HTML allows it


@dataclass(frozen=True, slots=True)
class Policy:
    """What the project asks for: an email to more than `unsubscribe_above` recipients says how to get no more.

    `flag_allowed`: the API version knows messages that open a conversation.
    """

    unsubscribe_above: int
    conversation_flag_allowed: bool


class MessageLinter:
    """Lints one declaration: `take` every delivery, then `finish`."""

    def __init__(self, declaration: Declaration, policy: Policy, findings: Findings) -> None:
        self._declaration = declaration
        self._policy = policy
        self._found = MessageFindings(findings, declaration)
        constants = {name: value for name, value in declaration.variables.items() if not callable(value)}
        self._body = MessageText(build_layout(declaration.body, declaration.body_origin), constants, is_html=True)
        self._writings = [self._body]
        if declaration.subject:
            layout = build_layout(declaration.subject, declaration.subject_origin)
            self._writings.insert(0, MessageText(layout, constants, is_html=False))
        self._prints = _prints(self._writings)
        self._hosts = [
            (name, writing, hole)
            for writing in self._writings
            for hole in writing.layout.slots
            if writing.layout.text.endswith("https://", 0, hole.start)
            for name in hole.variables
        ]
        wants_gaps = self._found.is_enabled("empty-value")
        gaps = [gap for writing in self._writings for gap in find_gaps(writing, declaration) if wants_gaps]
        self._body_gaps = [(gap.text, gap) for gap in gaps if gap.message_text is self._body]
        self._subject_gaps = [gap for gap in gaps if gap.message_text is not self._body]
        self._shape = (
            (_WHOLE_TAGS if self._body.layout.has_raw_values else _TAG_NAMES) if self._body.has_varying_pairs else None
        )
        self._shapes: dict[int, tuple[_Told, ...]] = {}
        self._hosts_seen: set[str] = set()
        self.delivery_count = 0
        self._says_unsubscribe = False

    def check_delivery(self, delivery: Delivery) -> None:
        """Looks at one delivery."""
        body: str = delivery.payload["body"]
        self.delivery_count += 1
        if self.delivery_count == 1:
            self._first(body)
        if self._prints:
            self._values(delivery)
        for text, gap in self._body_gaps:
            if text in body and gap.is_in(body):
                self._gap(gap, delivery)
        if self._shape:
            self._shaped(delivery, body, hash("".join(self._shape.findall(body))))
        if self._declaration.subject:
            self._subject(delivery, delivery.payload["subject"])

    def finish(self) -> None:
        """Looks at the declaration itself, now that its recipients are counted."""
        declaration, found = self._declaration, self._found
        above = self._policy.unsubscribe_above
        is_mailing = declaration.message_type == "email" and self.delivery_count > above
        if is_mailing and not self._says_unsubscribe:
            recipients = "1 recipient" if self.delivery_count == 1 else f"{self.delivery_count:,} recipients"
            message = f"this goes to {recipients} and does not say how to unsubscribe"
            found.add_at_path("no-unsubscribe", declaration.body_origin.path, message)
        if declaration.expires is None:
            found.add_at_path("no-expires", (), "the key expires is missing: this can be sent for ever")
        if self._policy.conversation_flag_allowed and not declaration.opens_conversation:
            message = "this opens no conversation, so reconcile cannot find out what became of it"
            found.add_at_path("no-conversation", (), message)
        found.close(self.delivery_count)

    def _first(self, body: str) -> None:
        """What needs one rendered text only."""
        for writing in self._writings:
            writing.check(self._found)
        if self._declaration.subject and text_checks.is_shouting(self._writings[0].literal_text):
            message = "this subject is in capitals, or ends its sentences twice"
            self._found.add_at_offset(self._writings[0].layout, 0, "shouting-subject", message)
        written = html.unescape(f"{self._body.literal_text}\n{body}")
        self._says_unsubscribe = text_checks.mentions_unsubscribe(written)
        if not self._shape:
            for start, code, message, gentle in self._rendered(body):
                self._found.add_at_offset(self._body.layout, start, code, message, as_warning=gentle)

    def _values(self, delivery: Delivery) -> None:
        try:
            joined = "\n".join(delivery.vars.values())
        except TypeError:  # numbers, lists: only in a list of recipients
            joined = "\n".join(text_checks.iter_strings(list(delivery.vars.values())))
        if "https://" in joined or self._hosts:
            self._links(delivery)
        for mark in _MARKS:
            if mark in joined:
                self._suspects(delivery)
                return

    def _suspects(self, delivery: Delivery) -> None:
        for name, value in delivery.vars.items():
            if name in self._prints:
                for text in text_checks.iter_strings(value):
                    self._suspect(name, text, delivery)

    def _suspect(self, name: str, text: str, delivery: Delivery) -> None:
        writing, hole = self._prints[name]
        faults = [
            ("single-brace", f"this prints {mark_private(left)}, which is sent as it stands", left)
            for _, left in text_checks.find_placeholders(text)
        ]
        if word := text_checks.find_null_word(text):
            faults.append(("null-text", f"this prints {word}: it is what {name} is", word))
        if "http://" in text or "javascript:" in text:
            faults += [
                (code, message, text)
                for code, message in check_links(text, writing.find_enclosing_tag(hole), mark_private)
            ]
        for code, message, shown in faults:
            if _is_shown(shown, delivery):
                self._found.add_at_offset(writing.layout, hole.start, code, message, self._label(delivery))

    def _links(self, delivery: Delivery) -> None:
        """The hosts of links in values: most are the same for everybody."""
        for name, value in delivery.vars.items():
            if type(value) is str and value.startswith("https://") and name in self._prints:
                host = value[8:].partition("/")[0]
                if host not in self._hosts_seen:
                    self._link(value, host, *self._prints[name], delivery)
        for name, writing, hole in self._hosts:
            value = delivery.vars.get(name)
            if isinstance(value, str) and value not in self._hosts_seen:
                self._link(f"https://{value}", value, writing, hole, delivery)

    def _link(self, url: str, host: str, writing: MessageText, hole: Slot, delivery: Delivery) -> None:
        if fault := text_checks.check_url(url, mark_private):
            self._found.add_at_offset(writing.layout, hole.start, *fault, self._label(delivery))
        elif len(self._hosts_seen) < _MAX_SHAPES:
            self._hosts_seen.add(host)

    def _gap(self, gap: Gap, delivery: Delivery) -> None:
        if any(gap.text in text for text in text_checks.iter_strings(list(delivery.vars.values()))):
            return
        name = f"{gap.slot.sole_variable} was empty" if gap.slot.sole_variable else "what comes here was empty"
        message = f"{name}, which leaves “{strip_tags(gap.text)}”"
        self._found.add_at_offset(
            gap.message_text.layout, gap.slot.start, "empty-value", message, self._label(delivery)
        )

    def _subject(self, delivery: Delivery, subject: str) -> None:
        writing = self._writings[0]
        for gap in self._subject_gaps:
            if gap.is_in(subject):
                self._gap(gap, delivery)
        if len(subject) > text_checks.MAX_SUBJECT_LENGTH:
            message = f"this subject has {len(subject)} characters"
            self._found.add_at_offset(writing.layout, 0, "long-subject", message, self._label(delivery))
        if subject.isupper() and text_checks.is_shouting(subject):
            self._found.add_at_offset(
                writing.layout, 0, "shouting-subject", "this subject is in capitals", self._label(delivery)
            )

    def _shaped(self, delivery: Delivery, body: str, shape: int) -> None:
        """Tells what is wrong with a body whose tags, in their order, are a shape that many others have too."""
        told = self._shapes.get(shape)
        if told is None:
            told = tuple(self._rendered(body))
            if len(self._shapes) < _MAX_SHAPES:
                self._shapes[shape] = told
        for start, code, message, gentle in told:
            self._found.add_at_offset(self._body.layout, start, code, message, self._label(delivery), as_warning=gentle)

    def _rendered(self, body: str) -> Iterator[_Told]:
        """Reads a rendered body as a mail client would, and finds the places again in what was written."""
        markup = parse_html(body)
        places = TagLocator(self._body, markup.tags)
        for number, tag in enumerate(markup.tags):
            faults = list(check_tag(tag, mark_private))
            written = places.find_written_tag(number) if faults else None
            for code, message in faults:
                yield self._place_of(written, code, places.fallback_start), code, message, False
        if self._shape:
            for fault in check_pairs(TagPairs(markup), markup):
                yield places.find_written_start(fault.start), fault.code, fault.message, fault.is_valid_html

    def _place_of(self, written: Tag | None, code: str, otherwise: int) -> int:
        """Where a fault of a tag was written: in the tag itself, or where it prints a value."""
        if written is None:
            return otherwise
        holes = [hole.start for hole in self._body.layout.slots if written.start < hole.start < written.end]
        is_literal = any(found == code for found, _ in check_tag(written))
        return written.start if is_literal or not holes else holes[0]

    def _label(self, delivery: Delivery) -> str:
        return self._declaration.audience.label(delivery.number)


def _prints(writings: list[MessageText]) -> dict[str, tuple[MessageText, Slot]]:
    """Where each variable is printed first."""
    found: dict[str, tuple[MessageText, Slot]] = {}
    for is_branch in (False, True):
        for writing in writings:
            for hole in writing.layout.slots:
                for name in hole.variables:
                    if hole.is_branch is is_branch:
                        found.setdefault(name, (writing, hole))
    return found


def _is_shown(text: str, delivery: Delivery) -> bool:
    """Whether a rendered text holds what a value is: it may have been only tested, or printed by halves."""
    shown = f"{delivery.payload.get('subject', '')}\n{delivery.payload['body']}"
    pattern = rf"(?<!\w){re.escape(text)}(?!\w)|(?<!\w){re.escape(html.escape(text))}(?!\w)"
    return re.search(pattern, shown, re.IGNORECASE) is not None
