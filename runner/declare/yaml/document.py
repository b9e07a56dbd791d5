"""YAML documents: plain values, and the place of each of them in the file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import yaml

from runner.declare.pointers_and_conflicts import find_conflict
from runner.declare.problem_length import mark_length, node_length
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.misread_texts import find_misread_texts
from runner.declare.yaml.scalar_types import MERGE_TAG, compose_all, convert_node
from runner.declare.yaml.syntax import BadYaml, YamlFault, iter_nodes
from runner.errors import Place, Problem, Severity
from runner.privacy import AnyText, find_email_spans, mark_private, mark_spans

YamlPath = Sequence[str | int]
_Entries = dict[str, tuple[yaml.ScalarNode, yaml.Node]]
# Keys of `to` whose values are not personal. Any other key, also a misspelt one, may hold a value of a recipient.
_SOURCE_KEYS = frozenset({"csv", "jsonl", "parquet", "sql"})
_OTHER_PUBLIC_KEYS = "id type columns delimiter quote encoding where exclude unique_by split duplicates"
_PUBLIC_KEYS = _SOURCE_KEYS | set(_OTHER_PUBLIC_KEYS.split())
_TEMPLATE_KEYS = dict.fromkeys(_SOURCE_KEYS, ("user_id", "email")) | {"intercom": ("intercom", "vars")}
# Characters of a line that a problem quotes. A longer one is a text or minified JSON, where it would not help.
MAX_EXCERPT = 2_000
MAX_DOCUMENTS = 1_000  # of one file; people split a file of some dozen
_SNIPPET = re.compile(r"[^\s\"'\\]{1,12}")
_COMMENT = re.compile(r"[ \t]+#")  # after a value it may be the rest of the value
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a terminal would execute them as commands


class SourceFile:
    """One file: its path relative to the root (with `/`), and its decoded text."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without line ends."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Returns line `number` (from 1), with control characters replaced by U+FFFD; empty beyond the last line."""
        return self._clean_lines[number - 1] if 0 < number <= len(self._clean_lines) else ""

    @cached_property
    def _clean_lines(self) -> list[str]:
        return _CONTROL_CHARACTERS.sub("\ufffd", "\n".join(self.lines)).split("\n")


class Document:
    """One YAML document: its value as plain Python, and the place of every part of the value.

    A path is a sequence of keys and indices (from 0), from the document's root to a part.
    """

    def __init__(self, source: SourceFile, root: yaml.Node, value: Any) -> None:
        self.source = source
        self.root = root
        self.value = value
        self._entries_by_node: dict[int, _Entries] = {}

    def node(self, path: YamlPath) -> yaml.Node:
        """Returns the node at a path. If there is none, returns the last node along the path that exists."""
        node = self.root
        for step in path:
            child = self._find_child(node, step)
            if child is None:
                break
            node = child
        return node

    def place(self, path: YamlPath = ()) -> Place:
        """Returns the place where the value at a path begins; for a missing key, where its mapping begins."""
        return self._place_of(self.node(path))

    def key_node(self, path: YamlPath) -> yaml.Node | None:
        """Returns the node of the key that is the last step of a path; None if there is none."""
        parent = self.node(path[:-1])
        entry = self._entries(parent).get(str(path[-1])) if isinstance(parent, yaml.MappingNode) else None
        return entry[0] if entry else None

    def key_place(self, path: YamlPath) -> Place:
        """Returns the place of the key that is the last step of a path; if there is none, `place` of the path."""
        return self._place_of(self.key_node(path) or self.node(path))

    def problem(self, code: str, path: YamlPath, message: AnyText, hint: str = "", *, at_key: bool = False) -> Problem:
        """Returns an error at the value of a path, or at its key."""
        place = self.key_place(path) if at_key else self.place(path)
        return Problem(code, place, message, hint, excerpt=self.excerpt(place.line))

    def warning(self, code: str, path: YamlPath, message: AnyText, hint: str = "") -> Problem:
        """Returns a warning at the value of a path."""
        place = self.place(path)
        return Problem(code, place, message, hint, Severity.WARNING, self.excerpt(place.line))

    def excerpt(self, line: int) -> AnyText:
        """Returns a line (from 1) of the file, with recipients' values and all email addresses marked as private.

        It is empty if the line is longer than MAX_EXCERPT.
        """
        text = self.source.line(line)
        if len(text) > MAX_EXCERPT:
            return ""
        private_spans = [
            (start, len(text) if end < 0 or _COMMENT.match(text, end) else end)
            for start, end in self._private_spans.get(line - 1, ())
        ]
        # An address may also occur where no recipient is expected, for example below a misspelt key.
        address_spans = [
            (start, end)
            for start, end in find_email_spans(text)
            if not any(a < end and start < b for a, b in private_spans)
        ]
        return mark_spans(text, sorted([*private_spans, *address_spans]))

    def template_place(self, path: YamlPath, template_line: int, name: str) -> Place:
        """Returns the place of line `template_line` (from 1) of the template in the scalar at a path.

        It is where the line mentions `name`; if it does not, its first template tag, else its start.
        """
        node = self.node(path)
        if not isinstance(node, yaml.ScalarNode):
            return self._place_of(node)
        text = node.value.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        line = next(iter(lines[template_line - 1 : template_line]), "")
        opening = re.search(r"\{[{%]", line)
        is_word = re.match(r"\w", name) is not None
        before, after = (r"(?<![\w.])" if is_word else "", r"(?!\w)" if re.search(r"\w$", name) else "")
        mention = re.compile(f"{before}{re.escape(name)}{after}")
        match = mention.search(line, opening.start() if opening and is_word else 0) if name else None
        target = match or opening
        if not match and node.style != "|" and not (target and node.start_mark.line < node.end_mark.line):
            return self._place_of(node)
        column = target.start() if target else len(line) - len(line.lstrip())
        offset = sum(len(earlier) + 1 for earlier in lines[: template_line - 1]) + column
        return self.text_place(node, text, offset, len(name) if match else 0)

    def text_place(self, node: yaml.Node, text: str, offset: int, length: int = 0) -> Place:
        """Returns the place of an offset of the text in a scalar. `length` is the number of characters to mark.

        A folded or quoted scalar wraps and escapes its text. There the next few characters are counted: their n-th
        occurrence in the text is taken to be the n-th one in the file.
        """
        first = node.start_mark
        if getattr(node, "style", None) == "|":
            number, start = first.line + 1 + text.count("\n", 0, offset), text.rfind("\n", 0, offset) + 1
            written, line = self.source.line(number + 1), text[start:].partition("\n")[0]
            indent = len(written) - len(line) if written.endswith(line) else 0
            index = indent + offset - start
            return Place(self.source.path, number + 1, index + 1, length or mark_length(written, index))
        if snippet := _SNIPPET.match(text, offset):
            remaining, pattern = text.count(snippet[0], 0, offset), re.compile(re.escape(snippet[0]))
            for number in range(first.line, node.end_mark.line + 1):
                written = self.source.line(number + 1)
                start = first.column if number == first.line else 0
                if (count := written.count(snippet[0], start)) > remaining:
                    index = next(islice(pattern.finditer(written, start), remaining, None)).start()
                    return Place(self.source.path, number + 1, index + 1, length or mark_length(written, index))
                remaining -= count
        return self._place_of(node)

    def _place_of(self, node: yaml.Node) -> Place:
        return Place(self.source.path, node.start_mark.line + 1, node.start_mark.column + 1, node_length(node))

    def _find_child(self, node: yaml.Node, step: str | int) -> yaml.Node | None:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            items: list[yaml.Node] = node.value
            return items[step] if step < len(items) else None
        entry = self._entries(node).get(str(step)) if isinstance(node, yaml.MappingNode) else None
        return entry[1] if entry else None

    def _entries(self, node: yaml.MappingNode) -> _Entries:
        """Returns the keys and values of a mapping, by the text of the key: its own, then those that it merges."""
        entries = self._entries_by_node.get(id(node))
        if entries is None:
            # Set before it is filled: a mapping that merges itself ends here.
            entries = self._entries_by_node[id(node)] = {}
            sources: list[yaml.Node] = []
            for key, value in node.value:
                if key.tag == MERGE_TAG:
                    sources.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
                elif isinstance(key, yaml.ScalarNode):
                    entries.setdefault(key.value, (key, value))
            for source in sources:
                for name, entry in self._entries(source).items() if isinstance(source, yaml.MappingNode) else ():
                    entries.setdefault(name, entry)
        return entries

    @cached_property
    def _private_spans(self) -> dict[int, list[tuple[int, int]]]:
        """Start and end of the recipients' identifiers and variables, by line, all from 0.

        An end of -1 is the line's end.
        """
        spans: dict[int, list[tuple[int, int]]] = {}
        to = self._find_child(self.root, "to")
        recipients = to.value if isinstance(to, yaml.SequenceNode) else [to]
        private_nodes: list[yaml.Node] = []
        for recipient in recipients:
            if isinstance(recipient, yaml.MappingNode):
                # Where rows of a source are the recipients, some values are templates, which hold no recipient's value.
                public_keys = _PUBLIC_KEYS.union(*(_TEMPLATE_KEYS.get(key, ()) for key in self._entries(recipient)))
                for key, value in recipient.value:
                    if not isinstance(key, yaml.ScalarNode) or key.value not in public_keys:
                        private_nodes.append(value)
            elif recipient is not None:
                private_nodes.append(recipient)
        for line, start, end in _scalar_spans(private_nodes):
            spans.setdefault(line, []).append((start, end))
        return spans


def parse_documents(source: SourceFile) -> Iterator[Document | Problem]:
    """Yields the documents of a file and the problems of its YAML. Documents before a syntax error are yielded too."""
    try:
        for number, root in enumerate(compose_all(source.text), 1):
            value, faults = convert_node(root)
            document = Document(source, root, value)
            for fault in (*faults, *find_misread_texts(root, source.text, source.lines)):
                yield _fault_problem(source, fault, document.excerpt(fault.line + 1))
            if number > MAX_DOCUMENTS:
                place = Place(source.path, root.start_mark.line + 1)
                message = f"a file has at most {MAX_DOCUMENTS:,} documents, and this is one more"
                yield Problem("yaml-documents", place, message, "recipients belong into a CSV or JSON Lines file")
                return
            if all(fault.is_warning for fault in faults) and not (value is None and root.value == ""):
                yield document
    except BadYaml as error:
        # A line that is not valid YAML may contain recipients' values at any position, so all of it is private.
        line = source.line(error.fault.line + 1)
        yield _fault_problem(source, error.fault, mark_private(line) if len(line) <= MAX_EXCERPT else "")


def decode(path: str, data: bytes) -> SourceFile | Problem:
    """Returns the text of a UTF-8 file, with or without a byte order mark.

    Returns a problem if it is not UTF-8, or holds the marks of a merge conflict.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem("not-utf-8", Place(path), "the file is UTF-16, not UTF-8", "save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        place = Place(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Problem("not-utf-8", place, f"byte 0x{data[error.start]:02X} is not UTF-8", "save the file as UTF-8")
    return find_conflict(path, text) or SourceFile(path, text)


def _fault_problem(source: SourceFile, fault: YamlFault, excerpt: AnyText) -> Problem:
    place = Place(source.path, fault.line + 1, fault.column + 1, fault.length)
    severity = Severity.WARNING if fault.is_warning else Severity.ERROR
    return Problem(fault.code, place, fault.message, fault.hint, severity, excerpt, edits=fault.edits)


def _scalar_spans(pending: list[yaml.Node]) -> Iterator[tuple[int, int, int]]:
    for node in iter_nodes(pending, with_keys=False):
        if isinstance(node, yaml.ScalarNode):
            first, last = node.start_mark, node.end_mark
            for line in range(first.line, last.line + 1):
                end = last.column if line == last.line and first.line == last.line else -1
                yield line, first.column if line == first.line else 0, end


def read_documents(tree: Tree, path: str) -> Iterable[Document | Problem]:
    """Returns the documents of a YAML file of the project, and its problems, also if it cannot be read."""
    try:
        source = decode(path, tree.read(path))
    except NotReadable as error:
        return [Problem(error.code, Place(path), error.message, error.hint)]
    return [source] if isinstance(source, Problem) else parse_documents(source)
