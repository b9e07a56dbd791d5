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
from runner.git.process import GitFailed
from runner.git.repository import find_repository
from runner.ledger.lock_address import has_credentials

# A version of the package index, a commit of a git repository, or an archive with its hash.
_PINNED = re.compile(
    r"msgrun(\[[a-z0-9,]+\])?\s*(==\s*[0-9][0-9A-Za-z.+!-]*"
    r"|@\s*git\+(https|ssh)://[^\s@]+(@[^\s/@]+/[^\s@]*)?@[0-9a-f]{40}(#[\w=&./-]+)?"
    r"|@\s*https://[^\s#]+#sha256=[0-9a-f]{64})"
)
# git's short form of an SSH address.
_SHORT_ADDRESS = re.compile(r"(?P<user_and_host>[\w.-]+@[\w.-]+):(?P<path>[^/].*)")


def find_requirement(given: str | None, command: str) -> str:
    """Returns what pip installs in a CI job: what `--from` gives, else what this msgrun was installed from.

    Raises UsageMistake if that does not name one version for good, or is a folder of this machine other than a clone
    with this very code at a commit that its remote has. The hint is `command` with `--from`.
    """
    requirement = given or _describe_installed(command)
    if requirement.startswith(("git+", "https://")):
        requirement = f"msgrun @ {requirement}"
    if not _PINNED.fullmatch(requirement):
        raise UsageMistake(f"{requirement} does not name one version of msgrun for good", _ask_source(command))
    if has_credentials(requirement.partition("@")[2].strip().removeprefix("git+")):
        raise UsageMistake("--from contains a password or a token", "a CI job reads it from a variable, or needs none")
    return requirement


def _ask_source(command: str, commit: str | None = None) -> str:
    address = f"git+https://HOST/PATH@{commit}" if commit else "git+https://HOST/PATH@COMMIT (40 digits)"
    return f"say where CI finds it: {command} --from {address}, or --from msgrun==VERSION if the package index has it"


def _describe_installed(command: str) -> str:
    text = distribution("msgrun").read_text("direct_url.json")
    if text is None:
        return f"msgrun=={__version__}"
    source: dict[str, Any] = json.loads(text)
    if str(source.get("url", "")).startswith("file:"):
        return _describe_clone(Path(unquote(urlsplit(source["url"]).path)), command)
    url, vcs, archive = str(source.get("url", "")), source.get("vcs_info"), source.get("archive_info")
    part = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
    if vcs and vcs.get("vcs") == "git":
        return f"msgrun @ git+{url}@{vcs.get('commit_id', '')}{part}"
    if archive and url.startswith("https://"):
        digest = (archive.get("hashes") or {}).get("sha256") or str(archive.get("hash", "")).removeprefix("sha256=")
        return f"msgrun @ {url}#sha256={digest}"
    message = f"this msgrun was installed from {url}, which does not name one version for good"
    raise UsageMistake(message, _ask_source(command))


def _describe_clone(folder: Path, command: str) -> str:
    """Returns the requirement for a msgrun that was installed from this folder: the commit of a clone.

    Raises UsageMistake unless its remote has the commit, and this program is that of the commit.
    """
    message = f"this msgrun was installed from the folder {folder}, which a CI job does not have"
    repository = find_repository(folder) if folder.is_dir() else None
    url = repository.try_git("remote", "get-url", "origin") if repository else None
    commit = repository.try_git("rev-parse", "--verify", "HEAD") if repository else None
    if url and (match := _SHORT_ADDRESS.fullmatch(url)):
        url = f"ssh://{match['user_and_host']}/{match['path']}"
    requirement = f"msgrun @ git+{url}@{commit}"
    if not (repository and commit and url) or has_credentials(url) or not _PINNED.fullmatch(requirement):
        raise UsageMistake(message, _ask_source(command, commit))
    wanted = f"{command} --from {requirement.partition(' @ ')[2]}"
    if not repository.try_git("for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes/origin"):
        raise UsageMistake(f"{message}; origin does not have its commit {commit[:12]}", f"push it, and then: {wanted}")
    try:  # the program that runs: in an own folder, or the clone's work tree
        tree = {"GIT_WORK_TREE": str(Path(__file__).parents[2]), "GIT_OPTIONAL_LOCKS": "0"}
        repository.git("diff", "--quiet", commit, "--", ":(top)runner", extra_env=tree)
    except GitFailed as error:
        message += f"; what runs here differs from its commit {commit[:12]}"
        raise UsageMistake(message, f"to let the jobs install that commit: {wanted}") from error
    return requirement
