"""The command explain: says what the code of a problem means, with an example before and after."""

import re
import textwrap
from collections.abc import Iterable, Mapping

import click

from runner.cli.options import EXIT, command
from runner.cli.output import current_output
from runner.declare.similar_names import did_you_mean
from runner.errors import UsageMistake
from runner.lint.rules import RULES
from runner.privacy import mark_private_values
from runner.report.explanations import (
    DECLARATION,
    Explanation,
    Group,
    Step,
    explained_code,
    load_explanations,
    load_groups,
)
from runner.report.layout import wrap
from runner.report.next_steps import NextStep, format_next_steps
from runner.report.terminal_text import style
from runner.shown_command import shown_command

_COLOURS = {"Before": "red", "After": "green"}
_MIN_WIDTH_OF_TITLES = 80  # columns; with less, a title has a line of its own


@command("explain")
@click.argument("code", nargs=-1)
def explain(code: tuple[str, ...]) -> int:
    """Explain the code of a problem, or of a delivery.

    CODE stands in brackets after a problem's message, or in a line of msgrun status. Without it, all codes are listed.
    With another word, those that have it in their code, title or group are listed with what they mean.
    """
    output = current_output()
    if not code:
        output.result(_list_all(load_groups(), output.width))
        return EXIT.done
    explanations = load_explanations()
    word = " ".join(code)  # as msgrun status prints it: not sent
    name = explained_code(word)
    for names in ([name], [word.replace(" ", "_")], [explained_code(one) for one in code]):
        if explanations.keys() >= set(names):
            output.result("\n\n".join(_format(explanations[one], output.width) for one in names))
            return EXIT.done
    if not (groups := _find_groups(word.lower())):
        hint = did_you_mean(name, list(explanations)) or f"to list all codes: {shown_command('explain')}"
        raise UsageMistake(mark_private_values(f"no code has the word {word}, nor has the title of one", ()), hint)
    output.result(_list_found(groups, output.width))
    return EXIT.done


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


def _list_all(groups: Iterable[Group], width: int) -> str:
    """Returns all codes in their groups, a group on as few lines as fit, and the commands that say more."""
    codes = ((group.title, ", ".join(entry.code for entry in group.explanations)) for group in groups)
    blocks = [f"{style(title, 'bold')}\n{wrap(f'  {names}', width, indent='  ')}" for title, names in codes]
    steps = [
        NextStep("See what a code means, with an example", (shown_command("explain", "CODE"),)),
        NextStep(
            "List the codes that have to do with a word, with a line about each", (shown_command("explain", "WORD"),)
        ),
    ]
    return "\n\n".join(blocks) + "\n" + format_next_steps(steps, width)


def _list_found(groups: Iterable[Group], width: int) -> str:
    """Returns codes in their groups with their titles, and the command that explains one."""
    last = NextStep("See what a code means, with an example", (shown_command("explain", "CODE"),))
    return "\n\n".join(_list_group(group, width) for group in groups) + "\n" + format_next_steps([last], width)


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


def _move_comments(commands: str, width: int) -> str:
    """Returns commands with the comment of each above it, if one behind it does not fit."""
    lines = commands.rstrip("\n").split("\n")
    if width <= 0 or not lines[0].startswith("$ ") or all(len(line) <= width for line in lines):
        return commands
    pairs = [re.split(r" +# ", line, maxsplit=1) for line in lines]
    return "\n".join(
        "\n".join([*(wrap(f"# {text}", width, indent="# ") for text in rest), line]) for line, *rest in pairs
    )


def _format_files(step: Step, files: Mapping[str, str], width: int) -> str:
    """Returns one side of an example. A file is named if it is not the only one, or no declaration."""
    lines = [style(step, _COLOURS.get(step, "bold"))]
    for path, content in files.items():
        if path and (len(files) > 1 or path != DECLARATION):
            lines.append(f"  {style(path, 'dim')}")
            lines.append(textwrap.indent(content, "    ").rstrip())
        else:
            lines.append(textwrap.indent(_move_comments(content, width - 2), "  ").rstrip())
    return "\n".join(lines)
