"""Finds declarations and settings that are not read, because the name of their file or folder is another one.

Without a warning, `welcome.ymal` or the folder `Messages/` looks like a message that has nothing to send.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import PurePosixPath

from runner.declare.message_files import MessageFiles, is_declaration, list_message_files
from runner.declare.tree import Tree
from runner.errors import Place, Problem, Severity

_START = 64 * 1024  # bytes of a file that are looked at; the keys of a declaration stand above a long body
_MAX_PEEKED = 5_000  # files that are opened
_MISSPELT = r"y[aeiml1y]{1,5}"
# The names that a declaration most often gets by mistake: a.ymal, a.json, a.txt, a.yaml.txt, a.yaml (1).
_MISNAMED = re.compile(
    rf"(?P<stem>[^#].*?)\.(?:ya?ml[ ._]*(?:txt|html|j2|\(?\d\)?)?|jsonc?|te?xt|{_MISSPELT})", re.IGNORECASE
)
_MISNAMED_SETTINGS = re.compile(rf"\.?msg-?run\.(?:{_MISSPELT}|json)(?:\.txt)?", re.IGNORECASE)
_KEY = rb"(?:^|[\r\n{,])(?:\xef\xbb\xbf)?[ \t]*[\"']?(?:%s)[\"']?[ \t]*:(?=[ \t\r\n\"'{\[]|$)"
_MESSAGE_TYPE = re.compile(_KEY % b"message_type" + rb"[ \t]*[\"']?(?:e-?mail|in[_-]?app)\b", re.IGNORECASE)
_OTHER_KEY = re.compile(_KEY % b"name|subject|body|body_file|from|to|template", re.MULTILINE)
_SETTINGS_KEY = re.compile(
    _KEY % b"workspace|region|api_version|lock|ledger|salt|from|vars|suppress|limits|environments", re.MULTILINE
)
_ANSWER = re.compile(rb"[\"']?type[\"']?[ \t]*:[ \t]*[\"']?(?:admin|user)_message\b")  # saved from the API


def find_unread_files(tree: Tree, files: MessageFiles) -> Iterator[Problem]:
    """Yields a warning for each declaration that is not read because of a name. `files` are all of messages/."""
    message = "this declaration is not read: its file does not end in .yaml or .yml"
    names = {path: _MISNAMED.fullmatch(PurePosixPath(path).name) for path in files.others}
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
        is_misnamed = name != settings_file and _MISNAMED_SETTINGS.fullmatch(name)
        if not is_misnamed or not _SETTINGS_KEY.search(tree.peek(name, _START)):
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
    return bool(_MESSAGE_TYPE.search(text) and _OTHER_KEY.search(text) and not _ANSWER.search(text))


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
