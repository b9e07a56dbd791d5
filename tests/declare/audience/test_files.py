"""Whatever an export is packed in and written like, its rows are the same."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.declare.audience import csv_dialect, files
from runner.declare.audience.csv_dialect import CsvFormat
from runner.declare.audience.csv_files import read_csv
from runner.declare.audience.files import SourceFiles
from runner.declare.audience.json_lines import read_json_lines
from runner.declare.tree import NotReadable
from runner.errors import Problem

DATA = "email,n\n" + "".join(f'u{number}@example.com,"x\n{number}"\n' for number in range(30_000))
CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)


def _rows(tree, path, form=None):
    source, problems = read_csv(tree, [path], form or CsvFormat(), {})
    assert not problems
    return list(source.rows())


@pytest.mark.parametrize("block", [16, 61, 64 * 1024])
def test_rows_do_not_depend_on_packing_encoding_or_blocks(write, monkeypatch, block):
    data = DATA if block > 100 else DATA[: DATA.index("u300@")]
    monkeypatch.setattr(csv_dialect, "_BLOCK", block)
    frames = data.encode()
    files = {
        "a.csv": data,
        "a.csv.gz": gzip.compress(frames[:99]) + gzip.compress(frames[99:]),
        "b.csv": data.encode("utf-16"),
    }
    tree = write(files)
    plain = _rows(tree, "a.csv")
    assert _rows(tree, "a.csv.gz") == plain
    assert _rows(tree, "b.csv", CsvFormat(encoding="utf-16")) == plain
    assert len(plain) > 30
    assert plain[1][2] - plain[0][2] == 2


@given(st.lists(st.tuples(CELLS, CELLS), max_size=20), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(64, 90))
def test_every_table_that_is_written_is_read_back_without_the_spaces_around_its_cells(
    tmp_path_factory, rows, ends, block
):
    # A quote after a space is taken for a quoted field, whose writer put a space after the delimiter.
    assume(not any(cell[:1].isspace() and cell.lstrip().startswith('"') for row in rows for cell in row))
    folder = tmp_path_factory.mktemp("a")
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ends, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    (folder / "a.csv").write_bytes(text.getvalue().encode())
    from runner.declare.tree import Tree  # noqa: PLC0415

    whole, csv_dialect._BLOCK = csv_dialect._BLOCK, block
    try:
        found = _rows(Tree(folder), "a.csv")
    finally:
        csv_dialect._BLOCK = whole
    kept = [{name: cell.strip() for name, cell in zip("ab", row, strict=True) if cell.strip()} for row in rows]
    assert [values for values, _, _ in found] == kept


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ('bo@example.com, "Bo"', ["bo@example.com", "Bo"]),
        ('bo@example.com,  "Bo Lee"', ["bo@example.com", "Bo Lee"]),
        ("bo@example.com      ,Bo        ", ["bo@example.com", "Bo"]),
        ("  bo@example.com,\u00a0Bo\u00a0", ["bo@example.com", "Bo"]),
        ('bo@example.com," Bo "', ["bo@example.com", "Bo"]),
        ('bo@example.com,19" screen', ["bo@example.com", '19" screen']),
        ("bo@example.com, 'Bo'", ["bo@example.com", "'Bo'"]),
        ('bo@example.com, "  ",', ["bo@example.com"]),
        ("bo@example.com,Bo  Lee", ["bo@example.com", "Bo  Lee"]),
    ],
)
def test_spaces_and_quotes_around_a_cell_are_no_part_of_its_value(write, row, values):
    width = 3 if row.endswith(",") else 2
    ((found, blank, number),) = _rows(write({"a.csv": ",".join("abc"[:width]) + "\n" + row + "\n"}), "a.csv")
    assert list(found.values()) == values
    assert number == 2
    assert len(found) + len(blank) == width


@pytest.mark.parametrize("name", [' "Bo', ' "', ' "Bo" Lee'])
def test_a_field_that_is_half_quoted_after_a_space_is_an_error(write, name):
    (problem,) = _rows(write({"a.csv": f"email,name\nbo@example.com,{name}\n"}), "a.csv")
    assert (problem.code, str(problem.place)) == ("csv-row", "a.csv:2:1")


def test_a_delimiter_in_quotes_after_a_space_is_text(write):
    ((found, _, _),) = _rows(write({"a.csv": 'email,name\nbo@example.com, "Lee, Bo"\n'}), "a.csv")
    assert found["name"] == "Lee, Bo"


def test_where_nothing_quotes_a_quote_is_text(write):
    ((found, _, _),) = _rows(write({"a.csv": 'a,b\n1, "Bo"\n'}), "a.csv", CsvFormat(quote="none"))
    assert found == {"a": "1", "b": '"Bo"'}


def test_a_header_may_be_quoted_after_a_space(write):
    source, problems = read_csv(write({"a.csv": '"email", "name"\nbo@example.com, "Bo"\n'}), ["a.csv"], CsvFormat(), {})
    assert source.columns == ("email", "name")
    assert problems == []


def test_a_packed_bomb_is_read_in_little_memory_and_refused(write):
    bomb = b"email\n" + b"x" * (200 * 1024 * 1024)
    tree = write({"a.csv.gz": gzip.compress(bomb)})
    import tracemalloc  # noqa: PLC0415

    tracemalloc.start()
    source, _ = read_csv(tree, ["a.csv.gz"], CsvFormat(), {})
    (problem,) = source.rows()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "longer than" in problem.message
    assert peak < 100 * 1024 * 1024


def test_a_cell_of_a_megabyte_is_a_cell(write):
    ((values, _, _),) = _rows(write({"a.csv": "email,n\na," + "x" * 1_000_000 + "\n"}), "a.csv")
    assert len(values["n"]) == 1_000_000


def test_a_line_of_json_that_does_not_end_is_refused(write):
    tree = write({"a.jsonl": b'{"a":1}\n' + b" " * files.MAX_ROW + b"x"})
    source, _ = read_json_lines(tree, ["a.jsonl"], {})
    *_, last = source.rows()
    assert isinstance(last, Problem)
    assert last.place.line == 2


def test_keys_are_renamed_and_several_files_are_one(write):
    tree = write({"a.jsonl": '{"First Name":"Ann"}\n', "b.jsonl": '\ufeff{"First Name":"Bo"}\n'})
    source, _ = read_json_lines(tree, ["a.jsonl", "b.jsonl"], {"First Name": "name"})
    rows = list(source.rows())
    assert [values for values, _, _ in rows] == [{"name": "Ann"}, {"name": "Bo"}]
    assert source.label(rows[1][2]) == "row 1 of b.jsonl"
    assert source.title == "a.jsonl and 1 more"


@pytest.mark.parametrize("named", [".env", "data/.git/x.csv", "link.csv"])
def test_hidden_files_are_not_read(write, named):
    tree = write({".env": "x", "data/.git/x.csv": "x"})
    (tree.root / "link.csv").symlink_to(tree.root / ".env")
    with pytest.raises(NotReadable, match="hidden"):
        tree.locate(named, "_")


@pytest.mark.parametrize("target", ["../{root}/data/x.csv", "/{root}/data/x.csv"])
def test_a_link_that_leaves_the_project_and_comes_back_is_not_read(write, target):
    tree = write({"data/x.csv": "x"})
    root = str(tree.root.resolve())
    (tree.root / "link.csv").symlink_to(target.format(root=root[1:] if target[0] == "/" else tree.root.name))
    with pytest.raises(NotReadable, match="outside"):
        tree.locate("link.csv", "_")
    (tree.root / "inside.csv").symlink_to("data/../data/x.csv")
    assert tree.read(tree.locate("inside.csv", "_")) == b"x"


def test_a_pattern_stands_for_its_files_in_one_order(write):
    tree = write({"d/b.csv": "x", "d/a.csv": "x", "d/e/c.csv": "x", "d/.f/d.csv": "x", "d/a.txt": "x"})
    assert tree.glob("../d/**/*.csv", "messages/a.yaml") == ["d/a.csv", "d/b.csv", "d/e/c.csv"]


def test_how_many_rows_there_are_about_is_guessed_from_the_first(write):
    line = "ann@example.com,Ann\n"
    tree = write({"a.csv": line * 5000, "b.csv": line * 10, "empty.csv": "", "long.csv": "x" * 50_000})
    assert SourceFiles(tree, ("a.csv",)).estimated_count == pytest.approx(5000, rel=0.01)
    assert SourceFiles(tree, ("a.csv", "b.csv", "empty.csv", "missing.csv")).estimated_count == pytest.approx(
        5010, rel=0.01
    )
    assert SourceFiles(tree, ("long.csv",)).estimated_count == 0


def test_a_file_of_nothing_but_lines_does_not_make_room_without_end(write, monkeypatch):
    monkeypatch.setattr(files, "_MAX_ESTIMATE", 100)
    assert SourceFiles(write({"a.csv": "\n" * 5000}), ("a.csv",)).estimated_count == 100
