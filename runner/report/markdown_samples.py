"""The texts of a message in a review: as the recipients of a sample see them, and as their source."""

import re
from collections.abc import Callable

from runner.compare.declared_texts import list_texts_and_variables
from runner.current_work import CURRENT_WORK
from runner.declare.sample import Sample, make_sample
from runner.plan.deliveries import PlannedMessage
from runner.plan.text_variants import choose_variants
from runner.privacy import MASK, reveal_or_mask
from runner.report.element_label import SCRIPT, SOURCE_HINT, STYLE_SHEET
from runner.report.html_text import describe_layout, visible_text
from runner.report.markdown_escaping import (
    MAX_TEXT_LENGTH,
    code_block,
    details,
    escape_text,
    fit_to_length,
    inline_code,
    strip_controls,
)
from runner.report.markdown_results import MAX_COMMENT_LENGTH
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

_CODE = re.compile(r"</?(?:style|script|link)\b", re.IGNORECASE)
_CODE_TAGS = tuple(
    tuple(re.compile(rf"<{slash}{name}\b", re.IGNORECASE) for slash in ("", "/")) for name in ("style", "script")
)
_TAG_LENGTH = len("</script")
_MIN_TEXT_LENGTH = 500  # characters, where all texts of all messages are too long for one comment


def format_samples(
    message: PlannedMessage,
    get_sample: Callable[[PlannedMessage], Sample | None],
    room: int = 0,
    *,
    show_values: bool,
) -> list[str]:
    """Blocks of Markdown: a sample of each text that the message has for some recipients, the most frequent first.

    `get_sample` renders one of a message that has nothing to send. If some recipients get another text, or a mask hides
    words of the author, the texts follow as they are written. In about `room` characters, if it is not 0: the beginning
    of each text.
    """
    with CURRENT_WORK.on_file(message.declaration.document.source.path):
        return _format_samples(message, get_sample, room, show_values=show_values)


def _format_samples(
    message: PlannedMessage, get_sample: Callable[[PlannedMessage], Sample | None], room: int, *, show_values: bool
) -> list[str]:
    variants = [] if message.is_unread else message.variants.by_count()
    first = None if message.is_unread or variants else get_sample(message)
    samples = [(first, 0)] if first else []
    for variant in choose_variants(variants, message.authorship) if variants else ():
        CURRENT_WORK.step()
        samples.append((make_sample(message.declaration, variant.delivery, message.authorship), variant.count))
    if not samples:
        return ["As written, because no recipient was read:", *_format_written_texts(message, room)]
    is_computed = not show_values and any(sample.is_computed for sample, _ in samples)
    others = message.variants.count - sum(count for _, count in samples)  # recipients whose text is not chosen
    room //= 2 if is_computed or others else 1
    blocks, left_out, render = list[str](), 0, shown_command("render", message.name)
    for sample, count in samples:
        CURRENT_WORK.step()
        shown = _format_sample(sample, _share(room, len(samples)), show_values=show_values)
        if len(variants) > 1:
            shown = f"For **{pluralize(count, 'recipient')}**, as {shown.removeprefix('As ')}"
        if not room or not blocks or len(shown) + sum(map(len, blocks)) <= room:
            blocks.append(shown)
        else:
            left_out += count
    if left_out:
        blocks.append(f"For **{pluralize(left_out, 'recipient')}** other texts of this message: `{render}` shows them.")
    if others:
        blocks.append(
            f"For **{pluralize(others, 'recipient')}** other texts of the same templates: `{render}` shows them."
        )
    if is_computed or others:
        reason = f", because {inline_code(MASK)} may stand for words of these texts" if is_computed else ""
        blocks += [f"As written{reason}:", *_format_written_texts(message, room)]
    return blocks


def _format_written_texts(message: PlannedMessage, room: int) -> list[str]:
    """Returns the texts as the author wrote them: where there is no sample, or a sample may hide words of them."""
    written = list_texts_and_variables(message.declaration)
    length = _share(room, len(written))
    blocks = [f"{inline_code(name)}:\n\n{code_block(source, 'html', length)}" for name, source in written.items()]
    return fit_to_length(blocks, len(blocks), room or MAX_COMMENT_LENGTH, "texts of this message")


def _share(room: int, number: int) -> int:
    """Returns the characters of each of some texts."""
    return max(room // (2 * number), _MIN_TEXT_LENGTH) if room else MAX_TEXT_LENGTH


def _format_sample(sample: Sample, length: int, *, show_values: bool) -> str:
    body = reveal_or_mask(sample.body, show_values=show_values)
    subject = reveal_or_mask(sample.subject, show_values=show_values)
    stands = f"; {inline_code(MASK)} stands for the recipient's values and what the template computes"
    masked = stands if MASK in subject + body else ""
    text = visible_text(sample.body, show_values=show_values)
    layout = describe_layout(sample.body, show_values=show_values)
    return "\n\n".join(
        [
            f"As {inline_code(reveal_or_mask(sample.to, show_values=show_values))} sees it{masked}:",
            *([f"**Subject** {inline_code(subject)}"] if subject else ()),
            *([escape_text(f"L{layout[1:]}:")] if layout else ()),
            code_block(text, limit=length),
            *_format_source(body, text, has_room=length == MAX_TEXT_LENGTH),
        ]
    )


def _format_source(body: str, text: str, *, has_room: bool) -> list[str]:
    """Returns the source below the text. If the text leads to what is cut of it, that is said as of a cut text."""
    if not has_room:
        return [f"… and {len(body):,} more characters of the HTML source"] * (SOURCE_HINT in text)
    other_words = text.replace(STYLE_SHEET, "").replace(SCRIPT, "")
    source = strip_controls(body)  # longer than the body, where invisible characters are shown
    shown = source[:MAX_TEXT_LENGTH]
    is_open = any(len(re.findall(start, shown)) > len(re.findall(end, shown)) for start, end in _CODE_TAGS)
    is_needed = SOURCE_HINT in other_words or is_open or _CODE.search(source, MAX_TEXT_LENGTH - _TAG_LENGTH)
    rest = "more characters of the source" if is_needed else "characters of the source"
    return [details("HTML source", [code_block(body, "html", rest=rest)])]
