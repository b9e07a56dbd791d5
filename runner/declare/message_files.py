"""Lists the files below messages/, and finds declarations and settings that are not read because of a wrong name.

Without a warning, `welcome.ymal` or the folder `Messages/` looks like a message that has nothing to send.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from runner.declare.tree import MAX_PATH, NotReadable, Tree
from runner.errors import Place, Problem, Severity, UsageMistake

MAX_DECLARATION_FILES = 50_000  # below messages/; a thousand take a second to check
_START = 64 * 1024  # bytes of a file that are looked at; the keys of a declaration stand above a long body
_MAX_PEEKED = 5_000  # files that are opened
# The patterns are compiled at first use: in most projects no file has a wrong name.
_MISSPELT = r"y[aeiml1y]{1,5}"
# The names that a declaration most often gets by mistake: a.ymal, a.json, a.txt, a.yaml.txt, a.yaml (1).
_MISNAMED = rf"(?i)(?P<stem>[^#].*?)\.(?:ya?ml[ ._]*(?:txt|html|j2|\(?\d\)?)?|jsonc?|te?xt|{_MISSPELT})"
_MISNAMED_SETTINGS = rf"(?i)\.?msg-?run\.(?:{_MISSPELT}|json)(?:\.txt)?"
_KEY = rb"(?:^|[\r\n{,])(?:\xef\xbb\xbf)?[ \t]*[\"']?(?:%s)[\"']?[ \t]*:(?=[ \t\r\n\"'{\[]|$)"
_MESSAGE_TYPE = rb"(?i)" + _KEY % b"message_type" + rb"[ \t]*[\"']?(?:e-?mail|in[_-]?app)\b"
_OTHER_KEY = rb"(?m)" + _KEY % b"name|subject|body|body_file|from|to|template"
_SETTINGS_KEY = (
    rb"(?m)" + _KEY % b"workspace|region|api_version|lock|ledger|salt|from|vars|suppress|limits|environments"
)
_NAME = rb"(?m)^(?:- )?[\"']?name[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z0-9][A-Za-z0-9._/-]{0,99})"
_ANSWER = rb"[\"']?type[\"']?[ \t]*:[ \t]*[\"']?(?:admin|user)_message\b"  # saved from the API


class MessageFiles(NamedTuple):
    """The paths of the files below messages/, from the root: the declarations, and the others such as templates.

    Both are sorted: no order depends on the file system.
    """

    declarations: tuple[str, ...]
    others: tuple[str, ...]


def list_message_files(root: Path, top: str = "messages") -> MessageFiles:
    """Returns the files below messages/, or below another folder of the root.

    Declarations end in .yaml or .yml, also in capitals. Hidden files and folders are skipped, such as macOS's
    `._a.yaml`. What may hide declarations is returned as one, and reading it raises NotReadable: a link to a folder or
    to nowhere, a folder that cannot be listed, and one whose path is too long. If the folder itself is a link, it is
    the only path. Raises UsageMistake if there are more than MAX_DECLARATION_FILES declarations.
    """
    if (root / top).is_symlink():
        return MessageFiles((top,), ())
    declarations: list[str] = []
    others: list[str] = []
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                found = list(entries)
        except FileNotFoundError:  # a project may have no messages/
            continue
        except OSError:
            declarations.append(folder)
            continue
        for entry in found:
            path = f"{folder}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                # A longer path can be listed in one checkout and not in another.
                (declarations if len(os.fsencode(path)) > MAX_PATH else pending).append(path)
            elif is_declaration(entry.name) or (entry.is_symlink() and _may_be_folder(entry)):
                declarations.append(path)
            else:
                others.append(path)
        if len(declarations) > MAX_DECLARATION_FILES:
            message = f"there are more than {MAX_DECLARATION_FILES:,} files of declarations"
            raise UsageMistake(message, "a file may hold several documents")
    return MessageFiles(tuple(sorted(declarations)), tuple(sorted(others)))


def _may_be_folder(link: os.DirEntry[str]) -> bool:
    """Returns whether a link leads to a folder, or cannot be followed here."""
    try:
        return link.is_dir()
    except OSError:
        return True


def find_names(tree: Tree) -> dict[str, str]:
    """Returns the files of the messages by their names, without reading whole declarations.

    What cannot be read is left out. Raises UsageMistake if there are too many files.
    """
    paths: dict[str, str] = {}
    for path in list_message_files(tree.root).declarations:
        with suppress(NotReadable, OSError), tree.open(path) as file:
            paths |= {name.decode(): path for name in re.findall(_NAME, file.read(_START))}
    return paths


def is_declaration(name: str) -> bool:
    """Returns whether the name of a file is that of a declaration."""
    return not name.startswith(".") and name.lower().endswith((".yaml", ".yml"))


def find_unread_files(tree: Tree, files: MessageFiles) -> Iterator[Problem]:
    """Yields a warning for each declaration that is not read because of a name. `files` are all of messages/."""
    message = "this declaration is not read: its file does not end in .yaml or .yml"
    names = {path: re.fullmatch(_MISNAMED, PurePosixPath(path).name) for path in files.others}
    for path, name in islice(((path, name) for path, name in names.items() if name), _MAX_PEEKED):
        if _holds_declaration(tree, path):
            meant = str(PurePosixPath(path).with_name(f"{name['stem']}.yaml"))
            hint = f"rename it to {meant}"
            if meant in files.declarations:
                hint = f"{meant} is there already: put this text there if it is the right one, then remove this file"
            yield _warning(path, message, hint)
    yield from find_unread_folders(tree)


def find_unread_settings(tree: Tree, settings_file: str) -> Iterator[Problem]:
    """Yields a problem for each file of settings whose name is not quite `settings_file`.

    It is an error if there is no other one: without the salt and the workspace, messages would be sent again.
    """
    message = f"these settings are not read: the file is not {settings_file}"
    has_settings = os.path.lexists(tree.root / settings_file)
    for name in _list_root(tree):
        is_misnamed = name != settings_file and re.fullmatch(_MISNAMED_SETTINGS, name)
        if not is_misnamed or not re.search(_SETTINGS_KEY, tree.peek(name, _START)):
            continue
        if has_settings:
            hint = f"{settings_file} is there already: put them there if they are the right ones, then remove this file"
            yield _warning(name, message, hint)
        else:
            yield Problem("file-not-read", Place(name), message, f"rename it to {settings_file}")


def find_unread_folders(tree: Tree) -> Iterator[Problem]:
    """Yields a warning for each folder or file of the root with declarations that are not read outside messages/."""
    names = _list_root(tree)
    for name, is_folder in names.items():
        if is_folder and name != "messages" and name.strip().lower() in {"messages", "message"}:
            files = list_message_files(tree.root, name).declarations
            if any(_holds_declaration(tree, path) for path in islice(files, _MAX_PEEKED)):
                hint = "move its files to messages/" if "messages" in names else "rename it to messages"
                yield _warning(name, "the declarations in this folder are not read: it is not messages/", hint)
        elif not is_folder and is_declaration(name) and _holds_declaration(tree, name):
            hint = f"move it to messages/{name}; the paths in it are relative to the file"
            yield _warning(name, "this declaration is not read: it is not in messages/", hint)


def _holds_declaration(tree: Tree, path: str) -> bool:
    text = tree.peek(path, _START)
    return bool(re.search(_MESSAGE_TYPE, text) and re.search(_OTHER_KEY, text) and not re.search(_ANSWER, text))


def _list_root(tree: Tree) -> dict[str, bool]:
    """Returns the names in the root, sorted; whether each is a folder. Links are left out."""
    with suppress(OSError), os.scandir(tree.root) as entries:
        return {
            entry.name: entry.is_dir(follow_symlinks=False)
            for entry in sorted(entries, key=lambda entry: entry.name)
            if not entry.is_symlink()
        }
    return {}


def _warning(path: str, message: str, hint: str) -> Problem:
    return Problem("file-not-read", Place(path), message, hint, Severity.WARNING)
