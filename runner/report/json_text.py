"""JSON of values that may hold a name of a file that is not UTF-8: Python keeps its bytes as surrogates."""

import re
from typing import Any

import orjson

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(value: Any) -> str:
    """Returns the value as indented JSON. A surrogate is written as a text shows it: `<U+DCFF>`."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_show_surrogates(value), option=orjson.OPT_INDENT_2).decode()


def _show_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"<U+{ord(match[0]):04X}>", value)
    if isinstance(value, dict):
        return {_show_surrogates(key): _show_surrogates(item) for key, item in value.items()}
    return [_show_surrogates(item) for item in value] if isinstance(value, list | tuple) else value
