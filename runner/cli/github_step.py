"""Writes the results of a plan or an apply to the files of a GitHub step, and a comment's text to a file of its own.

A workflow's step has two files. GITHUB_STEP_SUMMARY takes Markdown that GitHub shows with the workflow's run.
GITHUB_OUTPUT takes values for later steps. Other commands of the step write to them too, so this only appends.
Source: GitHub's documentation of workflow commands, "Environment files".
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from runner.atomic_write import write_atomically
from runner.cli.context import Context
from runner.cli.options import EXIT, GlobalOptions
from runner.cli.output import Output
from runner.compare.declared_fields import FieldChange
from runner.deliver.summary import Summary
from runner.errors import MsgrunError, ProblemsFound
from runner.plan.plan import Plan
from runner.report import comparison_text, markdown_plan, markdown_results
from runner.report.next_steps import NextStep
from runner.report.review import Review
from runner.report.terminal_text import to_terminal

_MAX_SUMMARY = 1024 * 1024  # bytes; GitHub drops the whole summary if it is larger
_EXIT_CODES = {
    EXIT.refused: "Exit code 3: some deliveries were refused.",
    EXIT.unknown: "Exit code 4: whether some deliveries arrived is unknown.",
    EXIT.guard: "Exit code 5: a guard stopped the run.",
    EXIT.ledger: "Exit code 6: the ledger could not be written.",
    EXIT.later: "Exit code 75: the rest waits for another run.",
}
_MAX_CHARACTER = 4  # bytes that a character takes in UTF-8 at most


@dataclass(slots=True)
class StepResults:
    """Results of the running command. The files are written at its end, when click has closed its context.

    `comment_path` is the file of --comment. `guard_changes` come first where there is no plan to begin with them.
    """

    plan: Plan | None = None
    comment: str = ""
    comment_path: Path | None = None
    guard_changes: Sequence[FieldChange] = ()
    unknown: int = 0
    plan_blocks: list[str] = field(default_factory=list)
    run_blocks: list[str] = field(default_factory=list)


def step_results_of(options: GlobalOptions) -> StepResults:
    """Returns the results of the command with these options, to add to them."""
    if not isinstance(options.step_results, StepResults):
        options.step_results = StepResults()
    return options.step_results


def keep_plan(context: Context, review: Review) -> None:
    """Keeps a plan until the end of the command, when it is written to the step's files."""
    results = step_results_of(context.options)
    results.plan = review.plan
    if results.comment_path:
        # Also on a terminal, where addresses are shown: the file is for the pull request.
        results.comment = markdown_plan.format_plan(review, show_values=context.options.show_values)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):  # now, not at the end: the limit on a render's time is active now
        limit = _free_characters(Path(path)) - markdown_results.MAX_COMMENT_LENGTH
        results.plan_blocks = (
            [markdown_plan.format_plan(review, show_values=context.output.show_values, limit=limit)]
            if limit > markdown_results.MAX_COMMENT_LENGTH
            else []
        )


@contextlib.contextmanager
def show_guard_changes_on_failure(context: Context, changes: Sequence[FieldChange]) -> Iterator[None]:
    """Shows the changed settings that guard the sending also if no plan is made: no error may hide them."""
    step_results_of(context.options).guard_changes = changes
    try:
        yield
    except MsgrunError:
        for line in comparison_text.describe_guard_changes(changes):
            context.output.note(line)
        raise


def add_run_summary(
    context: Context, summary: Summary, steps: Sequence[NextStep] = (), *, unknown_before: int = 0
) -> None:
    """Keeps a run's summary, with what to do next, until the end of the command, when it is written to the files.

    `unknown_before` is the number of deliveries that earlier runs left unknown.

    Outcomes that the ledger did not take are unknown to every other machine, so they count as such.
    """
    results = step_results_of(context.options)
    results.unknown += len({item.record.key for item in summary.unknown} | {item.key for item in summary.unwritten})
    results.run_blocks.append(
        markdown_results.format_summary(
            summary, show_values=context.output.show_values, steps=steps, unknown_before=unknown_before
        )
    )


