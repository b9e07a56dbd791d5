"""The sample: one delivery of a message as its recipient would see it, for the reviewer.

Every word that the author did not write is marked as private, not only the recipient's values. The reason is that a
template may split a value (`{{ name.split()[0] }}`) or compute with it, and the result is as personal as the value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from runner.declare.audience import IdentifierKind, InlineAudience, Recipient
from runner.declare.audience.selection import Selection
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.template.template import find_literals
from runner.privacy import AnyText, mark_private, mark_private_values, mark_unwritten_words

_MAX_RENDERED = 100  # deliveries that are rendered to find the one with the requested key


@dataclass(frozen=True, slots=True)
class Sample:
    """The recipient and the rendered texts of one delivery.

    `to`, `subject` and `body` hold the values in clear: print them only through `privacy.reveal_or_mask`. `kind` and
    `value` are the recipient's identifier in clear, to find the same recipient in another declaration: do not print
    them.
    """

    kind: IdentifierKind
    value: str
    to: AnyText
    subject: AnyText
    body: AnyText


def render_sample(declaration: Declaration, salt: str, key: str = "") -> Sample | None:
    """Returns the delivery with the key if it is among the first ones, else the first delivery.

    At most 100 deliveries and problems are looked at. Returns None if no delivery is among them.
    """
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


def make_sample(declaration: Declaration, delivery: Delivery) -> Sample:
    """Returns a delivery as its recipient would see it."""
    is_id = delivery.kind == "id"
    private_values = delivery.private_values[1:] if is_id else delivery.private_values
    author_texts = list(_collect_author_texts(declaration))

    def mark(text: str) -> AnyText:
        return mark_unwritten_words(mark_private_values(text, private_values, emails=False), author_texts)

    return Sample(
        kind=delivery.kind,
        value=delivery.value,
        to=delivery.display_name if is_id else mark_private(f"{delivery.kind}:{delivery.value}", delivery.display_name),
        subject=mark(delivery.payload.get("subject", "")),
        body=mark(delivery.payload["body"]),
    )


def _collect_author_texts(declaration: Declaration) -> Iterator[str]:
    """Yields the author's texts: subject, body, included files, their string literals, and variables of both levels.

    A literal is also yielded as it prints, because the author may write it with escapes.
    """
    for text in (declaration.subject, declaration.body):
        if text:
            for source in (text.source, *text.includes.values()):
                yield source
                yield from find_literals(source)
    yield from _collect_strings(declaration.variables)


def _collect_strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _collect_strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _collect_strings(item)
    elif isinstance(value, str | int | float):
        yield str(value)
