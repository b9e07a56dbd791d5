"""Reads the audiences that are in the workspace, for plan --online and apply --plan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runner.cli.connection import Connection, connect
from runner.cli.context import Context
from runner.cli.progress import StatusLine
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.workspace_contacts import ContactReading, WorkspaceContacts, find_workspace_contacts
from runner.declare.contact_query import describe_days
from runner.declare.declaration import Declaration
from runner.declare.project import Project
from runner.errors import GuardRefused, Problem, ProblemsFound
from runner.intercom.audiences import GroupNotFound, read_contacts
from runner.plan.saved_plan import SavedPlan
from runner.shown_command import shown_command


class AudienceReader:
    """Reads audiences from Intercom, each group of contacts once, however many messages go to it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._readings: dict[tuple[str, str | None], ContactReading] = {}

    def read(self, project: Project, is_wanted: Callable[[Declaration], bool] | None = None) -> Project:
        """Returns the project with the contacts of the wanted messages; None wants those that have not expired.

        Prints which days a search means, where it compares dates. Raises ProblemsFound if a segment, tag or company is
        not exactly one, GuardRefused if the token is of another workspace, RunStopped.
        """
        now = self._context.now
        is_wanted = is_wanted or (lambda declaration: not declaration.is_expired(now))
        sources = {
            declaration.name: source
            for declaration in project.declarations
            if (source := find_workspace_contacts(declaration.audience)) and source.is_unread and is_wanted(declaration)
        }
        if not sources:
            return project
        groups = [(source.group.kind, source.group.name) for source in sources.values()]
        with connect(self._context, groups=groups) as connection:
            connection.verify_workspace()
            self._print_days(connection, sources.values())
            problems: list[Problem] = []
            for declaration in project.declarations:
                if source := sources.get(declaration.name):
                    problems += self._read_group(connection, declaration, source)
        if problems:
            raise ProblemsFound([*project.problems, *problems])
        declarations = tuple(
            self._with_contacts(declaration, sources[declaration.name]) if declaration.name in sources else declaration
            for declaration in project.declarations
        )
        return project._replace(declarations=declarations)

    def _read_group(self, connection: Connection, declaration: Declaration, source: WorkspaceContacts) -> list[Problem]:
        """Reads the contacts of a source, unless they were read already. Returns what is wrong with its group."""
        key = _key(source)
        if key in self._readings:
            return []
        line = StatusLine(self._context.output, delay=1.0)

        def show(count: int, total: int | None) -> None:
            if line.is_due():
                of_all = f" of {total:,}" if total else ""
                line.update(f"reading {source.title}: {count:,}{of_all} contacts")

        try:
            self._readings[key] = read_contacts(connection.workspace, source.group, source.role, show)
        except GroupNotFound as error:
            path = ("to", "intercom", source.group.kind)
            return [declaration.document.problem("audience-unknown", path, error.message, error.hint)]
        finally:
            line.clear()
        return []

    def _print_days(self, connection: Connection, sources: Iterable[WorkspaceContacts]) -> None:
        """Prints for each condition on a date which days it means in the workspace's time zone."""
        queries = [source.group.query for source in sources if source.group.query]
        if not any(next(describe_days(query), "") for query in queries):
            return
        name = connection.workspace.identity().time_zone
        try:
            zone = ZoneInfo(name) if name else None
        except (ZoneInfoNotFoundError, ValueError):
            zone = None
        for line in dict.fromkeys(line for query in queries for line in describe_days(query, zone, name)):
            self._context.output.note(line)

    def _with_contacts(self, declaration: Declaration, source: WorkspaceContacts) -> Declaration:
        assert isinstance(declaration.audience, TableAudience)
        read = replace(source, reading=self._readings[_key(source)])
        return replace(declaration, audience=declaration.audience._replace(source=read))


def _key(source: WorkspaceContacts) -> tuple[str, str | None]:
    return repr(source.group), source.role


def read_planned_audiences(
    context: Context, project: Project, saved: SavedPlan | None, paths: Sequence[str]
) -> Project:
    """Returns the project as apply sends it: with the contacts of the messages that the saved plan sends.

    A message to the workspace that it does not send is left out, with a note. `paths` are those that the user selected.
    Raises GuardRefused without a saved plan, because its audience was not reviewed; and what AudienceReader raises.
    """
    declared = [item for item in project.declarations if find_workspace_contacts(item.audience)]
    if saved is None:
        names = ", ".join(item.name for item in declared if not item.is_expired(context.now))
        if not names:
            return project
        save, send = (
            shown_command("plan", *paths, "--online", "--out", "FILE"),
            shown_command("apply", "--plan", "FILE"),
        )
        raise GuardRefused(
            f"{names}: the audience is in the workspace and may have changed, so it is sent with a saved plan only",
            f"save who gets it, and look at it: {save}; then {send}. To send others alone, name their files",
        )
    wanted = {item.name for item in declared if saved.send_counts[item.name, item.revision]}
    others = [item.name for item in declared if item.name not in wanted]
    if others:
        context.output.note(f"{saved.path} sends nothing of {', '.join(others)}, whose audience is not read")
    rest = tuple(item for item in project.declarations if item.name not in others)
    return AudienceReader(context).read(project._replace(declarations=rest), lambda item: item.name in wanted)
