"""Reads the declarations of a project, all of them or part by part."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from runner.declare import schema
from runner.declare.audience.sources import read_suppression_files
from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import Declaration
from runner.declare.declaration_parser import parse
from runner.declare.parse_context import ProjectContext
from runner.declare.project import Project
from runner.declare.settings import SETTINGS_FILE, Settings, version_number
from runner.declare.template.template import RenderMonitor, Templates
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import Document, read_documents
from runner.errors import Place, Problem, UsageMistake


def load_project(tree: Tree, settings: Settings, watch: RenderMonitor, paths: Iterable[str] = ()) -> Project:
    """Reads every declaration. `paths` (files or folders, relative to the root) select some; empty means all.

    Names are compared across the whole project, whatever is selected.
    """
    loading = ProjectReader(tree, settings, watch, paths)
    found = loading.read(loading.files)
    declarations = sorted(found.declarations, key=lambda declaration: declaration.name)
    return Project(
        tree, settings, tuple(declarations), (*loading.problems, *found.problems), tuple(found.invalid_declarations)
    )


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """What some files declare, in their order. `names` are all that they have, selected or not, and where."""

    declarations: list[Declaration]
    invalid_declarations: list[Declaration]
    problems: list[Problem]
    places_by_name: Mapping[str, Place]


class ProjectReader:
    """What all files of a project share while they are read: `files` are theirs, `problems` those of the settings."""

    def __init__(self, tree: Tree, settings: Settings, watch: RenderMonitor, paths: Iterable[str] = ()) -> None:
        self.files = tuple(tree.declaration_files())
        self._tree = tree
        self._selected = _selector(self.files, paths)
        suppressed, self.problems = _suppressed(tree, settings)
        self._around = ProjectContext(
            tree,
            Templates(tree, watch),
            settings.sender,
            settings.vars,
            conversation_flag_allowed=version_number(settings.api_version) >= (2, 6),
            monitor=watch,
            salt=settings.salt,
            suppression_list=suppressed,
        )

    def read(self, files: Iterable[str]) -> ReadResult:
        """What is declared in some of the files; that a name comes twice is seen among these."""
        names: dict[str, Place] = {}
        result = ReadResult([], [], [], names)
        for path in files:
            is_selected = self._selected(path)
            for found in read_documents(self._tree, path):
                if isinstance(found, Document):
                    repeated = _name_problem(found, names)
                    if is_selected:
                        self._take(result, found, repeated)
                elif is_selected:
                    result.problems.append(found)
        return result

    def _take(self, result: ReadResult, document: Document, repeated: list[Problem]) -> None:
        declaration, faults = parse(document, self._around)
        result.problems.extend([*faults, *repeated])
        if declaration:
            is_sound = not repeated and not any(fault.is_error for fault in faults)
            (result.declarations if is_sound else result.invalid_declarations).append(declaration)


def _suppressed(tree: Tree, settings: Settings) -> tuple[SuppressionList | None, list[Problem]]:
    """The project's own list of contacts that nobody writes to. What cannot be read of it is an error."""
    if not settings.suppress:
        return None, []
    document = next(found for found in read_documents(tree, SETTINGS_FILE) if isinstance(found, Document))
    own = ("environments", settings.environment, "suppress")
    path = own if "suppress" in document.value.get("environments", {}).get(settings.environment, {}) else ("suppress",)
    try:
        return read_suppression_files(tree, "suppressed", list(settings.suppress), "_", document.place(path))
    except NotReadable as error:
        return None, [document.problem(error.code, path, error.message, error.hint)]


def _name_problem(document: Document, names: dict[str, Place]) -> list[Problem]:
    name = document.value.get("name") if isinstance(document.value, dict) else None
    if not isinstance(name, str):
        return []
    place = document.place(("name",))
    earlier = names.setdefault(name, place)
    if earlier == place:
        return []
    message = f"the name {name} is taken by {earlier.path}:{earlier.line}"
    return [document.problem("duplicate-name", ("name",), message, "a message's name is its identity: give it another")]


def _selector(known: Iterable[str], paths: Iterable[str]) -> Callable[[str], bool]:
    wanted = list(paths)
    for path in wanted:
        if path != "." and not any(is_within(found, path) for found in known):
            hint = schema.did_you_mean(path, list(known)) or "declarations are messages/**/*.yaml and .yml"
            raise UsageMistake(f"no declaration at {path}", hint)
    return lambda path: not wanted or any(is_within(path, chosen) for chosen in wanted)


def is_within(path: str, chosen: str) -> bool:
    """Whether a path is the chosen file, or in the chosen folder."""
    return chosen in {".", path} or path.startswith(chosen.rstrip("/") + "/")
