"""The command apply: sends the plan, or a canary first, and reports the outcomes."""

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli import plan_files, planning, run_report
from runner.cli.context import Context, open_context
from runner.cli.ledger import open_ledger, refuse_lockfile, save_remote, warn_of_same_workspace
from runner.cli.next_steps import after_second_signal
from runner.cli.options import EXIT, Duration, command, writes_ledger
from runner.cli.other_runs import OtherRunsSummary, find_other_runs, wait_for_other_runs
from runner.cli.pauses import find_hold_reader, find_pause
from runner.declare.audience.workspace_contacts import find_workspace_contacts
from runner.declare.project import Project
from runner.deliver.summary import StopReason, Summary
from runner.errors import Cancelled, GuardRefused, LedgerUnavailable, RunStopped
from runner.ledger.ledger import Ledger, SharedLedger, pin_workspace
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.privacy import reveal_or_mask
from runner.report import run_text
from runner.report.first_sample import list_beginnings
from runner.report.plan_words import format_file_problems
from runner.report.review import Review
from runner.shown_command import shown_command

if TYPE_CHECKING:
    from runner.cli.connection import Connection

_ONLY_CANARY = "Only the canary was sent."


@command("apply")
@click.argument("paths", nargs=-1)
@click.option(
    "--plan", "plan_path", type=click.Path(path_type=Path), metavar="FILE", help="Send only what plan --out saved."
)
@planning.shared_plan_options
@click.option("--canary", type=click.IntRange(1), metavar="N", help="Send N, stop, and ask before the rest.")
@click.option("--deadline", type=Duration(), metavar="TIME", help="Stop cleanly after this long, e.g. 20m.")
@click.option("--log-file", type=click.Path(path_type=Path), metavar="FILE", help="Add claims and outcomes as JSON.")
@click.option("--lockfile-in-ci", is_flag=True, help="Allow a lockfile in CI, because the disk of this job is kept.")
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
) -> int:
    """Send what is planned, each at most once.

    Before each request a claim is written to the ledger, and after it the outcome. So nothing is sent twice.

    PATHS are files or folders below messages/; without any, everything is sent.
    """
    until = None if deadline is None else time.monotonic() + deadline
    planning.set_malloc_threshold()

    def check_in_child(context: Context) -> None:
        planning.check_plan(context, plan_files.load_agreed_project(context, paths, plan_path)[0])

    with open_context(check_in_child=check_in_child) as context:
        # Before the ledger is opened: a mistake in a file is reported without the network.
        project, saved = plan_files.load_agreed_project(context, paths, plan_path)
        if os.environ.get("CI") and not lockfile_in_ci:
            refuse_lockfile(context)
        if any(find_workspace_contacts(declaration.audience) for declaration in project.declarations):
            from runner.cli.audiences import read_planned_audiences  # noqa: PLC0415  # requests takes 130 ms

            project = read_planned_audiences(context, project, saved, paths)
        with open_ledger(context, "apply") as ledger:
            workspace = context.settings.workspace or context.header_of(ledger.facts).workspace
            plan_files.require_same_workspace(context, saved, workspace)
            options = plan_files.apply_options(
                context, replace(plan_options, saved_plan=saved), paths, plan_files.load_plan_file(context)
            )
            return _Apply(context, project, ledger, options, canary, until, log_file).run()


