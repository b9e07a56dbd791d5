"""What a CI job installs: the very msgrun that is running, and a file with version and hashes of each other package.

The jobs install nothing else, so that no third party can replace the code that reads the token. pip finds the hashes:
it resolves for the Python and the machine of the jobs, to the versions that are installed here.
Sources: pip's documentation, "Secure installs" and "Installation Report"; PEP 610 for the file `direct_url.json`.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution, distributions, requires
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import unquote, urlsplit

from runner import __version__
from runner.errors import MsgrunError, UsageMistake
from runner.git.process import GitFailed
from runner.git.repository import find_repository
from runner.ledger.lock_address import has_credentials

BUILD_REQUIREMENT = "hatchling>=1.27"  # pip builds a commit with it, without fetching another one
# pip evaluates markers for its own Python: what only the Python of the jobs needs would be missing.
_FOR_OLDER_PYTHON = "typing-extensions"
_EXTRAS = ("postgres", "sql")  # installed always, so that a project may begin to use them
_MARKED_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_TIMEOUT = 180  # seconds
# A version of the package index, a commit of a git repository, or an archive with its hash.
_PINNED = re.compile(
    r"msgrun\s*(==\s*[0-9][0-9A-Za-z.+!-]*"
    r"|@\s*git\+(https|ssh)://[^\s@]+(@[^\s/@]+/[^\s@]*)?@[0-9a-f]{40}(#[\w=&./-]+)?"
    r"|@\s*https://[^\s#]+#sha256=[0-9a-f]{64})"
)
# git's short form of an SSH address.
_SHORT_ADDRESS = re.compile(r"(?P<user_and_host>[\w.-]+@[\w.-]+):(?P<path>[^/].*)")


class HashesUnknown(MsgrunError):
    """pip could not say which files the jobs need. The message is the reason."""


@dataclass(frozen=True, slots=True)
class Target:
    """The Python and the machines of a CI system's jobs."""

    python: str
    machines: tuple[str, ...]


TARGETS = {
    "github": Target("3.12", ("x86_64",)),  # python3 of ubuntu-24.04
    "gitlab": Target("3.13", ("x86_64", "aarch64")),  # the image of the pipeline, on a runner of either kind
}


def find_requirement(given: str | None, command: str) -> str:
    """Returns what pip installs in a CI job: what `--from` gives, else what this msgrun was installed from.

    Raises UsageMistake if that does not name one version for good, or is a folder of this machine other than a clone
    with this very code at a commit that its remote has. The hint is `command` with `--from`.
    """
    requirement = given or _describe_installed(command)
    if requirement.startswith(("git+", "https://")):
        requirement = f"msgrun @ {requirement}"
    if not _PINNED.fullmatch(requirement):
        message = f"this is not one version of msgrun for good, at an address of https or ssh: {requirement}"
        raise UsageMistake(message, _ask_source(command))
    if has_credentials(requirement.partition("@")[2].strip().removeprefix("git+")):
        raise UsageMistake("--from contains a password or a token", "a CI job reads it from a variable, or needs none")
    return requirement


def _ask_source(command: str, commit: str | None = None) -> str:
    where = "say where CI finds it" if commit else "say where CI finds it, with all 40 digits of COMMIT"
    address = f"git+https://HOST/PATH@{commit or 'COMMIT'}"
    return f"{where}: {command} --from {address}; or, if the package index has it: {command} --from msgrun==VERSION"


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


def pin_requirements(package: str, system: str) -> str:
    """Returns the text of the file for what pip installs in the jobs of a system. Raises HashesUnknown."""
    target = TARGETS[system]
    hashes: dict[str, set[str]] = {}
    for machine in target.machines:
        for name, digest in _resolve(_list_requirements(package), target.python, machine):
            hashes.setdefault(name, set()).add(digest)
    lines = [
        f"# What the jobs install besides msgrun, for Python {target.python} on Linux ({', '.join(target.machines)}).",
        f"# Written by `msgrun init --{system}`. To renew it, remove it and run that again.",
    ]
    lines += [
        " \\\n".join([name, *(f"    --hash=sha256:{digest}" for digest in sorted(digests))])
        for name, digests in sorted(hashes.items())
    ]
    return "\n".join(lines) + "\n"


def _list_requirements(package: str) -> list[str]:
    """Returns what pip resolves: a version of the package index itself, else what the installed msgrun needs."""
    if "@" not in package:
        return [package.replace("msgrun", f"msgrun[{','.join(_EXTRAS)}]", 1), _FOR_OLDER_PYTHON]
    needed = [BUILD_REQUIREMENT, _FOR_OLDER_PYTHON]
    for requirement in requires("msgrun") or ():
        name, _, marker = requirement.partition(";")
        extra = _MARKED_EXTRA.search(marker)
        if extra is None or extra[1] in _EXTRAS:
            needed.append(name.strip())
    return needed


def _resolve(requirements: Sequence[str], python: str, machine: str) -> Iterator[tuple[str, str]]:
    """Yields each package as `name==version`, and the SHA-256 of its file. Raises HashesUnknown."""
    installed = {f"{dist.metadata['Name']}=={dist.version}\n" for dist in distributions() if "+" not in dist.version}
    with tempfile.TemporaryDirectory(prefix="msgrun-") as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(sorted(line for line in installed if not line.startswith("msgrun=="))))
        platforms = [f"--platform={kind}_{machine}" for kind in ("manylinux2014", "manylinux_2_28")]
        command = [
            *_find_pip(), "install", "--dry-run", "--ignore-installed", "--quiet", "--report=-", "--retries=1",
            "--only-binary=:all:", f"--target={folder}/target", f"--python-version={python}", "--implementation=cp",
            *platforms, f"--constraint={constraints}", *requirements,
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603  # a list, so no shell reads it
                command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HashesUnknown(f"pip did not answer ({type(error).__name__})") from error
    if done.returncode:
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise HashesUnknown(errors[-1] if errors else f"pip failed with {done.returncode}")
    for item in json.loads(done.stdout)["install"]:
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if not digest:
            raise HashesUnknown(f"pip names no hash of {item['metadata']['name']}")
        yield f"{item['metadata']['name']}=={item['metadata']['version']}", digest


def _find_pip() -> list[str]:
    """Returns the command of pip: that of this Python, else the one on PATH. Raises HashesUnknown."""
    if find_spec("pip"):
        return [sys.executable, "-I", "-m", "pip"]
    program = which("pip") or which("pip3")
    if program is None:
        raise HashesUnknown("there is no pip, neither in this Python nor on PATH")
    return [program]
