"""The files of a suppression list, as `exclude` and `suppress` declare them."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

FORMATS = ("csv", "jsonl", "parquet", "yaml")


class ContactFiles(NamedTuple):
    """One file, or several that one pattern names.

    `pattern` is relative to the declaration. `format` is one of FORMATS, or empty if the suffix of each file says it.
    `options` are the keys that say how the files are read: columns, delimiter, quote and encoding.
    """

    pattern: str
    format: str
    options: Mapping[str, Any]

    def __str__(self) -> str:
        if not self.format:
            return self.pattern
        return json.dumps({self.format: self.pattern, **self.options}, ensure_ascii=False)


def parse_contact_files(value: Any) -> tuple[ContactFiles, ...]:
    """Returns the files that a valid `exclude` or `suppress` names: a path, a mapping, or a list of these."""
    return tuple(_parse(item) for item in (value if isinstance(value, list) else [value]))


def _parse(item: str | Mapping[str, Any]) -> ContactFiles:
    if isinstance(item, str):
        return ContactFiles(item, "", {})
    name = next(name for name in FORMATS if name in item)
    return ContactFiles(item[name], name, {key: value for key, value in item.items() if key != name})
