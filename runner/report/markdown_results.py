"""What a command says besides its plan, as Markdown: problems, why it ended, what it did; and the pieces they share."""

import re
from collections.abc import Iterable

from runner.deliver.summary import ReportedDelivery, Summary
from runner.errors import Problem
from runner.privacy import reveal_or_mask
from runner.report.markdown_escaping import escape_text, fit_to_length, inline_code, truncate
from runner.report.problem_text import pluralize

MAX_COMMENT_LENGTH = 60_000  # characters; GitHub takes 65,536, GitLab a million


MAX_TABLE_LENGTH = 16_000  # characters of a list, or of a table


MAX_INLINE_LENGTH = 400  # characters of one warning


def problems(found: Iterable[Problem], environment: str, *, show_values: bool) -> str:
    """What is wrong with the files, so that there is no plan."""
    ordered = sorted(found, key=lambda problem: (not problem.is_error, problem.place.sort_key))
    number = pluralize(sum(problem.is_error for problem in ordered), "problem")
    lines = [problem(item, show_values=show_values) for item in ordered]
    return "\n\n".join(
        [
            heading(environment),
            f"**There is no plan, and nothing can be sent: {number}.**",
            "\n".join(fit_to_length(lines, len(lines), MAX_COMMENT_LENGTH - 1000, "problems", separator="\n")),
        ]
    )


def failure(message: str, hint: str, environment: str, *, show_values: bool) -> str:
    """Why the command ended."""
    return f"{heading(environment)}\n\n{stop_notice(message, hint, show_values=show_values)}"


def stop_notice(message: str, hint: str, *, show_values: bool) -> str:
    """Why a run stopped, and the way out."""
    way_out = hint_line(hint, show_values=show_values)
    return f"> [!CAUTION]\n> **Stopped.** {inline_text(message, show_values=show_values)}{way_out}"


def summary(done: Summary, *, show_values: bool) -> str:
    """What a run did."""
    parts = [
        (done.sent, "sent"),
        (len(done.refused), "refused"),
        (len(done.still_not_found), "not found again"),
        (len(done.unknown), "unknown"),
        (done.remaining, "left"),
        (done.skipped, "expired"),
    ]
    counts = " · ".join(f"{number:,} {word}" for number, word in parts if number)
    blocks = [f"### What was done\n\n**{counts or 'nothing was sent'}**"]
    if done.stop:
        blocks.append(stop_notice(done.stop.message, done.stop.hint, show_values=show_values))
    lines = [f"- **unknown** {_delivery(item, show_values=show_values)}" for item in done.unknown]
    lines += [f"- **refused** {_delivery(item, show_values=show_values)}" for item in done.refused]
    lines += [f"- **not found again** {_delivery(item, show_values=show_values)}" for item in done.still_not_found]
    lines += [f"- warning: {inline_text(warning, show_values=show_values)}" for warning in done.warnings]
    if done.unknown:
        blocks.append("An unknown delivery may have arrived and is never sent again by itself: `msgrun reconcile`.")
    blocks.append("\n".join(fit_to_length(lines, len(lines), MAX_TABLE_LENGTH, "lines", separator="\n", start="- ")))
    return "\n\n".join(filter(None, blocks))


def heading(environment: str) -> str:
    """The hidden first line is how CI finds the comment that it made before, and updates it."""
    found = re.sub(r"[^\w-]", "", environment)
    return f"<!-- msgrun plan: {found} -->\n## msgrun plan: environment {inline_code(environment)}"


def problem(found: Problem, *, show_values: bool) -> str:
    """A problem as an item of a list."""
    who = f" ({found.recipient})" if found.recipient else ""
    place = inline_code(reveal_or_mask(str(found.place), show_values=show_values))
    message = inline_text(found.message + who, show_values=show_values)
    text = f"{message} ({inline_code(found.code)}){hint_line(found.hint, show_values=show_values)}"
    return f"- {place} {found.severity}: {text}"


def inline_text(text: str, *, show_values: bool) -> str:
    """A text of some length, for the middle of a line."""
    return escape_text(truncate(reveal_or_mask(text, show_values=show_values), MAX_INLINE_LENGTH))


def hint_line(hint: str, *, show_values: bool) -> str:
    """A hint, if there is one, on a line of its own below what it is about."""
    return f"<br>→ {inline_text(hint, show_values=show_values)}" if hint else ""


def _delivery(item: ReportedDelivery, *, show_values: bool) -> str:
    record = item.record
    said = f": {inline_text(item.detail, show_values=show_values)}" if item.detail else ""
    coded = f" {inline_code(record.code)}" if record.code else ""
    request = f" (request {inline_code(record.request_id)})" if record.request_id else ""
    return (
        f"{inline_code(record.message)} {inline_code(record.to)}, key {inline_code(record.key[:12])}"
        f"{coded}{said}{request}"
    )
