"""What GitHub's workflow gets of a plan or an apply, whatever else they print.

A workflow's step has two files: GITHUB_STEP_SUMMARY takes Markdown that GitHub shows with the run, GITHUB_OUTPUT takes
values for later steps. Other commands of the step write there too, so both are only ever added to.
Source: GitHub's documentation of workflow commands, "Environment files".
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.cli.context import Context
from runner.cli.output import Output
from runner.deliver.summary import Summary
from runner.errors import MsgrunError, ProblemsFound
from runner.plan.plan import Plan
from runner.report import markdown_plan, markdown_results
from runner.report.markdown_plan import Review

_SUMMARY = 1024 * 1024  # bytes; GitHub drops a larger one as a whole


_WIDEST = 4  # bytes that a character may take


@dataclass(slots=True)
class _Told:
    """What the running command has shown so far, kept for its end: by then click has closed its context."""

    plan: Plan | None = None
    unknown: int = 0
    blocks: list[str] = field(default_factory=list)


KEPT = _Told()


def keep_plan(context: Context, seen: Review) -> None:
    """Keeps a plan for the end of the command, when GitHub's workflow gets it."""
    KEPT.plan = seen.plan
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):  # at once: only now is a render bounded in time
        room = _room(Path(path)) - markdown_results.MAX_COMMENT_LENGTH
        KEPT.blocks = (
            [markdown_plan.plan(seen, show_values=context.output.show_values, limit=room)]
            if room > markdown_results.MAX_COMMENT_LENGTH
            else []
        )


def add_run_summary(context: Context, done: Summary) -> None:
    """Keeps what a run did for its end."""
    KEPT.unknown += len(done.unknown)
    KEPT.blocks.append(markdown_results.summary(done, show_values=context.output.show_values))


def write_step_files(code: int, error: BaseException | None, environ: Mapping[str, str]) -> None:
    """At the end of a plan or an apply: adds to the files of GitHub's step, if there are any.

    That they cannot be written changes nothing of what was done, and so nothing of the exit code.
    """
    screen, told = Output.of_last_command(), replace(KEPT)
    KEPT.plan, KEPT.unknown, KEPT.blocks = None, 0, []
    try:
        if path := environ.get("GITHUB_OUTPUT"):
            _append(Path(path), "".join(f"{name}={value}\n" for name, value in _outputs(told, code).items()))
        if path := environ.get("GITHUB_STEP_SUMMARY"):
            blocks = [*told.blocks, _explained(error, screen, alone=not told.blocks)]
            text = "\n\n".join(filter(None, blocks))
            _append(Path(path), f"{text}\n" if text and len(text) < _room(Path(path)) else "")
    except OSError as failed:
        with contextlib.suppress(OSError):  # stderr may be on the disk that is full
            screen.error(f"GitHub's files of this step cannot be written: {failed.strerror}")


def _outputs(told: _Told, code: int) -> dict[str, str]:
    """The values for later steps; empty where the command ended before it was known. Each is one line by its form."""
    planned = told.plan
    if planned is None:
        return {"has_changes": "", "recipients": "", "digest": "", "unknown": "", "exitcode": str(code)}
    return {
        "has_changes": "true" if planned.to_send else "false",
        "recipients": str(planned.to_send),
        "digest": planned.digest,
        "unknown": str(planned.counts["unknown"] + told.unknown),
        "exitcode": str(code),
    }


def _room(path: Path) -> int:
    """How many characters a step's summary still takes, however wide they are."""
    return (_SUMMARY - (path.stat().st_size if path.exists() else 0)) // _WIDEST - 1000


def _explained(error: BaseException | None, screen: Output, *, alone: bool) -> str:
    """Why there is no plan, or nothing came of it, as Markdown; empty for a bug, which stderr tells of."""
    match error:
        case ProblemsFound():
            return markdown_results.problems(error.problems, screen.environment, show_values=screen.show_values)
        case MsgrunError() if alone:
            return markdown_results.failure(
                error.message, error.hint, screen.environment, show_values=screen.show_values
            )
        case MsgrunError():
            return markdown_results.stop_notice(error.message, error.hint, show_values=screen.show_values)
        case _:
            return ""


def _append(path: Path, added: str) -> None:
    """Adds to a file on a line of its own, whatever another command left at its end."""
    if not added:
        return
    with path.open("a+b") as handle:
        if handle.tell() or handle.seek(0, os.SEEK_END):
            handle.seek(-1, os.SEEK_END)
            added = added if handle.read(1) == b"\n" else f"\n{added}"
        handle.write(added.encode())
