"""Small projects on disk, and the texts of one."""

from __future__ import annotations

import pytest

from runner.declare.project_reader import load_project
from runner.declare.settings import load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates
from runner.declare.tree import Tree
from tests.support.project import SEED


@pytest.fixture
def seed():
    return SEED


@pytest.fixture
def write(tmp_path):
    """Writes files below a project's root and gives its tree."""

    def write(files):
        (tmp_path / "messages").mkdir(exist_ok=True)
        for path, text in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Tree(tmp_path)

    return write


@pytest.fixture
def read(write):
    """The project that some files make."""

    def read(files, *paths, environment=None):
        tree = write(files)
        return load_project(tree, load_settings(tree, environment), RenderMonitor(), paths)

    return read


@pytest.fixture
def declare(read):
    """The one declaration of a YAML text."""

    def declare(text, **files):
        project = read({"messages/a.yaml": text, **files})
        assert project.problems == ()
        (declaration,) = project.declarations
        return declaration

    return declare


@pytest.fixture
def render(write):
    """Renders a template as a body."""

    def render(source, *, html=True, includes=None, **values):
        templates = Templates(
            write({f"messages/{name}": text for name, text in (includes or {}).items()}), RenderMonitor()
        )
        return templates.compile(source, html=html).render({**templates.globals, **values})

    return render
