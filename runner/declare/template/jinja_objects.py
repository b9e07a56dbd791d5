"""The parts of the objects that Jinja itself makes: `loop`, a cycler, a macro, an imported template and the like.

A template reads data of them. Their methods are there only to be called, and what else their Python classes have is not
there at all: it would be true in every `if`, for every recipient.
"""

from typing import Any

from jinja2.environment import TemplateModule
from jinja2.filters import _GroupTuple  # of `groupby`; Jinja documents its parts, and gives it no public name
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.utils import Cycler, Joiner, Namespace

from runner.declare.similar_names import suggest_or_list

_NOTHING: frozenset[str] = frozenset()
# https://jinja.palletsprojects.com/en/stable/templates/#for, and the classes below "List of Global Functions" there.
_DATA: dict[type, frozenset[str]] = {
    LoopContext: frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
    | {"depth", "depth0", "previtem", "nextitem"},
    Cycler: frozenset({"current"}),
    _GroupTuple: frozenset({"grouper", "list"}),
}
_METHODS: dict[type, frozenset[str]] = {
    LoopContext: frozenset({"cycle", "changed"}),
    Cycler: frozenset({"next", "reset"}),
    BlockReference: frozenset({"super"}),
}


def has_data(obj: Any, name: str) -> bool:
    """Returns whether `name` is data of an object of Jinja's."""
    if isinstance(obj, Namespace):
        return True  # what the template itself has set; Jinja finds nothing else in it
    if isinstance(obj, TemplateModule):
        return name in obj.__dict__ and not name.startswith("_")
    return name in _DATA.get(type(obj), _NOTHING)


def has_method(obj: Any, name: str) -> bool:
    """Returns whether a template may call `name` of an object of Jinja's; a block is called as `self.title()`."""
    return isinstance(obj, TemplateReference) or name in _METHODS.get(type(obj), _NOTHING)


def suggest_part(obj: Any, name: str) -> str:
    """Returns the hint for a part that an object of Jinja's does not have; empty if `obj` is none of them."""
    if has_method(obj, name):
        return f"it is called: {'self.' if isinstance(obj, TemplateReference) else ''}{name}(…)"
    if isinstance(obj, Macro | Joiner | BlockReference):
        kind = {Macro: "a macro", Joiner: "a joiner"}.get(type(obj), "a block")
        return f"{kind} has no parts: to print what it makes, call it: {{{{ …(…) }}}}"
    if names := _DATA.get(type(obj)):
        return suggest_or_list(name, sorted(names))
    return ""
