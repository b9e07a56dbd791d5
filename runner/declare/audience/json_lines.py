"""JSON lines as a source: each line is an object, whose keys are the variables."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import orjson

from runner.declare.audience.files import (
    MAX_BLANK_LINES,
    MAX_COLUMNS,
    MAX_ROW,
    MAX_ROWS,
    READ_ERRORS,
    SourceFiles,
    file_kind_problem,
    open_decompressed,
    row_number,
    unreadable_problem,
)
from runner.declare.audience.recipient import Row, without_nulls
from runner.declare.pointers_and_conflicts import CONFLICT_HINT, CONFLICT_MESSAGE, begins_conflict
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.scalar_types import MAX_DEPTH
from runner.errors import Place, Problem

MAX_VALUES = 100_000  # in one line; each is an object of Python, up to 60 times as large as it is written
_SAMPLE_LINES = 1000  # lines of the first file, whose keys are the columns
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CONTAINERS = (dict, list)
_SPACED_KEY = re.compile(rb'"[ \t\r]+:')  # a key with space before its colon


@dataclass(frozen=True, slots=True, eq=False)
class JsonLines(SourceFiles):
    """The rows of one file, or of several in the order of the files.

    The number of a row is made of its file and its line, from 1. `columns` are the keys of the first thousand lines of
    the first file. Later lines may have other keys.
    """

    rename: Mapping[str, str]
    columns: tuple[str, ...]
    is_text: ClassVar[bool] = False
    has_fixed_columns: ClassVar[bool] = False

    def read(self, index: int) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
        """Yields the objects of a file, each with its line."""
        return _read_objects(self.tree, self.paths[index])

    def parse(self, index: int, entries: Iterable[tuple[int, dict[str, Any] | Problem]]) -> Iterator[Row | Problem]:
        """Yields the objects as variables."""
        path, rename = self.paths[index], self.rename
        for number, value in entries:
            if isinstance(value, Problem):
                yield value
            else:
                collision = rename_problem(value, rename, Place(path, number)) if rename else None
                yield collision or row_of(value, row_number(index, number), rename)


def read_json_lines(
    tree: Tree, paths: Sequence[str], rename: Mapping[str, str]
) -> tuple[JsonLines | None, list[Problem]]:
    """Returns the files as one source, or None and the problems that keep them from being read at all."""
    if kind_problems := [problem for path in paths if (problem := file_kind_problem(tree, path))]:
        return None, kind_problems
    sample = [value for _, value in islice(_read_objects(tree, paths[0]), _SAMPLE_LINES)]
    if sample and isinstance(sample[0], Problem):
        return None, [sample[0]]
    keys = dict.fromkeys(rename.get(key, key) for value in sample if isinstance(value, dict) for key in value)
    return JsonLines(tree, tuple(paths), rename, tuple(keys)), []


def rename_problem(value: Mapping[str, Any], rename: Mapping[str, str], place: Place) -> Problem | None:
    """Returns the problem that a key would be renamed to another key of the object, and one value be lost.

    None if no key is.
    """
    for old, new in rename.items():
        if old in value and new in value and rename.get(new, new) == new:
            return Problem("columns-twice", place, f"{old} would be named {new}, and there is a {new}", "rename it too")
    return None


def row_of(value: dict[str, Any], number: int, rename: Mapping[str, str]) -> Row:
    """Turns an object into a row.

    A null or a blank text is a variable without a value. A null further inside, as the value of a key, is left out.
    """
    if rename:
        value = {rename.get(key, key): item for key, item in value.items()}
    blank, nested = [], []
    for key, item in value.items():
        kind = type(item)
        if item is None or (kind is str and (not item or item.isspace())):
            blank.append(key)
        elif kind in _CONTAINERS:
            nested.append(key)
    if blank:
        value = {key: item for key, item in value.items() if key not in blank}
    if nested:
        value = {**value, **{key: without_nulls(value[key]) for key in nested}}
    return value, tuple(blank), number


def _read_objects(tree: Tree, path: str) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    number = blank_count = 0
    try:
        with closing(open_decompressed(tree, path)) as handle:
            while line := handle.readline(MAX_ROW):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)  # it is not part of the JSON
                if line.isspace() or not line:
                    blank_count += 1
                else:
                    blank_count = 0
                if len(line) == MAX_ROW or blank_count > MAX_BLANK_LINES or number > MAX_ROWS:
                    yield number, _size_problem(Place(path, number), blank_count, len(line))
                    return
                if blank_count:
                    continue
                value = _parse_object(path, number, line)
                yield number, value
                is_list = number == 1 and line.lstrip().startswith(b"[")
                if isinstance(value, Problem) and (is_list or value.code == "merge-conflict"):
                    return
    except (*READ_ERRORS, NotReadable) as error:
        yield number, unreadable_problem(path, error)


def _size_problem(place: Place, blank_count: int, line_size: int) -> Problem:
    if line_size == MAX_ROW:
        return Problem("jsonl-row", place, f"this line is longer than {MAX_ROW >> 20} MiB")
    if blank_count > MAX_BLANK_LINES:
        message = f"more than {MAX_BLANK_LINES:,} blank lines follow each other"
        return Problem("jsonl-row", place, message, "remove them")
    hint = "split it into several files: jsonl: people-*.jsonl"
    return Problem("jsonl-row", place, f"the file has more than {MAX_ROWS:,} lines", hint)


def _parse_object(path: str, number: int, line: bytes) -> dict[str, Any] | Problem:
    if len(line) > MAX_VALUES and sum(map(line.count, (b",", b"[", b"{"))) > MAX_VALUES:
        message = f"this line has more than {MAX_VALUES:,} values"
        return Problem("jsonl-row", Place(path, number), message, "leave out what no text uses")
    try:
        value = orjson.loads(line.strip())
    except orjson.JSONDecodeError as error:
        if begins_conflict(line.decode(errors="replace")):
            return Problem("merge-conflict", Place(path, number), CONFLICT_MESSAGE, CONFLICT_HINT)
        hint = "one object a line; no list around them" if line.lstrip().startswith(b"[") else ""
        reason = error.msg.split(": line")[0]
        return Problem("jsonl-row", Place(path, number, error.colno), f"this line is no JSON: {reason}", hint)
    if not isinstance(value, dict):
        place = Place(path, number)
        return Problem(
            "jsonl-row", place, "this line is not an object", 'for example {"email": "…", "first_name": "Bo"}'
        )
    if len(value) > MAX_COLUMNS:
        message = f"this object has {len(value):,} keys, and at most {MAX_COLUMNS:,} are read"
        return Problem("jsonl-row", Place(path, number), message, "leave out what no text uses")
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        return Problem("jsonl-row", Place(path, number), f"this line is nested deeper than {MAX_DEPTH} levels")
    # Every key is followed by a colon, so only a line with more of them than keys may have a key twice. The count
    # misses a colon after a space.
    colons = line.count(b'":')
    if ((colons != len(value) and colons != _count_keys(value)) or _SPACED_KEY.search(line)) and (
        repeated_key := _find_repeated_key(line)
    ):
        place = Place(path, number)
        return Problem(
            "jsonl-key-twice", place, f"the key {repeated_key} is there twice", "one of its values would be lost"
        )
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    if type(value) not in _CONTAINERS:
        return False
    inside = value.values() if type(value) is dict else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)


def _count_keys(value: Any) -> int:
    if type(value) is dict:
        return len(value) + sum(_count_keys(item) for item in value.values() if type(item) in _CONTAINERS)
    return sum(_count_keys(item) for item in value if type(item) in _CONTAINERS)


def _find_repeated_key(line: bytes) -> str:
    """Returns a key that an object of the line has twice. Empty if none has."""
    repeated: list[str] = []

    def collect_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(name for name, count in counts.items() if count > 1)
        return dict(pairs)

    json.loads(line, object_pairs_hook=collect_repeated)
    return next(iter(repeated), "")
