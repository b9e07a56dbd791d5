"""The file of the packages that CI jobs install besides msgrun: each with its version and the hashes of its files.

The jobs install nothing else, so that no third party can replace the code that reads the token. pip finds the hashes:
it resolves for the Python and the machine of the jobs, to the versions that are installed here.
Source: pip's documentation, "Secure installs" and "Installation Report".
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions, requires
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from runner.current_work import CURRENT_WORK
from runner.declare.message_files import list_message_files
from runner.declare.settings import SETTINGS_FILE, load_all_settings
from runner.declare.tree import MAX_FILE_SIZE, Tree
from runner.errors import MsgrunError
from runner.ledger.lock_address import DatabaseAddress

BUILD_REQUIREMENT = "hatchling>=1.27"  # pip builds a commit with it, without fetching another one
# pip evaluates markers for its own Python: what only the Python of the jobs needs would be missing.
_FOR_OLDER_PYTHON = "typing-extensions"
_EXTRAS = re.compile(r"msgrun\[([a-z0-9,]*)\]")
_MARKED_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_TIMEOUT = 180  # seconds
_EXTRA_PATTERNS = {"sql": re.compile(r"\b(sql|parquet)\s*:|\.parquet\b"), "zstd": re.compile(r"\.zst\b")}


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


def add_extras(package: str, extras: Iterable[str]) -> str:
    """Returns what pip installs, with these extras of msgrun too."""
    match = _EXTRAS.match(package)
    names = sorted({*(match[1].split(",") if match else ()), *extras} - {""})
    rest = package[match.end() :] if match else package.removeprefix("msgrun")
    return f"msgrun[{','.join(names)}]{rest}" if names else f"msgrun{rest}"


def find_extras(tree: Tree) -> set[str]:
    """Returns the extras that a project needs: for its ledgers, and for what its files seem to name.

    A text that only looks like the key of a query costs a package that is not needed. Raises ProblemsFound.
    """
    is_database = any(isinstance(settings.lock, DatabaseAddress) for settings in load_all_settings(tree).values())
    found = {"postgres"} if is_database else set[str]()
    for path in (SETTINGS_FILE, *list_message_files(tree.root).declarations):
        with CURRENT_WORK.on_file(path):
            text = tree.peek(path, MAX_FILE_SIZE).decode(errors="replace")
            found |= {name for name, pattern in _EXTRA_PATTERNS.items() if pattern.search(text)}
    return found


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
        return [package, _FOR_OLDER_PYTHON]
    match = _EXTRAS.match(package)
    extras = set(match[1].split(",")) if match else set[str]()
    needed = [BUILD_REQUIREMENT, _FOR_OLDER_PYTHON]
    for requirement in requires("msgrun") or ():
        name, _, marker = requirement.partition(";")
        extra = _MARKED_EXTRA.search(marker)
        if extra is None or extra[1] in extras:
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
