"""The last lines after problems: how many of each severity, and how to read more about them."""

from collections.abc import Sequence

from runner.cli.output import Output
from runner.errors import Problem
from runner.report.problem_text import format_severity_counts
from runner.report.terminal_text import style
from runner.shown_command import shown_command


def print_summary(
    output: Output, problems: Sequence[Problem], checked: str = "", *, fixing_command: str = "validate"
) -> None:
    """Prints the number of problems by severity, and how to fix those that have only one possible fix.

    `checked` says what was checked, as "1 message to 2 recipients".
    """
    head = f"{checked}: " if checked else ""
    fixable = sum(bool(problem.edits) for problem in problems)
    fix = f"; {shown_command(fixing_command, '--fix')} fixes {fixable:,} of them" if fixable else ""
    width = output.width_for_reading
    summary = f"{head}{format_severity_counts(problems)}{fix}"
    if not width:
        output.result(summary)
        return
    from runner.report.layout import wrap  # noqa: PLC0415  # saves 3 ms off a terminal

    output.result(wrap(summary, width, indent="  "))
    if problems:
        codes = {problem.code for problem in problems}
        command = shown_command("explain", codes.pop() if len(codes) == 1 else "CODE")
        output.result(wrap(style(f"{command} says what a problem means.", "dim"), width, indent="  "))
