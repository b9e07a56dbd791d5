"""The command validate: checks declarations, templates and audiences, without ledger and network."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, format_option
from runner.cli.problem_summary import print_summary
from runner.cli.suggestions import suggest_files
from runner.cli.validation import ValidationResult, validate_project
from runner.report import problem_text


@command("validate")
@click.argument("paths", nargs=-1, shell_complete=suggest_files)
@format_option("text", "json", "github", "sarif")
@click.option("--fix", is_flag=True, help="Fix what has only one possible fix, show the changes, and write the files.")
def validate(paths: tuple[str, ...], output_format: str, fix: bool) -> int:
    """Check declarations, templates and audiences, offline.

    PATHS are files or folders below messages/; without any, all are checked.
    """
    with open_context() as context:

        def check() -> ValidationResult:
            reader = context.project_reader(paths)
            return validate_project(reader, context.settings.salt, context.now, context.options.jobs)

        if fix:
            from runner.cli.fixing import fix_problems  # noqa: PLC0415  # saves 1 ms without --fix

            fix_problems(context.tree.root, context.output, lambda: check().problems)
        result = check()
        has_errors = any(problem.is_error for problem in result.problems)
        if result.problems or output_format in {"json", "sarif"}:
            context.output.problems(result.problems)
        if output_format == "text":
            counts = (result.message_count, result.recipient_count, result.unread_count)
            checked = problem_text.format_checked(*counts, result.problems)
            print_summary(context.output, result.problems, checked)
        return EXIT.problems if has_errors else EXIT.done
