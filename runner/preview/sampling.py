"""Chooses which recipients of a message are shown: those who get another text, and those whose values strain it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from runner.current_work import CURRENT_WORK
from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.settings import Settings
from runner.errors import Problem
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter
from runner.lint.rules import enabled_codes
from runner.plan.deliveries import PlannedMessage
from runner.plan.text_variants import TextVariant, TextVariants, choose_variants

MAX_READ = 10_000  # recipients of one message that are read for its sample: the plan has read them all already
DEFAULT_RECIPIENTS = 20
_MAX_WITH_FINDINGS = 5


@dataclass(slots=True)
class SampledDelivery:
    """A delivery that is shown, and why it was chosen. `is_variant`: others get another text."""

    delivery: Delivery
    reasons: list[str] = field(default_factory=list)
    is_variant: bool = False


@dataclass(frozen=True, slots=True)
class MessageSample:
    """The chosen deliveries in the order in which they are shown, the lint findings, and how many were read.

    `variants` are the texts that are shown, the most frequent first; empty if all recipients get the same text.
    `other_count` is the number of recipients who get another one.
    """

    deliveries: tuple[SampledDelivery, ...]
    findings: tuple[Problem, ...]
    read_count: int
    variants: tuple[TextVariant, ...] = ()
    other_count: int = 0


def sample_message(
    message: PlannedMessage, settings: Settings, authorship: Authorship, count: int | None
) -> MessageSample:
    """Returns the sample of one message. `count` is the number of recipients to show; None shows those that differ."""
    if message.is_unread:
        return MessageSample((), (), 0)
    with CURRENT_WORK.on_file(message.declaration.document.source.path):
        reader = _Reader(message, settings, authorship, wants_variants=not message.variants.count)
        findings = reader.read(count or 0)
        variants = message.variants if message.variants.count else reader.variants
        chosen = _Choice()
        for delivery in reader.first[:1]:
            chosen.add(reader.first_to_send or delivery, "the first to send" if reader.first_to_send else "the first")
        by_count = variants.by_count()
        if len(by_count) == 1 and variants.count == len(message.deliveries) > 1 and reader.first:
            what = "a text of this form" if reader.first[0].vars else "this text"
            chosen.add(reader.first[0], f"all {variants.count:,} recipients get {what}")
        variants_shown = choose_variants(by_count, authorship) if len(by_count) > 1 else []
        for variant in variants_shown:
            gets = "recipients gets" if variant.count == 1 else "recipients get"
            chosen.add(
                variant.delivery, f"{variant.count:,} of {variants.count:,} {gets} a text of this form", is_variant=True
            )
        if reader.longest and reader.shortest and _length(reader.longest) > _length(reader.shortest):
            chosen.add(reader.longest, "the longest")
            chosen.add(reader.shortest, "the shortest")
        for delivery in reader.with_findings:
            chosen.add(delivery, "has a finding")
        for delivery in reader.first if count else ():
            if len(chosen.deliveries) < (count or 0):
                chosen.add(delivery)
    limit = count or max(DEFAULT_RECIPIENTS, len(variants_shown) + 1)  # the first, and one of each text
    shown = tuple(islice(chosen.deliveries.values(), limit))
    texts = [
        variant for variant in variants_shown if variant.delivery.raw_key in {one.delivery.raw_key for one in shown}
    ]
    others = variants.count - sum(variant.count for variant in texts) if variants_shown else 0
    return MessageSample(shown, tuple(findings), reader.read_count, tuple(texts), others)


class _Choice:
    """The chosen deliveries by key, in the order in which they were chosen."""

    def __init__(self) -> None:
        self.deliveries: dict[bytes, SampledDelivery] = {}

    def add(self, delivery: Delivery, reason: str = "", *, is_variant: bool = False) -> None:
        sampled = self.deliveries.setdefault(delivery.raw_key, SampledDelivery(delivery))
        sampled.is_variant |= is_variant
        if reason:
            sampled.reasons.append(reason)


class _Reader:
    """Reads the first MAX_READ deliveries of a message once: for lint, and for those that are long or short."""

    def __init__(
        self, message: PlannedMessage, settings: Settings, authorship: Authorship, *, wants_variants: bool
    ) -> None:
        self._declaration, self._settings, self._authorship = message.declaration, settings, authorship
        # If some got it before, the first one to send is shown: the others may have an older text.
        self._planned = message.deliveries if 0 < message.counts["send"] < len(message.deliveries) else None
        self.first_to_send: Delivery | None = None
        self._wants_variants = wants_variants
        self.variants = TextVariants()
        self.first: list[Delivery] = []
        self.with_findings: list[Delivery] = []
        self.longest: Delivery | None = None
        self.shortest: Delivery | None = None
        self.read_count = 0

    def read(self, kept: int) -> list[Problem]:
        """Reads, keeps the first `kept` deliveries, and returns the lint findings."""
        settings = self._settings
        findings = Findings(enabled_codes(settings.lint))
        # The mark of redirect is not the author's: with it a subject may be too long.
        written = replace(self._declaration, redirect=None) if self._declaration.redirect else self._declaration
        linter = MessageLinter(written, settings, findings)
        shown = _render(self._declaration, settings.salt)
        is_same = written is self._declaration
        pairs = (
            ((each, each) for each in shown) if is_same else zip(shown, _render(written, settings.salt), strict=True)
        )
        for delivery, linted in pairs:
            if isinstance(delivery, Problem) or isinstance(linted, Problem):
                continue  # the plan has reported it
            found = len(findings)
            linter.check_delivery(linted)
            is_first = not self.read_count
            self._add(delivery, kept, has_finding=not is_first and len(findings) > found)
        linter.finish()
        return findings.to_problems()

    def _add(self, delivery: Delivery, kept: int, *, has_finding: bool) -> None:
        self.read_count += 1
        if self._planned and not self.first_to_send:
            found = self._planned.find_action(delivery.raw_key)
            self.first_to_send = delivery if found and found[0] == "send" else None
        if len(self.first) < max(kept, 1):
            self.first.append(delivery)
        if has_finding and len(self.with_findings) < _MAX_WITH_FINDINGS:
            self.with_findings.append(delivery)
        length = _length(delivery)
        if self.longest is None or length > _length(self.longest):
            self.longest = delivery
        if self.shortest is None or length < _length(self.shortest):
            self.shortest = delivery
        if self._wants_variants:
            self.variants.add(self._authorship.comparable_text(delivery), delivery, is_sent_now=False)


def _render(declaration: Declaration, salt: str) -> Iterator[Delivery | Problem]:
    return islice(render_deliveries(declaration, salt, skip_duplicate_check=True), MAX_READ)


def _length(delivery: Delivery) -> int:
    return len(delivery.payload["body"]) + len(delivery.payload.get("subject", ""))
