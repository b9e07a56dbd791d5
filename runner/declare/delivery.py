"""Renders deliveries: one message for one recipient, with a key, a payload and a digest."""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from runner.declare import schema
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient
from runner.declare.audience.selection import Tally
from runner.declare.column_hints import explain_leftover, explain_missing_identifier, explain_wrong_identifier
from runner.declare.declaration import CONVERSATION_FLAG, Declaration, TemplateOrigin
from runner.declare.keys_and_digests import (
    DIGEST_VERSION,
    Payload,
    format_recipient,
    key_hasher,
    label_recipient,
    payload_hasher,
)
from runner.declare.template.language import TOO_SLOW, TemplateFault
from runner.declare.violation import Violation
from runner.errors import Place, Problem
from runner.key_table import KeyTable
from runner.privacy import AnyText, mark_private

_MAX_QUOTED = 100  # characters of a wrong identifier in a message

# What prints a tag of a template: a raw block, or a brace that is encoded.
_LEFTOVER = re.compile(r"(?<=\{% )raw|&(?:#0*123|#[xX]0*7[bB]|lbrace|lcub);?|%7[bB]%(?:7[bB]|25)\w*")


class Delivery(NamedTuple):
    """One message for one recipient.

    `payload` has the field names of the API reference, before any dialect of an API version. `kind` and `value` are
    the recipient's identifier, `vars` its own variables, and `number` is that of `Recipient`. `subject_parts` and
    `body_parts` are the parts that these texts were joined from. Key and digest are stored as 16 bytes each. It is a
    NamedTuple because a plan may make a million of them.
    """

    raw_key: bytes
    kind: IdentifierKind
    value: str
    payload: Payload
    raw_digest: bytes
    number: int
    vars: Mapping[str, Any]
    subject_parts: Sequence[str]
    body_parts: Sequence[str]

    @property
    def key(self) -> str:
        """The identity of the delivery, 32 hex digits."""
        return self.raw_key.hex()

    @property
    def digest(self) -> str:
        """The hash of what the payload means: `v1:` and 32 hex digits."""
        return DIGEST_VERSION + self.raw_digest.hex()

    @property
    def private_values(self) -> tuple[Any, ...]:
        """The recipient's own values, to be masked: its identifier, then its variables."""
        return (self.value, *self.vars.values())

    @property
    def address(self) -> tuple[str, str]:
        """The kind and the value of the identifier that it is sent to: the recipient's, or that of `redirect`."""
        return next((kind, value) for kind, value in self.payload["to"].items() if kind != "type")

    @property
    def label(self) -> AnyText:
        """The recipient as a plan lists it: a user_id with its kind, because a number may be anything."""
        return label_recipient(self.kind, self.value, self.key)

    @property
    def display_name(self) -> str:
        """The recipient as lockfile and plan show it. See `format_recipient`."""
        return format_recipient(self.kind, self.value, self.key)


def render_deliveries(
    declaration: Declaration,
    salt: str,
    tally: Tally | None = None,
    keys: KeyTable | None = None,
    *,
    skip_duplicate_check: bool = False,
) -> Iterator[Delivery | Problem]:
    """Renders the deliveries of a declaration in order. A recipient with a fault yields Problems instead.

    If two recipients have the same key, the second is reported as a duplicate. For that check the key of each delivery
    is added to `keys`. `skip_duplicate_check` omits the check and stores no key; it is for a caller who compares each
    delivery with a plan that was checked already. A recipient that the declaration's filters leave out has no delivery;
    the `tally` counts it. After a render that takes too long the iterator ends.
    """
    keys = None if skip_duplicate_check else KeyTable() if keys is None else keys
    return DeliveryRenderer(declaration, salt, keys).render(declaration.recipients(tally or Tally()))


