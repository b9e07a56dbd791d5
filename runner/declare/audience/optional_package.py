"""Packages that only some audiences need. An extra of msgrun installs them."""

import importlib
from typing import Any

from runner.declare.tree import NotReadable


def import_extra(name: str, extra: str, needed_by: str) -> Any:
    """Imports a package. Raises NotReadable, which says how to install it, if it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{needed_by} the package {name}"
        raise NotReadable("needs-extra", message, f"pip install 'msgrun[{extra}]'") from error
