"""What tests of the whole command share: a clean environment, a project folder, and an Intercom to talk to."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from runner.sandbox import Sandbox
from tests.support.project import GIT_CONFIG, Folder

if TYPE_CHECKING:
    from tests.support.postgres import Server

# Containers often set it. Then every worker compiles each test again, and each process of a test all of msgrun.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["PIP_NO_INDEX"] = "1"  # no test asks a package index
os.environ["PIP_FIND_LINKS"] = ""

NO_PIP = "/no/pip"  # which takes seconds to say that there is no index
ROOM = 2 * 1024**3  # bytes
SHARED = "TESTS_SHARED_FOLDER"  # the variable that names a folder of all workers
# Machines are shared and noisy: how long an example takes says nothing about the promise that it tests.
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", deadline=None, suppress_health_check=CHECKS, max_examples=25, derandomize=True)
for name, count in {"proof": 100, "table": 1000}.items():
    settings.register_profile(name, deadline=None, suppress_health_check=CHECKS, max_examples=count, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all tests are collected: they live to the end
    _use_memory()
    settings.load_profile(_long_part(config) or "quick")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with Ctrl-C ignored
    if not hasattr(config, "workerinput"):  # the workers of pytest-xdist inherit it
        os.environ[SHARED] = tempfile.mkdtemp(prefix="msgrun-tests-")


def _use_memory() -> None:
    """Puts temporary files into memory, where there is room and programs may run: the suite took 249 s instead of 287.

    Whoever sets TMPDIR decides otherwise.
    """
    memory = Path("/dev/shm")  # pytest and tempfile make folders of their own in it
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK):
        return
    if shutil.disk_usage(memory).free > ROOM and not os.statvfs(memory).f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(SHARED))
        if (folder / "postgres.json").exists():
            from tests.support import postgres  # noqa: PLC0415  # psycopg takes a third of a second

            postgres.end_shared(folder)
        shutil.rmtree(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: two more than there are cores, because many tests wait for a server or a process."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Property tests are in each part, with other numbers of examples. Linters begin first: one takes the longest."""
    items.sort(key=lambda item: item.get_closest_marker("lint") is None)
    if part := _long_part(config):
        if part == "proof":
            items[:] = [item for item in items if "table" not in item.keywords]
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker(part)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def _long_part(config: pytest.Config) -> str | None:
    """The part that is run instead of the tests of every run: the proofs, or the rows of large tables."""
    return next((part for part in ("proof", "table") if config.option.markexpr == part), None)


@pytest.fixture
def server() -> "Iterator[Server]":
    """A real PostgreSQL with an empty database for this test. The server is shared by all tests and workers."""
    from tests.support import postgres  # noqa: PLC0415  # likewise

    with postgres.shared(Path(os.environ[SHARED])).new_database() as database:
        yield database


@pytest.fixture
def own_server() -> "Iterator[Server]":
    """A real PostgreSQL of this test alone, which it may kill."""
    from tests.support import postgres  # noqa: PLC0415  # likewise

    server = postgres.created()
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    """The same environment here and in CI, also for a test that undoes its own `monkeypatch`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("INTERCOM_", "MSGRUN_", "GITHUB_")) or name in {
                "CI",
                "NO_COLOR",
                "FORCE_COLOR",
                "COLUMNS",
            }:
                patch.delenv(name)
        for name, value in {
            "GIT_CONFIG_GLOBAL": GIT_CONFIG,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.com",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.com",
        }.items():
            patch.setenv(name, value)
        patch.setattr("runner.cli.ci_packages._find_pip", lambda: [NO_PIP])
        yield


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    """An empty project: messages/ and a lockfile of an empty salt."""
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n')
    return Folder(tmp_path, capsys)


@pytest.fixture
def intercom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An Intercom of workspace acme, which the command talks to as if it were the real one."""
    with Sandbox(workspace="acme", rate_limit=10**9) as sandbox:
        monkeypatch.setenv("INTERCOM_BASE_URL", sandbox.url)
        monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "secret-token")
        yield sandbox
