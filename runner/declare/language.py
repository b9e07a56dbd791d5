"""The template language: Jinja in a sandbox, where a missing value is an error and nothing grows without bounds.

What a variable lacks (undefined, null, a blank cell) may be tested or given a default, but never printed.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_RENDERED = 1024 * 1024  # characters
MAX_SECONDS = 2.0  # of processor time for one text
DEFAULT_HINT = 'give it a value, or a default: {{ … | default("there") }}'
_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")


class TemplateFault(Exception):
    """What is wrong in a template, and where: a line (from 1) of the text itself or of the include `file`."""

    def __init__(self, code: str, message: str, hint: str = "", line: int = 1, file: str = "", name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.file = file
        self.name = name


class RenderTooLong(Exception):
    """A render took more than MAX_SECONDS of processor time."""


class Missing(jinja2.Undefined):
    """A variable without a value: false in a test, equal to nothing, an error wherever it would be printed."""

    __slots__ = ()

    @property
    def variable(self) -> str:
        """The name that is missing, for the message and the place."""
        return str(self._undefined_name or "")

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingValue(self)

    __str__ = __iter__ = __len__ = __repr__ = __getitem__ = __call__ = __contains__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail
    __html__ = _fail

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing)

    def __hash__(self) -> int:
        return hash(Missing)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingValue(self)


class MissingValue(jinja2.UndefinedError):
    """A missing value was about to be printed."""

    def __init__(self, missing: Missing) -> None:
        owner = missing._undefined_obj  # noqa: SLF001  # Jinja's own protocol between Undefined and its error
        self.variable = missing.variable
        whole = owner is jinja2.utils.missing or isinstance(owner, Missing)
        message = f"{self.variable} has no value" if whole else f"there is no {self.variable} in this value"
        super().__init__(message)


class Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounds on what grows without a loop."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes left operator right, unless the result would be huge. Raises SecurityError."""
        if operator == "**" and (not isinstance(right, int | float) or abs(right) > 64):  # noqa: PLR2004
            raise SecurityError("a power above 64 is not computed")
        if operator == "*":
            self._check_product(left, right)
        if operator == "%" and isinstance(left, str):
            _refuse_width(left)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls what a template calls, unless a text would grow huge. Raises SecurityError."""
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            _refuse_growth(owner, [*args, *kwargs.values()])
        return super().call(context, obj, *args, **kwargs)

    def _check_product(self, left: Any, right: Any) -> None:
        for text, times in ((left, right), (right, left)):
            if isinstance(text, str | list | tuple) and isinstance(times, int):
                if isinstance(text, str) and _NUMBER.fullmatch(text):
                    raise SecurityError(
                        f"a text is repeated here, not multiplied; write {'{'}{{ … | float * {times} }}{'}'}"
                    )
                if len(text) * times > MAX_RENDERED:
                    raise SecurityError("a repetition longer than a message may be")


def _refuse_growth(text: str, args: Iterable[Any]) -> None:
    grown = len(text)
    for arg in args:
        if isinstance(arg, int):
            grown = max(grown, arg)
        elif isinstance(arg, str):
            grown = max(grown, (len(text) + 1) * (len(arg) + 1) if len(arg) > 1 else 0)
    if grown > MAX_RENDERED * 8:
        raise SecurityError("a text longer than a message may be")
    _refuse_width(text)


def _refuse_width(text: str) -> None:
    if "%" in text or "{" in text:
        widths = re.findall(r"\d{6,}", text)
        if widths or re.search(r"%[-+ #0]*\*", text):
            raise SecurityError("a format that pads to a longer text than a message may be")


def bounded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing arguments with which a text would grow huge."""

    def checked(value: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_growth(value if isinstance(value, str) else "", [*args, *kwargs.values()])
        return filter_(value, *args, **kwargs)

    return checked


@jinja2.pass_context  # so that Jinja does not fold a literal `none` into the text before it gets here
def printable(_: Any, value: Any) -> Any:
    """Jinja's `finalize`: what may stand in a text that a customer reads."""
    if isinstance(value, str | int | float | Missing):
        return value
    if value is None:
        raise TemplateFault("undefined-variable", "a value that is null would be printed", DEFAULT_HINT)
    kind = {"list": "a list", "tuple": "a list", "dict": "a mapping"}.get(type(value).__name__, "not a text")
    raise TemplateFault(
        "not-a-text", f"a value that is {kind} would be printed", 'print its parts, or use | join(", ")'
    )
