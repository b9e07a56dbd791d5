"""Pictures are taken by the browser of this machine."""

import os
from pathlib import Path

import pytest

from tests.preview.conftest import TIP, write_project
from tests.support.project import run_in_process


@pytest.mark.browser
def test_pictures_are_taken_of_every_message(tmp_path: Path) -> None:
    root = write_project(tmp_path / "ponies", tip=TIP)
    ran = run_in_process(["preview", "--png", "../pictures"], root, dict(os.environ))
    assert ran.code == 0, ran.err
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["index.png", "tips-export-phone.png", "tips-export.png"]
    assert all((tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
