"""The command explain: says what the code of a problem means, with an example before and after."""

import re
import textwrap
from collections.abc import Iterable, Mapping

import click

from runner.cli.options import EXIT, command, current_options
from runner.cli.output import current_output
from runner.completion import list_names
from runner.declare.address_search import is_address
from runner.declare.similar_names import did_you_mean
from runner.errors import UsageMistake
from runner.lint.rules import RULES
from runner.report.explanations import (
    DECLARATION,
    Explanation,
    Group,
    Step,
    explained_code,
    load_explanations,
    load_groups,
)
from runner.report.layout import fits, flow, wrap
from runner.report.terminal_text import style
from runner.shown_command import shown_command

_COLOURS = {"Before": "red", "After": "green"}
_KEY_START = re.compile("[0-9a-f]{8,32}")  # status shows the first 8 digits or more
_MIN_WIDTH_OF_TITLES = 80  # columns; with less, a title has a line of its own, and the list of all codes has no titles


@command("explain")
@click.argument("code", nargs=-1)
def explain(code: tuple[str, ...]) -> int:
    """Explain the code of a problem, or of a delivery.

    CODE stands in brackets after a problem's message, or in a line of msgrun status. Without it, all codes are listed;
    with another word, those that have it in their code, title or group.
    """
    output = current_output()
    if not code:
        output.result(_list_codes(load_groups(), output.width, are_all=True))
        return EXIT.done
    explanations = load_explanations()
    word = " ".join(code)  # as msgrun status prints it: not sent
    name = explained_code(word)
    for names in ([name], [word.replace(" ", "_")], [explained_code(one) for one in code]):
        if explanations.keys() >= set(names):
            output.result("\n\n".join(_format(explanations[one], output.width) for one in names))
            return EXIT.done
    if is_address(word):
        command_line = shown_command("status", word if output.show_values else "ADDRESS")
        raise UsageMistake("explain is for codes, not for recipients", f"for what this recipient got: {command_line}")
    if not (groups := _find_groups(word.lower())):
        hint = did_you_mean(name, list(explanations)) or _hint_for_other(word)
        raise UsageMistake(f"no code has the word {word}, nor has the title of one", hint)
    output.result(_list_codes(groups, output.width))
    return EXIT.done


def _hint_for_other(word: str) -> str:
    """Returns a hint for what is like no code: the name of a message, a file, or the start of a delivery's key."""
    if word in list_names(current_options().start_folder):
        return f"for what was sent of this message: {shown_command('status', word)}"
    if (current_options().start_folder / word).exists():
        return f"for the problems of this file: {shown_command('validate', word)}"
    if _KEY_START.fullmatch(word):
        return f"for the records of a key: {shown_command('lock', 'show', word)}"
    refused, codes = shown_command("explain", "refused"), shown_command("explain")
    return f"to list all codes: {codes}; for a code from Intercom: {refused}"


def _find_groups(word: str) -> list[Group]:
    """Returns the groups that have a word in a code or title, with only these codes."""
    groups = [
        Group(
            group.title,
            tuple(one for one in group.explanations if word in f"{one.code} {one.title} {group.title}".lower()),
        )
        for group in load_groups()
    ]
    return [group for group in groups if group.explanations]


def _list_codes(groups: Iterable[Group], width: int, *, are_all: bool = False) -> str:
    """Returns codes in their groups, and the command that explains one. On a narrow terminal, all have no titles."""
    is_narrow = 0 < width < _MIN_WIDTH_OF_TITLES
    blocks = [_list_names(group, width) if is_narrow and are_all else _list_group(group, width) for group in groups]
    last = wrap(f"{shown_command('explain', 'CODE')} says what one means, with an example.", width)
    return "\n\n".join([*blocks, style(last, "dim")])


def _list_names(group: Group, width: int) -> str:
    names = flow((entry.code for entry in group.explanations), width - 2, indent="", separator="  ")
    return "\n".join([style(group.title, "bold"), textwrap.indent(names, "  ")])


def _list_group(group: Group, width: int) -> str:
    """Returns a group as a list: its title, then a line for each code, wrapped at `width`."""
    column = max(len(entry.code) for entry in group.explanations) + 4
    if 0 < width < _MIN_WIDTH_OF_TITLES:
        lines = [f"  {entry.code}\n{wrap(f'    {entry.title}', width, indent='    ')}" for entry in group.explanations]
    else:
        lines = [
            wrap(f"  {entry.code:<{column - 2}}{entry.title}", width, indent=" " * column)
            for entry in group.explanations
        ]
    return "\n".join([style(group.title, "bold"), *lines])


def _format(explanation: Explanation, width: int) -> str:
    """Returns an explanation as text: what the code means, why it matters, the example, and how to ignore a finding."""
    is_rule = explanation.code in RULES
    paragraphs = [
        f"{style(explanation.code, 'bold')} ({explanation.severity})",
        explanation.title,
        *filter(None, explanation.reason.split("\n\n")),
        *([f"Fix: {explanation.fix}"] if is_rule else []),
    ]
    silence = f"To ignore a finding, write # msgrun: ignore={explanation.code} at its line."
    steps: tuple[Step, ...] = ("Commands", "Before", "After")
    examples = [_format_files(step, explanation.files[step], width) for step in steps if explanation.files[step]]
    return "\n\n".join(
        [*(wrap(paragraph, width) for paragraph in paragraphs), *examples, *([wrap(silence, width)] if is_rule else [])]
    )


def _above_commands(text: str, width: int) -> str:
    """Returns shell lines with the comment of a long one above it, so that the command can be copied whole."""
    lines = []
    for line in text.splitlines():
        command, mark, comment = line.partition("  # ")
        if mark and not fits([f"  {line}"], width):
            lines += [*wrap(f"# {comment.strip()}", width - 2, indent="# ").split("\n"), command.rstrip()]
        else:
            lines.append(line)
    return "\n".join(lines)


def _break_mappings(text: str, width: int) -> str:
    """Returns YAML with long mappings in braces broken after commas, as YAML allows."""
    room = width - 4
    lines = []
    for line in text.splitlines():
        is_long = width and ": {" in line and "#" not in line and not fits([line], room)
        lines.append(flow(line.split(", "), room, indent=" " * 6, separator=", ", at_break=",") if is_long else line)
    return "\n".join(lines)


def _format_files(step: Step, files: Mapping[str, str], width: int) -> str:
    """Returns one side of an example. A file is named if it is not the only one, or no declaration."""
    lines = [style(step, _COLOURS.get(step, "bold"))]
    for path, content in files.items():
        text = _above_commands(content, width) if step == "Commands" else _break_mappings(content, width)
        if path and (len(files) > 1 or path != DECLARATION):
            lines.append(f"  {style(path, 'dim')}")
            lines.append(textwrap.indent(text, "    ").rstrip())
        else:
            lines.append(textwrap.indent(text, "  ").rstrip())
    return "\n".join(lines)
