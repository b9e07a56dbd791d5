"""Deliveries: one declaration for one recipient, with a key, a payload and a digest."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from runner.declare import schema
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient
from runner.declare.audience.selection import Tally
from runner.declare.declaration import CONVERSATION_FLAG, Declaration, TemplateOrigin
from runner.declare.identity import DIGEST_VERSION, Payload, key_hasher, payload_hasher
from runner.declare.template.language import TOO_SLOW, TemplateFault
from runner.errors import Place, Problem
from runner.key_table import KeyTable
from runner.privacy import mark_private


class Delivery(NamedTuple):
    """One message for one recipient. `payload` has the field names of the API reference, before any dialect.

    A tuple, because a million of them are made. `vars` are the recipient's own variables; `number` as in `Recipient`.
    Key and digest are held as their 16 bytes each.
    """

    raw_key: bytes
    kind: IdentifierKind
    value: str
    payload: Payload
    raw_digest: bytes
    number: int
    vars: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Its identity, 32 hex digits."""
        return self.raw_key.hex()

    @property
    def digest(self) -> str:
        """The hash of what its payload means, as `v1:` and 32 hex digits."""
        return DIGEST_VERSION + self.raw_digest.hex()

    @property
    def private_values(self) -> tuple[Any, ...]:
        """The recipient's own values (its address and variables), for masking."""
        return (self.value, *self.vars.values())

    @property
    def display_name(self) -> str:
        """The recipient as lockfile and plan show it: an id in clear, anything else by the key's start."""
        return format_recipient(self.kind, self.value, self.key)


def format_recipient(kind: IdentifierKind, value: str, key: str) -> str:
    """A recipient as lockfile and plan show it."""
    return f"id:{value}" if kind == "id" else f"{kind}:~{key[:8]}"


def render_deliveries(
    declaration: Declaration,
    salt: str,
    tally: Tally | None = None,
    seen: KeyTable | None = None,
    *,
    skip_duplicate_check: bool = False,
) -> Iterator[Delivery | Problem]:
    """Every delivery of a declaration in order, rendered and checked; a Problem for each recipient with a fault.

    The same recipient twice is a fault of the second. Two recipients are the same if their keys are. Deliveries that
    are `planned`, and compared with their plan one by one, cannot be; then no key is remembered. Else `seen` takes the
    key of each delivery.
    Whom the declaration's filters leave out has no delivery; the `tally` counts them.
    """
    seen = None if skip_duplicate_check else KeyTable() if seen is None else seen
    return _Stream(declaration, salt, seen).rendered(declaration.recipients(tally or Tally()))


def delivery_renderer(
    declaration: Declaration, salt: str
) -> Callable[[Iterable[Recipient | Problem]], Iterator[Delivery | Problem]]:
    """What makes deliveries of recipients, part by part. It does not see that one comes twice."""
    return _Stream(declaration, salt, None).rendered


def _blank(declaration: Declaration) -> Payload:
    """A payload that has no texts and recipient yet, in the order of the API reference's example."""
    found: Payload = {"message_type": declaration.message_type}
    if declaration.subject:
        found["subject"] = ""
    found["body"] = ""
    if declaration.template:
        found["template"] = declaration.template
    found |= {"from": {"type": "admin", "id": declaration.sender}, "to": {}}
    if declaration.opens_conversation:
        found[CONVERSATION_FLAG] = True
    return found


