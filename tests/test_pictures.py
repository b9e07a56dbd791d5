"""The pictures of the README show what a run prints today."""

import importlib.util
from types import ModuleType

import pytest

from tests.support.project import ROOT

REDRAW = "it differs: python docs/pictures/draw.py"
FOLDER = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module", name="draw")
def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", FOLDER / "draw.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_a_plan_is_what_plan_shows(draw: ModuleType) -> None:
    assert draw.draw_plan() == (FOLDER / "plan.svg").read_text("utf-8"), REDRAW


def test_the_picture_of_a_comment_was_made_of_the_comment_that_plan_writes(draw: ModuleType) -> None:
    assert draw.write_comment() == (FOLDER / "comment.md").read_text("utf-8"), REDRAW
