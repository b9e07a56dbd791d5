"""Shared by plan and apply: their options, making the plan, and printing it."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from runner.cli.context import Context
from runner.cli.edited_files import name_edits
from runner.cli.github_step import keep_plan
from runner.cli.other_runs import find_other_runs
from runner.cli.pauses import current_notices
from runner.cli.progress import PlanningProgress
from runner.cli.worker_pool import create_worker_pool
from runner.declare.keys_and_digests import PLAN_DIGEST
from runner.declare.project import Project
from runner.declare.sample import Sample, render_sample
from runner.declare.settings import Settings
from runner.errors import GuardRefused, Problem, ProblemsFound, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.lock_address import LockfileAddress
from runner.plan.deliveries import PlannedMessage
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan, make_plan
from runner.privacy import reveal_or_mask
from runner.report import comparison_text, github_annotations, json_output, markdown_plan, plan_text
from runner.report.layout import wrap_lines
from runner.report.next_steps import NextStep
from runner.report.plan_text import PlanView
from runner.report.review import Review
from runner.report.terminal_text import defuse_commands

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>


def shared_plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that plan and apply share. The command gets them as one PlanOptions, `plan_options`."""

    @functools.wraps(function)
    def with_options(**kwargs: Any) -> Any:
        names = ("limit", "retry_refused", "allow_repeat", "allow_readdress", "expect", "confirm_recipients")
        plan_options = PlanOptions(**{name: kwargs.pop(name) for name in names})
        digest = plan_options.expect
        if digest is not None and not PLAN_DIGEST.fullmatch(digest):
            is_bare = PLAN_DIGEST.fullmatch(f"sha256:{digest}")
            hint = "write sha256: before it" if is_bare else "copy all that plan shows after the word digest"
            raise UsageMistake(f"--expect: {digest} is no digest, which is sha256: and 64 hex digits", hint)
        return function(plan_options=plan_options, **kwargs)

    for option in (
        click.option(
            "--allow-readdress",
            is_flag=True,
            help="Allow that a sent message now has e.g. emails in place of ids: a person may get it twice.",
        ),
        click.option(
            "--allow-repeat",
            is_flag=True,
            help="Send a text again that its recipients got as a message of another name.",
        ),
        click.option("--retry-refused", is_flag=True, help="Send again what Intercom refused."),
        click.option(
            "--confirm-recipients",
            type=click.IntRange(0),
            metavar="N",
            help="Refuse to send to more than N recipients.",
        ),
        click.option(
            "--expect", metavar="DIGEST", help="Refuse unless the plan has this digest, e.g. that of a review."
        ),
        click.option(
            "--limit", type=click.IntRange(1), metavar="N", help="Send the first N, and leave the rest for next time."
        ),
    ):
        with_options = option(with_options)
    return with_options


def set_malloc_threshold() -> None:
    """Makes glibc return freed blocks of 1 MiB or more to the system, whatever was freed before.

    By default glibc raises that size with every such block that is freed (mallopt(3), M_MMAP_THRESHOLD). A table that
    grew step by step would then leave freed memory of its own size in the process. Without glibc this does nothing.
    """
    import ctypes  # noqa: PLC0415  # saves 2 ms in accept and adopt

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


def check_plan(context: Context, project: Project) -> None:
    """Renders all deliveries of a project, as a plan does.

    Problems of recipients are left to the plan itself, which comes after the checks of the ledger.
    """
    pool = create_worker_pool(context.options.jobs)
    make_plan(project, Facts(), context.now, PlanOptions(), pool, PlanningProgress(context.output))


def plan_project(context: Context, project: Project, facts: Facts, options: PlanOptions) -> tuple[Plan, list[Problem]]:
    """Plans a project. Returns the plan and its warnings. Raises ProblemsFound if there is an error."""
    progress = PlanningProgress(context.output)
    pool = create_worker_pool(context.options.jobs)
    is_being_sent = find_other_runs(context, facts).is_sending
    options = replace(options, sandbox=context.options.sandbox, is_being_sent=is_being_sent)
    plan, recipient_problems = make_plan(project, facts, context.now, options, pool, progress)
    progress.clear()
    all_problems = [*project.problems, *recipient_problems]
    if any(problem.is_error for problem in all_problems):
        raise ProblemsFound(all_problems)
    return name_edits(context, plan, facts), all_problems


