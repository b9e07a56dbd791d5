"""Prints results to stdout and everything else to stderr. Masks recipients' values unless the output is a terminal."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TextIO

import click

from runner.cli.options import GlobalOptions, current_options
from runner.cli.terminal import LIVE_LINE, LiveLine, has_unicode, is_file, is_terminal
from runner.errors import Cancelled, MsgrunError, Problem
from runner.privacy import mark_private_values, reveal_or_mask
from runner.report import problem_text
from runner.report.terminal_text import defuse_commands, defuse_old_commands, one_line, style, to_json_text, to_terminal

_MAX_WARNINGS = 2_000  # in a log, where a small file may have hundreds of thousands
_ASCII_SIGNS = {ord("·"): "-", ord("…"): "..."}  # for an encoding that may lack them


class Output(NamedTuple):
    """Prints the output of a command.

    `show_values` reveals recipients' values. `colour` is forced on or off; None lets click decide. `in_ci`: a CI system
    reads the output, also from a terminal, as `script` makes one. `width` is in columns; 0 means no limit: stdout is
    no terminal, and COLUMNS is not set. `can_redraw`: a line on stderr can be drawn over.
    """

    show_values: bool
    colour: bool | None
    quiet: bool
    verbose: bool
    is_interactive: bool
    output_format: str
    path_prefix: str
    environment: str
    in_ci: bool
    width: int
    can_redraw: bool
    printed_notes: set[str]
    repeated_warnings: list[str]

    @classmethod
    def from_options(cls, options: GlobalOptions, environ: Mapping[str, str]) -> "Output":
        """Returns the output for these options, these environment variables and this process's standard streams."""
        in_ci = bool(environ.get("CI"))
        colour = None
        if options.no_color or environ.get("NO_COLOR"):
            colour = False
        elif environ.get("FORCE_COLOR"):
            colour = True
        elif environ.get("TERM") == "dumb":
            colour = False
        return cls(
            show_values=options.show_values or (is_terminal(sys.stdout) and is_terminal(sys.stderr) and not in_ci),
            colour=colour,
            quiet=options.quiet,
            verbose=options.verbose,
            is_interactive=is_terminal(sys.stdin) and is_terminal(sys.stderr) and not in_ci,
            output_format=options.output_format,
            path_prefix=options.path_prefix,
            environment=options.environment or "default",
            in_ci=in_ci,
            width=shutil.get_terminal_size((0, 0)).columns if is_terminal(sys.stdout) or environ.get("COLUMNS") else 0,
            can_redraw=is_terminal(sys.stderr) and not in_ci and environ.get("TERM") not in {"dumb", "unknown"},
            printed_notes=set(),
            repeated_warnings=[],
        )

    @property
    def width_for_reading(self) -> int:
        """The width of the terminal if a person reads it; 0 for a pipe, file or CI system, which gets whole lines."""
        return self.width if is_terminal(sys.stdout) and not self.in_ci else 0

    def result(self, text: str) -> None:
        """Prints a result to stdout. If the reader has closed the pipe, the command keeps its own exit code."""
        self._print_result(self._clean(text, sys.stdout))

    def sentence(self, text: str) -> None:
        """Prints a result that is prose: a terminal gets it wrapped."""
        self.result(self._wrap(text))

    def document(self, text: str) -> None:
        """Prints JSON, or a part or lines of it, to stdout."""
        self._print_result(to_json_text(text, sys.stdout.encoding if sys.stdout else "utf-8"))

    def annotations(self, text: str) -> None:
        """Prints GitHub's annotations to stdout. They are the only commands to a CI system that this program prints."""
        self._print_result(defuse_old_commands(to_terminal(text, colour=False)))

    def _print_result(self, text: str) -> None:
        try:
            with self._above_progress():
                click.echo(text, color=True)
        except BrokenPipeError:
            # Without this, Python prints an error when it flushes stdout at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _clean(self, text: str, stream: TextIO | None) -> str:
        """Returns a text as the stream gets it: a terminal with colours, a CI system's log without commands."""
        colour = is_terminal(stream) if self.colour is None else self.colour
        cleaned = to_terminal(text, colour=colour)
        if stream and not has_unicode(stream):
            cleaned = cleaned.translate(_ASCII_SIGNS)
        if not self.in_ci and (is_terminal(stream) or is_file(stream)):
            return cleaned
        is_document = stream is sys.stdout and self.output_format != "text" and is_file(stream)
        return cleaned if is_document else defuse_commands(cleaned)

    def message(self, text: str) -> None:
        """Prints prose to stderr: a terminal gets it wrapped."""
        self.error(self._wrap(text))

    def note(self, text: str, hint: str = "") -> None:
        """Prints a note and its hint to stderr, each text once. Prints nothing with --quiet."""
        if not (self.quiet or text in self.printed_notes):
            self.printed_notes.add(text)
            self._print_with_hint(text, hint)

    def _print_with_hint(self, text: str, hint: str) -> None:
        for line in filter(None, (text, hint and f"  hint: {hint}")):
            self.message(one_line(line))

    def _wrap(self, line: str) -> str:
        from runner.report.layout import wrap_lines  # noqa: PLC0415  # saves 3 ms where nothing is wrapped

        return wrap_lines(line, self.width)

    def note_masking(self) -> None:
        """Says once on stderr how recipients' values are shown, where they are masked in a text that a person reads.

        A pipe to a pager or a search is not a terminal. In CI the note would be noise in every log.
        """
        if not (self.show_values or self.in_ci) and self.output_format == "text":
            self.note("Recipients are masked; --show-values shows them.")

    def error(self, text: str, *, nl: bool = True) -> None:
        """Prints to stderr. Without `nl`, the line goes on, as with the answer to a question."""
        with self._above_progress():
            click.echo(self._clean(text, sys.stderr), err=True, nl=nl, color=True)

    def progress(self, text: str) -> None:
        """Shows the progress on stderr: in place of the last one on a terminal, else on a line of its own.

        On a terminal, the text must be shorter than a line.
        """
        line = self._clean(one_line(text), sys.stderr)
        if live_line := self._live_line():
            live_line.draw(line)
            return
        # A broken pipe must not end a run between a response and its outcome.
        with contextlib.suppress(OSError):
            click.echo(line, err=True, color=True)

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Shows on a terminal what the command waits for, as long as it does."""
        if self.can_redraw and not self.quiet:
            self.progress(text)
        try:
            yield
        finally:
            self.clear_progress()

    def clear_progress(self) -> None:
        """Takes the progress off the terminal."""
        if live_line := self._live_line():
            live_line.clear()

    def _above_progress(self) -> contextlib.AbstractContextManager[None]:
        """Returns a context that takes the progress off the terminal, and draws it again at its end."""
        live_line = self._live_line()
        return live_line.hidden() if live_line else contextlib.nullcontext()

    def _live_line(self) -> LiveLine | None:
        """Returns the line of progress; None if stderr cannot be drawn over."""
        return LIVE_LINE if self.can_redraw else None

    def urgent(self, text: str) -> None:
        """Prints to stderr from a signal handler: at once, without Python's buffer, which may be in use."""
        # On a terminal the echo of Ctrl-C, ^C, stands on the line already.
        start = "\r\033[J" if self.can_redraw else "\n" if is_terminal(sys.stderr) else ""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            data = f"{start}{self._clean(text, sys.stderr)}\n"
            os.write(sys.stderr.fileno(), data.encode(sys.stderr.encoding or "utf-8", "replace"))

    def failure(self, error: MsgrunError) -> None:
        """Prints an error and its hint to stderr. Prints it to stdout too if that is Markdown or GitHub annotations."""
        if self.output_format == "markdown":
            from runner.report import markdown_results  # noqa: PLC0415  # saves 10 ms in every other format

            text = markdown_results.format_failure(
                error.message, error.hint, self.environment, show_values=self.show_values
            )
            self.result(text)
        elif self.output_format == "github":
            from runner.report import github_annotations  # noqa: PLC0415  # saves 1 ms in every other format

            self.annotations(github_annotations.format_failure(error, show_values=self.show_values))
        message = reveal_or_mask(error.message, show_values=self.show_values)
        head = "" if isinstance(error, Cancelled) else f"{style('error', 'red', 'bold')}: "
        self._print_with_hint(f"{head}{message}", error.hint)

    def warnings(self, problems: Iterable[Problem]) -> None:
        """Prints problems that do not stop the command. Prints them to stderr if stdout is for a program."""
        if self.output_format == "text":
            self.problems(problems)
            return
        for problem in _cut_warnings(self, sorted(problems, key=_place_of)):
            self.error(problem_text.format_problem(_mask(self, problem), show_values=self.show_values))

    def problems(self, problems: Iterable[Problem]) -> None:
        """Prints problems to stdout, in the order of their places. A log gets the first 2,000 warnings."""
        ordered = sorted(problems, key=_place_of)
        shown = ordered if self.output_format in {"json", "sarif"} else _cut_warnings(self, ordered)
        _print_problems(self, [_mask(self, problem) for problem in shown])


