"""Pictures are taken by the browser of this machine."""

import os
from pathlib import Path

import pytest

from tests.preview.conftest import TIP, write_project
from tests.support.project import run_in_process


@pytest.mark.browser
def test_pictures_are_taken_of_every_message(tmp_path: Path) -> None:
    root = write_project(tmp_path / "ponies", tip=TIP.replace("</p>", "</p><form name=documentElement></form>"))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "precious").write_text("x")
    (tmp_path / "pictures/index.png").symlink_to(tmp_path / "precious")
    ran = run_in_process(["preview", "--png", "../pictures"], root, dict(os.environ))
    assert (tmp_path / "precious").read_text() == "x", "no link is followed that a commit may have brought"
    assert ran.code == 0, ran.err
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["index.png", "tips-export-phone.png", "tips-export.png"]
    assert all((tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
