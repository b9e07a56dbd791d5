"""Prints a plan, for the commands plan and apply."""

from collections.abc import Sequence

from runner.cli.context import Context
from runner.cli.github_step import keep_plan
from runner.cli.notices import current_notices
from runner.cli.output import Output
from runner.declare.sample import Sample, render_sample
from runner.errors import GuardRefused, Problem
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan
from runner.privacy import reveal_or_mask
from runner.report import comparison_text, github_annotations, json_output, markdown_plan, plan_text
from runner.report.layout import wrap_lines
from runner.report.plan_text import PlanView
from runner.report.review import Review
from runner.report.terminal_text import defuse_commands

_MAX_SEARCHED = 1000  # deliveries that are searched for the first one to send


def build_review(context: Context, plan: Plan, warnings: Sequence[Problem], notes: Sequence[str] = ()) -> Review:
    """Returns what a review of a plan shows, except a comparison: the plan, warnings, notes and samples."""
    salt = context.settings.salt

    def render_message_sample(message: PlannedMessage) -> Sample | None:
        return render_sample(message.declaration, salt, _sample_key(message))

    notices = current_notices(context)
    return Review(plan, warnings, notes, render_message_sample, sandbox=context.options.sandbox, notices=notices)


def print_plan(
    context: Context, review: Review, command: str, *, show_all: bool = False, only_warnings: bool = False
) -> None:
    """Prints a plan in the form that --format names, and keeps it for the files of GitHub's step.

    `only_warnings`: the text is left out, because the result is about the plan file. `command` is the one that prints
    it, as "plan". `show_all`: the text also has the messages that need nothing. Warnings about the project's files are
    printed separately for the forms that do not contain them (text, json). The form github is annotations, and the text
    below them.
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
            output.result(defuse_commands(_format_text(review, output, command, show_all=show_all)))
        case _ if not only_warnings:
            output.result(_format_text(review, output, command, show_all=show_all))


def print_check(context: Context, plan: Plan) -> None:
    """Prints what the check of the recipients found, if anything."""
    output = context.output
    if text := plan_text.format_check(plan, PlanView("apply", output.width, output.show_values)):
        output.result(f"\n{text}")


def _format_text(review: Review, output: Output, command: str, *, show_all: bool) -> str:
    """Returns a plan as text, after the comparison if there is one."""
    view = PlanView(command, output.width, output.show_values, show_all=show_all, show_bodies=output.verbose)
    text = plan_text.format_plan(review, view)
    if not review.comparison:
        return text
    changes = comparison_text.format_comparison(
        review.comparison, show_values=output.show_values, except_warnings=frozenset(review.plan.warnings())
    )
    return f"{wrap_lines(changes, output.width)}\n\n{text}"


def _sample_key(message: PlannedMessage) -> str:
    """Returns the key of the delivery to show as a sample: the first to send; empty if the first 1000 have none."""
    keys = (
        delivery.key
        for delivery, _ in zip(message.deliveries, range(_MAX_SEARCHED), strict=False)
        if delivery.action == "send"
    )
    return next(keys, "")


def refuse_guarded(context: Context, plan: Plan) -> None:
    """Raises GuardRefused if a plan has guards, and prints all but the last of them."""
    errors = [GuardRefused(guard.message, guard.hint) for guard in plan.guards]
    for error in errors[:-1]:
        context.output.failure(error)
    if errors:
        raise errors[-1]
