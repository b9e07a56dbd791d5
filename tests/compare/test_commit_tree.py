"""A project as a commit has it: every file, byte for byte, and nothing that is not in it."""

import subprocess
from pathlib import Path

import pytest

from runner.compare.commit import find_commit
from runner.compare.commit_tree import tree_at
from runner.declare.message_files import list_message_files
from runner.declare.tree import NotReadable
from runner.errors import UsageMistake
from runner.git.repository import Repository, find_repository


def git(folder: Path, *args: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *args], cwd=folder, input=stdin, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Repository:
    git(tmp_path, "init", "-q", "-b", "main")
    found = find_repository(tmp_path)
    assert found
    return found


def commit(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "files")


def test_every_file_is_there_byte_for_byte(place: Repository) -> None:
    many = {f"messages/{number:03}/m {number}.yaml": f"n: {number}\r\n\n".encode() for number in range(450)}
    large = {"messages/large.yaml": b"x" * (1024 * 1024 + 1), "a b/ö.csv": b"\xff\x00\r\n", "msgrun.yaml": b""}
    commit(place.toplevel, {**many, **large, ".gitattributes": b"* ident export-subst export-ignore\n"})
    with tree_at(place, find_commit(place, "main"), place.toplevel) as tree:
        assert len(list(list_message_files(tree.root).declarations)) == 451
        for path, data in {**many, **large}.items():
            assert tree.read(tree.locate(f"/{path}"[1:], "x")) == data
        folder = tree.root
    assert not folder.exists()


def test_what_the_commit_lacks_is_missing(place: Repository) -> None:
    commit(place.toplevel, {"messages/a.yaml": b"a"})
    (place.toplevel / "later.csv").write_text("a")
    with tree_at(place, find_commit(place, "HEAD"), place.toplevel) as tree:
        expected = {"../later.csv": "file-missing", "../../x": "file-outside", "/etc/passwd": "file-outside"}
        for named, code in expected.items():
            with pytest.raises(NotReadable) as raised:
                tree.locate(named, "messages/a.yaml")
            assert raised.value.code == code


