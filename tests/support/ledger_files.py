"""What the files of a project say of its ledger: ids and marks of a lockfile, keys of msgrun.yaml."""

import json
from pathlib import Path
from typing import Any

import yaml


def read_settings(root: Path) -> dict[str, Any]:
    """The content of msgrun.yaml; empty without one."""
    path = root / "msgrun.yaml"
    return (yaml.safe_load(path.read_text("utf-8")) if path.exists() else None) or {}


def read_headers(path: Path) -> list[dict[str, Any]]:
    """The headers of a lockfile, from the top."""
    return [value for line in path.read_text("utf-8").splitlines() if "msgrun_lock" in (value := json.loads(line))]


def read_mark(path: Path) -> dict[str, Any]:
    """The header of a lockfile with the mark that was written last."""
    return [header for header in read_headers(path) if "turn" in header][-1]


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a lockfile, from the top."""
    return [value for line in path.read_text("utf-8").splitlines() if "key" in (value := json.loads(line))]
