"""A line is found again by where it begins, however the file is read or replaced meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from runner.ledger.lines import lines_in_memory, open_lines


@given(st.lists(st.integers(0, 6000), max_size=5))
def test_every_line_comes_back_whatever_its_length(tmp_path_factory, sizes):
    lines = [b"%d" % number + b"x" * size for number, size in enumerate(sizes)]
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(b"\n".join(lines))
    for source in (open_lines(path), lines_in_memory(path.read_bytes())):
        assert b"".join(source.blocks()) == b"\n".join(lines)
        offset = 0
        for line in lines:
            assert source.line_at(offset) == line
            offset += len(line) + 1


def test_a_file_that_is_replaced_can_still_be_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old\n")
    before = open_lines(path)
    (tmp_path / "new").write_bytes(b"newer\n")
    (tmp_path / "new").replace(path)
    assert before.line_at(0) == b"old"


def test_a_sample_is_small_and_from_all_over(tmp_path):
    path = tmp_path / "file"
    for count in (0, 1, 200_000):
        data = b"".join(b"%06d\n" % number for number in range(count))
        path.write_bytes(data)
        for source in (open_lines(path), lines_in_memory(data)):
            sample = source.sample()
            assert sample[:8192] == data[:8192]
            assert len(sample) <= 9 * 8192
            assert all(b"\n%02d" % number in sample for number in range(count // 10_000) if number % 5 == 0)
