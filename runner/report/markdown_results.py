"""What a command says besides its plan, as Markdown: problems, why it ended, what it did; and the pieces they share."""

import re
from collections.abc import Iterable

from runner.deliver.summary import ReportedDelivery, Summary
from runner.errors import Problem
from runner.privacy import reveal_or_mask
from runner.report.markdown_escaping import clipped, code, fitting, prose
from runner.report.problem_text import counted

COMMENT = 60_000  # characters; GitHub takes 65,536, GitLab a million


OF_TABLE = 16_000  # characters of a list, or of a table


MOST_TOLD = 400  # characters of one warning


def problems(found: Iterable[Problem], environment: str, *, show: bool) -> str:
    """What is wrong with the files, so that there is no plan."""
    ordered = sorted(found, key=lambda problem: (not problem.is_error, problem.place.sort_key))
    number = counted(sum(problem.is_error for problem in ordered), "problem")
    lines = [problem(item, show=show) for item in ordered]
    return "\n\n".join(
        [
            heading(environment),
            f"**There is no plan, and nothing can be sent: {number}.**",
            "\n".join(fitting(lines, len(lines), COMMENT - 1000, "problems", separator="\n")),
        ]
    )


def failure(message: str, hint: str, environment: str, *, show: bool) -> str:
    """Why the command ended."""
    return f"{heading(environment)}\n\n{stopped(message, hint, show=show)}"


def stopped(message: str, hint: str, *, show: bool) -> str:
    """Why a run stopped, and the way out."""
    return f"> [!CAUTION]\n> **Stopped.** {told(message, show=show)}{way_out(hint, show=show)}"


def summary(done: Summary, *, show: bool) -> str:
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
        blocks.append(stopped(done.stop.message, done.stop.hint, show=show))
    lines = [f"- **unknown** {_delivery(item, show=show)}" for item in done.unknown]
    lines += [f"- **refused** {_delivery(item, show=show)}" for item in done.refused]
    lines += [f"- **not found again** {_delivery(item, show=show)}" for item in done.still_not_found]
    lines += [f"- warning: {told(warning, show=show)}" for warning in done.warnings]
    if done.unknown:
        blocks.append("An unknown delivery may have arrived and is never sent again by itself: `msgrun reconcile`.")
    blocks.append("\n".join(fitting(lines, len(lines), OF_TABLE, "lines", separator="\n", start="- ")))
    return "\n\n".join(filter(None, blocks))


def heading(environment: str) -> str:
    """The hidden first line is how CI finds the comment that it made before, and updates it."""
    found = re.sub(r"[^\w-]", "", environment)
    return f"<!-- msgrun plan: {found} -->\n## msgrun plan: environment {code(environment)}"


def problem(found: Problem, *, show: bool) -> str:
    """A problem as an item of a list."""
    who = f" ({found.recipient})" if found.recipient else ""
    place = code(reveal_or_mask(str(found.place), show=show))
    text = f"{told(found.message + who, show=show)} ({code(found.code)}){way_out(found.hint, show=show)}"
    return f"- {place} {found.severity}: {text}"


def told(text: str, *, show: bool) -> str:
    """A text of some length, for the middle of a line."""
    return prose(clipped(reveal_or_mask(text, show=show), MOST_TOLD))


def way_out(hint: str, *, show: bool) -> str:
    """A hint, if there is one, on a line of its own below what it is about."""
    return f"<br>→ {told(hint, show=show)}" if hint else ""


def _delivery(item: ReportedDelivery, *, show: bool) -> str:
    record = item.record
    said = f": {told(item.detail, show=show)}" if item.detail else ""
    coded = f" {code(record.code)}" if record.code else ""
    request = f" (request {code(record.request_id)})" if record.request_id else ""
    return f"{code(record.message)} {code(record.to)}, key {code(record.key[:12])}{coded}{said}{request}"
