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
from runner.errors import Place, Problem, ProblemsFound, Severity

_START = 64 * 1024  # bytes of a file that are looked at; the keys of a declaration stand above a long body
_MAX_PEEKED = 5_000  # files below messages/ that are opened
# What has other content by its kind: it is not opened.
_OTHER_KINDS = re.compile(
    r"x?html?|mjml|j2|jinja2?|css|md|markdown|mdx|rst|adoc|[ct]sv|jsonl|ndjson|parquet|sql|gz|zip|xlsx?|ods|pdf|eml|png|"
    r"jpe?g|gif|svg|webp|ico|py|js|ts|sh|lock",
    re.IGNORECASE,
)
_DOCUMENTATION = ("md", "markdown", "mdx", "rst", "adoc")  # may quote a declaration
_YAML_NAME = re.compile(r"(?P<name>.*\.ya?ml)(?P<rest>[^a-z].*)", re.IGNORECASE)
_MISSPELT_SUFFIX = re.compile(r"\.y[aeiml1y]{1,5}", re.IGNORECASE)
_SETTINGS_NAME = re.compile(r"\.?msg-?runn?(?:er)?(?:\.(?:y[aeiml1y]{1,5}|json)(?:[^a-z].*)?)", re.IGNORECASE)
# Copies that an editor, git or patch leaves beside a file. They are silent as long as the file itself is there.
_COPY = re.compile(r".*(?:~|#|[._-](?:bak|backup|orig|old|save|saved|tmp|rej|swp|copy|[\d._-]+)\d*~?)", re.IGNORECASE)
_SET_ASIDE = re.compile(
    r"[._-](?:disabled|inactive|off|skip|ignored?|examples?|sample|template|tmpl|tpl|dist|draft|archived?)",
    re.IGNORECASE,
)
_KEY = rb"(?:^|[\r\n{,])(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[ \t]*[\"']?(?:%s)[\"']?[ \t]*:(?=[ \t\r\n\"'{\[]|$)"
_MESSAGE_TYPE = re.compile(_KEY % b"message_type" + rb"[ \t]*[\"']?(?:e-?mail|in[_-]?app)\b", re.IGNORECASE)
_OTHER_KEY = re.compile(_KEY % b"name|subject|body|body_file|from|to|template", re.MULTILINE)
_NAME_KEY = re.compile(_KEY % b"name", re.MULTILINE)
_ANY_KEYS = re.compile(
    _KEY % b"(name|message_type|subject|body|body_file|from|to|template|vars|expires|not_before)", re.MULTILINE
)
_SETTINGS_KEY = re.compile(
    _KEY % b"workspace|region|api_version|lock|ledger|salt|from|vars|suppress|limits|environments", re.MULTILINE
)
_ANSWER = re.compile(rb"[\"']?type[\"']?[ \t]*:[ \t]*[\"']?(?:admin|user)_message\b")  # saved from the API


def find_unread_files(tree: Tree, files: MessageFiles) -> Iterator[Problem]:
    """Yields a warning for each declaration that is not read because of a name. `files` are all of messages/."""
    declarations = frozenset(path.lower() for path in files.declarations)
    candidates = (path for path in files.others if _may_be_declaration(PurePosixPath(path).name))
    for path in islice(candidates, _MAX_PEEKED):
        if problem := _check_file(tree, path, declarations):
            yield problem
    yield from find_unread_folders(tree)


def find_unread_settings(tree: Tree, settings_file: str) -> Iterator[Problem]:
    """Yields a problem for each file of settings whose name is not quite `settings_file`.

    It is an error if there is no other one: without the salt and the workspace, messages would be sent again.
    """
    has_settings = os.path.lexists(tree.root / settings_file)
    for name in _list_root(tree):
        if name == settings_file or not _is_misnamed_settings(tree, name):
            continue
        message = f"these settings are not read: the file is not {settings_file}"
        if not has_settings:
            yield Problem("file-not-read", Place(name), message, f"rename it to {settings_file}")
        elif not _COPY.fullmatch(name):
            hint = f"{settings_file} is there already: put them there if they are the right ones, then remove this file"
            yield _warning(name, message, hint)


def _may_be_declaration(name: str) -> bool:
    """Returns whether a file may be a declaration, by its name, which does not end as that of a declaration."""
    kind = name.lower().rpartition(".")[2]
    if kind in _DOCUMENTATION or _SET_ASIDE.search(name):
        return False
    return _OTHER_KINDS.fullmatch(kind) is None or _YAML_NAME.fullmatch(name) is not None


