"""Which values may stand in a text that a customer reads, and the faults of a template that prints others.

A missing value (undefined, null, a blank cell) may be tested or given a default. To print it is an error.
"""

import math
from typing import Any, NoReturn

import jinja2

from runner.declare.template.jinja_objects import suggest_part
from runner.privacy import AnyText, mark_private

MAX_RENDERED = 1024 * 1024  # characters
MAX_PRINTED = 4 * MAX_RENDERED  # characters, with those that macros and captures print again
TOO_SLOW = "too-slow"
_CALL_HINT = (
    "put what it returns into the data, and print that variable: a template has no clock and no functions of its own"
)
UNDEFINED_HINT = "fill in its value, or give a default: {{ … | default('there') }}"
_CONDITION_HINT = "fill in its value, or write only where it has one: {% if … %}…{{ … }}…{% endif %}"
_NAMES_IN_GREETINGS = frozenset({"name", "firstname", "fullname", "givenname", "nickname"})
# The filters that do what the methods of a mapping do in Python.
_INSTEAD_OF_METHODS = {
    "items": "write {% for key, value in … | items %}; the key of that name is …['items']",
    "keys": "write {% for key in … %}; the key of that name is …['keys']",
    "values": "write {% for key, value in … | items %}; the key of that name is …['values']",
    "get": "write the key after the dot, with a default: {{ ….first_name | default('there') }}",
}
_KINDS = {
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "float": "no finite number",
}


class TemplateFault(Exception):
    """A fault in a template, and where it is.

    `line` counts from 1, in the include `file`, or in the text itself if `file` is empty. `excerpt` is that line of the
    include. `name` is the word in it to point at.
    """

    def __init__(
        self, code: str, message: AnyText, hint: str = "", line: int = 1, file: str = "", name: str = ""
    ) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.file = file
        self.name = name
        self.excerpt = ""


class Missing(jinja2.Undefined):
    """A variable without a value. It is false in a test, and equal only to another missing value.

    To print it, or to compute with it, raises MissingValueError.
    """

    __slots__ = ()

    @property
    def variable(self) -> str:
        """The name of the missing variable, for the message and the place."""
        return str(self._undefined_name or "")

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingValueError(self)

    __str__ = __iter__ = __len__ = __repr__ = __getitem__ = __contains__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail
    __html__ = _fail

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Raises MissingValueError, which says that there is no such function."""
        raise MissingValueError(self, is_called=True)

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing)

    def __hash__(self) -> int:
        return hash(Missing)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingValueError(self, name)


class MissingItem(Missing):
    """An item that a list or mapping lacks. Its name was computed, so it may be a recipient's value."""

    __slots__ = ()


class MissingPart(Missing):
    """A part that a text, a list or a number can never have, such as `length`. To test it is an error as well.

    Otherwise the test would have one answer for every recipient, and the mistake would stay hidden. `is defined` and
    `default` are allowed.
    """

    __slots__ = ()
    __bool__ = __eq__ = __ne__ = Missing._fail  # noqa: SLF001  # its own base
    __hash__ = Missing.__hash__


class MissingValueError(jinja2.UndefinedError):
    """A template would print, or compute with, a missing value."""

    def __init__(self, missing: Missing, attribute: str = "", *, is_called: bool = False) -> None:
        owner = missing._undefined_obj  # noqa: SLF001  # Jinja's own protocol between Undefined and its error
        self.variable = missing.variable
        is_variable = owner is jinja2.utils.missing or isinstance(owner, Missing)
        name = mark_private(self.variable) if isinstance(missing, MissingItem) else self.variable
        self.text: AnyText = (
            f"{self.variable} has no value" if is_variable else "there is no " + name + " in this value"
        )
        if is_called and is_variable:
            self.text = f"{self.variable} is called like a function, and there is none of this name"
        super().__init__(str(self.text))
        self.hint = (
            _CALL_HINT
            if is_called and is_variable
            else f"write {{{{ ({self.variable} | default({{}})).{attribute} | default('there') }}}}"
            if attribute and is_variable
            else UNDEFINED_HINT.replace("…", self.variable)
            if is_variable and self.variable.replace("_", "").lower() in _NAMES_IN_GREETINGS
            else _CONDITION_HINT.replace(" … ", f" {self.variable} ")
            if is_variable and self.variable
            else _suggest_instead(owner, self.variable)
        )


def _suggest_instead(owner: Any, name: str) -> str:
    """Returns the hint for a name that is a method in Python, and no data."""
    if isinstance(owner, dict) and name in _INSTEAD_OF_METHODS:
        return _INSTEAD_OF_METHODS[name]
    if isinstance(owner, str | list) and name in {"count", "length", "size"}:
        return f"the number of {'characters' if isinstance(owner, str) else 'items'} is … | length"
    if isinstance(owner, list) and name in {"first", "last"}:
        return f"the {name} item is … | {name}"
    if isinstance(owner, str) and hasattr(owner, name):
        return f"a method is called: {name}()"
    return suggest_part(owner, name) or UNDEFINED_HINT


def check_printable(value: Any) -> Any:
    """Returns the value, if it may be printed: a text, a finite number, or a missing value.

    On a missing value Jinja itself fails. Raises TemplateFault for any other value.
    """
    if isinstance(value, str | Missing):
        return value
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    if value is None:
        raise TemplateFault("undefined-variable", "a value that is null would be printed", UNDEFINED_HINT)
    if type(value) is jinja2.Undefined:  # Jinja's own value of an `if` without an else; it is never a Missing
        hint = 'say what else is printed: {{ … if … else "" }}'
        raise TemplateFault("undefined-variable", "an if without an else would print nothing", hint)
    kind = _KINDS.get(type(value).__name__, "not a text")
    hint = {"a list": 'print its parts, or use | join(", ")', "a mapping": "print its parts: {{ ….name }}"}.get(
        kind, ""
    )
    hint = "say what it means: {{ 'yes' if … else 'no' }}" if isinstance(value, bool) else hint
    raise TemplateFault("not-a-text", f"a value that is {kind} would be printed", hint)


@jinja2.pass_context  # otherwise Jinja would fold a literal `none` into the text, unchecked
def finalize_value(context: Any, value: Any) -> Any:
    """Jinja's `finalize`: the value, if it is printable. Raises TemplateFault.

    The characters of a text are counted, because Jinja keeps a copy of each printed text until the render ends.
    """
    if isinstance(value, str):
        environment = context.environment
        environment.remaining_chars -= len(value) + 1
        if environment.remaining_chars < 0:
            raise too_long_fault()
        return value
    return check_printable(value)


def escape_html(text: str) -> str:
    """Escapes a text like markupsafe's `escape`, but returns a plain text.

    To create markupsafe's Markup would take longer than the escaping.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("'", "&#39;").replace('"', "&#34;")


def too_long_fault() -> TemplateFault:
    """Returns the fault that a text, or everything that is printed to make it, is too long."""
    return TemplateFault("too-long", f"the text is longer than {MAX_RENDERED} characters")
