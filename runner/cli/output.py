"""Where output goes: results to stdout, everything else to stderr; recipients' values masked off a terminal."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TextIO

import click

from runner.cli.options import GlobalOptions
from runner.errors import MsgrunError, Problem
from runner.privacy import mark_private_values, reveal_or_mask


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """Prints. `show` reveals recipients' values; `colour` is forced on or off, or None for click to decide."""

    show_values: bool
    colour: bool | None
    quiet: bool
    verbose: bool
    is_interactive: bool
    form: str = "text"
    path_prefix: str = ""
    environment: str = "default"
    printed_notes: set[str] = field(default_factory=set)

    @classmethod
    def from_options(cls, options: GlobalOptions, environ: Mapping[str, str]) -> "Output":
        """The screen for these options, this environment and whatever stdin, stdout and stderr are."""
        in_ci = bool(environ.get("CI"))
        colour = None
        if options.no_color or environ.get("NO_COLOR"):
            colour = False
        elif environ.get("FORCE_COLOR"):
            colour = True
        return cls(
            show_values=options.show_values or (is_terminal(sys.stdout) and is_terminal(sys.stderr) and not in_ci),
            colour=colour,
            quiet=options.quiet,
            verbose=options.verbose,
            is_interactive=is_terminal(sys.stdin) and is_terminal(sys.stderr) and not in_ci,
            form=options.form,
            path_prefix=options.path_prefix,
            environment=options.environment or "default",
        )

    @classmethod
    def of_last_command(cls) -> "Output":
        """The screen of the command that ran last: its error is told after click has closed its context."""
        return cls.from_options(_remembered[0] if _remembered else GlobalOptions(), os.environ)

    def result(self, text: str) -> None:
        """Prints a result to stdout. If nobody reads it any more, the command still ends with its own exit code."""
        try:
            click.echo(reveal_or_mask(text, show_values=self.show_values), color=self.colour)
        except BrokenPipeError:
            # Python would complain once more when it flushes at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def extra_result(self, text: str) -> None:
        """Prints a second result; to stderr where stdout is one document."""
        if self.form == "text":
            self.result(f"\n{text}")
        else:
            self.error(text)

    def note(self, text: str) -> None:
        """Tells something on the side, once, unless told to be quiet."""
        if not self.quiet and text not in self.printed_notes:
            self.printed_notes.add(text)
            self.error(text)

    def error(self, text: str) -> None:
        """Prints to stderr."""
        click.echo(reveal_or_mask(text, show_values=self.show_values), err=True, color=self.colour)

    def failure(self, error: MsgrunError) -> None:
        """Tells why the command ended, and the way out; also where a comment or annotations are looked at."""
        if self.form == "markdown":
            from runner.report import markdown_results  # noqa: PLC0415  # imported where used

            self.result(
                markdown_results.failure(error.message, error.hint, self.environment, show_values=self.show_values)
            )
        elif self.form == "github":
            from runner.report import github_annotations  # noqa: PLC0415  # imported where used

            self.result(github_annotations.failure(error, show_values=self.show_values))
        self.error(f"{click.style('error', fg='red', bold=True)}: {error.message}")
        if error.hint:
            self.error(f"  hint: {error.hint}")

    def warnings(self, found: Iterable[Problem]) -> None:
        """Prints problems that stop nothing; to stderr where stdout is for a machine."""
        if self.form == "text":
            self.problems(found)
            return
        from runner.report import problem_text  # noqa: PLC0415  # imported where used

        for problem in sorted(found, key=lambda problem: problem.place.sort_key):
            self.error(problem_text.problem(self._masked(problem), show_values=self.show_values))

    def problems(self, found: Iterable[Problem]) -> None:
        """Prints problems to stdout, in the order of their places."""
        ordered = [self._masked(problem) for problem in sorted(found, key=lambda problem: problem.place.sort_key)]
        if self.form == "json":
            from runner.report import json_output  # noqa: PLC0415  # imported where used

            self.result(json_output.problems(ordered, show_values=self.show_values))
        elif self.form == "sarif":
            from runner.report import sarif  # noqa: PLC0415  # imported where used

            self.result(sarif.document(ordered, show_values=self.show_values, path_prefix=self.path_prefix))
        elif self.form == "github":
            from runner.report import github_annotations  # noqa: PLC0415  # imported where used

            self.result(
                github_annotations.problems(ordered, show_values=self.show_values, path_prefix=self.path_prefix)
            )
        elif self.form == "markdown":
            from runner.report import markdown_results  # noqa: PLC0415  # imported where used

            self.result(markdown_results.problems(ordered, self.environment, show_values=self.show_values))
        else:
            from runner.report import problem_text  # noqa: PLC0415  # imported where used

            for problem in ordered:
                self.result(problem_text.problem(problem, show_values=self.show_values))

    def _masked(self, problem: Problem) -> Problem:
        """The problem without an address that stands where none should: as a key, a column, a file's name."""
        if self.show_values or "@" not in problem.message + problem.place.path:
            return problem
        place = replace(problem.place, path=mark_private_values(problem.place.path, ()))
        return replace(problem, message=mark_private_values(problem.message, ()), place=place)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits at a standard stream; a daemon may have none at all."""
    return stream is not None and stream.isatty()


_remembered: list[GlobalOptions] = []


def remember_options(options: GlobalOptions) -> None:
    """Keeps the options for what is printed after click has closed its context."""
    _remembered[:] = [options]
