"""The benchmarks run with the code as it is now, and the documents name only those that there are."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT

SCRIPTS = sorted((ROOT / "tests/benchmarks").glob("*.py"))


def load(script: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a script defines, without running it."""
    monkeypatch.syspath_prepend(str(script.parent))
    return runpy.run_path(str(script), run_name="benchmark")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_benchmark_finds_what_it_imports(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(script, monkeypatch)["__doc__"]


def test_the_benchmark_of_the_ledger_loads_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    snippet = load(ROOT / "tests/benchmarks/plan.py", monkeypatch)["LOAD"]
    (tmp_path / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":""}\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "LOAD", "exec"), {})
    assert capsys.readouterr().out.startswith("0 ")


def test_the_documents_name_only_benchmarks_that_there_are() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    named = set(re.findall(r"tests/benchmarks/(\w+\.\w+)", text))
    assert {"plan.py", "side_by_side.py", "side_by_side.txt"} <= named
    assert all((ROOT / "tests/benchmarks" / name).is_file() for name in named)
