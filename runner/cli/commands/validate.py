"""The command validate: checks the files alone, offline."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, format_option


@command("validate")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "github", "sarif")
def validate(paths: tuple[str, ...], form: str) -> int:
    """Check declarations, templates and audiences, offline.

    PATHS are files or folders below messages/; without any, all are checked.
    """
    from runner.cli.validation import validate_project  # noqa: PLC0415  # imported where used

    with open_context() as context:
        found = validate_project(context.project_reader(paths), context.settings.salt, context.options.jobs)
        if found.problems or form in {"json", "sarif"}:
            context.output.problems(found.problems)
        if form == "text":
            from runner.report import problem_text as told  # noqa: PLC0415  # imported where used

            messages, recipients = (
                told.pluralize(found.message_count, "message"),
                told.pluralize(found.recipient_count, "recipient"),
            )
            context.output.result(f"{messages} to {recipients}: {told.severity_counts(found.problems)}")
        return EXIT.problems if any(problem.is_error for problem in found.problems) else EXIT.done
