"""The command apply: sends the plan, or a canary first, and reports the outcomes."""

import contextlib
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from runner.cli import github_step, plan_files, plan_output
from runner.cli.context import Context, open_context
from runner.cli.ledger import open_ledger
from runner.cli.options import EXIT, Duration, command, writes_ledger
from runner.cli.other_runs import OtherRunsSummary, wait_for_other_runs
from runner.cli.planning import plan_project, rehearse_plan, shared_plan_options
from runner.cli.process import set_malloc_threshold
from runner.declare.project import Project
from runner.deliver.summary import Summary
from runner.errors import GuardRefused, LedgerUnavailable, RunStopped
from runner.ledger.address import LockfileAddress
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, SharedLedger, pin_workspace
from runner.ledger.rescue_file import write_rescue_file
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.report import plain_text


@dataclass(frozen=True, slots=True)
class _ApplyOptions:
    """The options of one apply. `deadline` is a time of the monotonic clock."""

    plan_options: PlanOptions
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
@click.option("--lockfile-in-ci", is_flag=True, help="Send in CI with a lockfile: its disk outlives the job.")
@writes_ledger
def apply(
    paths: tuple[str, ...],
    plan_options: PlanOptions,
    plan_path: Path | None,
    canary: int | None,
    deadline: float | None,
    log_file: Path | None,
    *,
    lockfile_in_ci: bool,
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
    with open_context(rehearse=partial(rehearse_plan, paths=paths)) as context:
        # Before the ledger is opened: a mistake in a file is reported without the network.
        project = context.load_valid_project(paths)
        saved = plan_files.load_saved_plan(context, plan_path) if plan_path else None
        if os.environ.get("CI") and not lockfile_in_ci:
            _refuse_lockfile(context)
        with open_ledger(context, "apply", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            binding_options = plan_files.apply_options(
                context, replace(plan_options, saved_plan=saved), paths, plan_files.load_plan_file(context)
            )
            return _apply(context, project, ledger, _ApplyOptions(binding_options, yes, canary, until, log_file))


def _apply(context: Context, project: Project, ledger: Ledger, options: _ApplyOptions) -> int:
    """Plans, sends and reports. Returns the exit code. Raises GuardRefused, LedgerUnavailable, RunStopped."""
    plan, warnings = plan_project(context, project, ledger.facts, options.plan_options)
    notes = plan_files.undeclared_recipient_notes(plan)
    plan_output.print_plan(context, plan_output.build_review(context, plan, warnings, notes), "text", "apply")
    if plan.guards:
        return EXIT.unknown if plan.counts["unknown"] else EXIT.guard
    if not plan.to_send:
        context.output.result("nothing to do")
        return _exit_code(Summary(), plan, ledger.facts, OtherRunsSummary())
    try:
        summary = _send(context, plan, ledger, project, options)
    except (GuardRefused, LedgerUnavailable, RunStopped) as error:
        if not plan.counts["unknown"]:
            raise
        context.output.failure(error)
        return EXIT.unknown
    if summary.planned:
        _report(context, ledger, summary)
    # If one of these is set, it decides the exit code, whatever other runs do: waiting for them is of no use.
    is_final = summary.stop or summary.unknown or plan.counts["unknown"]
    others = OtherRunsSummary()
    if isinstance(ledger, SharedLedger) and summary.claimed_by_others and not is_final:
        others = wait_for_other_runs(context.output, ledger, plan, options.deadline, context.stop_file.exists)
    return _exit_code(summary, plan, ledger.facts, others)


def _refuse_lockfile(context: Context) -> None:
    """Raises GuardRefused if the ledger is a lockfile: the disk of a CI job is lost with the job."""
    address, repository = context.ledger.address, context.ledger.repository
    if isinstance(address, LockfileAddress) and not context.options.sandbox:
        remote = next(reversed(repository.relevant_remotes() if repository else ()), "origin")
        raise GuardRefused(
            f"the ledger is the file {address.path}, and a CI job's disk is lost with the job, and so what was sent",
            f"move it to a branch of the git remote: {context.ledger.command} lock move git+{remote}; or, if the disk"
            " outlives the job: --lockfile-in-ci",
        )


def _send(context: Context, plan: Plan, ledger: Ledger, project: Project, options: "_ApplyOptions") -> Summary:
    """Sends a plan. With --canary sends the first deliveries, and the rest if the user confirms. Returns the summary.

    Raises GuardRefused, LedgerUnavailable, RunStopped.
    """
    from runner.cli.connection import connect  # noqa: PLC0415  # requests takes 130 ms, which a run without anything to send saves

    if not options.yes and not context.output.is_interactive:
        context.confirm("", yes=False)
    with connect(context) as connection:
        id_code = connection.verify_workspace()
        plan_files.require_same_workspace(context, options.plan_options, id_code)
        connection.require_admins({message.declaration.sender for message in plan.messages if message.counts["send"]})
        noun = "message" if plan.to_send == 1 else "messages"
        context.confirm(f"Send {plan.to_send:,} {noun} in workspace {id_code}?", yes=options.yes, count=plan.to_send)
        pin_workspace(ledger, id_code)
        is_canary = options.canary is not None and options.canary < plan.to_send
        summary = connection.deliver(
            replace(plan, limit=options.canary) if is_canary else plan, ledger, options.log_file, options.deadline
        )
        if not is_canary or summary.stop or summary.unknown or summary.refused or summary.still_not_found:
            return summary
        _report(context, ledger, summary)
        remaining = plan.to_send - summary.sent
        if not context.output.is_interactive:
            context.output.note(
                f"the canary is sent; look at it in Intercom, then send the other {remaining:,}: msgrun apply --yes"
            )
            return Summary()
        question = f"The canary is sent: look at it in Intercom. Send the other {remaining:,}?"
        context.confirm(
            question, yes=False, count=remaining, if_declined="the canary is sent and remembered, and nothing else"
        )
        ledger.refresh()
        limit = None if plan.limit is None else plan.limit - summary.sent
        second_plan, _ = plan_project(context, project, ledger.facts, replace(options.plan_options, limit=limit))
        if second_plan.digest != plan.digest or second_plan.guards:
            raise GuardRefused("what is declared changed since the canary", "run the command again to plan anew")
        return connection.deliver(second_plan, ledger, options.log_file, options.deadline)


def _report(context: Context, ledger: Ledger, result: Summary) -> None:
    """Writes outcomes that the ledger did not take to a rescue file, then prints the summary.

    The file comes first, because stdout may be a file on the same full disk.
    """
    lines = [f"the ledger did not take: {record.to_line().decode().rstrip()}" for record in result.unwritten]
    if result.unwritten:
        try:
            ledger_id = ledger.facts.headers.merged(context.settings.salt).ledger
            path = write_rescue_file(context.ledger, ledger_id, result.unwritten)
            lines.append(f"these lines are in {path}, which the next run picks up; keep it")
        except LedgerUnavailable as error:
            lines.append(f"nor can a rescue file be written ({error.message}): keep these lines for msgrun lock import")
    for print_text, text in (
        (context.output.result, plain_text.summary(result, show_values=context.output.show_values)),
        *((context.output.error, line) for line in lines),
    ):
        with contextlib.suppress(OSError):  # the summary is lost then; what was sent stays sent
            print_text(text)
    github_step.add_run_summary(context, result)


def _exit_code(summary: Summary, plan: Plan, facts: Facts, others: OtherRunsSummary) -> int:
    """Returns the exit code of an apply: the first one that applies, in the order of the table of exit codes."""
    stop = summary.stop.kind if summary.stop else ""
    if summary.stop and stop == "signal":
        return 128 + summary.stop.signal
    if summary.unknown or plan.counts["unknown"] or others.unknown:
        return EXIT.unknown
    rules = [
        (stop == "ledger", EXIT.ledger),
        (stop == "guard" or bool(facts.duplicates()), EXIT.guard),
        (stop == "error", EXIT.problems),
        (bool(summary.refused or summary.still_not_found), EXIT.refused),
        (stop == "later" or bool(others.sending or others.free), EXIT.later),
    ]
    return next((code for applies, code in rules if applies), EXIT.done)
