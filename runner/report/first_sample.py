"""How a message reads for its first recipient: the sample that a plan shows, and how it begins."""

from runner.declare.sample import Sample, make_sample, read_beginning
from runner.plan.deliveries import PlannedMessage
from runner.plan.text_variants import TextVariant
from runner.privacy import reveal_or_mask
from runner.report.layout import shorten
from runner.report.review import Review

_MAX_SUBJECT = 120  # columns


def list_beginnings(review: Review, *, show_values: bool) -> dict[str, str]:
    """Returns how each message begins that this run sends, by its name, as its first recipient sees it."""
    sends = review.plan.send_counts()
    samples = {message.name: find_sample(message, review) for message in review.plan.messages if sends[message.name]}
    return {name: format_beginning(sample, show_values=show_values) for name, sample in samples.items() if sample}


def format_beginning(sample: Sample, *, show_values: bool) -> str:
    """Returns the subject, or for an in-app message how its text begins."""
    text = reveal_or_mask(sample.subject, show_values=show_values)
    if not text:
        # Not `visible_text`, which shows more than a beginning needs and takes 150 ms to import.
        text = read_beginning(reveal_or_mask(sample.body, show_values=show_values))
    return shorten(" ".join(text.split()), _MAX_SUBJECT)


def find_sample(message: PlannedMessage, review: Review) -> Sample | None:
    """Returns what the first recipient to send to will see; if there is none, what another one would see."""
    first = find_variant(message)
    if first is None or _is_left_out(message, first):
        return review.sample(message)
    return make_sample(message.declaration, first.delivery)


def _is_left_out(message: PlannedMessage, variant: TextVariant) -> bool:
    """Returns whether the check of the recipients left the one of a text out, and others get the message."""
    found = message.deliveries.find_action(variant.delivery.raw_key)
    return message.counts["send"] > 0 and found is not None and found[0] != "send"


def find_variant(message: PlannedMessage) -> TextVariant | None:
    """Returns the text of the first recipient to send to; if there is none, of another one."""
    variants = message.variants.by_count()
    variants = [variant for variant in variants if variant.is_sent_now] or variants
    return min(variants, key=lambda variant: variant.delivery.number, default=None)
