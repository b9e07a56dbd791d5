"""Lints a message: once as it is written, then each delivery as far as it can differ.

The plan of a million deliveries must stay a matter of seconds, so a delivery is searched for what can only come from
its own values: a few words in them, a few known texts around them, and, only where tags can pair in another way for
each recipient, the order of its tags. Whatever one of these meets is looked at closely.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.declare.audience import Table
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.lint import words
from runner.lint.findings import Findings, MessageFindings
from runner.lint.layout import Hole, lay_out
from runner.lint.markup import Tag, read
from runner.lint.pairing import Pairing
from runner.lint.writing import Writing, link_faults, pairing_faults, tag_faults
from runner.privacy import private

# In a value each of these is worth a closer look.
_MARKS = (*words.NULLS, "http://", "{", "*|", "%%", "javascript:")
_WHOLE_TAGS = re.compile(r"<[^>]*>")
_TAG_NAMES = re.compile(r"</?[A-Za-z][^\s/>]*")
_MAX_SHAPES = 10_000
_AROUND = 24  # characters that tell one gap from another
_Told = tuple[int, str, str, bool]  # where in the layout, the code, the message, whether HTML allows it


@dataclass(frozen=True, slots=True)
class Policy:
    """What the project asks for: an email to more than `unsubscribe_above` recipients says how to get no more.

    `flag_allowed`: the API version knows messages that open a conversation.
    """

    unsubscribe_above: int
    flag_allowed: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What a text reads like where a value was empty, and the hole that it comes from."""

    text: str
    at: str
    writing: Writing
    hole: Hole

    def shows(self, rendered: str) -> bool:
        """Whether the rendered text has it."""
        if self.at == "start":
            return rendered.startswith(self.text)
        return rendered.endswith(self.text) if self.at == "end" else self.text in rendered


