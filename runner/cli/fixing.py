"""Fixes problems that have only one possible fix: shows the change, and writes the file.

A file keeps its line ends, its byte order mark, and every other byte. It is replaced at once. A link is not followed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from runner.atomic_write import write_atomically
from runner.cli.output import Output
from runner.errors import Edit, GuardRefused, Problem, RunStopped
from runner.managed_path import managed_path
from runner.privacy import reveal_or_mask_same_width
from runner.report import problem_text
from runner.report.terminal_text import one_line, style

_MAX_PASSES = 10  # a syntax error hides what comes after it
_MAX_FILE = 64 * 1024 * 1024  # bytes; a larger file is left as it is
_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def fix_problems(root: Path, output: Output, find_problems: Callable[[], Sequence[Problem]]) -> None:
    """Fixes what `find_problems` returns, until it returns nothing more that can be fixed.

    Prints each change, and the number of problems that were fixed. Raises RunStopped if a file cannot be written.
    """
    total, paths, changes = 0, set[str](), list[str]()
    left: Sequence[Problem] = ()
    for _ in range(_MAX_PASSES):
        by_path: defaultdict[str, list[Problem]] = defaultdict(list)
        left = find_problems()
        for problem in left:
            if problem.edits:
                by_path[problem.place.path].append(problem)
        progress = 0
        for path, problems in sorted(by_path.items()):
            fixed, change = _fix_file(root, path, problems, output)
            progress += fixed
            if fixed:
                paths.add(path)
                changes.append(change)
        if not progress:
            break
        total += progress
    if left and not total:
        _print(output, "Nothing was fixed: each of these has to be corrected by hand.\n")
    if total:
        problems_fixed = problem_text.pluralize(total, "problem")
        files = problem_text.pluralize(len(paths), "file")
        _print(output, "\n\n".join([*changes, f"Fixed {problems_fixed} in {files}.\n"]))


def _print(output: Output, text: str) -> None:
    """Prints to stdout, or to stderr if stdout is one document."""
    (output.result if output.output_format == "text" else output.error)(text)


def _fix_file(root: Path, path: str, problems: Iterable[Problem], output: Output) -> tuple[int, str]:
    """Writes the edits of a file's problems. Returns the number of fixed problems, and the changes as text."""
    target = _find_file(root, path, output)
    if target is None:
        return 0, ""
    try:
        data = target.read_bytes()
        mark = _BYTE_ORDER_MARK if data.startswith(_BYTE_ORDER_MARK) else b""
        text = data.removeprefix(mark).decode()
    except (OSError, UnicodeDecodeError):
        return 0, ""  # validate reports why it cannot be read
    lines = _LINE_END.split(text)
    chosen = _choose(lines, problems)
    edits = sorted({edit for problem in chosen for edit in problem.edits}, key=lambda edit: (edit.line, edit.column))
    if not edits:
        return 0, ""
    try:
        write_atomically(target, [mark, _apply(text, edits).encode()])
    except OSError as error:
        raise RunStopped(f"{path} cannot be written: {error.strerror}") from error
    return len(chosen), _format_changes(path, lines, edits, chosen, output)


def _find_file(root: Path, path: str, output: Output) -> Path | None:
    """Returns the file at a path below the root; None if it is outside, a link or too large, which a note says."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        output.note(f"not fixed: {path} is outside the project")
        return None
    try:
        target = managed_path(root, path)
    except GuardRefused as error:
        output.note(f"not fixed: {error.message}")
        return None
    if not target.is_file() or target.stat().st_size > _MAX_FILE:
        output.note(f"not fixed: {path} is larger than {_MAX_FILE >> 20} MiB, or not a file any more")
        return None
    return target


def _choose(lines: Sequence[str], problems: Iterable[Problem]) -> list[Problem]:
    """Returns the problems whose edits fit the text, and do not meet those of a problem before them."""
    chosen: list[Problem] = []
    taken: set[Edit] = set()
    for problem in problems:
        new = [edit for edit in problem.edits if edit not in taken]
        if all(_fits(lines, edit) for edit in new) and not any(_meet(edit, other) for edit in new for other in taken):
            taken.update(new)
            chosen.append(problem)
    return chosen


def _fits(lines: Sequence[str], edit: Edit) -> bool:
    return edit.line <= len(lines) and lines[edit.line - 1].startswith(edit.old, edit.column - 1)


def _meet(edit: Edit, other: Edit) -> bool:
    return (
        edit.line == other.line
        and edit.column < other.column + len(other.old)
        and other.column < edit.column + len(edit.old)
    )


def _apply(text: str, edits: Sequence[Edit]) -> str:
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    for edit in reversed(edits):
        start = starts[edit.line - 1] + edit.column - 1
        text = f"{text[:start]}{edit.new}{text[start + len(edit.old) :]}"
    return text


def _format_changes(
    path: str, lines: Sequence[str], edits: Sequence[Edit], problems: Iterable[Problem], output: Output
) -> str:
    """Returns the changed lines before and after, as a diff does. Recipients' values are masked as in problems."""
    excerpts = {problem.place.line: problem.excerpt for problem in problems}
    by_line: defaultdict[int, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_line[edit.line].append(edit)
    blocks = [style(one_line(path), "bold")]
    for number, line_edits in by_line.items():
        before = lines[number - 1]
        if not output.show_values:
            masked = reveal_or_mask_same_width(excerpts.get(number, ""), show_values=False)
            is_shown = len(masked) == len(before) and masked.strip("*")
            before = masked if is_shown else re.sub(r"\S", "*", before)
        blocks += _format_line(number, before, line_edits, output)
    return "\n".join(blocks)


def _format_line(number: int, before: str, edits: Sequence[Edit], output: Output) -> list[str]:
    after = before
    for edit in reversed(edits):
        start = edit.column - 1
        is_masked = before[start : start + len(edit.old)] != edit.old
        new = re.sub(r"\S", "*", edit.new) if is_masked else edit.new
        after = after[:start] + new + after[start + len(edit.old) :]
    start = edits[0].column - 1
    room = output.width_for_reading - len(str(number)) - 5
    signs = (("-", "red", before), ("+", "green", after))
    texts = [(sign, colour, problem_text.clip(text, start, room).replace("\t", "→")) for sign, colour, text in signs]
    return [one_line(f"  {number} {style(f'{sign} {text}', colour)}") for sign, colour, text in texts]