@dataclass(frozen=True, slots=True)
class _Apply:
    """One apply of a project with an open ledger. `deadline` is a time of the monotonic clock."""

    context: Context
    project: Project
    ledger: Ledger
    plan_options: PlanOptions
    canary: int | None
    deadline: float | None
    log_file: Path | None

    def run(self) -> int:
        """Plans, sends and reports. Returns the exit code. Raises GuardRefused, LedgerUnavailable, RunStopped."""
        context, ledger = self.context, self.ledger
        plan, warnings = planning.plan_project(context, self.project, ledger.facts, self.plan_options)
        if self.canary:
            plan = replace(plan, guards=tuple(guard.with_canary(self.canary) for guard in plan.guards))
        notes = plan_files.undeclared_recipient_notes(plan)
        review = planning.build_review(context, plan, warnings, notes)
        saved = self.plan_options.saved_plan
        planning.print_plan(context, review, f"apply --plan {saved.path}" if saved else "apply")
        if plan.guards:
            return EXIT.unknown if plan.counts["unknown"] else EXIT.guard
        summary = Summary()
        if plan.to_send:
            try:
                summary, plan = self._send(review)
            except (GuardRefused, LedgerUnavailable, RunStopped) as error:
                if not plan.unsettled:
                    raise
                context.output.failure(error)
                if not context.options.may_have_sent:
                    context.output.error("Nothing was sent.")
                return EXIT.unknown
        else:
            run_report.report_nothing_to_do(context, ledger, plan)
        # If one of these is set, it decides the exit code, whatever other runs do: waiting for them is of no use.
        is_final = summary.stop or summary.unknown or plan.unsettled
        others = OtherRunsSummary(unknown=plan.being_sent)
        if isinstance(ledger, SharedLedger) and summary.claimed_by_others and not is_final:
            others = wait_for_other_runs(context.output, ledger, plan, self.deadline, find_hold_reader(context))
        return run_report.find_exit_code(summary, plan, ledger.facts, others)

    def _send(self, review: Review) -> tuple[Summary, Plan]:
        """Checks the recipients, asks, sends the plan of a review or its canary and what follows it, and reports.

        Returns the summary, and the plan as it was checked. Raises GuardRefused, LedgerUnavailable, RunStopped.
        """
        from runner.cli.connection import connect_for  # noqa: PLC0415  # requests takes 130 ms, which a run without anything to send saves

        context, plan = self.context, review.plan
        if reason := find_pause(context, is_urgent=plan.is_urgent):
            return self._put_off(plan, reason), plan
        if not context.options.yes:
            context.require_terminal()
        with connect_for(context, plan) as connection:
            id_code = connection.verify_workspace(context.header_of(self.ledger.facts).workspace)
            if not context.options.sandbox:
                plan_files.require_same_workspace(context, self.plan_options.saved_plan, id_code)
            plan = connection.look_up_senders(plan, self.plan_options.saved_plan)
            planning.refuse_guarded(context, plan)
            checked = self._check(connection, plan)
            if isinstance(checked, StopReason):
                return self._put_off(plan, checked), plan
            planning.print_check(context, plan := checked)
            if not (plan.to_send or plan.to_refuse):
                run_report.report_nothing_to_do(context, self.ledger, plan)
                return Summary(), plan
            if plan.to_send and not context.options.yes:
                self._confirm(replace(review, plan=plan), id_code)
            pin_workspace(self.ledger, id_code)
            save_remote(context)
            if self.canary is not None and self.canary < plan.to_send:
                return self._send_canary(connection, plan, self.canary), plan
            summary = self._deliver(connection, plan)
            self._report(plan, summary)
            return summary, plan

    def _check(self, connection: "Connection", plan: Plan) -> Plan | StopReason:
        """Returns the plan with its recipients checked, or why the run ends before its first claim.

        Raises GuardRefused if the check found a guard, RunStopped.
        """
        from runner.cli.recipient_check import check_before_sending  # noqa: PLC0415  # requests takes 130 ms

        checked = check_before_sending(connection, plan, self.ledger.facts, self.deadline)
        if isinstance(checked, Plan):
            planning.refuse_guarded(self.context, checked)
        return checked

    def _deliver(self, connection: "Connection", plan: Plan) -> Summary:
        go_on = after_second_signal(self.context, plan)
        return connection.deliver(plan, self.ledger, self.log_file, self.deadline, go_on)

    def _report(self, plan: Plan, summary: Summary, canary: int | None = None) -> None:
        run_report.report_run(self.context, self.ledger, self.project, plan, summary, canary)

    def _put_off(self, plan: Plan, reason: StopReason) -> Summary:
        """Reports a run that ended before its first claim. Returns its summary."""
        summary = Summary(planned=plan.to_send, stop=reason)
        self._report(plan, summary)
        return summary

    def _confirm(self, review: Review, id_code: str) -> None:
        """Asks whether a plan, or its canary, is sent, and repeats the warnings. Raises Cancelled."""
        plan, show_values = review.plan, self.context.output.show_values
        sends = plan.send_counts()
        warnings = [
            f"{name}: {problem}"
            for name, problems in format_file_problems(review, show_values=show_values).items()
            if sends[name]
            for problem in problems
        ]
        warnings = [reveal_or_mask(notice, show_values=show_values) for notice in review.notices] + warnings
        warnings += self.context.output.repeated_warnings
        if plan.being_sent:
            others = find_other_runs(self.context, self.ledger.facts)
            attempts = [one for state in self.ledger.facts.states_with("unknown") for one in state.open_attempts]
            by = others.describe(filter(others.is_live, attempts))
            warnings.append(f"{plan.being_sent:,} are being sent by {by}, which may be about to send the others too")
        if not self.context.options.sandbox:
            warnings += warn_of_same_workspace(
                self.context, id_code, {name for name, number in sends.items() if number}
            )
        warnings += [*plan.warnings(), *plan_files.undeclared_recipient_notes(plan)]
        count = plan.to_send if self.canary is None else min(self.canary, plan.to_send)
        beginnings = list_beginnings(review, show_values=show_values)
        text = run_text.format_question(
            replace(plan, limit=count), id_code, warnings, plan.to_send, beginnings, show_values=show_values
        )
        self.context.output.message(text)
        question = "Send?" if count == plan.to_send else "Send the canary?"
        self.context.confirm(question, count, "Nothing was sent.")

    def _send_canary(self, connection: "Connection", plan: Plan, canary: int) -> Summary:
        """Sends the canary, and the rest if the user confirms. Returns the summary of what was sent.

        Without a terminal, or if not every delivery of the canary was sent, it leaves the rest to another run.
        """
        context = self.context
        summary = self._deliver(connection, replace(plan, limit=canary))
        if summary.stop or summary.sent < canary:
            self._report(plan, summary, canary)
            return summary
        run_report.report_canary(context, self.ledger, self.project, summary)
        remaining = plan.to_send - summary.sent
        if not context.output.is_interactive:
            run_report.report_rest(context, plan, remaining)
            return summary
        if reason := _confirm_rest(context, remaining):
            summary.stop = reason
            context.output.error(str(reason.message))
            run_report.report_rest(context, plan, remaining)
            return summary
        self.ledger.refresh()
        limit = None if plan.limit is None else plan.limit - summary.sent
        rest, _ = planning.plan_project(
            context, self.project, self.ledger.facts, replace(self.plan_options, limit=limit)
        )
        if rest.digest != plan.digest or rest.guards:
            raise GuardRefused("what is declared changed since the canary", "run the command again")
        rest = replace(rest, sender_ids=plan.sender_ids)
        checked = self._check(connection, rest)
        if isinstance(checked, StopReason):
            whole = Summary(planned=rest.to_send, stop=checked)
        else:
            whole = self._deliver(connection, rest := checked)
        whole.planned += summary.planned
        whole.sent += summary.sent
        self._report(rest, whole)
        return whole


def _confirm_rest(context: Context, remaining: int) -> StopReason | None:
    """Asks whether the rest is sent after a canary. Returns why not; None if it is."""
    look = f"Look at the canary in Intercom before you send to the other {remaining:,}."
    if context.options.sandbox:
        command = shown_command("sandbox", sandbox=False)
        look = f"Look at the canary before you send to the other {remaining:,}. In another terminal:\n  {command}"
    context.output.message(f"\n{look}")
    try:
        context.ask_to_confirm("Send the rest?", remaining, _ONLY_CANARY)
    except Cancelled as error:
        return StopReason("guard", error.message)
    except KeyboardInterrupt:
        context.output.error("")  # Ctrl-C leaves the cursor behind the question
        return StopReason("signal", f"Interrupted by Ctrl-C. {_ONLY_CANARY}", signal=signal.SIGINT)
    return None
