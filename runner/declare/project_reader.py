"""Reads the declarations of a project: all of them, or those of some files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from runner.current_work import CURRENT_WORK
from runner.declare.audience.sources import read_suppression_files
from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import Declaration
from runner.declare.declaration_parser import parse
from runner.declare.message_files import find_unread_files, find_unread_settings, list_message_files
from runner.declare.parse_context import ProjectContext
from runner.declare.project import Project
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.read_cache import ReadCache
from runner.declare.settings import Settings, setting_path
from runner.declare.similar_names import closest_match, find_look_alike_names
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Templates
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import Document, read_documents
from runner.errors import Place, Problem, UsageMistake
from runner.shown_command import shown_path

MAX_PROBLEMS = 100  # of one document that are reported: what follows is most often the same mistake again
# After so many problems with an error among them, the rest of a file, or of the project, is not read: nothing is sent.
MAX_FILE_PROBLEMS = 1_000
MAX_ALL_PROBLEMS = 20_000
# A document or a problem of a file, and what parsing the document gave; None if it was not selected.
_Item = tuple[Document | Problem, tuple[Declaration | None, list[Problem]] | None]


def load_project(
    tree: Tree, settings: Settings, monitor: RenderMonitor, paths: Iterable[str] = (), cache: ReadCache | None = None
) -> Project:
    """Reads the declarations of a project.

    `paths` (files or folders, relative to the root) select some of them; empty means all. Duplicate names are detected
    across the whole project, whatever the selection. `cache` is for the same settings, and without `paths`. Raises
    UsageMistake if a path contains no declaration.
    """
    reader = make_project_reader(tree, settings, monitor, paths, cache)
    result = reader.read(reader.files)
    declarations = sorted(result.declarations, key=lambda declaration: declaration.name)
    problems = (*reader.problems, *result.problems, *find_look_alike_names(result.places_by_name))
    invalid, unread = tuple(result.invalid_declarations), tuple(result.unread_documents)
    return Project(tree, settings, tuple(declarations), problems, invalid, unread)


class ReadResult(NamedTuple):
    """The declarations of some files, in the order of the files, and their problems.

    `invalid_declarations` have an error among `problems`. `unread_documents` have a name and no declaration: a file
    that they name cannot be read, for example. `places_by_name` maps every name in these files, also of a declaration
    that is not selected, to the place where it is declared first.
    """

    declarations: list[Declaration]
    invalid_declarations: list[Declaration]
    problems: list[Problem]
    places_by_name: Mapping[str, Place]
    unread_documents: list[Document]


class ProjectReader(NamedTuple):
    """Reads the declarations in the files of a project.

    `files` are all declaration files, sorted. `problems` are warnings of msgrun.yaml and of names of files, and the
    problems of the project's suppression list. `read_cached` returns the items of a path, cached or as a function reads
    them.
    """

    files: tuple[str, ...]
    problems: list[Problem]
    is_selected: Callable[[str], bool]
    project_context: ProjectContext
    read_cached: Callable[[str, Callable[[], Iterable[_Item]]], Iterable[_Item]] = lambda _, read: read()

    def read(self, files: Iterable[str]) -> ReadResult:
        """Returns the selected declarations of some files. Duplicate names are detected among these files only."""
        names: dict[str, Place] = {}
        result = ReadResult([], [], [], names, [])
        paths = list(files)
        for number, path in enumerate(paths, 1):
            with CURRENT_WORK.on_file(path):
                self._read_file(result, path, names)
            rest = len(paths) - number
            if rest and _is_full(result.problems, 0, MAX_ALL_PROBLEMS, f"the rest of the project ({rest:,} files)"):
                break
        return result

    def _read_file(self, result: ReadResult, path: str, names: dict[str, Place]) -> None:
        is_selected, first = self.is_selected(path), len(result.problems)
        for item, parsed in self.read_cached(path, lambda: self._parse_file(path, is_selected=is_selected)):
            if _is_full(result.problems, first, MAX_FILE_PROBLEMS, "the rest of this file"):
                return
            name_problems = _find_name_problems(item, names) if isinstance(item, Document) else [item]
            if not is_selected:
                continue
            declaration, problems = parsed or (None, [])
            result.problems.extend([*_limit(problems), *name_problems])
            if declaration:
                is_sound = not name_problems and not any(problem.is_error for problem in problems)
                (result.declarations if is_sound else result.invalid_declarations).append(declaration)
            elif isinstance(item, Document) and isinstance(item.value, dict) and "name" in item.value:
                result.unread_documents.append(item)

    def _parse_file(self, path: str, *, is_selected: bool) -> Iterator[_Item]:
        for item in read_documents(self.project_context.tree, path):
            CURRENT_WORK.step()
            yield item, parse(item, self.project_context) if is_selected and isinstance(item, Document) else None


def make_project_reader(
    tree: Tree, settings: Settings, monitor: RenderMonitor, paths: Iterable[str] = (), cache: ReadCache | None = None
) -> ProjectReader:
    """Returns a reader of the files that `paths` select: files or folders, relative to the root; empty means all.

    `cache` is as for `load_project`. Raises UsageMistake if a path contains no declaration.
    """
    files = list_message_files(tree.root)
    with CURRENT_WORK.on_file(SETTINGS_FILE):
        items = list(read_documents(tree, SETTINGS_FILE)) if (tree.root / SETTINGS_FILE).exists() else []
        warnings = [item for item in items if isinstance(item, Problem)]  # an error would have ended the command
        documents = [item for item in items if isinstance(item, Document)]
        read_list = partial(_read_suppression_list, tree, settings, documents)
        suppression = cache.read(tree, SETTINGS_FILE, read_list) if cache else read_list()
    context = ProjectContext(tree, settings, Templates(tree, monitor), monitor, suppression[0])
    unread = list(find_unread_files(tree, files))
    is_selected = _make_selector(tree, files.declarations, unread, paths)
    problems = [*warnings, *suppression[1], *(problem for problem in unread if is_selected(problem.place.path))]
    problems += find_unread_settings(tree, SETTINGS_FILE)
    reader = ProjectReader(files.declarations, problems, is_selected, context)
    if cache is None:
        return reader
    return reader._replace(
        read_cached=lambda path, read: cache.read(tree, path, lambda: list(read()), basis=suppression)
    )


def _limit(problems: list[Problem]) -> list[Problem]:
    """Returns the first MAX_PROBLEMS problems of a document, and one that counts the others.

    That one is an error if one of them is.
    """
    if len(problems) <= MAX_PROBLEMS:
        return problems
    first, rest = problems[:MAX_PROBLEMS], problems[MAX_PROBLEMS:]
    last = next((problem for problem in rest if problem.is_error), rest[0])
    noun = "problem" if len(rest) == 1 else "problems"
    return [*first, replace(last, message=f"and {len(rest):,} more {noun} in this document", hint="", excerpt="")]


def _is_full(problems: list[Problem], first: int, limit: int, unread: str) -> bool:
    """Returns whether there are more problems from `first` on than the limit, with an error among the last ones.

    If so, a problem is added that says what is not read.
    """
    last = next((problem for problem in problems[-1 - MAX_PROBLEMS :] if problem.is_error), None)
    if len(problems) - first <= limit or last is None:
        return False
    message = f"there are more than {limit:,} problems, so {unread} is not checked"
    problems.append(replace(last, message=message, hint="fix these first", excerpt="", recipient=""))
    return True


def _read_suppression_list(
    tree: Tree, settings: Settings, documents: Sequence[Document]
) -> tuple[SuppressionList | None, list[Problem]]:
    """Returns the project's own suppression list and the problems of its files. `documents` are those of msgrun.yaml.

    The list is None if the project has none, or if one of the problems is an error. What cannot be read is an error.
    """
    if not settings.suppress:
        return None, []
    document = documents[0]
    path = setting_path(document, settings.environment_name, "suppress")
    try:
        return read_suppression_files(tree, "suppressed", settings.suppress, "_", document.place(path))
    except NotReadable as error:
        return None, [document.problem(error.code, path, error.message, error.hint)]


def _find_name_problems(document: Document, names: dict[str, Place]) -> list[Problem]:
    name = document.value.get("name") if isinstance(document.value, dict) else None
    if not isinstance(name, str):
        return []
    place = document.place(("name",))
    earlier = names.setdefault(name, place)
    if earlier == place:
        return []
    message = f"the name {name} is already used in {earlier.path}:{earlier.line}"
    hint = "give the newer message another name; one that was sent keeps its name, which says who got it"
    return [document.problem("duplicate-name", ("name",), message, hint)]


def _make_selector(
    tree: Tree, files: Sequence[str], unread: Iterable[Problem], paths: Iterable[str]
) -> Callable[[str], bool]:
    """Returns a test for paths: whether `paths` select it. Raises UsageMistake if one selects no declaration."""
    selected_paths = list(paths)
    for path in selected_paths:
        if path != "." and not any(is_within(file, path) for file in files):
            hints = [problem.hint for problem in unread if problem.place.path == path]
            hints += [_suggest_file(tree, files, shown_path(path))]
            raise UsageMistake(f"no declaration at {shown_path(path)}", next(filter(None, hints)))
    return lambda path: not selected_paths or any(is_within(path, selected) for selected in selected_paths)


def _suggest_file(tree: Tree, files: Sequence[str], typed: str) -> str:
    """Returns a hint for a path without a declaration: the file of the message that has this name, or a similar one."""
    by_stem = {PurePosixPath(file).stem: file for file in files}  # the folders of all files are alike
    by_name = {
        str(item.value.get("name")): file
        for file in files
        for item in read_documents(tree, file)
        if isinstance(item, Document) and isinstance(item.value, dict)
    }
    if file := by_name.get(typed) or by_stem.get(typed):
        return f"a path is wanted: {shown_path(file)}"
    names = {**by_name, **by_stem}
    file = names.get(closest_match(PurePosixPath(typed).stem, names))
    return f"did you mean {shown_path(file)}?" if file else "declarations are messages/**/*.yaml and .yml"


def is_within(path: str, chosen: str) -> bool:
    """Returns whether a path is the chosen file, or is in the chosen folder; `.` is the root, which has all paths."""
    return chosen in {".", path} or path.startswith(chosen.rstrip("/") + "/")
