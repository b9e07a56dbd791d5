"""Projects with a remote that many tests begin with: git makes each once in a process, and every test gets a copy."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from runner.sandbox import Sandbox
from tests.support.clones import Clone

AUTHOR, ORIGIN = "author", "origin.git"
_PREPARED: dict[object, Path] = {}


def copy_origin(folder: Path) -> Path:
    """A bare repository in a folder that serves any commit, as hosts do."""
    return _copied(_empty_origin(), folder, ORIGIN)


def copy_project(files: Mapping[str, str], folder: Path, intercom: Sandbox) -> Clone:
    """The clone of the person who made a project of these files; pushed to the origin in the same folder."""
    made = _pushed(tuple(files.items()))
    origin = _copied(made, folder, ORIGIN)
    clone = Clone(_copied(made, folder, AUTHOR), intercom)
    clone.git("remote", "set-url", "origin", origin.as_uri())
    clone.git("update-index", "-q", "--refresh")  # the copies are other files
    return clone


def restore(key: object, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills, as it was then. It is one for all tests of a process, so addresses in it hold."""
    if key not in _PREPARED:
        _PREPARED[key] = _new_folder()
        (_PREPARED[key] / "now").mkdir()
        make(_PREPARED[key] / "now")
        shutil.copytree(_PREPARED[key] / "now", _PREPARED[key] / "before", symlinks=True)
    folder = _PREPARED[key] / "now"
    shutil.rmtree(folder)
    shutil.copytree(_PREPARED[key] / "before", folder, symlinks=True)
    _git(folder / AUTHOR, "update-index", "-q", "--refresh")
    return folder


def _copied(made: Path, folder: Path, name: str) -> Path:
    return shutil.copytree(made / name, folder / name, symlinks=True, dirs_exist_ok=True)


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(dir=os.environ["TESTS_SHARED_FOLDER"]))


def _git(path: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(path), *args], check=True)


@cache
def _empty_origin() -> Path:
    folder = _new_folder()
    path = folder / ORIGIN
    path.mkdir()
    _git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    for setting in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter", "receive.advertisePushOptions"):
        _git(path, "config", setting, "true")
    _remove_samples(path)
    return folder


@cache
def _pushed(files: tuple[tuple[str, str], ...]) -> Path:
    folder = _new_folder()
    origin = copy_origin(folder)
    author = folder / AUTHOR
    for name, text in files:
        path = author / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    _git(author, "init", "--quiet", "--initial-branch=main")
    _remove_samples(author / ".git")
    _git(author, "add", "--all")
    _git(author, "commit", "--quiet", "--message", "change")
    _git(author, "remote", "add", "origin", origin.as_uri())
    _git(author, "push", "--quiet", "--set-upstream", "origin", "main")
    return folder


def _remove_samples(git_folder: Path) -> None:
    for sample in (git_folder / "hooks").glob("*.sample"):
        sample.unlink()
