"""Checks on how large a value a template may compute. Each is made before the value is computed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.exceptions import SecurityError

from runner.declare.template.language import MAX_RENDERED, check_printable, too_long_fault

MAX_POWER = 64
MAX_FORMAT = 10_000  # characters of a format string: its patterns take quadratic time, and a format has some dozen
MAX_BITS = 4096  # bits of a whole number: more digits than any text needs
# The patterns are compiled at first use, not at import: few templates format anything, and every command would start
# later.
_NUMBER_PATTERN = r"\s*-?\d+(\.\d+)?\s*"
_WIDE_PERCENT_FORMAT = r"%(\([^)]*\))?[-+ #0]*(\*|\d{6,}|\d*\.(\*|\d{6,}))"
_WIDE_BRACE_FORMAT = r":[^{}]*(\d{6,}|\{)"
_MEMBER_FIELD = r"\{[^{}:!]*[.\[]"  # a field that reads an attribute or item of its value: {0.upper}
_CODE_CONVERSION = r"%(\([^)]*\))?[-+ #0]*\d*[ra]|![ra]"  # %r, %a, !r and !a, which print a value as Python code


def check_numbers(operator: str, left: float, right: float) -> None:
    """Checks that the result of an operation on two numbers does not have too many digits.

    Raises SecurityError if the absolute value of an exponent is above MAX_POWER. Raises OverflowError if a power of a
    whole number, or a product of two, would have more than MAX_BITS bits.
    """
    if operator == "**":
        if abs(right) > MAX_POWER:
            raise SecurityError(f"a power above {MAX_POWER} is not computed")
        if isinstance(left, int) and left.bit_length() * right > MAX_BITS:
            raise OverflowError
    are_whole = isinstance(left, int) and isinstance(right, int)
    if operator == "*" and are_whole and int(left).bit_length() + int(right).bit_length() > MAX_BITS:
        raise OverflowError


def check_repetition(left: Any, right: Any) -> None:
    """Checks `left * right` where one of the two is a text or a list, which is repeated by the other.

    Raises TemplateFault if the result would be too long. Raises SecurityError if the text is a number: the author means
    to multiply it, and `"3" * 4` repeats it.
    """
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int):
            if isinstance(text, str) and re.fullmatch(_NUMBER_PATTERN, text):
                raise SecurityError(f"a text is repeated here, not multiplied; write {{{{ … | float * {times} }}}}")
            check_size(len(text) * times)


def check_format(template: str, args: Iterable[Any]) -> None:
    """Checks a format string and its arguments.

    Raises SecurityError if the format is longer than MAX_FORMAT, pads to a width of six digits or more, takes a width
    from an argument, or prints more of a value than its text (`%r`, `{0.upper}`). Raises TemplateFault if an argument
    is not printable.
    """
    if len(template) > MAX_FORMAT:
        raise SecurityError(f"a format longer than {MAX_FORMAT:,} characters")
    if re.search(_WIDE_PERCENT_FORMAT, template) or re.search(_WIDE_BRACE_FORMAT, template):
        raise SecurityError("a format that pads to a longer text than a message may be")
    if re.search(_CODE_CONVERSION, template) or re.search(_MEMBER_FIELD, template):
        raise SecurityError("a format that prints more of a value than its text")
    for arg in args:
        for value in arg.values() if isinstance(arg, Mapping) else (arg,):
            check_printable(value)


def check_growth(text: str, args: Iterable[Any]) -> None:
    """Checks that a text does not become huge by an argument. Raises TemplateFault.

    A whole number is taken for a width, and a text of two or more characters for a replacement of parts of the text.
    """
    for arg in args:
        if isinstance(arg, int):
            check_size(arg)
        elif isinstance(arg, str) and len(arg) > 1:
            check_size((len(text) + 1) * (len(arg) + 1) // 8)


def check_size(size: int) -> None:
    """Raises TemplateFault if `size`, in characters or items, is above MAX_RENDERED."""
    if size > MAX_RENDERED:
        raise too_long_fault()
