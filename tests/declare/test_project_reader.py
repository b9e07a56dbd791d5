"""Whatever is wrong in a project, its problems have an end, and nothing is sent of what was not checked."""

import pytest

from runner.declare import project_reader
from runner.declare.project_reader import load_project
from runner.declare.settings import load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from tests.support.project import Folder

GOOD = (
    "name: good{}\nmessage_type: email\nsubject: S\nbody: Hi\n"
    "from: {{type: admin, id: '1'}}\nto: {{type: user, id: a}}\n"
)


def problems(folder: Folder) -> list[str]:
    tree = Tree(folder.path)
    project = load_project(tree, load_settings(tree, None), RenderMonitor())
    return [problem.message for problem in project.problems if problem.is_error]


@pytest.mark.parametrize("documents", [12, 20, 50, 200])
@pytest.mark.parametrize("wrong", ["name: [", "bogus: 1", "to: 1", "name: 1"])
def test_the_rest_of_a_file_with_too_many_problems_is_not_checked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, documents: int, wrong: str
) -> None:
    monkeypatch.setattr(project_reader, "MAX_FILE_PROBLEMS", 10)
    folder.write("messages/a.yaml", "".join(f"---\n{wrong}\n" for _ in range(documents)))
    folder.write("messages/b.yaml", "bogus: 1\n")
    found = problems(folder)
    if wrong != "name: [":  # after it, no document of the file is read
        assert "there are more than 10 problems, so the rest of this file is not checked" in found
    assert len(found) < 60


@pytest.mark.parametrize("files", [12, 40])
def test_the_rest_of_a_project_with_too_many_problems_is_not_checked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    monkeypatch.setattr(project_reader, "MAX_ALL_PROBLEMS", 10)
    for number in range(files):
        folder.write(f"messages/{number:03}.yaml", "bogus: 1\n")
    found = problems(folder)
    assert any("so the rest of the project (" in message for message in found)
    assert len(found) < 40


def test_a_project_of_sound_messages_and_warnings_is_read_to_its_end(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_reader, "MAX_FILE_PROBLEMS", 2)
    monkeypatch.setattr(project_reader, "MAX_ALL_PROBLEMS", 2)
    for number in range(20):
        folder.write(f"messages/{number}.yaml", GOOD.format(number))
    tree = Tree(folder.path)
    project = load_project(tree, load_settings(tree, None), RenderMonitor())
    assert len(project.declarations) == 20
