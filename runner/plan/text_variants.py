"""The texts that one message has for different recipients, where its templates have branches.

A reviewer who saw one sample alone would not see what the others get: `{% if email == "ann@example.com" %}`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.template.template import find_branch_texts

_MAX_BRANCH_TEXTS = 200  # each of them is searched in the texts of every delivery
_MAX_VARIANTS = 1000  # kept of one message; the recipients of further ones are counted together


@dataclass(slots=True)
class TextVariant:
    """A text: the number of recipients who get it, and the first delivery that has it, best one to send now."""

    count: int
    delivery: Delivery
    is_sent_now: bool


class TextVariants:
    """Counts the deliveries of a message by the branches of its templates that they show.

    `branch_texts` are texts in lower case that only some recipients see. `other_count` is the number of deliveries
    whose text is not among the first 1000 that differ.
    """

    def __init__(self, branch_texts: tuple[str, ...]) -> None:
        self._branch_texts = branch_texts
        self.variants: dict[tuple[bool, ...], TextVariant] = {}
        self.other_count = 0

    def add(self, delivery: Delivery, *, is_sent_now: bool) -> None:
        """Counts a delivery."""
        shown: tuple[bool, ...] = ()
        if self._branch_texts:
            text = f"{delivery.payload.get('subject', '')}\n{delivery.payload['body']}".casefold()
            shown = tuple([branch_text in text for branch_text in self._branch_texts])
        self._count(shown, TextVariant(1, delivery, is_sent_now))

    def merge(self, other: "TextVariants") -> None:
        """Adds the counts of later deliveries of the same message."""
        self.other_count += other.other_count
        for shown, variant in other.variants.items():
            self._count(shown, variant)

    def by_count(self) -> list[TextVariant]:
        """Returns the variants, the most frequent first."""
        return sorted(self.variants.values(), key=lambda variant: -variant.count)

    def _count(self, shown: tuple[bool, ...], added: TextVariant) -> None:
        variant = self.variants.get(shown)
        if variant is None and len(self.variants) >= _MAX_VARIANTS:
            self.other_count += added.count
        elif variant is None:
            self.variants[shown] = added
        else:
            variant.count += added.count
            if added.is_sent_now and not variant.is_sent_now:
                variant.delivery, variant.is_sent_now = added.delivery, True


def collect_branch_texts(declaration: Declaration) -> tuple[str, ...]:
    """Returns the author's texts that a template may show to some recipients only, in lower case."""
    texts: dict[str, None] = {}
    for template in (declaration.subject, declaration.body):
        if template:
            for source in (template.source, *template.includes.values()):
                texts |= dict.fromkeys(find_branch_texts(source))
    if texts or any("{{" in template.source for template in (declaration.subject, declaration.body) if template):
        for value in declaration.variables.values():
            if not isinstance(value, str):  # a template may choose an item for each recipient
                texts |= dict.fromkeys(_strings(value))
    folded = dict.fromkeys(text.casefold() for text in texts if any(map(str.isalnum, text)))
    return tuple(folded)[:_MAX_BRANCH_TEXTS]


def _strings(value: Any) -> Iterator[str]:
    items: Iterable[Any] = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, str):
            yield item
        else:
            yield from _strings(item)
