"""Shared by validate and lint: fixing what they find, printing it, and the last lines, with the number of problems."""

from collections.abc import Callable, Sequence
from pathlib import Path

from runner.cli.options import EXIT
from runner.cli.output import Output
from runner.errors import Problem
from runner.report.problem_text import format_severity_counts
from runner.report.terminal_text import style
from runner.shown_command import shown_command


def fix_and_report(
    root: Path, output: Output, check: Callable[[], tuple[Sequence[Problem], str]], command: str, *, fix: bool
) -> int:
    """Fixes what can be fixed if `fix`, and prints the problems that are left. Returns the exit code.

    `check` returns the problems of the project at `root`, and what was checked. `command` is the one that calls this.
    """
    if fix:
        from runner.cli.fixing import fix_problems  # noqa: PLC0415  # saves 1 ms without --fix

        fix_problems(root, output, lambda: check()[0])
    problems, checked = check()
    if problems or output.output_format in {"json", "sarif"}:
        output.problems(problems)
    if output.output_format == "text":
        print_summary(output, problems, command, checked)
    return EXIT.problems if any(problem.is_error for problem in problems) else EXIT.done


def print_summary(output: Output, problems: Sequence[Problem], fixing_command: str, checked: str = "") -> None:
    """Prints the number of problems by severity, and how to fix those that have only one possible fix.

    `fixing_command` is the one that fixes them. `checked` says what was checked, as "1 message to 2 recipients".
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
    codes = {problem.code for problem in problems}
    command = shown_command("explain", codes.pop() if len(codes) == 1 else "CODE")
    advice = f"{command} says what a problem means."
    if not problems:  # validate finds no doubtful address, for example
        advice = f"{shown_command('lint')} looks for mistakes in valid messages."
    if problems or fixing_command == "validate":
        output.result(wrap(style(advice, "dim"), width, indent="  "))
