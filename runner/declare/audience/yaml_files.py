"""YAML files as a source: each is one list of mappings. They are for audiences that people write by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from runner.declare.audience.files import SourceFiles, row_number
from runner.declare.audience.json_lines import rename_problem, row_of
from runner.declare.audience.recipient import Row
from runner.declare.tree import Tree
from runner.declare.yaml.document import Document, read_documents
from runner.errors import Place, Problem


@dataclass(frozen=True, slots=True, eq=False)
class YamlList(SourceFiles):
    """The members of a list. The number of a row is made of its file and the line on which it begins."""

    members: tuple[Row, ...]
    columns: tuple[str, ...]
    is_text: ClassVar[bool] = False
    has_fixed_columns: ClassVar[bool] = True

    @property
    def estimated_count(self) -> int:
        """The number of rows."""
        return len(self.members)

    def rows(self) -> Iterator[Row | Problem]:
        """Yields the members in order."""
        return iter(self.members)


def read_yaml(tree: Tree, paths: Sequence[str], rename: Mapping[str, str]) -> tuple[YamlList | None, list[Problem]]:
    """Returns the files as one source, and their problems. The source is None if one of these is an error."""
    members: list[Row] = []
    problems: list[Problem] = []
    for index, path in enumerate(paths):
        document, document_problems = _read_document(tree, path)
        problems.extend(document_problems)
        if document is None:
            continue
        for position, value in enumerate(document.value):
            place = document.place((position,))
            if isinstance(value, dict) and (collision := rename_problem(value, rename, place)):
                problems.append(collision)
            elif isinstance(value, dict):
                members.append(row_of(value, row_number(index, place.line), rename))
            else:
                message = "this member of the list is not a mapping"
                problems.append(Problem("yaml-row", place, message, "for example - {email: …, first_name: Bo}"))
    columns = dict.fromkeys(name for values, blank, _ in members for name in (*values, *blank))
    has_errors = any(problem.is_error for problem in problems)
    return (None if has_errors else YamlList(tree, tuple(paths), tuple(members), tuple(columns))), problems


def _read_document(tree: Tree, path: str) -> tuple[Document | None, list[Problem]]:
    """Returns the only document of a file, which must be a list, and its problems; without a document, the error."""
    parsed = list(read_documents(tree, path))
    faulty = next((entry for entry in parsed if isinstance(entry, Problem) and entry.is_error), None)
    if faulty:
        return None, [faulty]
    documents = [entry for entry in parsed if isinstance(entry, Document)]
    if len(documents) != 1 or not isinstance(documents[0].value, list):
        hint = "for example - {email: …, first_name: Bo}"
        return None, [Problem("yaml-row", Place(path), "the file is not one list of mappings", hint)]
    return documents[0], [entry for entry in parsed if isinstance(entry, Problem)]