def _cut_warnings(output: Output, problems: list[Problem]) -> list[Problem]:
    """Returns all errors and the first warnings, and notes how many warnings are left out."""
    warnings = [problem for problem in problems if not problem.is_error]
    if len(warnings) <= _MAX_WARNINGS:
        return problems
    left = set(map(id, warnings[_MAX_WARNINGS:]))
    output.note(f"{len(left):,} more warnings are not printed; --format json of validate and lint has all")
    return [problem for problem in problems if id(problem) not in left]


def _mask(output: Output, problem: Problem) -> Problem:
    return problem if output.show_values else _mask_addresses(problem)


def _place_of(problem: Problem) -> Any:
    return problem.place.sort_key


def _print_problems(output: Output, ordered: Sequence[Problem]) -> None:
    """Prints problems in the form that the output has."""
    if output.output_format == "json":
        from runner.report import json_output  # noqa: PLC0415  # saves 22 ms in every other format

        output.document(json_output.format_problems(ordered, show_values=output.show_values))
    elif output.output_format == "sarif":
        from runner.report import sarif  # noqa: PLC0415  # saves 2 ms in every other format

        output.document(sarif.format_sarif(ordered, show_values=output.show_values, path_prefix=output.path_prefix))
    elif output.output_format == "github":
        from runner.report import github_annotations  # noqa: PLC0415  # saves 1 ms in every other format

        output.annotations(
            github_annotations.format_problems(ordered, show_values=output.show_values, path_prefix=output.path_prefix)
        )
    elif output.output_format == "markdown":
        from runner.report import markdown_results  # noqa: PLC0415  # saves 10 ms in every other format

        output.result(markdown_results.format_problems(ordered, output.environment, show_values=output.show_values))
    elif ordered:
        width = output.width_for_reading
        output.result(problem_text.format_problems(ordered, show_values=output.show_values, width=width))


def _mask_addresses(problem: Problem) -> Problem:
    """Returns the problem with email addresses in its message and path marked as private, as in a file's name."""
    if "@" not in f"{problem.message}{problem.place.path}":
        return problem
    path = reveal_or_mask(mark_private_values(problem.place.path, ()), show_values=False)
    message = mark_private_values(problem.message, ())
    return replace(problem, message=message, place=replace(problem.place, path=path))


def current_output() -> Output:
    """Returns the output of the running command."""
    return Output.from_options(current_options(), os.environ)
