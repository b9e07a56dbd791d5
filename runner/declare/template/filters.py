"""Jinja's filters, for what may be printed only, and so that no text grows huge."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
from jinja2 import filters, nodes
from jinja2.exceptions import SecurityError

from runner.declare.template.bounds import check_format, check_growth, check_size
from runner.declare.template.language import check_printable, finalize_value

_OF_ONE_TEXT = (
    *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower", "replace", "safe"),
    *("string", "striptags", "title", "trim", "truncate", "upper", "urlize", "wordcount", "wordwrap"),
)


_WITH_A_SIZE = ("batch", "slice", "round", "tojson")


_WITHOUT_FILTERS = ("random", "pprint")  # chance; Python's own way to write a value


def restrict_filters(given: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The filters of every text, made of Jinja's own."""
    found = {name: filter_ for name, filter_ in given.items() if name not in _WITHOUT_FILTERS}
    found |= {name: _of_one_text(found[name]) for name in _OF_ONE_TEXT}
    found |= {name: _with_a_size(found[name]) for name in _WITH_A_SIZE}
    found |= {"join": _joined, "sum": _summed, "default": _default, "d": _default, "printable": finalize_value}
    return found | {name: _of_parts(found[name]) for name in ("xmlattr", "urlencode")}


def _arguments(filter_: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments that stand in the template, without what Jinja hands in before them."""
    return args[1:] if hasattr(filter_, "jinja_pass_arg") else args


def _of_one_text(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which would make a text of anything, for what may be printed only; no result grows huge."""
    first = 1 if hasattr(filter_, "jinja_pass_arg") else 0
    is_format = filter_ is filters.do_format

    @functools.wraps(filter_)  # with the mark that tells Jinja what to hand in first
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if len(args) == first + 1 and type(args[first]) is str and not kwargs and not is_format:
            return filter_(*args)  # a text alone is what it may be, and nothing tells it to grow
        value, *rest = _arguments(filter_, args)
        given = [*rest, *kwargs.values()]
        for each in (value, *(arg for arg in given if not isinstance(arg, bool))):
            check_printable(each)
        if is_format:
            check_format(value, given)
        if isinstance(value, str):
            check_growth(value, given)
        return filter_(*args, **kwargs)

    return guarded


def _with_a_size(filter_: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(filter_)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        _, *rest = _arguments(filter_, args)
        check_growth("", [arg for arg in (*rest, *kwargs.values()) if isinstance(arg, int)])
        return filter_(*args, **kwargs)

    return guarded


def _of_parts(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter for a text, or for a mapping of names to what may be printed."""

    @functools.wraps(filter_)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        value = _arguments(filter_, args)[0]
        for part in value.values() if isinstance(value, Mapping) else (value,):
            check_printable(part)
        return filter_(*args, **kwargs)

    return guarded


def check_parts(glue: str, parts: Iterable[Any]) -> list[Any]:
    """What is joined, if every part may be printed and the whole is not too long. Raises TemplateFault."""
    listed = [check_printable(part) for part in parts]
    check_size(sum(len(part) + len(glue) for part in listed if isinstance(part, str)))
    return listed


@jinja2.pass_eval_context
def _joined(context: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(context.environment, attribute), value)
    return filters.sync_do_join(context, check_parts(check_printable(d), value), d)


@jinja2.pass_environment
def _summed(environment: Any, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("a sum of anything but numbers")
    return filters.sync_do_sum(environment, value, attribute, start)


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002  # Jinja's own
    return default_value if not is_defined(value) or (boolean and not value) else value


def is_defined(value: Any) -> bool:
    """Null is as undefined inside a list as it is as a variable."""
    return value is not None and not isinstance(value, jinja2.Undefined)
