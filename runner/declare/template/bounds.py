"""How large what a template computes may grow, looked at before it is computed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.exceptions import SecurityError

from runner.declare.template.language import MAX_RENDERED, check_printable, too_long_fault

MAX_POWER = 64


MAX_BITS = 4096  # of a whole number: more digits than any text needs


# Compiled when first needed: few templates format anything, and every command pays for its start.
_NUMBER = r"\s*-?\d+(\.\d+)?\s*"


_PERCENT_WIDTH = r"%(\([^)]*\))?[-+ #0]*(\*|\d{6,}|\d*\.(\*|\d{6,}))"


_BRACE_WIDTH = r":[^{}]*(\d{6,}|\{)"


_INSIDE = r"\{[^{}:!]*[.\[]"  # a field that looks inside its value: {0.upper}


_AS_CODE = r"%(\([^)]*\))?[-+ #0]*\d*[ra]|![ra]"  # a value as Python writes it in code


def check_numbers(operator: str, left: float, right: float) -> None:
    """Raises SecurityError, OverflowError if two numbers would make one of too many digits."""
    if operator == "**":
        if abs(right) > MAX_POWER:
            raise SecurityError(f"a power above {MAX_POWER} is not computed")
        if isinstance(left, int) and left.bit_length() * right > MAX_BITS:
            raise OverflowError
    whole = isinstance(left, int) and isinstance(right, int)
    if operator == "*" and whole and int(left).bit_length() + int(right).bit_length() > MAX_BITS:
        raise OverflowError


def check_repetition(left: Any, right: Any) -> None:
    """Raises SecurityError, TemplateFault if a text or list would be repeated too often, or is a number in a text."""
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int):
            if isinstance(text, str) and re.fullmatch(_NUMBER, text):
                raise SecurityError(f"a text is repeated here, not multiplied; write {{{{ … | float * {times} }}}}")
            check_size(len(text) * times)


def check_format(template: str, args: Iterable[Any]) -> None:
    """Raises SecurityError, TemplateFault if a format pads widely, or would print what is no text."""
    if re.search(_PERCENT_WIDTH, template) or re.search(_BRACE_WIDTH, template):
        raise SecurityError("a format that pads to a longer text than a message may be")
    if re.search(_AS_CODE, template) or re.search(_INSIDE, template):
        raise SecurityError("a format that prints more of a value than its text")
    for arg in args:
        for value in arg.values() if isinstance(arg, Mapping) else (arg,):
            if not isinstance(value, bool):
                check_printable(value)


def check_growth(text: str, args: Iterable[Any]) -> None:
    """Raises TemplateFault if a text could grow huge by an argument: a width, or what parts are replaced with."""
    for arg in args:
        if isinstance(arg, int):
            check_size(arg)
        elif isinstance(arg, str) and len(arg) > 1:
            check_size((len(text) + 1) * (len(arg) + 1) // 8)


def check_size(size: int) -> None:
    """Raises TemplateFault if so many characters or items are too many."""
    if size > MAX_RENDERED:
        raise too_long_fault()
