"""The command plan: shows what would be sent, and writes it to the plan file or to a saved plan."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from runner.cli import plan_files, planning
from runner.cli.against import compare_with_base, list_other_environments, open_base
from runner.cli.context import Context, open_context
from runner.cli.github_step import show_guard_changes_on_failure, step_results_of
from runner.cli.next_steps import (
    find_contacts,
    note_other_clones,
    release_messages,
    same_command,
    settle_unknown,
)
from runner.cli.options import EXIT, command, current_options, format_option
from runner.cli.other_runs import find_other_runs
from runner.cli.planned_ledger import PlannedLedger, describe_ledger, plan_with_ledger, read_planned_ledger
from runner.current_work import CURRENT_WORK
from runner.declare.hold_file import read_hold
from runner.declare.project import Project
from runner.errors import GuardRefused, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.record import CONTACT_NOT_FOUND
from runner.plan.guards import Guard
from runner.plan.message_planner import PlanOptions
from runner.plan.partial_plan import SAMPLE_SIZE
from runner.plan.plan import Plan
from runner.plan.plan_file import PlanFile, PlanFileChange
from runner.report import plain_text
from runner.report.next_steps import NextStep
from runner.report.plan_recipients import list_recipients
from runner.report.problem_text import pluralize
from runner.report.terminal_text import style
from runner.shown_command import shown_command, shown_path


@command("plan")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "markdown", "github")
@click.option("--against", metavar="REF", help="Also show what changes against a git ref, e.g. origin/main.")
@click.option("--all", "show_all", is_flag=True, help="Also show messages with nothing to send or to decide.")
@click.option("--recipients", "list_all", is_flag=True, help="List every recipient first, a line each.")
@click.option("--online", is_flag=True, help="Also ask Intercom: the workspace, who sends, and the recipients.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is something to send.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for apply --plan.")
@click.option(
    "--comment",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the plan as Markdown, for the comment of a pull request.",
)
@click.option("--write", is_flag=True, help="Write the plan file (messages.plan), to be reviewed and committed.")
@click.option("--check", is_flag=True, help="Exit with 2 if the plan file is out of date.")
@planning.shared_plan_options
def plan(
    paths: tuple[str, ...], against: str | None, plan_options: PlanOptions, out: Path | None, comment: Path | None,
    *, show_all: bool, list_all: bool, online: bool, detailed_exitcode: bool, write: bool, check: bool,
) -> int:  # fmt: skip
    """Show what apply would send.

    Works offline and without a token. With --online and a token, it reads audiences in the workspace, and looks up
    senders and recipients. It lists whom Intercom cannot reach, with the reason. --out saves the result of that, too.

    PATHS are files or folders below messages/; without any, everything is planned.
    """
    _require_compatible(plan_options, out, write=write, check=check, list_all=list_all)
    planning.set_malloc_threshold()
    _set_comment_path(comment)
    with (
        open_context(against or "") as context,
        open_base(context, against) as base,
        show_guard_changes_on_failure(context, base.guard_changes if base else ()),
    ):
        _refuse_wrong_path(context, out)
        read_audiences = _make_audience_reader(context, online=online)
        project = read_audiences(context.load_valid_project(paths))
        ledger = read_planned_ledger(context, base)
        file = plan_files.load_plan_file(context, ignore_contents=write and context.is_full_selection(paths))
        options = plan_files.apply_options(context, plan_options, paths, file)
        # These two compare the plan with the file themselves. Without them, a difference is a guard of the plan.
        options = replace(options, plan_file=None) if write or check else options
        project_plan, warnings = plan_with_ledger(context, project, ledger, options)
        project_plan = _ask_intercom(context, project_plan, ledger.facts) if online else project_plan
        entries = plan_files.list_plan_entries(project_plan)
        changes = file.changes(entries, is_full_selection=not options.paths) if check else []
        notes = [*_note_ledger(context, project_plan, ledger), *plain_text.format_plan_file_change_lines(file, changes)]
        review = planning.build_review(context, project_plan, warnings, notes)
        if base:
            comparison = compare_with_base(context, base, review, ledger.facts, project, paths, read_audiences)
            review = replace(review, comparison=comparison, other_environments=list_other_environments(context))
        is_stopped = project_plan.guards or ledger.facts.duplicates()
        only_warnings = (write or check) and not (base or is_stopped)
        send = _find_send_step(context, project_plan, paths, out, is_check=write or check)
        steps = _list_steps(context, project_plan, paths, ledger, send, is_listed=list_all)
        _print_recipients(context, project_plan if list_all else None)
        planning.print_plan(context, review, "plan", steps, show_all=show_all, only_warnings=only_warnings)
        _write_outputs(context, project_plan, options.paths, file, changes if check else None, out, is_written=write)
        is_change = changes or (detailed_exitcode and (project_plan.to_send or project_plan.unread))
        return EXIT.guard if is_stopped else EXIT.changes if is_change else EXIT.done


def _set_comment_path(comment: Path | None) -> None:
    """Notes where the comment of a pull request is written at the end of the command."""
    if comment:
        options = current_options()
        step_results_of(options).comment_path = plan_files.find_comment_path(options.start_folder, comment)


def _note_ledger(context: Context, plan: Plan, ledger: PlannedLedger) -> list[str]:
    """Prints the notes about the ledger, and what other clones may have sent. Returns what the reviewer has to know."""
    notes = describe_ledger(context, ledger)
    if plan.to_send:
        note_other_clones(context)
    for note in notes:
        context.output.note(note)
    return notes + plain_text.format_duplicates(ledger.facts)


def _find_send_step(
    context: Context, plan: Plan, paths: Sequence[str], out: Path | None, *, is_check: bool
) -> NextStep | None:
    """Returns the step that sends what is planned. None where no step is offered: for a check, or a guard."""
    # In CI another job sends, after an approval.
    is_offered = context.output.is_interactive or (out and not context.output.in_ci)
    if is_check or not is_offered or plan.guards or plan.being_sent or not plan.to_send:
        return None
    options = ["--plan", str(out)] if out else [*paths, *_limit_option(plan)]
    number = pluralize(plan.to_send, "message")
    hold = read_hold(context.tree.root)
    purpose = f"Once the file {hold.file} is removed, send {number}" if hold else f"Send {number}"
    return NextStep(purpose, (shown_command("apply", *options),))


def _limit_option(plan: Plan) -> list[str]:
    return [] if plan.limit is None else ["--limit", str(plan.limit)]


def _list_steps(
    context: Context, plan: Plan, paths: Sequence[str], ledger: PlannedLedger, send: NextStep | None, *, is_listed: bool
) -> list[NextStep]:
    """Returns how to settle what is unknown, whom Intercom does not have, and how to send."""
    facts, names = ledger.facts, {message.name for message in plan.messages}
    runs = find_other_runs(context, facts)
    attempts = [attempt for state in facts.states_with("unknown") for attempt in state.open_attempts]
    steps = settle_unknown(
        context, facts, (one for one in attempts if one.message in names or (not paths and runs.is_live(one)))
    )
    if missing := sum(message.deliveries.count_code(CONTACT_NOT_FOUND) for message in plan.messages):
        steps.append(NextStep(f"{find_contacts(missing)}, and plan again", (same_command(context),)))
    if not plan.to_send:
        return [*steps, *release_messages(context, plan)]
    if not send:
        return steps
    largest = max(plan.messages, key=lambda message: message.counts["send"])
    if (number := largest.counts["send"]) > SAMPLE_SIZE and not is_listed:
        path = shown_path(largest.declaration.document.source.path)
        command = shown_command("plan", path, "--recipients", *_limit_option(plan))
        steps.append(NextStep(f"See all {number:,} recipients of {largest.name}", (command,)))
    begin = NextStep("Start the ledger, if nothing was sent before", (context.ledger.begin_command,))
    return [*steps, *([] if ledger.exists or context.options.sandbox else [begin]), send]


def _write_outputs(
    context: Context, plan: Plan, paths: Sequence[str], file: PlanFile, changes: Sequence[PlanFileChange] | None,
    out: Path | None, *, is_written: bool,
) -> None:  # fmt: skip
    """Writes messages.plan, prints the changes that it lacks, and saves the plan to `out`, each if it was asked for."""
    if is_written:
        plan_files.write_plan_file(context, plan, file, is_full_selection=not paths)
    if changes is not None:
        plan_files.print_plan_file_changes(context, file, changes)
    if out:
        plan_files.save_plan(context, plan, paths, out)


def _print_recipients(context: Context, plan: Plan | None) -> None:
    """Prints each recipient of each message of a plan, below the message's name."""
    if plan:
        context.output.note_masking()  # before the rows: in a pipe, stderr comes when it likes
    salt, show_values, sends = context.settings.salt, context.output.show_values, plan.send_counts() if plan else {}
    for message in plan.messages if plan else ():
        with CURRENT_WORK.on_file(message.declaration.document.source.path):
            context.output.result(style(message.name, "bold"))
            for line in list_recipients(message, sends[message.name], salt, show_values=show_values):
                with CURRENT_WORK.waiting():  # for the reader of a pipe, perhaps
                    context.output.result(f"  {line}")
            context.output.result("")


