"""Lists the files below messages/."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runner.errors import UsageMistake

MAX_DECLARATION_FILES = 50_000  # below messages/; a thousand take a second to check


class MessageFiles(NamedTuple):
    """The paths of the files below messages/, from the root: the declarations, and the others such as templates.

    Both are sorted: no order depends on the file system.
    """

    declarations: tuple[str, ...]
    others: tuple[str, ...]


def list_message_files(root: Path, top: str = "messages") -> MessageFiles:
    """Returns the files below messages/, or below another folder of the root.

    Declarations end in .yaml or .yml, also in capitals. Hidden files and folders are skipped, such as macOS's
    `._a.yaml`. A link to a folder is returned as a declaration; reading it raises NotReadable. If the folder itself is
    a link, it is the only path. Raises UsageMistake if there are more than MAX_DECLARATION_FILES declarations.
    """
    if (root / top).is_symlink():
        return MessageFiles((top,), ())
    declarations: list[str] = []
    others: list[str] = []
    pending = [top]
    while pending:
        folder = pending.pop()
        with suppress(OSError), os.scandir(root / folder) as entries:  # a project may have no messages/
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                # A link to a folder is not entered. Returned as a path, it is reported when it is read. If it were
                # left out, the messages in it would be ignored without an error.
                elif is_declaration(entry.name) or (entry.is_symlink() and entry.is_dir()):
                    declarations.append(path)
                else:
                    others.append(path)
        if len(declarations) > MAX_DECLARATION_FILES:
            message = f"there are more than {MAX_DECLARATION_FILES:,} files of declarations"
            raise UsageMistake(message, "a file may hold several documents")
    return MessageFiles(tuple(sorted(declarations)), tuple(sorted(others)))


def is_declaration(name: str) -> bool:
    """Returns whether the name of a file is that of a declaration."""
    return not name.startswith(".") and name.lower().endswith((".yaml", ".yml"))
