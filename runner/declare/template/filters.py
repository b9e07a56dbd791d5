"""Jinja's filters, restricted to values that may be printed and to results that are not huge."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
from jinja2 import filters, nodes
from jinja2.exceptions import SecurityError

from runner.declare.template.language import check_printable, finalize_value
from runner.declare.template.size_limits import check_format, check_growth, check_size

_TEXT_FILTERS = (
    *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower", "replace", "safe"),
    *("string", "striptags", "title", "trim", "truncate", "upper", "urlize", "wordcount", "wordwrap"),
)
_FLAG_FILTERS = frozenset({"indent", "truncate", "urlize", "wordwrap"})  # an argument of theirs may be true or false
_SIZE_FILTERS = ("batch", "slice", "round", "tojson")
_REMOVED_FILTERS = ("random", "pprint")  # random differs from run to run; pprint prints a value as Python code


def restrict_filters(jinja_filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Returns the filters that templates may use: Jinja's own, each with the checks that it needs."""
    restricted = {name: filter_ for name, filter_ in jinja_filters.items() if name not in _REMOVED_FILTERS}
    restricted |= {
        name: _guard_text_filter(restricted[name], takes_flags=name in _FLAG_FILTERS) for name in _TEXT_FILTERS
    }
    restricted |= {name: _guard(restricted[name], _check_sizes) for name in _SIZE_FILTERS}
    restricted |= {"attr": _get_attribute, "method": _get_method}
    restricted |= {
        "first_word": _first_word,
        "join": _join,
        "sum": _sum,
        "default": _default,
        "d": _default,
        "printable": finalize_value,
    }
    return restricted | {name: _guard(restricted[name], _check_mapping) for name in ("xmlattr", "urlencode")}


def _drop_jinja_argument(filter_: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns the arguments that stand in the template, without the one that Jinja passes before them."""
    return args[1:] if hasattr(filter_, "jinja_pass_arg") else args


def _guard_text_filter(filter_: Callable[..., Any], *, takes_flags: bool) -> Callable[..., Any]:
    """Returns the filter for printable values only, and without huge results.

    Unguarded, it would turn any value into a text.
    """
    first = 1 if hasattr(filter_, "jinja_pass_arg") else 0
    is_format = filter_ is filters.do_format

    @functools.wraps(filter_)  # copies jinja_pass_arg, by which Jinja knows what to pass first
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if len(args) == first + 1 and type(args[first]) is str and not kwargs and not is_format:
            return filter_(*args)  # a text is printable, and no argument makes it longer
        value, *rest = _drop_jinja_argument(filter_, args)
        arguments = [*rest, *kwargs.values()]
        check_printable(value)
        for argument in arguments:
            if not (takes_flags and isinstance(argument, bool)):
                check_printable(argument)
        if is_format:
            check_format(value, arguments)
        if isinstance(value, str):
            check_growth(value, arguments)
        return filter_(*args, **kwargs)

    return guarded


def _guard(filter_: Callable[..., Any], check: Callable[..., object]) -> Callable[..., Any]:
    """Returns the filter that calls `check` first, with what stands in the template: the value and the arguments."""

    @functools.wraps(filter_)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        check(*_drop_jinja_argument(filter_, args), *kwargs.values())
        return filter_(*args, **kwargs)

    return guarded


def _check_sizes(_: Any, *arguments: Any) -> None:
    check_growth("", [argument for argument in arguments if isinstance(argument, int)])


def _check_mapping(value: Any, *_: Any) -> None:
    """Checks that a value is printable, or a mapping of names to printable values."""
    for part in value.values() if isinstance(value, Mapping) else (value,):
        check_printable(part)


def check_parts(glue: str, parts: Iterable[Any]) -> list[Any]:
    """Returns the parts to be joined with `glue`, as a list.

    Raises TemplateFault if a part is not printable, or the joined text would be too long.
    """
    listed = [check_printable(part) for part in parts]
    check_size(sum(len(part) + len(glue) for part in listed if isinstance(part, str)))
    return listed


@jinja2.pass_eval_context
def _join(context: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(context.environment, attribute), value)
    return filters.sync_do_join(context, check_parts(check_printable(d), value), d)


@jinja2.pass_environment
def _sum(environment: Any, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("a sum of anything but numbers")
    return filters.sync_do_sum(environment, value, attribute, start)


@jinja2.pass_environment
def _get_attribute(environment: Any, value: Any, name: str) -> Any:
    return environment.getitem(value, name)  # the name is computed, and may be a recipient's value


@jinja2.pass_environment
def _get_method(environment: Any, value: Any, name: str) -> Any:
    return environment.get_method(value, name)


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002  # as in Jinja
    return default_value if not is_defined(value) or (boolean and not value) else value


def _first_word(value: Any) -> Any:
    """Returns the first word of a text, as the first name of a full one. A missing or a blank value has none."""
    if not is_defined(value):
        return value
    check_printable(value)
    return next(iter((value if isinstance(value, str) else str(value)).split()), None)


def is_defined(value: Any) -> bool:
    """Returns whether a value is neither undefined nor null.

    Null counts as undefined inside a list too, as it does for a variable.
    """
    return value is not None and not isinstance(value, jinja2.Undefined)
