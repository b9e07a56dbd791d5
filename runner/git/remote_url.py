"""Checks that a remote is a URL, and not an option, a helper's command or a path of the work tree."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

# A scheme, or the short form of ssh, user@host:path. `ext::command` and other helpers of git have no such form.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_HOST = rf"(?:{_NAME}|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(
    rf"(?:https?|ssh|git)://(?:[^-/@\s][^/@\s]*@)?{_HOST}(?::\d+)?/\S*|file:///\S*|(?:{_NAME}@)?{_HOST}:(?!:|//)\S+"
)


def is_remote_url(remote: str) -> bool:
    """Returns whether a text is the URL of a git remote, and nothing else that git would take."""
    return _URL.fullmatch(remote) is not None


def is_below(remote: str, folder: Path) -> bool:
    """Returns whether a URL names a repository in a folder: a commit could have brought it, with its configuration."""
    url = urlsplit(remote)
    return url.scheme == "file" and Path(unquote(url.path)).resolve().is_relative_to(folder)
