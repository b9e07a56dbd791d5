"""The texts that one message has for different recipients, where its templates have branches.

A reviewer who saw one sample alone would not see what the others get: `{% if email == "ann@example.com" %}`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from runner.current_work import CURRENT_WORK
from runner.declare.authorship import Authorship
from runner.declare.delivery import Delivery

_MAX_VARIANTS = 1000  # kept of one message; the recipients of further ones are counted together
_MAX_CHARACTERS = 8 << 20  # of the texts that are kept of one message
_MAX_CHOSEN = 6  # texts of one message that are chosen for a reviewer
_MAX_LINES_CHOSEN = 20  # texts that are chosen if each has a line that no other one of them has
_LINE_END = re.compile(r"\n|</?(?:p|br|div|tr|td|li|h[1-6])\b[^>]*>", re.IGNORECASE)


@dataclass(slots=True)
class TextVariant:
    """A text: the number of recipients who get it, and the first delivery that has it, best one to send now."""

    count: int
    delivery: Delivery
    is_sent_now: bool


@dataclass(slots=True)
class TextVariants:
    """Counts the deliveries of a message by their texts, as `Authorship.comparable_text` returns them.

    Such a text may have a megabyte, so only a hash of it is the key. `other_count` is the number of deliveries whose
    text is not among the first that differ: 1000, or fewer if these are long.
    """

    variants: dict[bytes, TextVariant] = field(default_factory=dict)
    other_count: int = 0
    _character_count: int = 0  # of the texts in `variants`

    def add(self, text: str, delivery: Delivery, *, is_sent_now: bool) -> None:
        """Counts a delivery."""
        # The texts of most messages do not differ. An empty text says so, and is not hashed for a million rows.
        key = blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest() if text else b""
        variant = self.variants.get(key)
        if variant is None or (is_sent_now and not variant.is_sent_now):
            self._count(key, TextVariant(1, delivery, is_sent_now))
        else:
            variant.count += 1

    def merge(self, other: "TextVariants") -> None:
        """Adds the counts of later deliveries of the same message."""
        self.other_count += other.other_count
        for key, variant in other.variants.items():
            self._count(key, variant)

    @property
    def count(self) -> int:
        """The number of deliveries that were counted."""
        return self.other_count + sum(variant.count for variant in self.variants.values())

    def by_count(self) -> list[TextVariant]:
        """Returns the variants, the most frequent first."""
        return sorted(self.variants.values(), key=lambda variant: -variant.count)

    def _count(self, key: bytes, added: TextVariant) -> None:
        variant = self.variants.get(key)
        if variant is None and (len(self.variants) >= _MAX_VARIANTS or self._character_count > _MAX_CHARACTERS):
            self.other_count += added.count
        elif variant is None:
            self.variants[key] = added
            self._character_count += len(added.delivery.body_parts) + sum(map(len, added.delivery.body_parts))
        else:
            variant.count += added.count
            if added.is_sent_now and not variant.is_sent_now:
                variant.delivery, variant.is_sent_now = added.delivery, True


def choose_variants(variants: Sequence[TextVariant], authorship: Authorship) -> list[TextVariant]:
    """Returns the variants that a reviewer reads, in their order.

    Of many, those that most recipients get are among them. Then a text with lines that are in no other chosen one comes
    before a second combination of the same lines, however few get it.
    """
    if len(variants) <= _MAX_CHOSEN:
        return list(variants)
    unshown = {index: _split_lines(authorship, variant) for index, variant in enumerate(variants)}
    chosen: list[int] = []
    while unshown and len(chosen) < _MAX_LINES_CHOSEN:
        CURRENT_WORK.step()
        is_frequent = len(chosen) < _MAX_CHOSEN
        best = min(unshown) if is_frequent else max(unshown, key=lambda index: (len(unshown[index]), -index))
        lines = unshown[best]
        if not lines and not is_frequent:
            break
        chosen.append(best)
        unshown = {index: others - lines for index, others in unshown.items() if index != best}
    return [variants[index] for index in sorted(chosen)]


def _split_lines(authorship: Authorship, variant: TextVariant) -> set[str]:
    """Returns the lines of a masked text, about as a reader sees them. Smaller parts would be letters or a "not"."""
    return {*_LINE_END.split(authorship.comparable_text(variant.delivery))}