class _Stream:
    """Renders one declaration for its recipients. What is the same for all of them is made once."""

    def __init__(self, declaration: Declaration, salt: str, seen: KeyTable | None) -> None:
        self._declaration = declaration
        self._seen = seen
        self._numbers: array[int] | None = None
        self._keys = {kind: key_hasher(salt, declaration.name, declaration.revision, kind) for kind in IDENTIFIER_KINDS}
        self._digest = payload_hasher(salt)
        self._is_valid = schema.validator("payload").is_valid
        self._blank = _blank(declaration)

    def rendered(self, recipients: Iterable[Recipient | Problem]) -> Iterator[Delivery | Problem]:
        for recipient in recipients:
            if isinstance(recipient, Problem):
                yield recipient
            elif isinstance(found := self._delivery(recipient), Delivery):
                yield found
            else:
                yield from found
                if any(problem.code == TOO_SLOW for problem in found):
                    return  # the next recipient would take as long: hours for a list of thousands

    def _delivery(self, recipient: Recipient) -> Delivery | list[Problem]:
        declaration = self._declaration
        values = self._values(recipient)
        at = 0
        try:
            value = recipient.identifier.render(values).strip()
            at = 1
            subject = declaration.subject.render(values) if declaration.subject else None
            at = 2
            body = declaration.body.render(values)
        except TemplateFault as fault:
            return self._faults(recipient, values, fault, at)
        payload = self._blank.copy()
        if subject is not None:
            payload["subject"] = subject
        payload["body"] = body
        payload["to"] = {"type": recipient.role, recipient.kind: value}
        try:
            if not self._is_valid(payload):
                return self._payload_problems(payload, recipient)
            found = self._keys[recipient.kind](value)
            made = self._digest(payload)
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            half = TemplateFault("not-a-text", "half of a surrogate pair is no character")
            return [declaration.body_origin.problem(half, self._label(recipient))]
        if self._seen is not None:
            rows = len(self._seen)
            row = self._seen.add(found)
            if row < rows:
                return [self._duplicate(recipient, value, self._number_of(row))]
        return Delivery(found, recipient.kind, value, payload, made, recipient.number, recipient.vars)

    def _faults(self, recipient: Recipient, values: dict[str, Any], first: TemplateFault, at: int) -> list[Problem]:
        """What is wrong with each of the texts (identifier, subject, body): the first fault is in the one `at`.

        A variable that several texts lack is one mistake, and told once.
        """
        declaration, label = self._declaration, self._label(recipient)
        texts = (
            (self._identifier_origin(recipient), recipient.identifier),
            (declaration.subject_origin, declaration.subject),
            (declaration.body_origin, declaration.body),
        )
        found, told = [texts[at][0].problem(first, label)], {first.name}
        for origin, text in texts[at + 1 :] if first.code != TOO_SLOW else ():
            try:
                if text:
                    text.render(values)
            except TemplateFault as fault:
                if not fault.name or fault.name not in told:
                    found.append(origin.problem(fault, label))
                    told.add(fault.name)
        return found

    def _identifier_origin(self, recipient: Recipient) -> TemplateOrigin:
        return TemplateOrigin(self._declaration.document, (*self._recipient_path(recipient), recipient.kind))

    def _recipient_path(self, recipient: Recipient) -> tuple[str | int, ...]:
        listed = isinstance(self._declaration.document.value.get("to"), list)
        return ("to", recipient.number - 1) if listed else ("to",)

    def _label(self, recipient: Recipient) -> str:
        return self._declaration.audience.label(recipient.number)

    def _payload_problems(self, payload: Payload, recipient: Recipient) -> list[Problem]:
        return [
            self._payload_problem(found, payload, recipient) for found in schema.explain_violations(payload, "payload")
        ]

    def _payload_problem(self, found: schema.Violation, payload: Payload, recipient: Recipient) -> Problem:
        part = found.path[0] if found.path else ""
        blank = part == "to" and not payload["to"][recipient.kind]
        message = "the recipient's identifier is blank" if blank else found.message
        fault = TemplateFault(found.code, message, found.hint)
        texts = {"subject": self._declaration.subject, "body": self._declaration.body}
        origins = {"subject": self._declaration.subject_origin, "body": self._declaration.body_origin}
        origin, text = origins.get(str(part), self._identifier_origin(recipient)), texts.get(str(part))
        raw = text.source.find("{% raw") if text and found.code == "leftover-template" else -1
        if text and raw >= 0:
            fault.line, fault.name = text.source.count("\n", 0, raw) + 1, "raw"
            return origin.problem(fault, self._label(recipient))
        problem = origin.problem(fault, self._label(recipient))
        place = Place(origin.file.path) if origin.file else origin.document.place(origin.path)
        return replace(problem, place=place, excerpt=origin.document.excerpt(place.line) if not origin.file else "")

    def _number_of(self, row: int) -> int:
        """The number of the recipient who came first with a key: found in a second pass, for few audiences need it."""
        assert self._seen is not None
        if self._numbers is None or row >= len(self._numbers):
            self._numbers = array("Q", [0]) * len(self._seen)
            for recipient in self._declaration.recipients(Tally()):
                if isinstance(recipient, Problem):
                    continue
                known = self._seen.row_of(self._key_of(recipient))
                if known is not None and not self._numbers[known]:
                    self._numbers[known] = recipient.number
        return self._numbers[row]

    def _key_of(self, recipient: Recipient) -> bytes:
        """The key of a recipient; of one that has none, a key that nobody has."""
        try:
            return self._keys[recipient.kind](recipient.identifier.render(self._values(recipient)).strip())
        except (TemplateFault, UnicodeEncodeError, orjson.JSONEncodeError):
            return b""

    def _values(self, recipient: Recipient) -> dict[str, Any]:
        values = {**self._declaration.variables, **recipient.vars}
        for name in recipient.blank_variables:
            values.pop(name, None)
        return values

    def _duplicate(self, recipient: Recipient, value: str, earlier: int) -> Problem:
        audience = self._declaration.audience
        message = f"{recipient.kind} {mark_private(value)} is the same recipient as {audience.label(earlier)}"
        document = self._declaration.document
        problem = document.problem(
            "duplicate-recipient", (*self._recipient_path(recipient), recipient.kind), message, "keep one of them"
        )
        return replace(problem, recipient=self._label(recipient))
