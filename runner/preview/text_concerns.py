"""What a reviewer should know of the texts of a message: of their dates, styles, hidden links, and rare variants."""

from collections.abc import Iterator, Sequence

from runner.characters import show_on_one_line
from runner.compare.word_diff import diff_words
from runner.declare.authorship import Authorship
from runner.declare.keys_and_digests import visible_words
from runner.lint.text_checks import mentions_unsubscribe
from runner.plan.text_variants import TextVariant
from runner.preview.sampling import MessageSample
from runner.preview.views import Concern, RecipientView, Tone
from runner.shown_command import shown_command

_FEW = 20  # a text that one in so many recipients gets, or fewer, is easily overlooked
_MAX_RARE = 3  # rare texts that are listed
_MAX_WORDS = 120  # characters of the words that only a rare text has


def list_text_concerns(recipients: Sequence[RecipientView]) -> Iterator[Concern]:
    """Yields what should worry of the texts that the sampled recipients get."""
    for text in dict.fromkeys(recipient.date_conflict for recipient in recipients if recipient.date_conflict):
        yield Concern("warn", "dates", show_on_one_line(text))
    links = (link for recipient in recipients for link in recipient.checks.links if link.hidden)
    for name, address, how in dict.fromkeys((link.text, link.address, link.hidden) for link in links):
        text = f"a reader may not see the link {name or address}: it is {how}"
        tone: Tone = "bad" if mentions_unsubscribe(f"{name} {address}") else "warn"
        yield Concern(tone, "hidden link", text, "look for it in the preview of its message")
    conditions = dict.fromkeys(name for recipient in recipients for name in recipient.checks.style_conditions)
    if conditions:
        text = f"a style sheet of the body asks for {', '.join(conditions)}: the text may differ in a mail client"
        yield Concern(
            "warn",
            "style sheet",
            show_on_one_line(text),
            f"read the HTML, in Changes or with {shown_command('render', 'NAME')}",
        )


def list_rare_texts(sample: MessageSample, authorship: Authorship) -> Iterator[Concern]:
    """Yields the words that few recipients read, and most do not: only the templates' own words, so no values."""
    if not sample.variants:
        return
    total = sum(variant.count for variant in sample.variants)
    usual = _read_words(sample.variants[0], authorship)
    rare = [variant for variant in sample.variants[1:] if variant.count * _FEW <= total]
    for variant in rare[:_MAX_RARE]:
        parts = diff_words(usual, _read_words(variant, authorship))
        words = " … ".join(part.text.strip() for part in parts if part.kind == "added" and part.text.strip())
        shown = words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"
        gets = f"{variant.count:,} of {total:,} {'recipients reads' if variant.count == 1 else 'recipients read'}"
        yield Concern("warn", "few recipients", show_on_one_line(f"{gets} what most do not: {shown or 'less text'}"))


def _read_words(variant: TextVariant, authorship: Authorship) -> str:
    return visible_words(authorship.comparable_text(variant.delivery))
