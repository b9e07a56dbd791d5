"""Checks of this installation: the version, and the packages that only some projects need."""

import importlib.util
import platform

from runner import __version__
from runner.declare.project import Project
from runner.declare.settings import Settings
from runner.ledger.lock_address import DatabaseAddress
from runner.report.checkup_text import Check

_EXTRAS = {"sql": "duckdb", "postgres": "psycopg", "zstd": "zstandard"}  # the package that each of them installs


def check_installation(settings: Settings | None, project: Project | None) -> list[Check]:
    """Returns the checks of the version and of the extras."""
    version = f"msgrun {__version__}, Python {platform.python_version()}"
    return [Check("version", "ok", version), _check_extras(settings, project)]


def _check_extras(settings: Settings | None, project: Project | None) -> Check:
    installed = [extra for extra, package in _EXTRAS.items() if importlib.util.find_spec(package)]
    missing = [extra for extra in _EXTRAS if extra not in installed]
    if settings and isinstance(settings.lock, DatabaseAddress) and "postgres" in missing:
        return Check("extras", "fail", "the ledger needs msgrun[postgres]", "pip install 'msgrun[postgres]'")
    needed = [problem for problem in (project.problems if project else ()) if problem.code == "needs-extra"]
    if needed:
        return Check("extras", "fail", f"{needed[0].place.path} needs another package", needed[0].hint)
    parts = [f"{', '.join(installed)} installed"] if installed else []
    if missing:
        when = "" if project else " outside of a project"
        parts.append(f"{', '.join(missing)} not installed, and not needed{when}")
    return Check("extras", "ok", "; ".join(parts))
