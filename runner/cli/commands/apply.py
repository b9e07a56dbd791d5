"""apply: sends what is planned, or a canary first, and says what came of it."""

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from runner.cli import github_step, plan_files, plan_output
from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, Duration, command, writes_ledger
from runner.cli.other_runs import OtherRunsSummary, wait_for_other_runs
from runner.cli.planning import plan_project, shared_plan_options
from runner.cli.process import set_malloc_threshold
from runner.declare.project import Project
from runner.deliver.summary import Summary
from runner.errors import GuardRefused, LedgerUnavailable, RunStopped
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.opening import open_ledger
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.report import plain_text


@dataclass(frozen=True, slots=True)
class _How:
    """How apply goes about it. `deadline` is a time of the monotonic clock."""

    choices: PlanOptions
    yes: bool
    canary: int | None
    deadline: float | None
    log_file: Path | None


@command("apply")
@click.argument("paths", nargs=-1)
@click.option(
    "--plan", "plan_path", type=click.Path(path_type=Path), metavar="FILE", help="Send what a saved plan sends."
)
@shared_plan_options
@click.option("--canary", type=click.IntRange(1), metavar="N", help="Send N, stop, and ask before the rest.")
@click.option("--deadline", type=Duration(), metavar="TIME", help="Stop in order after so long, as 20m.")
@click.option("--log-file", type=click.Path(path_type=Path), metavar="FILE", help="Add a JSON line for every record.")
@writes_ledger
def apply(
    paths: tuple[str, ...],
    plan_options: PlanOptions,
    plan_path: Path | None,
    canary: int | None,
    deadline: float | None,
    log_file: Path | None,
    *,
    yes: bool,
    new_lock: bool,
    no_fetch: bool,
) -> int:
    """Send what is planned, each at most once.

    A delivery is claimed on disk, POSTed, and its outcome written down.

    PATHS are files or folders below messages/; without any, everything is sent.
    """
    until = None if deadline is None else time.monotonic() + deadline
    set_malloc_threshold()
    with open_context() as context:
        project = context.load_valid_project(
            paths
        )  # before the ledger: a mistake in a file needs no network to be told
        saved = plan_files.load_saved_plan(context, plan_path) if plan_path else None
        with open_ledger(context, "apply", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            agreed = plan_files.apply_options(
                context, replace(plan_options, saved_plan=saved), paths, plan_files.load_plan_file(context)
            )
            how = _How(agreed, yes, canary, until, log_file)
            made, warnings = plan_project(context, project, ledger.facts, agreed)
            plan_output.print_plan(
                context,
                plan_output.build_review(context, made, warnings, plan_files.undeclared_recipient_notes(made)),
                "text",
            )
            if made.guards:
                return EXIT.unknown if made.counts["unknown"] else EXIT.guard
            if not made.to_send:
                context.output.result("nothing to do")
                return _code(Summary(), made, ledger.facts, OtherRunsSummary())
            try:
                done = _sent(context, made, ledger, project, how)
            except (GuardRefused, LedgerUnavailable, RunStopped) as error:
                if not made.counts["unknown"]:
                    raise
                context.output.failure(error)
                return EXIT.unknown
            if done.planned:
                _tell(context, ledger, done)
            is_settled = done.stop or done.unknown or made.counts["unknown"]  # whatever the others do
            others = OtherRunsSummary()
            if done.claimed_by_others and not is_settled:
                others = wait_for_other_runs(context.output, ledger, made, until, context.stop_file.exists)
            return _code(done, made, ledger.facts, others)


def _sent(context: Context, made: Plan, ledger: Ledger, project: Project, how: "_How") -> Summary:
    """Sends a plan, or its canary first and then, if a person says so, the rest."""
    from runner.cli.connection import connect  # noqa: PLC0415  # requests is heavy

    if not how.yes and not context.output.is_interactive:
        context.confirm("", yes=False)
    with connect(context) as parts:
        id_code = parts.verify_workspace()
        plan_files.require_same_workspace(context, how.choices, id_code)
        parts.require_admins({message.declaration.sender for message in made.messages if message.counts["send"]})
        noun = "message" if made.to_send == 1 else "messages"
        context.confirm(f"Send {made.to_send:,} {noun} in workspace {id_code}?", yes=how.yes, count=made.to_send)
        ledger.pin(id_code)
        is_canary = how.canary is not None and how.canary < made.to_send
        done = parts.deliver(replace(made, limit=how.canary) if is_canary else made, ledger, how.log_file, how.deadline)
        if not is_canary or done.stop or done.unknown or done.refused or done.still_not_found:
            return done
        _tell(context, ledger, done)
        rest = made.to_send - done.sent
        if not context.output.is_interactive:
            context.output.note(
                f"the canary is sent; look at it in Intercom, then send the other {rest:,}: msgrun apply --yes"
            )
            return Summary()
        question = f"The canary is sent: look at it in Intercom. Send the other {rest:,}?"
        context.confirm(
            question, yes=False, count=rest, if_declined="the canary is sent and remembered, and nothing else"
        )
        ledger.refresh()
        limit = None if made.limit is None else made.limit - done.sent
        again, _ = plan_project(context, project, ledger.facts, replace(how.choices, limit=limit))
        if again.digest != made.digest or again.guards:
            raise GuardRefused("what is declared changed since the canary", "run the command again to plan anew")
        return parts.deliver(again, ledger, how.log_file, how.deadline)


def _tell(context: Context, ledger: Ledger, done: Summary) -> None:
    """Rescues what the ledger did not take, then tells of the run: its output may be on the disk that is full."""
    lines = [f"the ledger did not take: {record.to_line().decode().rstrip()}" for record in done.unwritten]
    if done.unwritten:
        try:
            lines.append(
                f"these lines are in {ledger.write_rescue_file(done.unwritten)}, which the next run picks up; keep it"
            )
        except LedgerUnavailable as error:
            lines.append(f"nor can a rescue file be written ({error.message}): keep these lines for msgrun lock import")
    for tell, words in (
        (context.output.result, plain_text.summary(done)),
        *((context.output.error, line) for line in lines),
    ):
        with contextlib.suppress(OSError):  # what cannot be printed changes nothing of what was sent
            tell(words)
    github_step.add_run_summary(context, done)


def _code(done: Summary, made: Plan, facts: Facts, others: OtherRunsSummary) -> int:
    """The exit code of an apply: the first that fits, from the top of the table."""
    stop = done.stop.kind if done.stop else ""
    if done.stop and stop == "signal":
        return 128 + done.stop.signal
    if done.unknown or made.counts["unknown"] or others.unknown:
        return EXIT.unknown
    rules = [
        (stop == "ledger", EXIT.ledger),
        (stop == "guard" or bool(facts.duplicates()), EXIT.guard),
        (stop == "error", EXIT.problems),
        (bool(done.refused or done.still_not_found), EXIT.refused),
        (stop == "later" or bool(others.sending or others.free), EXIT.later),
    ]
    return next((code for fits, code in rules if fits), EXIT.done)
