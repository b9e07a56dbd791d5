"""What may stand in a text that a customer reads, and what is wrong with a template that would print anything else.

What a variable lacks (undefined, null, a blank cell) may be tested or given a default, but never printed.
"""

import math
from typing import Any, NoReturn

import jinja2

from runner.privacy import mark_private

MAX_RENDERED = 1024 * 1024  # characters


MAX_PRINTED = 4 * MAX_RENDERED  # with what macros and captures print and print again


MAX_SECONDS = 2.0  # of processor time for one text


TOO_SLOW = "too-slow"


UNDEFINED_HINT = "give it a value, or a default: {{ … | default('there') }}"


_KINDS = {
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "float": "no finite number",
}


class TemplateFault(Exception):
    """What is wrong in a template, and where: a line (from 1) of the text itself or of the include `file`.

    `shown` is that line of the include; `name` is what to point at in it.
    """

    def __init__(self, code: str, message: str, hint: str = "", line: int = 1, file: str = "", name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.file = file
        self.name = name
        self.excerpt = ""


class RenderTimeout(Exception):
    """A render took more than MAX_SECONDS of processor time."""


class Missing(jinja2.Undefined):
    """A variable without a value: false in a test, equal to nothing, an error wherever it would be printed."""

    __slots__ = ()

    @property
    def variable(self) -> str:
        """The name that is missing, for the message and the place."""
        return str(self._undefined_name or "")

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingValueError(self)

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
        raise MissingValueError(self)


class MissingValueError(jinja2.UndefinedError):
    """A missing value was about to be printed."""

    def __init__(self, missing: Missing) -> None:
        owner = missing._undefined_obj  # noqa: SLF001  # Jinja's own protocol between Undefined and its error
        self.variable = missing.variable
        whole = owner is jinja2.utils.missing or isinstance(owner, Missing)
        message = (
            f"{self.variable} has no value" if whole else f"there is no {mark_private(self.variable)} in this value"
        )
        super().__init__(message)


def check_printable(value: Any) -> Any:
    """The value, if it may be printed: a text, a number, or a missing value for Jinja to fail on."""
    if isinstance(value, str | Missing):
        return value
    if type(value) in (int, bool) or (type(value) is float and math.isfinite(value)):
        return value
    if value is None:
        raise TemplateFault("undefined-variable", "a value that is null would be printed", UNDEFINED_HINT)
    if type(value) is jinja2.Undefined:  # Jinja takes this one, whatever else is undefined here
        hint = 'say what else is printed: {{ … if … else "" }}'
        raise TemplateFault("undefined-variable", "an if without an else would print nothing", hint)
    kind = _KINDS.get(type(value).__name__, "not a text")
    hint = 'print its parts, or use | join(", ")' if kind in {"a list", "a mapping"} else ""
    raise TemplateFault("not-a-text", f"a value that is {kind} would be printed", hint)


@jinja2.pass_context  # so that Jinja does not fold a literal `none` into the text before it gets here
def finalize_value(context: Any, value: Any) -> Any:
    """Jinja's `finalize`: `checked`, and counted, for Jinja keeps a copy of each printed text until the end."""
    if isinstance(value, str):
        environment = context.environment
        environment.remaining_chars -= len(value) + 1
        if environment.remaining_chars < 0:
            raise too_long_fault()
        return value
    return check_printable(value)


def escape_html(text: str) -> str:
    """What markupsafe's escape makes of a text, as a text: its Markup takes longer to be made than all the rest."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("'", "&#39;").replace('"', "&#34;")


def too_long_fault() -> TemplateFault:
    """A text, or what is printed on the way to it, is too long."""
    return TemplateFault("too-long", f"the text is longer than {MAX_RENDERED} characters")
