"""Nothing outside the project is read."""

from __future__ import annotations

import pytest

from runner.declare.message_files import list_message_files
from runner.declare.tree import NotReadable


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("../../x", "file-outside"),
        ("/etc/passwd", "file-outside"),
        ("../messages/../../x", "file-outside"),
        ("link", "file-outside"),
        ("linked/passwd", "file-outside"),
        ("nope", "file-missing"),
        ("a\0", "file-missing"),
        (".", "file-missing"),
        ("no/thing", "file-missing"),
    ],
)
def test_what_is_outside_or_missing_is_told(write, tmp_path, named, code):
    tree = write({"messages/a.yaml": ""})
    (tmp_path / "messages/link").symlink_to("/etc/passwd")
    (tmp_path / "messages/linked").symlink_to("/etc")
    with pytest.raises(NotReadable) as found:
        tree.locate(named, "messages/a.yaml")
    assert found.value.code == code


def test_a_path_that_would_fill_the_output_is_not_read(write):
    path = f"messages/{'/'.join(['a' * 200] * 5)}/{'b' * 20}.yaml"
    tree = write({path: "name: a\n", path.replace("b" * 5, "b"): "x"})
    assert tree.read(path.replace("b" * 5, "b")) == b"x"
    with pytest.raises(NotReadable, match="its path has more than 1,024 bytes"):
        tree.read(path)


def test_paths_are_relative_to_the_file_that_names_them(write):
    tree = write({"messages/a/b.html": "x", "c.csv": "y"})
    assert tree.locate("b.html", "messages/a/x.yaml") == "messages/a/b.html"
    assert tree.locate("../../c.csv", "messages/a/x.yaml") == "c.csv"
    assert tree.read("c.csv") == b"y"
    with pytest.raises(NotReadable):
        tree.read("messages")


def test_declarations_are_sorted_and_links_to_folders_among_them(write, tmp_path):
    tree = write({"messages/b.yml": "", "messages/a/z.yaml": "", "messages/c.txt": ""})
    (tmp_path / "messages/linked").symlink_to("a")
    paths = list_message_files(tree.root).declarations
    assert paths == ("messages/a/z.yaml", "messages/b.yml", "messages/linked")
