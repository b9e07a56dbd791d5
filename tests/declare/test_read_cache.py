"""What was read of a project is cache as long as nothing that it was read from has changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.declare.read_cache import ReadCache
from runner.declare.tree import NotReadable, Tree


def replace_unnoticed(root: Path) -> None:
    """Another file in the place of one, of the same size and time."""
    status = (root / "a.txt").stat()
    (root / "b.txt").write_text("b")
    (root / "b.txt").replace(root / "a.txt")
    os.utime(root / "a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))


def read(tree: Tree) -> object:
    try:
        missing = tree.locate("later.txt", "_")
    except NotReadable:
        missing = ""
    return tree.read("a.txt"), tree.glob("lists/*.csv", "_"), tree.read("link.txt"), missing


@pytest.fixture(name="root")
def write_files(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    for name in ("a.txt", "other.txt", "target.txt", "lists/a.csv"):
        (tmp_path / name).write_text("a")
    (tmp_path / "link.txt").symlink_to("target.txt")
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a.txt").write_text("b"),
        lambda root: (root / "target.txt").write_text("b"),
        lambda root: (root / "later.txt").write_text("b"),
        lambda root: (root / "lists/b.csv").write_text("b"),
        lambda root: (root / "lists/a.csv").rename(root / "lists/c.csv"),
        replace_unnoticed,
    ],
)
def test_each_change_of_what_was_looked_at_is_noticed(root: Path, change: Callable[[Path], object]) -> None:
    cache, tree = ReadCache(), Tree(root)
    before = cache.read(tree, "y", lambda: read(tree))
    assert cache.read(tree, "y", lambda: read(tree)) is before
    change(root)
    assert cache.read(tree, "y", lambda: read(tree)) == read(tree) != before


def test_what_was_not_looked_at_does_not_matter(root: Path) -> None:
    cache, tree = ReadCache(), Tree(root)
    before = cache.read(tree, "a", lambda: tree.read("a.txt"))
    (root / "other.txt").write_text("b")
    (root / "lists/b.csv").write_text("b")
    assert cache.read(tree, "a", lambda: tree.read("a.txt")) is before


def test_another_basis_is_read_again(root: Path) -> None:
    cache, tree = ReadCache(), Tree(root)
    basis = object()
    before = cache.read(tree, "a", lambda: [tree.read("a.txt")], basis)
    assert cache.read(tree, "a", lambda: [tree.read("a.txt")], basis) is before
    assert cache.read(tree, "a", lambda: [tree.read("a.txt")], object()) is not before
