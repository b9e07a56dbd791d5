"""What plan and apply show of a plan."""

from collections.abc import Sequence

from runner.cli.context import Context
from runner.cli.github_step import keep_plan
from runner.declare.sample import Sample, render_sample
from runner.errors import Problem
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan
from runner.report import comparison_text, github_annotations, json_output, markdown_plan, plain_text
from runner.report.markdown_plan import Review

_LOOKED_AT = 1000  # deliveries among which the first to send is looked for


def build_review(context: Context, made: Plan, warnings: Sequence[Problem], notes: Sequence[str] = ()) -> Review:
    """A plan with all that its review shows, but for a comparison."""
    salt = context.settings.salt

    def sampled(message: PlannedMessage) -> Sample | None:
        return render_sample(message.declaration, salt, _typical(message))

    return Review(made, warnings, notes, sampled, sandbox=context.options.sandbox)


def print_plan(context: Context, seen: Review, form: str) -> None:
    """Prints a plan in one of the forms; warnings of the files beside it where it does not hold them."""
    screen, found = context.output, seen.comparison
    keep_plan(context, seen)
    if form in {"text", "json"}:
        screen.warnings(seen.warnings)
    match form:
        case "json":
            for part in json_output.plan(
                seen.plan, changes=comparison_text.to_dict(found, show_values=screen.show_values) if found else None
            ):
                screen.result(part)
        case "markdown":
            screen.result(markdown_plan.plan(seen, show_values=screen.show_values).rstrip("\n"))
        case "github":
            worries = [*(comparison_text.guard_changes(found) if found else ()), *seen.extra_warnings()]
            screen.result(
                github_annotations.plan(
                    seen.plan, seen.warnings, worries, show_values=screen.show_values, path_prefix=screen.path_prefix
                )
            )
        case _:
            if found:
                screen.result(f"{comparison_text.text(found, show_values=screen.show_values)}\n")
            screen.result(plain_text.plan(seen.plan))


def _typical(message: PlannedMessage) -> str:
    """The key of the delivery to show: the first to send, if it is not far down."""
    keys = (
        delivery.key
        for delivery, _ in zip(message.deliveries, range(_LOOKED_AT), strict=False)
        if delivery.action == "send"
    )
    return next(keys, "")
