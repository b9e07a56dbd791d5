"""Where a CI job installs msgrun from: the very code that is running, pinned so that it cannot be replaced.

Source of the file `direct_url.json`: PEP 610.
"""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runner import __version__
from runner.errors import UsageMistake
from runner.git.repository import find_repository
from runner.ledger.lock_address import has_credentials

# A version of the package index, a commit of a git repository, or an archive with its hash.
_PINNED = re.compile(
    r"msgrun(\[[a-z0-9,]+\])?\s*(==\s*[0-9][0-9A-Za-z.+!-]*"
    r"|@\s*git\+(https|ssh)://[^\s@]+(@[^\s/@]+/[^\s@]*)?@[0-9a-f]{40}(#[\w=&./-]+)?"
    r"|@\s*https://[^\s#]+#sha256=[0-9a-f]{64})"
)
_HINT = (
    "say from where with --from: 'msgrun @ git+https://HOST/PATH@COMMIT' (40 digits), "
    "'msgrun @ https://…#sha256=…', or msgrun==VERSION if the package index has it"
)
# git's short form of an SSH address.
_SHORT_ADDRESS = re.compile(r"(?P<user_and_host>[\w.-]+@[\w.-]+):(?P<path>[^/].*)")


def find_requirement(given: str | None) -> str:
    """Returns what pip installs in a CI job: what `--from` gives, else what this msgrun was installed from.

    Raises UsageMistake if that is a folder of this machine, or does not name one version for good.
    """
    requirement = given or _describe_installed()
    if not _PINNED.fullmatch(requirement):
        raise UsageMistake(f"{requirement} does not name one version of msgrun for good", _HINT)
    if has_credentials(requirement.partition("@")[2].strip().removeprefix("git+")):
        raise UsageMistake("--from contains a password or a token", "a CI job reads it from a variable, or needs none")
    return requirement


def _describe_installed() -> str:
    text = distribution("msgrun").read_text("direct_url.json")
    if text is None:
        return f"msgrun=={__version__}"
    source: dict[str, Any] = json.loads(text)
    if str(source.get("url", "")).startswith("file:"):
        raise UsageMistake(
            "this msgrun was installed from a folder of this machine, which a CI job does not have",
            _suggest_source(Path(unquote(urlsplit(source["url"]).path))),
        )
    url, vcs, archive = str(source.get("url", "")), source.get("vcs_info"), source.get("archive_info")
    part = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
    if vcs and vcs.get("vcs") == "git":
        return f"msgrun @ git+{url}@{vcs.get('commit_id', '')}{part}"
    if archive and url.startswith("https://"):
        digest = (archive.get("hashes") or {}).get("sha256") or str(archive.get("hash", "")).removeprefix("sha256=")
        return f"msgrun @ {url}#sha256={digest}"
    raise UsageMistake(f"this msgrun was installed from {url}, which does not name one version for good", _HINT)


def _suggest_source(folder: Path) -> str:
    """Returns the hint for a msgrun that was installed from this folder: if it is a clone, where it was cloned from."""
    repository = find_repository(folder) if folder.is_dir() else None
    url = repository.try_git("remote", "get-url", "origin") if repository else None
    commit = repository.try_git("rev-parse", "--verify", "HEAD") if repository else None
    if url and (match := _SHORT_ADDRESS.fullmatch(url)):
        url = f"ssh://{match['user_and_host']}/{match['path']}"
    requirement = f"msgrun @ git+{url}@{commit}"
    if not url or has_credentials(url) or not _PINNED.fullmatch(requirement):
        return _HINT
    return f"once that commit is pushed, add: --from '{requirement}'"
