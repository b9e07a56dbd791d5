"""What a command reports besides its plan, as Markdown: problems, why it ended, what it did.

The module also has the parts of Markdown that these and a plan share.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from runner.deliver.summary import ReportedDelivery, Summary
from runner.errors import Problem
from runner.privacy import AnyText, reveal_or_mask
from runner.report.markdown_escaping import escape_text, fit_to_length, inline_code, shorten_line
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.report.run_text import format_unknown_before
from runner.shown_command import shown_command, shown_folder

MAX_COMMENT_LENGTH = 60_000  # characters; GitHub accepts 65,536, GitLab a million
MAX_TABLE_LENGTH = 16_000  # characters of a list, or of a table
_MAX_COMMAND = 16_000  # characters; a command that is cut does not work
_MAX_LINE = 1_000  # characters of a line that names environments


def format_problems(
    items: Iterable[Problem], environment: str, *, show_values: bool, caution: Sequence[str] = ()
) -> str:
    """Returns the problems of the files, which are the reason that there is no plan.

    `caution`: blocks that come first.
    """
    ordered = sorted(items, key=lambda problem: (not problem.is_error, problem.place.sort_key))
    number = pluralize(sum(problem.is_error for problem in ordered), "problem")
    lines = [format_problem(item, show_values=show_values) for item in ordered]
    return "\n\n".join(
        [
            format_heading(environment),
            *caution,
            f"**There is no plan, and nothing can be sent: {number}.**",
            "\n".join(
                fit_to_length(
                    lines, len(lines), MAX_COMMENT_LENGTH - 1000 - sum(map(len, caution)), "problems", separator="\n"
                )
            ),
        ]
    )


def format_failure(
    message: AnyText, hint: str, environment: str, *, show_values: bool, caution: Sequence[str] = ()
) -> str:
    """Returns a heading, the blocks `caution`, and why the command ended."""
    return "\n\n".join(
        [format_heading(environment), *caution, format_stop_notice(message, hint, show_values=show_values)]
    )


def format_stop_notice(message: AnyText, hint: str, *, show_values: bool) -> str:
    """Returns why a run stopped, and what the user can do."""
    return f"> [!CAUTION]\n> **Stopped.** {inline_text(message, show_values=show_values)}{format_hint(hint)}"


def format_summary(done: Summary, *, show_values: bool, steps: Iterable[NextStep] = (), unknown_before: int = 0) -> str:
    """Returns what a run did: counts, why it stopped, what to do next, unknown and refused deliveries, and warnings.

    `unknown_before` is the number of deliveries that earlier runs left unknown.
    """
    counts = [f"{number:,} {word}" for word, number in done.counts().items() if number] or ["nothing was sent"]
    counts += [format_unknown_before(unknown_before)] if unknown_before else []
    blocks = [f"### What was done\n\n**{' · '.join(counts)}**"]
    if done.stop:
        blocks.append(format_stop_notice(done.stop.message, done.stop.hint, show_values=show_values))
    if steps_text := "\n".join(format_step(step) for step in steps):
        blocks.append(f"Next:\n\n{steps_text}")
    lines = [f"- **{word}** {_format_delivery(item, show_values=show_values)}" for word, item in done.reported()]
    lines += [f"- warning: {inline_text(warning, show_values=show_values)}" for warning in done.warnings]
    if done.unknown:
        settle = shown_command("reconcile" if any(item.record.is_searchable for item in done.unknown) else "resolve")
        blocks.append(f"An unknown delivery may have arrived and is never sent again by itself: `{settle}`.")
    blocks.append("\n".join(fit_to_length(lines, len(lines), MAX_TABLE_LENGTH, "lines", separator="\n", start="- ")))
    return "\n\n".join(filter(None, blocks))


def format_heading(environment: str) -> str:
    """Returns the heading of a comment.

    CI finds the comment that it wrote before by the first line, which is hidden, and updates the comment.
    """
    name, folder = re.sub(r"[^\w-]", "", environment), shown_folder()
    # A hash, because no two projects of a repository may have the same line.
    mark = f" {hashlib.sha256(folder.encode(errors='surrogatepass')).hexdigest()[:12]}" if folder else ""
    project = f"{inline_code(folder)}, " if folder else ""
    return f"<!-- msgrun plan: {name}{mark} -->\n## msgrun plan: {project}environment {inline_code(environment)}"


def format_other_environments(names: Iterable[str]) -> list[str]:
    """Returns a line that names the environments that a plan does not cover; empty if there are none."""
    text = ", ".join(map(inline_code, names))
    return (
        [shorten_line(f"This is the plan of one environment. Each of these has its own: {text}", _MAX_LINE)]
        if text
        else []
    )


def format_problem(item: Problem, *, show_values: bool) -> str:
    """Returns a problem as an item of a list."""
    recipient = f" ({reveal_or_mask(item.recipient, show_values=show_values)})" if item.recipient else ""
    place = inline_code(str(item.place))
    message = inline_text(item.message + recipient, show_values=show_values)
    text = f"{message} ({inline_code(item.code)}){format_hint(item.hint)}"
    return f"- {place} {item.severity}: {text}"


def format_step(step: NextStep) -> str:
    """Returns a step as an item of a list."""
    commands = " or ".join(inline_code(command, _MAX_COMMAND) for command in step.commands)
    return f"- {escape_text(step.purpose)}{': ' if commands else ''}{commands}"


def inline_text(text: AnyText, *, show_values: bool) -> str:
    """Returns a text for the middle of a line, with values masked unless `show_values`."""
    return escape_text(reveal_or_mask(text, show_values=show_values))


def format_hint(hint: str) -> str:
    """Returns a hint on a line of its own, below what it is about; empty if there is none."""
    return f"<br>→ {escape_text(hint)}" if hint else ""


def _format_delivery(item: ReportedDelivery, *, show_values: bool) -> str:
    record = item.record
    detail = f": {inline_text(item.detail, show_values=show_values)}" if item.detail else ""
    code = f" {inline_code(record.code)}" if record.code else ""
    request = f" (request {inline_code(record.request_id)})" if record.request_id else ""
    return (
        f"{inline_code(record.message)} {inline_code(record.to)}, key {inline_code(record.key[:12])}"
        f"{code}{detail}{request}"
    )
