"""Pictures are taken by the browser of this machine."""

import os
from pathlib import Path

import pytest

from tests.preview.conftest import RECEIPT, TIP, write_project
from tests.support.project import run_in_process


@pytest.mark.browser
def test_pictures_are_taken_of_every_message_and_each_of_its_texts(tmp_path: Path) -> None:
    tall = TIP.replace("tips/export", "index").replace(
        "</p>", "</p><p style='height:11000px'><form name=documentElement>"
    )
    root = write_project(tmp_path / "ponies", tip=tall, receipt=RECEIPT.replace("name: receipt", "name: index-phone"))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "precious").write_text("x")
    (tmp_path / "pictures/index.png").symlink_to(tmp_path / "precious")
    ran = run_in_process(["preview", "--png", "../pictures"], root, dict(os.environ))
    assert (tmp_path / "precious").read_text() == "x", "no link is followed that a commit may have brought"
    assert ran.code == 0, ran.err
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    assert sorted(pictures) == [
        "index-2.png", "index-2@phone.png", "index-phone.png", "index-phone@2.png", "index-phone@phone.png",
        "index.png",
    ], "no picture replaces another one"  # fmt: skip
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert int.from_bytes(pictures["index-2.png"][20:24]) > 20_000, "of a tall body all is painted, at two to a pixel"
    assert "index-2.png has 10,000 of the 11,0" in ran.err


@pytest.mark.browser
def test_a_body_that_keeps_the_browser_busy_is_named_and_the_next_message_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten uses of ten uses, and so on: a browser would draw for hours."""
    uses = "".join(f"<g id=u{level + 1}>" + f"<use href='#u{level}'/>" * 10 + "</g>" for level in range(12))
    busy = TIP.replace("tips/export", "busy").replace(
        "</p>", f"</p><svg><g id=u0><rect width=9 height=9 /></g>{uses}</svg>"
    )
    root = write_project(tmp_path / "ponies", busy=busy, tip=TIP)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/busy.png").write_text("of an earlier text")
    monkeypatch.setattr("runner.preview.screenshots._MAX_SECONDS", 8)
    ran = run_in_process(["preview", "--png", "../pictures"], root, dict(os.environ))
    assert ran.code == 0, ran.err
    assert "busy could not be drawn to its end: the browser ended, or needed more than 8 seconds" in ran.err
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["index.png", "tips-export.png", "tips-export@phone.png"]
    assert "3 pictures in" in ran.out