def build_review(context: Context, plan: Plan, warnings: Sequence[Problem], notes: Sequence[str] = ()) -> Review:
    """Returns what a review of a plan shows, except a comparison: the plan, warnings, notes and samples."""
    salt = context.settings.salt

    def render_message_sample(message: PlannedMessage) -> Sample | None:
        key = message.deliveries.first_key("send") if message.counts["send"] else ""
        return render_sample(message.declaration, salt, key)

    lint_errors = _find_lint_errors(plan, context.settings) if context.output.output_format == "text" else {}
    address = context.ledger.address
    return Review(
        plan,
        warnings,
        notes,
        render_message_sample,
        sandbox=context.options.sandbox,
        notices=current_notices(context),
        lint_errors=lint_errors,
        lockfile=address.path if isinstance(address, LockfileAddress) and not context.options.sandbox else "",
    )


def _find_lint_errors(plan: Plan, settings: Settings) -> dict[str, list[Problem]]:
    """Returns the errors that lint finds in one delivery of each text that a message sends, by the message's name."""
    if not plan.sendable:
        return {}
    from runner.lint.findings import Findings  # noqa: PLC0415  # saves 63 ms in a plan with nothing to send
    from runner.lint.linter import MessageLinter  # noqa: PLC0415  # likewise
    from runner.lint.rules import enabled_codes  # noqa: PLC0415  # likewise

    errors: dict[str, list[Problem]] = {}
    for message in plan.messages:
        if message.counts["send"]:
            findings = Findings(enabled_codes(settings.lint))
            linter = MessageLinter(message.declaration, settings, findings)
            for variant in message.variants.by_count():
                linter.check_delivery(variant.delivery)
            if of_message := [problem for problem in findings.to_problems() if problem.is_error]:
                errors[message.name] = sorted(of_message, key=lambda problem: problem.place.sort_key)
    return errors


def print_plan(
    context: Context, review: Review, command: str, steps: Sequence[NextStep] = (), *,
    show_all: bool = False, only_warnings: bool = False,
) -> None:  # fmt: skip
    """Prints a plan in the form that --format names, and keeps it for the files of GitHub's step.

    `only_warnings`: the text is left out, because the result is about the plan file. `command` is the one that prints
    it, as "plan". The text ends with the `steps`; with `show_all` it also has the messages that need nothing. Warnings
    about the project's files are printed separately for the forms that do not contain them (text, json). The form
    github is annotations, and the text below them.
    """
    output, comparison = context.output, review.comparison
    keep_plan(context, review)
    notices = [reveal_or_mask(notice, show_values=output.show_values) for notice in review.notices]
    if output.output_format in {"text", "json"}:
        output.warnings(review.warnings)
    match output.output_format:
        case "json":
            for part in json_output.format_plan(
                review.plan,
                notices=notices,
                changes=comparison_text.to_dict(comparison, show_values=output.show_values) if comparison else None,
            ):
                output.document(part)
        case "markdown":
            output.result(markdown_plan.format_plan(review, show_values=output.show_values).rstrip("\n"))
        case "github":
            guard_changes = comparison_text.describe_guard_changes(comparison.guard_changes) if comparison else []
            warnings = [*guard_changes, *notices, *review.extra_warnings()]
            output.annotations(
                github_annotations.format_plan(
                    review.plan,
                    review.warnings,
                    warnings,
                    show_values=output.show_values,
                    path_prefix=output.path_prefix,
                )
            )
            # Below the annotations the log has the plan itself, in which GitHub finds no command.
            output.result(defuse_commands(_format_text(context, review, command, steps, show_all=show_all)))
        case _ if not only_warnings:
            output.result(_format_text(context, review, command, steps, show_all=show_all))


def print_check(context: Context, plan: Plan) -> None:
    """Prints what the check of the recipients found, if anything."""
    output = context.output
    if text := plan_text.format_check(plan, PlanView("apply", output.width, output.show_values, context.now)):
        output.result(f"\n{text}")


def _format_text(context: Context, review: Review, command: str, steps: Sequence[NextStep], *, show_all: bool) -> str:
    """Returns a plan as text, after the comparison if there is one."""
    output = context.output
    width, show_values, show_bodies = output.width, output.show_values, output.verbose
    view = PlanView(command, width, show_values, context.now, show_all, show_bodies, steps)
    text = plan_text.format_plan(review, view)
    if not review.comparison:
        return text
    changes = comparison_text.format_comparison(
        review.comparison, show_values=output.show_values, except_warnings=frozenset(review.plan.warnings())
    )
    return f"{wrap_lines(changes, output.width)}\n\n{text}"


def refuse_guarded(context: Context, plan: Plan) -> None:
    """Raises GuardRefused if a plan has guards, and prints all but the last of them."""
    errors = [GuardRefused(guard.message, guard.hint) for guard in plan.guards]
    for error in errors[:-1]:
        context.output.failure(error)
    if errors:
        raise errors[-1]
