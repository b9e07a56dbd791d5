"""Files that git writes into a work tree in another form than the commit has: every tracked file of the project."""

import subprocess
from pathlib import Path

import pytest

from runner.compare.rewritten_files import find_rewritten_files
from runner.git.repository import find_repository


def rewritten(folder: Path, attributes: str, *names: str) -> list[tuple[str, str]]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text\n", "utf-8")
    (folder / ".gitattributes").write_text(attributes, "utf-8")
    for args in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *args], cwd=folder, check=True, timeout=60)
    repository = find_repository(folder)
    assert repository
    return list(find_rewritten_files(repository, folder))


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("ident", "ident"),
        ("working-tree-encoding=ISO-8859-1", "working-tree-encoding"),
        ("filter=other", "filter"),
        ("eol=crlf", "eol"),
    ],
)
@pytest.mark.parametrize("path", ["messages/a.yaml", "templates/a.html.j2", "lists/left", "msgrun.yaml", "ö a.csv"])
def test_a_file_of_any_name_is_found_with_its_attribute(tmp_path: Path, attribute: str, name: str, path: str) -> None:
    assert rewritten(tmp_path, f"[!.]* {attribute}\n", path) == [(path, name)]


@pytest.mark.parametrize(
    "attribute",
    ["text", "text=auto", "-text", "eol=lf", "text eol=lf", "filter=lfs", "filter=git-crypt", "merge=union"],
)
def test_what_writes_the_committed_bytes_or_none_that_can_be_read_is_fine(tmp_path: Path, attribute: str) -> None:
    assert rewritten(tmp_path, f"* {attribute}\n", "messages/a.yaml", "lists/left.csv") == []


def test_a_script_of_windows_may_have_its_line_ends_and_nothing_else(tmp_path: Path) -> None:
    assert rewritten(tmp_path, "*.bat text eol=crlf\n", "gradlew.bat") == []
    assert rewritten(tmp_path, "*.bat ident\n", "gradlew.bat") == [("gradlew.bat", "ident")]


def test_files_outside_of_the_project_are_left_alone(tmp_path: Path) -> None:
    assert rewritten(tmp_path, "*.txt ident\n", "other/a.txt", "emails/b.txt") != []
    repository = find_repository(tmp_path)
    assert repository
    assert list(find_rewritten_files(repository, tmp_path / "emails")) == [("b.txt", "ident")]
