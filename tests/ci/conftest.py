"""A bare remote, clones of it, and an Intercom that counts: what a CI system does with a project, in real git."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import ATTRIBUTES, SETTINGS, Clone, message
from tests.support.pushed_projects import AUTHOR, ORIGIN, copy_origin, copy_project, restore

LOCK_LINES = {"branch": "lock: git+origin\n", "main": "lock: git+origin#main\n", "lockfile": ""}


@pytest.fixture
def intercom() -> Iterator[Sandbox]:
    with Sandbox(workspace="acme", rate_limit=10**9) as sandbox:
        yield sandbox


@pytest.fixture
def origin(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A bare repository that serves any commit, as hosts do: that of the author, if there is one."""
    if "author" not in request.fixturenames:
        return copy_origin(tmp_path)
    author: Clone = request.getfixturevalue("author")
    return author.path.parent / ORIGIN


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> str:
    """The kind of ledger that the project has: branch, main (the working branch), or lockfile."""
    return str(getattr(request, "param", "branch"))


@pytest.fixture
def author(intercom: Sandbox, ledger: str) -> Clone:
    """The clone of whoever made the project: settings, two messages to three recipients, an empty ledger; pushed."""
    files = {
        "msgrun.yaml": SETTINGS + LOCK_LINES[ledger],
        ".gitattributes": ATTRIBUTES,
        ".gitignore": ".msgrun/\n",
        "messages/first.yaml": message("first", "aaa1", "aaa2"),
        "messages/second.yaml": message("second", "bbb1"),
    }

    def make(folder: Path) -> None:
        made = copy_project(files, folder, intercom)
        assert made.msgrun("lock", "begin").code == 0
        if ledger == "main":
            made.git("pull", "--quiet", "--ff-only")
        made.commit()
        made.git("push", "--quiet")

    return Clone(restore(("author", ledger), make) / AUTHOR, intercom)


@pytest.fixture
def clone(tmp_path: Path, origin: Path, author: Clone) -> Callable[..., Clone]:
    """Makes clones, with options of `git clone`."""

    def make(name: str, *options: str) -> Clone:
        path = tmp_path / name
        subprocess.run(["git", "clone", "--quiet", *options, origin.as_uri(), str(path)], check=True)
        return Clone(path, author.intercom)

    return make


@pytest.fixture
def job(tmp_path: Path, origin: Path, author: Clone) -> Callable[..., Clone]:
    """Makes checkouts as CI systems do: one commit, no branch, no origin/HEAD, and the variables of the job."""

    def make(name: str, commit: str, branch: str = "main", *, system: str = "github") -> Clone:
        made = Clone(tmp_path / name, author.intercom)
        made.path.mkdir()
        made.git("init", "--quiet")
        made.git("remote", "add", "origin", origin.as_uri())
        made.git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit)
        made.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        made.env = {"CI": "true"}
        if system == "github":
            made.env |= {"GITHUB_ACTIONS": "true", "GITHUB_REF": f"refs/heads/{branch}", "GITHUB_REF_NAME": branch}
            made.env |= {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/mail"}
            made.env |= {"GITHUB_RUN_ID": name}
        else:
            made.env |= {
                "GITLAB_CI": "true",
                "CI_COMMIT_BRANCH": branch,
                "CI_JOB_URL": f"https://gitlab.example/{name}",
            }
        return made

    return make
