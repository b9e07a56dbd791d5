"""The command lint: what is valid and still wrong for the people who get it."""

import click

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command, format_option
from runner.cli.output import Output
from runner.declare.project import Project
from runner.declare.recipient_problems import check_recipients
from runner.declare.schema import did_you_mean
from runner.declare.settings import version_number
from runner.errors import Problem, UsageMistake
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter, Policy
from runner.lint.rules import RULES, Rule

_CONVERSATIONS_SINCE = (2, 6)


@command("lint")
@click.argument("paths", nargs=-1)
@click.option("--select", metavar="CODES", multiple=True, help="Only these rules, separated by commas.")
@click.option("--ignore", metavar="CODES", multiple=True, help="Not these rules.")
@click.option("--explain", metavar="CODE", help="Explain a rule, with an example; all lists them.")
@format_option("text", "json", "github", "sarif")
def lint(
    paths: tuple[str, ...], select: tuple[str, ...], ignore: tuple[str, ...], explain: str | None, form: str
) -> int:
    """Find what is valid, and still wrong for who gets it.

    Links to localhost, "Hi None", tags that are not closed, and more: as written, and as rendered for every recipient.
    What validate finds comes first. Exits with 1 where a finding is an error. A comment in the YAML keeps a finding
    silent: # msgrun: ignore=CODE

    PATHS are files or folders below messages/; without any, all are linted.
    """
    if explain is not None:
        Output.of_last_command().result(_explained(explain))
        return EXIT.done
    with open_context() as context:
        project = context.load_project(paths)
        problems, count = _linted(project, _wanted(context, select, ignore))
        if problems or form in {"json", "sarif"}:
            context.output.problems(problems)
        if form == "text":
            from runner.report import problem_text as told  # noqa: PLC0415  # imported where used

            messages = told.pluralize(len(project.declarations), "message")
            context.output.result(
                f"{messages} to {told.pluralize(count, 'recipient')}: {told.severity_counts(problems)}"
            )
        return EXIT.problems if any(problem.is_error for problem in problems) else EXIT.done


def _linted(project: Project, wanted: frozenset[str]) -> tuple[list[Problem], int]:
    """What validate finds and, if no error is among that, the findings; and how many deliveries are sound."""
    settings = project.settings
    problems, findings = list(project.problems), Findings(wanted)
    policy = Policy(
        unsubscribe_above=settings.lint.unsubscribe_above,
        conversation_flag_allowed=version_number(settings.api_version) >= _CONVERSATIONS_SINCE,
    )
    count = 0
    for declaration in project.declarations:
        linted = MessageLinter(declaration, policy, findings)
        problems.extend(check_recipients(declaration, settings.salt, linted.check_delivery))
        linted.finish()
        count += linted.delivery_count
    for declaration in project.invalid_declarations:
        problems.extend(check_recipients(declaration, settings.salt, lambda _: None))
    if not any(problem.is_error for problem in problems):
        problems.extend(findings.to_problems())
    return problems, count


def _wanted(context: Context, select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    """The rules that count: those of the option, else of msgrun.yaml, else all; less what either ignores."""
    chosen = _codes("--select", select) or context.settings.lint.select or RULES
    return frozenset(chosen) - {*_codes("--ignore", ignore), *context.settings.lint.ignore}


def _codes(option: str, given: tuple[str, ...]) -> list[str]:
    codes = [code.strip() for text in given for code in text.split(",") if code.strip()]
    for code in codes:
        if code not in RULES:
            raise UsageMistake(f"{option} {code}: no rule is called that", _near(code))
    return codes


def _near(code: str) -> str:
    return did_you_mean(code, list(RULES)) or "msgrun lint --explain all lists the rules"


def _explained(code: str) -> str:
    if code == "all":
        width = max(map(len, RULES))
        return "\n".join(f"{rule.code:<{width}}  {rule.severity:<7}  {rule.title}" for rule in RULES.values())
    if code not in RULES:
        raise UsageMistake(f"no rule is called {code}", _near(code))
    return _page(RULES[code])


def _page(rule: Rule) -> str:
    examples = [
        f"{click.style(title, fg=colour)}\n" + "\n".join(f"  {line}" for line in example.split("\n"))
        for title, colour, example in (("Bad", "red", rule.bad_example), ("Good", "green", rule.good_example))
    ]
    head = f"{click.style(rule.code, bold=True)} ({rule.severity}): {rule.title}"
    silence = f"To keep a finding silent, write # msgrun: ignore={rule.code} at its line."
    return "\n\n".join([head, rule.reason, f"Fix: {rule.fix}", *examples, silence])
