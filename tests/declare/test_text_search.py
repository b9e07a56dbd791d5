"""Where files mention a person: whole addresses alone, and no files but those of the project."""

from pathlib import Path

from runner.declare.text_search import find_mentions


def test_whole_addresses_are_found_in_any_case_and_in_no_longer_word(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who\nann@x.example\nmaryann@x.example\nann@x.example.com\n<ANN@X.example>\n")
    (tmp_path / "b.yaml").write_text("to: {type: user, user_id: 25}\nmax: 250\nid: a25\n")
    assert list(find_mentions(tmp_path, ["ann@x.example"])) == [("a.csv", 2), ("a.csv", 5)]
    assert list(find_mentions(tmp_path, ["ann@x.example", "25"])) == [("a.csv", 2), ("a.csv", 5), ("b.yaml", 1)]


def test_links_hidden_folders_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in (".git/a.csv", "node_modules/a.csv", "a.parquet", "sub/a.JSONL"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("ann@x.example")
    (tmp_path / "link.csv").symlink_to(tmp_path / "sub/a.JSONL")
    (tmp_path / "dangling.csv").symlink_to("nowhere")
    assert list(find_mentions(tmp_path, ["ann@x.example"])) == [("sub/a.JSONL", 1)]
