"""Where files of a project mention a value, as text: for a person who has to remove it."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.current_work import CURRENT_WORK

_SUFFIXES = {".yaml", ".yml", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".sql", ".txt", ".html", ".j2", ".md"}
_IGNORED_FOLDERS = {"node_modules", "__pycache__"}
_SCHEMAS = {"schema/message.schema.json", "schema/project.schema.json"}  # as init writes them
_BLOCK = 1 << 20  # bytes of a line that are read at once
_OVERLAP = 4096  # bytes of a line longer than a block that are read again with the next one; no address is longer
_WORD = rb"[\w.@+-]"  # what continues an address or an id


def find_mentions(root: Path, values: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yields the path, relative to `root`, and the line number of each mention of one of the values, in any case.

    Files of tables other than text, such as Parquet, are not read; nor are links, hidden folders and the schemas.
    """
    words = b"|".join(re.escape(value.encode()) for value in values)
    pattern = re.compile(rb"(?<!" + _WORD + rb")(?:" + words + rb")(?!" + _WORD + rb")", re.IGNORECASE)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _IGNORED_FOLDERS)
        for name in sorted(names):
            path = Path(folder, name)
            relative_path = path.relative_to(root).as_posix()
            is_text = path.suffix.lower() in _SUFFIXES and relative_path not in _SCHEMAS
            if is_text and not path.is_symlink() and path.is_file():
                yield from ((relative_path, number) for number in _find_lines(path, relative_path, pattern))


def _find_lines(path: Path, relative_path: str, pattern: re.Pattern[bytes]) -> Iterator[int]:
    """Yields the numbers of the lines that match. Of a line longer than _BLOCK it keeps only the end."""
    number, last_match, rest = 1, 0, b""
    try:
        with CURRENT_WORK.on_file(relative_path), path.open("rb") as file:
            while block := file.readline(_BLOCK):
                CURRENT_WORK.step()
                if number > last_match and pattern.search(rest + block):
                    last_match = number
                    yield number
                is_end = block.endswith(b"\n")
                number, rest = number + is_end, b"" if is_end else block[-_OVERLAP:]
    except OSError:  # a file that this user may not read is not the user's to clean
        return
