"""The command validate: checks the files alone, offline."""

import click

from runner.cli.context import session
from runner.cli.options import EXIT, command, format_option


@command("validate")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "github", "sarif")
def validate(paths: tuple[str, ...], form: str) -> int:
    """Check declarations, templates and audiences, offline.

    PATHS are files or folders below messages/; without any, all are checked.
    """
    from runner.cli.validation import checked  # noqa: PLC0415  # imported where used

    with session() as here:
        found = checked(here.loading(paths), here.settings.salt, here.options.jobs)
        if found.problems or form in {"json", "sarif"}:
            here.screen.problems(found.problems)
        if form == "text":
            from runner.report import problem_text as told  # noqa: PLC0415  # imported where used

            messages, recipients = told.counted(found.messages, "message"), told.counted(found.recipients, "recipient")
            here.screen.result(f"{messages} to {recipients}: {told.tally(found.problems)}")
        return EXIT.problems if any(problem.is_error for problem in found.problems) else EXIT.done