def write_step_files(
    options: GlobalOptions, code: int, error: BaseException | None, environ: Mapping[str, str]
) -> None:
    """Appends the kept results and the error to the files of GitHub's step, and writes the comment, if there are any.

    Called at the end of a plan or an apply. A file that cannot be written is reported on stderr. The exit code does not
    change, because the command's work is done.
    """
    output, results = Output.from_options(options, environ), step_results_of(options)
    try:
        if results.comment_path:
            is_alone = not results.comment
            failure_text = _format_error(error, output, results, alone=is_alone, show_values=options.show_values)
            blocks = [results.comment, failure_text]
            text = to_terminal("\n\n".join(filter(None, blocks)), colour=False)
            write_atomically(results.comment_path, [f"{text.rstrip()}\n".encode()])
        if path := environ.get("GITHUB_OUTPUT"):
            _append(Path(path), "".join(f"{name}={value}\n" for name, value in _output_values(results, code).items()))
        if path := environ.get("GITHUB_STEP_SUMMARY"):
            is_alone = not (results.plan_blocks or results.run_blocks)
            # The result first: the plan may be long.
            blocks = [
                *results.run_blocks,
                _EXIT_CODES.get(code, "") if results.run_blocks else "",
                _format_error(error, output, results, alone=is_alone, show_values=output.show_values),
                "What it had planned, before it sent:" if results.run_blocks and results.plan_blocks else "",
                *results.plan_blocks,
            ]
            text = "\n\n".join(filter(None, blocks))
            _append(Path(path), f"{text}\n" if text and len(text) < _free_characters(Path(path)) else "")
    except OSError as failure:
        with contextlib.suppress(OSError):  # stderr may be a file on the same full disk
            output.error(f"the comment or GitHub's files of this step cannot be written: {failure.strerror}")


def _output_values(results: StepResults, code: int) -> dict[str, str]:
    """Returns the values for later steps, each on one line. Without a plan all but the exit code are empty."""
    plan = results.plan
    if plan is None:
        return {"has_changes": "", "recipients": "", "digest": "", "unknown": "", "stale": "", "exitcode": str(code)}
    return {
        "has_changes": "true" if plan.to_send else "false",
        "recipients": str(plan.to_send),
        "digest": plan.digest,
        "unknown": str(plan.counts["unknown"] + results.unknown),
        "stale": "true" if plan.is_stale else "false",
        "exitcode": str(code),
    }


def _free_characters(path: Path) -> int:
    """Returns how many characters still fit into a step's summary, whatever their width. 1000 are kept in reserve."""
    return (_MAX_SUMMARY - (path.stat().st_size if path.exists() else 0)) // _MAX_CHARACTER - 1000


def _format_error(
    error: BaseException | None, output: Output, results: StepResults, *, alone: bool, show_values: bool
) -> str:
    """Returns the error that ended the command, as Markdown; empty if there is none.

    `alone` says that no plan comes before it. Then the changed guards do.
    """
    caution = comparison_text.format_caution(results.guard_changes) if alone else ()
    match error:
        case ProblemsFound():
            return markdown_results.format_problems(
                error.problems, output.environment, show_values=show_values, caution=caution
            )
        case MsgrunError() if alone:
            return markdown_results.format_failure(
                error.message, error.hint, output.environment, show_values=show_values, caution=caution
            )
        case MsgrunError():
            return markdown_results.format_stop_notice(error.message, error.hint, show_values=show_values)
        case Exception() if alone and not isinstance(error, click.ClickException):
            message = "no plan could be made, by a bug in msgrun: an older comment says nothing of this commit"
            hint = "the log of the job has more"
            return markdown_results.format_failure(
                message, hint, output.environment, show_values=show_values, caution=caution
            )
        case _:
            return ""


def _append(path: Path, text: str) -> None:
    """Appends text to a file. Starts a new line if another command left the last one without an end."""
    if not text:
        return
    with path.open("a+b") as handle:
        if handle.tell() or handle.seek(0, os.SEEK_END):
            handle.seek(-1, os.SEEK_END)
            text = text if handle.read(1) == b"\n" else f"\n{text}"
        handle.write(text.encode())