def _make_blank_payload(declaration: Declaration) -> Payload:
    """Returns a payload with blank texts and no recipient. Its keys are in the order of the API reference's example."""
    payload: Payload = {"message_type": declaration.message_type}
    if declaration.subject:
        payload["subject"] = ""
    payload["body"] = ""
    if declaration.template:
        payload["template"] = declaration.template
    payload |= {"from": declaration.sender.fields, "to": {}}
    if declaration.opens_conversation:
        payload[CONVERSATION_FLAG] = True
    return payload


class DeliveryRenderer:
    """Renders one declaration for its recipients. Parts that are the same for all recipients are computed once.

    Without `keys`, it does not report duplicates.
    """

    def __init__(self, declaration: Declaration, salt: str, keys: KeyTable | None = None) -> None:
        self._declaration = declaration
        self._keys = keys
        self._first_numbers: array[int] | None = None
        self._key_hashers = {
            kind: key_hasher(salt, declaration.name, declaration.revision, kind) for kind in IDENTIFIER_KINDS
        }
        self._hash_payload = payload_hasher(salt)
        self._is_valid = schema.validator("payload").is_valid
        self._blank_payload = _make_blank_payload(declaration)

    def render(self, recipients: Iterable[Recipient | Problem]) -> Iterator[Delivery | Problem]:
        """Yields the deliveries of some recipients, and their problems. See `render_deliveries`."""
        for recipient in recipients:
            if isinstance(recipient, Problem):
                yield recipient
            elif isinstance(result := self._render_one(recipient), Delivery):
                yield result
            else:
                yield from result
                if any(problem.code == TOO_SLOW for problem in result):
                    return  # each further recipient would take as long: hours for a list of thousands

    def _render_one(self, recipient: Recipient) -> Delivery | list[Problem]:
        declaration = self._declaration
        role, kind, identifier, own_vars, _, number = recipient
        values = recipient.merge_variables(declaration.variables)
        text_index = 0
        try:
            value = identifier.render_parts(values)[0].strip()
            text_index = 1
            subject, subject_parts = declaration.subject.render_parts(values) if declaration.subject else (None, ())
            text_index = 2
            body, body_parts = declaration.body.render_parts(values)
        except TemplateFault as fault:
            return self._find_faults(recipient, values, fault, text_index)
        payload = self._blank_payload.copy()
        if subject is not None:
            payload["subject"] = subject
        payload["body"] = body
        payload["to"] = {"type": role, kind: value}
        try:
            if not self._is_valid(payload):
                violations = schema.explain_violations(payload, "payload")
                return [self._payload_problem(violation, payload, recipient) for violation in violations]
            if declaration.redirect:
                declaration.redirect.apply(payload, kind, value)
            raw_key = self._key_hashers[kind](value)
            raw_digest = self._hash_payload(payload)
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            bad_text = TemplateFault("not-a-text", "half of a surrogate pair is not a character")
            return [declaration.body_origin.problem(bad_text, self._label_of(recipient))]
        if self._keys is not None:
            key_count, row = len(self._keys), self._keys.add(raw_key)
            if row < key_count:
                return [self._duplicate_problem(recipient, value, self._find_first_number(row))]
        # The same as Delivery(…), without the Python function that a named tuple calls for it.
        fields = (raw_key, kind, value, payload, raw_digest, number, own_vars, subject_parts, body_parts)
        return tuple.__new__(Delivery, fields)

    def _find_faults(
        self, recipient: Recipient, values: dict[str, Any], first: TemplateFault, index: int
    ) -> list[Problem]:
        """Returns the problems of a recipient's texts, which are the identifier, the subject and the body, in order.

        `first` is the first fault, and `index` (from 0) is the text that it is in. The texts after it are rendered here
        to find their faults too, unless the first render took too long. What the identifier lacks is reported there
        alone.
        """
        declaration = self._declaration
        label: AnyText = self._label_of(recipient)
        if index:
            label = self._label_with(recipient, recipient.identifier.render(values).strip())
        if index == 0 and first.code == "undefined-variable" and first.name:
            explain_missing_identifier(first, recipient, declaration.audience)
        texts = (
            (self._identifier_origin(recipient), recipient.identifier),
            (declaration.subject_origin, declaration.subject),
            (declaration.body_origin, declaration.body),
        )
        problems = [texts[index][0].problem(first, label)]
        for origin, text in texts[index + 1 :] if first.code != TOO_SLOW else ():
            try:
                if text:
                    text.render(values)
            except TemplateFault as fault:
                if index or not fault.name or fault.name != first.name:
                    problems.append(origin.problem(fault, label))
        return problems

    def _identifier_origin(self, recipient: Recipient) -> TemplateOrigin:
        return TemplateOrigin(self._declaration.document, (*self._recipient_path(recipient), recipient.kind))

    def _recipient_path(self, recipient: Recipient) -> tuple[str | int, ...]:
        return ("to", recipient.number - 1) if isinstance(self._declaration.document.value.get("to"), list) else ("to",)

    def _label_of(self, recipient: Recipient) -> str:
        return self._declaration.audience.label(recipient.number)

    def _label_with(self, recipient: Recipient, address: str) -> AnyText:
        """Returns how a problem names a recipient, with its address where values may be shown."""
        label = self._label_of(recipient)
        return label + mark_private(f": {address[:_MAX_QUOTED]}", "") if label else ""

    def _payload_problem(self, violation: Violation, payload: Payload, recipient: Recipient) -> Problem:
        part = violation.path[0] if violation.path else ""
        is_blank = part == "to" and not payload["to"][recipient.kind]
        message = "the recipient's identifier is blank" if is_blank else violation.message
        fault = TemplateFault(violation.code, message, violation.hint)
        texts = {"subject": self._declaration.subject, "body": self._declaration.body}
        if part == "to":
            explain_wrong_identifier(fault, recipient.kind, self._declaration.audience)
        origins = {"subject": self._declaration.subject_origin, "body": self._declaration.body_origin}
        origin, text = origins.get(str(part), self._identifier_origin(recipient)), texts.get(str(part))
        leftover = _LEFTOVER.search(text.source) if text and violation.code == "leftover-template" else None
        label = self._label_of(recipient) if is_blank else self._label_with(recipient, payload["to"][recipient.kind])
        if text and leftover:
            fault.line, fault.name = text.source.count("\n", 0, leftover.start()) + 1, leftover.group()
            return origin.problem(fault, label)
        if text and violation.code == "leftover-template":
            explain_leftover(fault, text, recipient, self._declaration)
        problem = origin.problem(fault, label)
        place = Place(origin.file.path) if origin.file else origin.document.place(origin.path)
        return replace(problem, place=place, excerpt=origin.document.excerpt(place.line) if not origin.file else "")

    def _find_first_number(self, row: int) -> int:
        """Returns the number of the first recipient whose key is in a row of the key table.

        The numbers are collected in a second pass over the recipients, since few audiences contain a duplicate.
        """
        assert self._keys is not None
        if self._first_numbers is None or row >= len(self._first_numbers):
            self._first_numbers = array("Q", [0]) * len(self._keys)
            for recipient in self._declaration.recipients(Tally()):
                if isinstance(recipient, Problem):
                    continue
                known_row = self._keys.row_of(self._compute_key(recipient))
                if known_row is not None and not self._first_numbers[known_row]:
                    self._first_numbers[known_row] = recipient.number
        return self._first_numbers[row]

    def _compute_key(self, recipient: Recipient) -> bytes:
        """Returns the key of a recipient, 16 bytes; b"", which no delivery has, if its identifier has a fault."""
        value = recipient.render_identifier(recipient.merge_variables(self._declaration.variables))
        return self._key_hashers[recipient.kind](value) if value else b""

    def _duplicate_problem(self, recipient: Recipient, value: str, earlier: int) -> Problem:
        audience = self._declaration.audience
        message = f"{recipient.kind} " + mark_private(value) + f" is the same recipient as {audience.label(earlier)}"
        document = self._declaration.document
        problem = document.problem(
            "duplicate-recipient", (*self._recipient_path(recipient), recipient.kind), message, "keep one of them"
        )
        return replace(problem, recipient=self._label_of(recipient))
