"""The sample: one delivery of a message as its recipient would see it, for the reviewer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from runner.current_work import CURRENT_WORK
from runner.declare.address_search import MAX_SEARCHED, Address
from runner.declare.audience.audience import InlineAudience
from runner.declare.audience.recipient import IdentifierKind, Recipient
from runner.declare.audience.selection import Selection
from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.keys_and_digests import visible_words
from runner.declare.recipient_rules import format_mark
from runner.privacy import AnyText, mark_private

_MAX_READ = 4_000  # characters of a body that are read for its beginning
_INLINE_TAG = re.compile(r"</?(?:a|abbr|b|code|em|font|i|small|span|strong|u)\b[^<>]{0,500}>", re.IGNORECASE)
_MAX_RENDERED = 100  # deliveries that are rendered to find the one with the requested key


@dataclass(frozen=True, slots=True)
class Sample:
    """The recipient and the rendered texts of one delivery.

    `to`, `subject` and `body` hold the values in clear: print them only through `privacy.reveal_or_mask`. `kind` and
    `value` are the recipient's identifier in clear, to find the same recipient in another declaration: do not print
    them. `is_computed`: words of the author may be in what is masked.
    """

    kind: IdentifierKind
    value: str
    to: AnyText
    subject: AnyText
    body: AnyText
    is_computed: bool = False


def render_sample(declaration: Declaration, salt: str, key: str = "") -> Sample | None:
    """Returns the delivery with the key if it is among the first ones, else the first delivery.

    At most 100 deliveries and problems are looked at. Returns None if no delivery is among them, or if the audience was
    not read.
    """
    if declaration.audience.is_unread:
        return None
    first: Delivery | None = None
    for delivery in islice(render_deliveries(declaration, salt), _MAX_RENDERED):
        if isinstance(delivery, Delivery):
            first = first or delivery
            if delivery.key == key:
                return make_sample(declaration, delivery)
    return make_sample(declaration, first) if first else None


def render_sample_for(declaration: Declaration, recipient: Recipient, salt: str) -> Sample | None:
    """Returns the delivery to one recipient. None if it cannot be rendered."""
    return render_sample(
        replace(declaration, audience=InlineAudience((recipient,), is_single=True), selection=Selection()), salt
    )


def make_sample(declaration: Declaration, delivery: Delivery, authorship: Authorship | None = None) -> Sample:
    """Returns a delivery as its recipient would see it. `authorship` is that of the declaration, if it is known."""
    with CURRENT_WORK.on_file(declaration.document.source.path):
        authorship = authorship or Authorship(declaration)
        address = Address(delivery.kind, delivery.value)
        subject, body = authorship.mark_subject(delivery), authorship.mark_body(delivery)
        if declaration.redirect:
            mark = format_mark(delivery.kind, delivery.value, is_html=not declaration.subject)
            subject, body = (mark + subject, body) if declaration.subject else (subject, mark + body)
        return Sample(
            kind=delivery.kind,
            value=delivery.value,
            to=address.label if address.kind == "id" else mark_private(address.label, delivery.display_name),
            subject=subject,
            body=body,
            is_computed=authorship.is_computed(delivery),
        )


def find_beginnings(declarations: Iterable[Declaration], salt: str, digests: Mapping[str, str]) -> dict[str, str]:
    """Returns by key how deliveries begin: the subject, or the first words of an in-app message.

    `digests` has the digests of the wanted deliveries by key. One whose text has changed since is left out. Reading
    ends once all are found or MAX_SEARCHED deliveries were rendered.
    """
    beginnings: dict[str, str] = {}
    remaining = MAX_SEARCHED
    for declaration in declarations:
        if declaration.audience.is_unread:
            continue
        for delivery in render_deliveries(declaration, salt, skip_duplicate_check=True):
            if not remaining or len(beginnings) == len(digests):
                return beginnings
            remaining -= 1
            if isinstance(delivery, Delivery) and digests.get(delivery.key) == delivery.digest:
                beginnings[delivery.key] = delivery.payload.get("subject") or read_beginning(delivery.payload["body"])
    return beginnings


def read_beginning(body: str) -> str:
    """Returns the first words of a body, on one line."""
    return visible_words(_INLINE_TAG.sub("", body[:_MAX_READ]))
