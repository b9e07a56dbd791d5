"""The command validate: checks declarations, templates and audiences, without ledger and network."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, format_option
from runner.cli.problem_summary import print_summary
from runner.cli.validation import validate_project
from runner.report import problem_text


@command("validate")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "github", "sarif")
def validate(paths: tuple[str, ...], form: str) -> int:
    """Check declarations, templates and audiences, offline.

    PATHS are files or folders below messages/; without any, all are checked.
    """
    with open_context() as context:
        reader = context.project_reader(paths)
        result = validate_project(reader, context.settings.salt, context.now, context.options.jobs)
        if result.problems or form in {"json", "sarif"}:
            context.output.problems(result.problems)
        if form == "text":
            messages, recipients = (
                problem_text.pluralize(result.message_count, "message"),
                problem_text.pluralize(result.recipient_count, "recipient"),
            )
            print_summary(context.output, result.problems, f"{messages} to {recipients}")
        return EXIT.problems if any(problem.is_error for problem in result.problems) else EXIT.done
