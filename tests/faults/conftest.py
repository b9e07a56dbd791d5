"""The campaign's own parts, for tests of one fault at a time."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("campaign", Path(__file__).parent.parent / "benchmarks" / "campaign.py")
_module: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


@pytest.fixture(scope="session")
def benchmark() -> Any:
    """tests/benchmarks/campaign.py, which is a command and in no package."""
    return _module


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no process here measure coverage: one that is killed while it saves leaves a file that breaks the report."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(name)
