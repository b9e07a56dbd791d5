"""A file is replaced as a whole, and what is no regular file is written to."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runner.atomic_write import write_atomically


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        text = reader.submit(pipe.read_bytes)
        write_atomically(pipe, [b"a", b"b"])
        assert text.result(timeout=10) == b"ab"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_atomically(link, [b"new"])
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode), link.is_symlink()) == (b"new", 0o640, True)