def _require_compatible(
    plan_options: PlanOptions, out: Path | None, *, write: bool, check: bool, list_all: bool
) -> None:
    """Raises UsageMistake if options exclude each other."""
    if list_all and current_options().output_format != "text":
        raise UsageMistake("--recipients is for --format text", "leave one of them out")
    if write and check:
        raise UsageMistake("--write and --check exclude each other")
    if out and plan_options.limit:
        raise UsageMistake(
            "--limit cannot be combined with --out", "save the whole plan, and pass --limit to apply --plan"
        )


def _refuse_wrong_path(context: Context, out: Path | None) -> None:
    """Refuses a file for a saved plan that cannot be there: before the work of the plan, not after it."""
    if out:
        plan_files.find_saved_plan_path(context, out)


def _make_audience_reader(context: Context, *, online: bool) -> Callable[[Project], Project]:
    """Returns a function that reads those audiences of a project that are in the workspace, if `online`."""
    if not online:
        return lambda project: project
    from runner.cli.audiences import AudienceReader  # noqa: PLC0415  # requests takes 130 ms, which a plan without --online saves

    return AudienceReader(context).read


def _ask_intercom(context: Context, plan: Plan, facts: Facts) -> Plan:
    """Returns the plan with its senders and contacts, and with the guards that stop apply once Intercom is asked."""
    from runner.cli.connection import connect_for  # noqa: PLC0415  # requests takes 130 ms, which a plan without --online saves
    from runner.cli.recipient_check import check_recipients  # noqa: PLC0415  # likewise

    with connect_for(context, plan) as connection:
        try:
            connection.verify_workspace(plan.workspace)
        except GuardRefused as error:
            return replace(plan, guards=(*plan.guards, Guard("workspace", str(error.message), error.hint)))
        return check_recipients(connection, connection.look_up_senders(plan, None), facts)
