"""A sample: one delivery of a message as its recipient would see it, for those who review it.

All that its author did not write is marked as private, not only the recipient's values: a template may take a value
apart (`{{ name.split()[0] }}`) or compute with it, and the pieces are as personal as the whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from runner.declare.audience import IdentifierKind, InlineAudience, Recipient
from runner.declare.audience.selection import Selection
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.privacy import mark_private, mark_private_values, mark_unwritten_words

_LOOKED_AT = 100  # deliveries that are rendered to find the one that is asked for


@dataclass(frozen=True, slots=True)
class Sample:
    """The recipient and the rendered texts; `to`, `subject` and `body` hold values marked by `privacy`.

    `kind` and `value` are the recipient's address in clear, to find it again elsewhere; they are not for printing.
    """

    kind: IdentifierKind
    value: str
    to: str
    subject: str
    body: str


def render_sample(declaration: Declaration, salt: str, key: str = "") -> Sample | None:
    """The delivery with a key if it is among the first, else the first; none if no recipient can be rendered."""
    first: Delivery | None = None
    for found in islice(render_deliveries(declaration, salt), _LOOKED_AT):
        if isinstance(found, Delivery):
            first = first or found
            if found.key == key:
                return _marked(declaration, found)
    return _marked(declaration, first) if first else None


def render_sample_for(declaration: Declaration, recipient: Recipient, salt: str) -> Sample | None:
    """The delivery to one recipient, if it can be rendered."""
    return render_sample(
        replace(declaration, audience=InlineAudience((recipient,), is_single=True), selection=Selection()), salt
    )


def _marked(declaration: Declaration, delivery: Delivery) -> Sample:
    is_id = delivery.kind == "id"
    own = delivery.private_values[1:] if is_id else delivery.private_values
    written = list(_written(declaration))

    def marked(text: str) -> str:
        return mark_unwritten_words(mark_private_values(text, own, emails=False), written)

    return Sample(
        kind=delivery.kind,
        value=delivery.value,
        to=delivery.display_name if is_id else mark_private(f"{delivery.kind}:{delivery.value}", delivery.display_name),
        subject=marked(delivery.payload.get("subject", "")),
        body=marked(delivery.payload["body"]),
    )


def _written(declaration: Declaration) -> Iterator[str]:
    """What the author of a message wrote: its texts, what they include, and the variables of project and message."""
    for text in (declaration.subject, declaration.body):
        if text:
            yield text.source
            yield from text.includes.values()
    yield from _strings(declaration.variables)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str | int | float):
        yield str(value)