def _check_file(tree: Tree, path: str, declarations: frozenset[str]) -> Problem | None:
    text = _read_start(tree, path)
    name = PurePosixPath(path).name
    if not (_is_declaration_text(text) or (_is_misspelt(name) and _has_two_keys(text))):
        return None
    meant = str(PurePosixPath(path).with_name(_meant_name(name)))
    hint = f"rename it to {meant}"
    if meant.lower() in declarations:
        if _COPY.fullmatch(name):
            return None
        hint = f"{meant} is there already: put this text there if it is the right one, then remove this file"
    elif not _NAME_KEY.search(text):
        hint += ", and give it a name: a line such as name: welcome"
    return _warning(path, "this declaration is not read: its file does not end in .yaml or .yml", hint)


def _read_start(tree: Tree, path: str) -> bytes:
    return tree.peek(path, _START).replace(b"\0", b"")  # without NUL, the keys of UTF-16 read as those of UTF-8


def _is_declaration_text(text: bytes) -> bool:
    return bool(_MESSAGE_TYPE.search(text) and _OTHER_KEY.search(text) and not _ANSWER.search(text))


def _has_two_keys(text: bytes) -> bool:
    return len(set(_ANY_KEYS.findall(text))) > 1


def _is_misspelt(name: str) -> bool:
    suffix = PurePosixPath(name).suffix
    return _YAML_NAME.fullmatch(name) is not None or _MISSPELT_SUFFIX.fullmatch(suffix) is not None


def _meant_name(name: str) -> str:
    """Returns the name of the declaration that a file was meant to be: of `a.yaml.txt` and `a.ymal` it is `a.yaml`."""
    name = name.lstrip("#~$ ")
    if match := _YAML_NAME.fullmatch(name):
        return match["name"]
    stem, dot, suffix = name.rpartition(".")
    is_suffix = bool(dot and stem) and re.fullmatch(r"[A-Za-z]\w{0,5}\W*", suffix) is not None
    return f"{(stem if is_suffix else name).strip()}.yaml"


def refuse_misnamed_settings(tree: Tree, settings_file: str) -> None:
    """Raises ProblemsFound if there are settings under another name than `settings_file`, which is not there."""
    if problems := list(find_unread_settings(tree, settings_file)):
        raise ProblemsFound(problems)


def find_unread_folders(tree: Tree) -> Iterator[Problem]:
    """Yields a warning for each folder or file of the root with declarations that are not read outside messages/."""
    names = _list_root(tree)
    for name, is_folder in names.items():
        if is_folder and _resembles_messages(name) and _holds_declaration(tree, name):
            hint = "move its files to messages/" if "messages" in names else "rename it to messages"
            yield _warning(name, "the declarations in this folder are not read: it is not messages/", hint)
        elif not is_folder and is_declaration(name) and _is_declaration_text(_read_start(tree, name)):
            hint = f"move it to messages/{name}; the paths in it are relative to the file"
            yield _warning(name, "this declaration is not read: it is not in messages/", hint)


def _list_root(tree: Tree) -> dict[str, bool]:
    """Returns the names in the root, sorted; whether each is a folder. Links are left out."""
    with suppress(OSError), os.scandir(tree.root) as entries:
        return {
            entry.name: entry.is_dir(follow_symlinks=False)
            for entry in sorted(entries, key=lambda entry: entry.name)
            if not entry.is_symlink()
        }
    return {}


def _resembles_messages(name: str) -> bool:
    """Returns whether a folder may be meant as messages/: its name differs in case, or in a letter or two."""
    word = name.strip().lower()
    if name == "messages" or word[:1] != "m" or not 6 <= len(word) <= 10 or not word.isalpha():  # noqa: PLR2004
        return False
    import difflib  # noqa: PLC0415  # saves 1 ms in every command of a project without such a folder

    return difflib.SequenceMatcher(None, word, "messages").ratio() >= 0.8  # noqa: PLR2004


def _holds_declaration(tree: Tree, folder: str) -> bool:
    files = list_message_files(tree.root, folder).declarations
    return any(_is_declaration_text(_read_start(tree, path)) for path in islice(files, _MAX_PEEKED))


def _is_misnamed_settings(tree: Tree, name: str) -> bool:
    """Returns whether a file holds settings, and its name is nearly that of settings: `msgrun.yml`, `.msgrun.yaml`."""
    match = _SETTINGS_NAME.fullmatch(name)
    return match is not None and not _SET_ASIDE.search(name) and bool(_SETTINGS_KEY.search(_read_start(tree, name)))


def _warning(path: str, message: str, hint: str) -> Problem:
    return Problem("file-not-read", Place(path), message, hint, Severity.WARNING)
