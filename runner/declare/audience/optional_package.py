"""Packages that only some audiences need, which an extra of msgrun installs."""

import importlib
from typing import Any

from runner.declare.tree import NotReadable


def import_extra(name: str, extra: str, needed_by: str) -> Any:
    """The package, imported where it is used. Raises NotReadable, with how to install it, where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{needed_by} the package {name}"
        raise NotReadable("needs-extra", message, f"pip install 'msgrun[{extra}]'") from error