def test_a_crafted_tree_leads_nowhere(place: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    blob = git(place.toplevel, "hash-object", "-w", "--stdin", stdin="evil")
    outside = tmp_path_factory.mktemp("outside")
    link = git(place.toplevel, "hash-object", "-w", "--stdin", stdin=f"{outside}/x")
    around = git(place.toplevel, "hash-object", "-w", "--stdin", stdin="loop.yaml")
    inner = subprocess.run(
        ["git", "mktree"], cwd=place.toplevel, capture_output=True, check=True,
        input=f"100644 blob {blob}\t..\n120000 blob {link}\tlink.yaml\n120000 blob {around}\tloop.yaml\n".encode(),
    ).stdout.decode().strip()  # fmt: skip
    top = git(place.toplevel, "mktree", stdin=f"040000 tree {inner}\tmessages\n")
    made = git(place.toplevel, "commit-tree", top, "-m", "crafted")
    with tree_at(place, find_commit(place, made), place.toplevel) as tree:
        links = list_message_files(tree.root).declarations
        assert list(links) == ["messages/link.yaml", "messages/loop.yaml"]
        for link in links:
            with pytest.raises(NotReadable, match="nowhere"):
                tree.read(link)
        assert [path.name for path in tree.root.rglob("*") if path.is_file()] == []
    assert list(outside.iterdir()) == []


def test_a_tag_and_a_hash_name_a_commit_and_a_file_does_not(place: Repository) -> None:
    commit(place.toplevel, {"a": b"a"})
    git(place.toplevel, "tag", "-a", "v1", "-m", "one")
    assert find_commit(place, "v1").hash == find_commit(place, git(place.toplevel, "rev-parse", "HEAD")).hash
    with pytest.raises(UsageMistake, match="HEAD:a is not a commit"):
        find_commit(place, "HEAD:a")


def test_a_remotes_branch_that_is_not_here_names_its_fetch(place: Repository) -> None:
    git(place.toplevel, "remote", "add", "up", "https://example.invalid/x.git")
    with pytest.raises(UsageMistake) as raised:
        find_commit(place, "up/feature/a")
    assert raised.value.hint.endswith("git fetch --depth=1 up +feature/a:refs/remotes/up/feature/a")


@pytest.mark.parametrize("name", ["audiences/p.csv", "chain.csv"])
def test_a_file_is_found_behind_links_as_in_the_work_tree(place: Repository, name: str) -> None:
    files = {"data/audiences/p.csv": b"id\n1\n", "messages/a.yaml": b"a", "lists/b/left.csv": b"id\n2\n"}
    commit(place.toplevel, files | {"data/a/left.csv": b"id\n3\n", "data/c/d/left.csv": b"id\n4\n"})
    (place.toplevel / "lists/a").symlink_to("../data/a")
    (place.toplevel / "up").symlink_to("a/../../../..")
    (place.toplevel / "lists/roundabout").symlink_to("../lists/a/../c/d")  # of data/, not of lists/
    (place.toplevel / "data/a/c").symlink_to("../c/d")
    (place.toplevel / "audiences").symlink_to("data/audiences")
    (place.toplevel / "link-0").symlink_to("audiences/p.csv")
    for number in range(9):
        (place.toplevel / f"link-{number + 1}").symlink_to(f"link-{number}")
    (place.toplevel / "chain.csv").symlink_to("link-9")
    (place.toplevel / "circle").symlink_to("circle")
    git(place.toplevel, "add", "-A")
    git(place.toplevel, "commit", "-q", "-m", "links")
    with tree_at(place, find_commit(place, "main"), place.toplevel) as tree:
        assert tree.read(tree.locate(f"../{name}", "messages/a.yaml")) == b"id\n1\n"
        assert tree.glob("../audiences/*.csv", "messages/a.yaml") == ["audiences/p.csv"]
        found = [f"lists/{name}/left.csv" for name in ("a", "b", "roundabout")]
        assert tree.glob("../lists/*/left.csv", "messages/a.yaml") == found
        assert tree.read(found[-1]) == b"id\n4\n"
        assert tree.glob("../lists/*/*/left.csv", "messages/a.yaml") == ["lists/a/c/left.csv"]
        assert tree.read("lists/a/c/left.csv") == b"id\n4\n"
        with pytest.raises(NotReadable):
            tree.glob("../up/*", "messages/a.yaml")
        with pytest.raises(NotReadable):
            tree.locate("../circle", "messages/a.yaml")


def test_many_links_that_no_pattern_fits_are_read_by_one_git_process(
    place: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(place.toplevel, {"lists/left.csv": b"id\n2\n", "pictures/a.png": b"", "data/right.csv": b"id\n3\n"})
    for number in range(300):
        (place.toplevel / f"pictures/{number}.png").symlink_to(f"../pictures/a{number}.png")
    (place.toplevel / "lists/more").symlink_to("../data")
    git(place.toplevel, "add", "-A")
    git(place.toplevel, "commit", "-q", "-m", "links")
    commands = list[tuple[str, ...]]()
    run = Repository.git
    monkeypatch.setattr(
        Repository, "git", lambda self, *args, **more: commands.append(args) or run(self, *args, **more)
    )
    with tree_at(place, find_commit(place, "main"), place.toplevel) as tree:
        for _ in range(2):
            assert tree.glob("../lists/**/*.csv", "messages/a.yaml") == ["lists/left.csv"]
            assert tree.glob("../lists/*/*.csv", "messages/a.yaml") == ["lists/more/right.csv"]
    assert len(commands) < 10, commands


def test_of_a_part_of_a_commit_only_its_files_and_what_they_open_are_written(place: Repository) -> None:
    files = {f"messages/x/{number}.yaml": b"a" for number in range(50)}
    commit(place.toplevel, files | {"messages/a.yaml": b"a", "messages/b.html": b"b", "msgrun.yaml": b""})
    with tree_at(place, find_commit(place, "main"), place.toplevel, {"messages/a.yaml"}) as tree:
        assert tree.read("messages/b.html") == b"b"
        written = {path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_file()}
    assert written == {"messages/a.yaml", "messages/b.html", "msgrun.yaml"}