class MessageLint:
    """Lints one declaration: `take` every delivery, then `finish`."""

    def __init__(self, declaration: Declaration, policy: Policy, findings: Findings) -> None:
        self._declaration = declaration
        self._policy = policy
        self._found = MessageFindings(findings, declaration)
        constants = {name: value for name, value in declaration.values.items() if not callable(value)}
        self._body = Writing(lay_out(declaration.body, declaration.body_origin), constants, is_html=True)
        self._writings = [self._body]
        if declaration.subject:
            layout = lay_out(declaration.subject, declaration.subject_origin)
            self._writings.insert(0, Writing(layout, constants, is_html=False))
        self._prints = _prints(self._writings)
        self._hosts = [
            (name, writing, hole)
            for writing in self._writings
            for hole in writing.layout.holes
            if writing.layout.text.endswith("https://", 0, hole.start)
            for name in hole.names
        ]
        wants_gaps = self._found.wants("empty-value")
        gaps = [gap for writing in self._writings for gap in self._gaps_of(writing) if wants_gaps]
        self._body_gaps = [(gap.text, gap) for gap in gaps if gap.writing is self._body]
        self._subject_gaps = [gap for gap in gaps if gap.writing is not self._body]
        self._shape = (_WHOLE_TAGS if self._body.layout.raw else _TAG_NAMES) if self._body.varies else None
        self._shapes: dict[int, tuple[_Told, ...]] = {}
        self._hosts_seen: set[str] = set()
        self.count = 0
        self._says_unsubscribe = False

    def take(self, delivery: Delivery) -> None:
        """Looks at one delivery."""
        body: str = delivery.payload["body"]
        self.count += 1
        if self.count == 1:
            self._first(body)
        if self._prints:
            self._values(delivery)
        for text, gap in self._body_gaps:
            if text in body and gap.shows(body):
                self._gap(gap, delivery)
        if self._shape:
            self._shaped(delivery, body, hash("".join(self._shape.findall(body))))
        if self._declaration.subject:
            self._subject(delivery, delivery.payload["subject"])

    def finish(self) -> None:
        """Looks at the declaration itself, now that its recipients are counted."""
        declaration, found = self._declaration, self._found
        above = self._policy.unsubscribe_above
        is_mailing = declaration.message_type == "email" and self.count > above
        if is_mailing and not self._says_unsubscribe:
            recipients = "1 recipient" if self.count == 1 else f"{self.count:,} recipients"
            message = f"this goes to {recipients} and does not say how to unsubscribe"
            found.here("no-unsubscribe", declaration.body_origin.path, message)
        if declaration.expires is None:
            found.here("no-expires", (), "the key expires is missing: this can be sent for ever")
        if self._policy.flag_allowed and not declaration.opens_conversation:
            message = "this opens no conversation, so reconcile cannot find out what became of it"
            found.here("no-conversation", (), message)
        found.close(self.count)

    def _first(self, body: str) -> None:
        """What needs one rendered text only."""
        for writing in self._writings:
            writing.check(self._found)
        if self._declaration.subject and words.is_shouting(self._writings[0].literal):
            message = "this subject is in capitals, or ends its sentences twice"
            self._found.at(self._writings[0].layout, 0, "shouting-subject", message)
        written = html.unescape(f"{self._body.literal}\n{body}")
        self._says_unsubscribe = words.says_unsubscribe(written)
        if not self._shape:
            for start, code, message, gentle in self._rendered(body):
                self._found.at(self._body.layout, start, code, message, gentle=gentle)

    def _values(self, delivery: Delivery) -> None:
        try:
            joined = "\n".join(delivery.vars.values())
        except TypeError:  # numbers, lists: only in a list of recipients
            joined = "\n".join(words.texts_of(list(delivery.vars.values())))
        if "https://" in joined or self._hosts:
            self._links(delivery)
        for mark in _MARKS:
            if mark in joined:
                self._suspects(delivery)
                return

    def _suspects(self, delivery: Delivery) -> None:
        for name, value in delivery.vars.items():
            if name in self._prints:
                for text in words.texts_of(value):
                    self._suspect(name, text, delivery)

    def _suspect(self, name: str, text: str, delivery: Delivery) -> None:
        writing, hole = self._prints[name]
        faults = [
            ("single-brace", f"this prints {private(left)}, which is sent as it stands", left)
            for _, left in words.leftovers(text)
        ]
        if word := words.null_in(text):
            faults.append(("null-text", f"this prints {word}: it is what {name} is", word))
        if "http://" in text or "javascript:" in text:
            faults += [(code, message, text) for code, message in link_faults(text, writing.inside(hole), private)]
        for code, message, shown in faults:
            if _is_shown(shown, delivery):
                self._found.at(writing.layout, hole.start, code, message, self._label(delivery))

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

    def _link(self, url: str, host: str, writing: Writing, hole: Hole, delivery: Delivery) -> None:
        if fault := words.link_fault(url, private):
            self._found.at(writing.layout, hole.start, *fault, self._label(delivery))
        elif len(self._hosts_seen) < _MAX_SHAPES:
            self._hosts_seen.add(host)

    def _gap(self, gap: Gap, delivery: Delivery) -> None:
        if any(gap.text in text for text in words.texts_of(list(delivery.vars.values()))):
            return
        name = f"{gap.hole.alone} was empty" if gap.hole.alone else "what comes here was empty"
        message = f"{name}, which leaves “{_short(gap.text)}”"
        self._found.at(gap.writing.layout, gap.hole.start, "empty-value", message, self._label(delivery))

    def _subject(self, delivery: Delivery, subject: str) -> None:
        writing = self._writings[0]
        for gap in self._subject_gaps:
            if gap.shows(subject):
                self._gap(gap, delivery)
        if len(subject) > words.LONG_SUBJECT:
            message = f"this subject has {len(subject)} characters"
            self._found.at(writing.layout, 0, "long-subject", message, self._label(delivery))
        if subject.isupper() and words.is_shouting(subject):
            self._found.at(writing.layout, 0, "shouting-subject", "this subject is in capitals", self._label(delivery))

    def _shaped(self, delivery: Delivery, body: str, shape: int) -> None:
        """Tells what is wrong with a body whose tags, in their order, are a shape that many others have too."""
        told = self._shapes.get(shape)
        if told is None:
            told = tuple(self._rendered(body))
            if len(self._shapes) < _MAX_SHAPES:
                self._shapes[shape] = told
        for start, code, message, gentle in told:
            self._found.at(self._body.layout, start, code, message, self._label(delivery), gentle=gentle)

    def _rendered(self, body: str) -> Iterator[_Told]:
        """Reads a rendered body as a mail client would, and finds the places again in what was written."""
        markup = read(body)
        places = _Places(self._body, markup.tags)
        for number, tag in enumerate(markup.tags):
            faults = list(tag_faults(tag, private))
            written = places.written(number) if faults else None
            for code, message in faults:
                yield self._place_of(written, code, places.otherwise), code, message, False
        if self._shape:
            for fault in pairing_faults(Pairing(markup), markup):
                yield places.near(fault.start), fault.code, fault.message, fault.optional

    def _place_of(self, written: Tag | None, code: str, otherwise: int) -> int:
        """Where a fault of a tag was written: in the tag itself, or where it prints a value."""
        if written is None:
            return otherwise
        holes = [hole.start for hole in self._body.layout.holes if written.start < hole.start < written.end]
        is_literal = any(found == code for found, _ in tag_faults(written))
        return written.start if is_literal or not holes else holes[0]

    def _label(self, delivery: Delivery) -> str:
        return self._declaration.audience.label(delivery.number)

    def _gaps_of(self, writing: Writing) -> Iterator[Gap]:
        literals = "\n".join(writing.layout.literals)
        for hole in writing.layout.holes:
            if hole.before is None or hole.after is None or writing.inside(hole) or not self._can_be_empty(hole):
                continue
            shape = _gap_between(hole.before, hole.after, is_branch=hole.is_branch, is_html=writing.is_html)
            if shape and (shape[1] != "in" or shape[0] not in literals):
                yield Gap(*shape, writing, hole)

    def _can_be_empty(self, hole: Hole) -> bool:
        audience = self._declaration.audience
        if not hole.alone:
            return True
        if isinstance(audience, Table) and hole.alone in audience.header:
            return False  # a blank cell is no value, and printing it an error
        constant = self._declaration.values.get(hole.alone, "")
        return hole.alone in audience.names or not str(constant).strip()


