"""Who the records of a ledger are about, where that may be shown: addresses from the declarations, and links."""

import pickle
from collections.abc import Iterable, Mapping, Sequence

from runner.cli.context import Context
from runner.cli.render_time_limit import limit_render_time
from runner.declare.address_search import Address, WantedKey, find_addresses
from runner.declare.declaration import Declaration
from runner.declare.project import Project
from runner.errors import ProblemsFound, RunStopped
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.report.recipients import Recipients
from runner.report.status_text import StatusView


def status_view(context: Context) -> StatusView:
    """Returns how this run displays deliveries."""
    output = context.output
    return StatusView(output.width, output.show_values, output.verbose)


def name_recipients(
    context: Context, facts: Facts, records: Iterable[Record], project: Project | None = None
) -> Recipients:
    """Returns the names of the records' recipients. Pass only the records that are printed: audiences are read for it.

    Off a terminal nothing is read, because every address would be masked. `project` saves reading the declarations
    again; without it they are read, and those with an error are left out.
    """
    workspace = "" if context.options.sandbox else context.header_of(facts).workspace
    wanted = [
        WantedKey(record.message, record.revision, record.key) for record in records if not record.to.startswith("id:")
    ]
    if not (wanted and context.output.show_values):
        return Recipients({}, workspace, context.settings.region)
    if project:  # its recipients were rendered in a child already
        addresses = find_addresses(project.declarations, context.settings.salt, wanted)
    else:
        addresses = _find_declared(context, wanted)
    return Recipients(addresses, workspace, context.settings.region)


def _find_declared(context: Context, wanted: list[WantedKey]) -> Mapping[str, Address]:
    """Returns the addresses by key, of the declarations. A child reads these: a file may hold it for ever."""
    supervisor = context.options.supervisor

    def find() -> bytes:
        with limit_render_time():  # a child has no timer of its parent
            return pickle.dumps(find_addresses(_load_declarations(context), context.settings.salt, wanted))

    if supervisor is None:
        return find_addresses(_load_declarations(context), context.settings.salt, wanted)
    try:
        addresses: dict[str, Address] = pickle.loads(supervisor.call(find))  # noqa: S301  # our own child wrote it
    except (ProblemsFound, RunStopped) as error:
        problem = error.problems[0] if isinstance(error, ProblemsFound) else None
        reason = f"{problem.place.path}: {problem.message}" if problem and problem.place.path else error.message
        context.output.note(f"recipients are not named: {reason}")
        return {}
    return addresses


def _load_declarations(context: Context) -> Sequence[Declaration]:
    try:
        return context.load_project().declarations
    except ProblemsFound:  # the command shows the ledger, whatever the state of the files
        return ()
