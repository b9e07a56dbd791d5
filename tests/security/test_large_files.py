"""Commands that read a project outside of a child process keep little of a file in memory, however large it is."""

import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli.checkup.project import check_git
from runner.cli.scaffold import REQUIRED_LINES, find_missing_lines
from runner.declare.text_search import find_mentions
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.report.forget_text import MAX_LISTED, Remains, format_remains
from tests.support.project import run_in_process

MIB = 1 << 20
SIZE = 48 * MIB
MOST = 24 * MIB  # bytes of memory
LINES = ".msgrun/\nmessages.lock -text merge=union\nmessages.*.lock -text merge=union\n"


def make_large(path: Path, start: str = LINES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(start)
    with path.open("ab") as file:
        file.truncate(SIZE)


def measure(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", REQUIRED_LINES)
def test_a_large_file_of_git_is_reported_and_neither_read_nor_extended(tmp_path: Path, name: str) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitattributes").write_text(LINES)
    make_large(tmp_path / name)

    def look() -> None:
        with pytest.raises(UsageMistake, match=f"{name} is larger than 1 MiB"):
            find_missing_lines(Tree(tmp_path), name)
        assert f"{name} is larger than 1 MiB" in check_git(tmp_path).detail
        ran = run_in_process(["init"], tmp_path, {"PATH": "/usr/bin:/bin"})
        assert (ran.code, ran.err.split("\n")[0]) == (64, f"error: {name} is larger than 1 MiB")

    assert measure(look) < MOST
    assert (tmp_path / name).stat().st_size == SIZE
    assert not (tmp_path / "msgrun.yaml").exists()


@pytest.mark.parametrize("text", ["a", "a\n", "", "a\r\n", "\xe9", "\ufeffa\n"])
def test_init_adds_its_lines_to_a_file_in_any_encoding(tmp_path: Path, text: str) -> None:
    for encoding in ("latin-1", "utf-8") if text.isascii() or text == "\xe9" else ("utf-8",):
        (tmp_path / ".gitignore").write_bytes(text.encode(encoding))
        assert run_in_process(["init"], tmp_path, {"PATH": "/usr/bin:/bin"}).code == 0
        separator = "" if not text or text.endswith("\n") else "\n"
        assert (tmp_path / ".gitignore").read_bytes() == (text + separator).encode(encoding) + b".msgrun/\n"
        assert not find_missing_lines(Tree(tmp_path), ".gitignore")


def test_mentions_are_searched_piece_by_piece(tmp_path: Path) -> None:
    address = b"ann@x.example"
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"who\n" + b" " * (MIB - 5) + address + b" " * MIB + address + b"\n" + address + b"x\n" + address)
        file.seek(SIZE)
        file.write(b" " + address)
    found: list[tuple[str, int]] = []
    assert measure(lambda: found.extend(find_mentions(tmp_path, [address.decode()]))) < MOST
    assert found == [("a.csv", 2), ("a.csv", 4)]


@pytest.mark.parametrize("count", [0, 1, MAX_LISTED, MAX_LISTED + 1, 4_000_000])
def test_what_is_not_listed_of_the_mentions_is_counted(count: int) -> None:
    mentions = [f"a.csv:{number}" for number in range(min(count, MAX_LISTED))]
    text = format_remains(Remains(mentions, count, ()), 80)
    assert (f"and {count - MAX_LISTED:,} more" in text) == (count > MAX_LISTED)
    assert text.count("a.csv:") == len(mentions)