class _Places:
    """Finds the tags of a rendered text again in the text as written; `otherwise` is where one may have come from."""

    def __init__(self, writing: Writing, rendered: tuple[Tag, ...]) -> None:
        self._tags = writing.markup.tags
        self._rendered = rendered
        self.otherwise = next((hole.start for hole in writing.layout.holes if hole.is_raw), 0)

    def written(self, number: int) -> Tag | None:
        """The rendered tag with that number, as it was written."""
        tag = self._rendered[number]
        alike = [written for written in self._tags if _is_made_from(written, tag)]
        earlier = sum(other.raw == tag.raw for other in self._rendered[:number])
        return alike[min(earlier, len(alike) - 1)] if alike else None

    def near(self, start: int) -> int:
        """Where the tag at an offset of the rendered text, or the last one before it, was written."""
        before = [number for number, tag in enumerate(self._rendered) if tag.start <= start]
        written = self.written(before[-1]) if before else None
        return written.start if written else self.otherwise


def _prints(writings: list[Writing]) -> dict[str, tuple[Writing, Hole]]:
    """Where each variable is printed first."""
    found: dict[str, tuple[Writing, Hole]] = {}
    for is_branch in (False, True):
        for writing in writings:
            for hole in writing.layout.holes:
                for name in hole.names:
                    if hole.is_branch is is_branch:
                        found.setdefault(name, (writing, hole))
    return found


def _gap_between(before: str, after: str, *, is_branch: bool, is_html: bool) -> tuple[str, str] | None:
    """What an empty value between two literal texts leaves, if that reads badly, and where it would stand."""
    begins = not before or (is_html and before.endswith(">"))
    left, right = before[-_AROUND:], after[:_AROUND]
    at = "in" if before else "start"
    has_space = before.endswith(" ") and bool(before.strip())
    if after[:1] in {",", ".", ";", ":", "!", "?"} and not after.startswith("..") and (has_space or begins):
        return left + right, at
    if before.endswith("(") and after.startswith(")"):
        return left + right, at
    if has_space and re.match(r" \S", after) and not before.endswith("  ") and not (is_html and is_branch):
        return left + right, "in"
    if re.search(r"\S[,;] $", before) and (not after or after.startswith("</")):
        return left + right, "in" if after else "end"
    return None


def _is_made_from(written: Tag, rendered: Tag) -> bool:
    if written.name != rendered.name or written.is_end != rendered.is_end:
        return False
    if written.raw == rendered.raw:
        return True
    literal = re.split("[\ufff9\ufffc]+", written.raw)
    return len(literal) > 1 and re.fullmatch(".*".join(map(re.escape, literal)), rendered.raw, re.DOTALL) is not None


def _is_shown(text: str, delivery: Delivery) -> bool:
    """Whether a rendered text holds what a value is: it may have been only tested, or printed by halves."""
    shown = f"{delivery.payload.get('subject', '')}\n{delivery.payload['body']}"
    pattern = rf"(?<!\w){re.escape(text)}(?!\w)|(?<!\w){re.escape(html.escape(text))}(?!\w)"
    return re.search(pattern, shown, re.IGNORECASE) is not None


def _short(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"^[^<]*>|<[^>]*(>|$)", "", text))
