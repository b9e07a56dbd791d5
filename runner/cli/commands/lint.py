"""The command lint: finds mistakes in valid messages, as they are written and as recipients get them."""

from dataclasses import replace
from datetime import datetime

import click

from runner.cli.context import open_context
from runner.cli.options import command, format_option
from runner.cli.problem_summary import fix_and_report
from runner.current_work import CURRENT_WORK
from runner.declare.project import Project
from runner.declare.recipient_problems import find_recipient_problems
from runner.errors import Problem
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter
from runner.lint.rules import enabled_codes
from runner.report import problem_text


@command("lint")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "github", "sarif")
@click.option("--fix", is_flag=True, help="Fix what has only one possible fix, show the changes, and write the files.")
def lint(paths: tuple[str, ...], *, fix: bool) -> int:
    """Find mistakes in valid messages: bad links, broken HTML, "Hi None".

    Reads the text as written and as rendered for every recipient: links to localhost, "Hi None", tags that are not
    closed, and more. What validate finds comes first. Exits with 1 if a finding is an error.

    To silence a finding, add a comment to the YAML: # msgrun: ignore=CODE. lint: of msgrun.yaml chooses the rules.

    PATHS are files or folders below messages/; without any, all are linted.
    """
    with open_context() as opened:
        # The mark of redirect is not the author's: with it a subject may be too long.
        context = replace(opened, settings=opened.settings._replace(redirect=None))

        def check() -> tuple[list[Problem], str]:
            return _lint(context.load_project(paths), context.now)

        return fix_and_report(context.tree.root, context.output, check, "lint", fix=fix)


def _lint(project: Project, now: datetime) -> tuple[list[Problem], str]:
    """Returns the problems, and what was checked.

    The problems are those that validate finds, then the findings of the rules in each message that could be read.
    """
    settings = project.settings
    problems, findings = list(project.problems), Findings(enabled_codes(settings.lint))
    messages = recipients = unread = 0
    for declaration in project.declarations:
        with CURRENT_WORK.on_file(declaration.document.source.path):
            linter = MessageLinter(declaration, settings, findings)
            of_recipients = find_recipient_problems(declaration, settings.salt, linter.check_delivery)
            if declaration.audience.is_unread:
                linter.check_texts()
            linter.finish()
        problems.extend([*of_recipients, *filter(None, [declaration.find_expiry_problem(now)])])
        if not any(problem.is_error for problem in of_recipients):
            messages, recipients = messages + 1, recipients + linter.delivery_count
            unread += declaration.audience.is_unread
    for declaration in project.invalid_declarations:
        problems.extend(find_recipient_problems(declaration, settings.salt, lambda _: None))
    checked = problem_text.format_checked(messages, recipients, unread, problems)
    return [*problems, *findings.to_problems()], checked
