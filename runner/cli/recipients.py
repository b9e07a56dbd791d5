"""Who the records of a ledger are about, where that may be shown: addresses from the declarations, and links."""

from collections.abc import Iterable

from runner.cli.context import Context
from runner.declare.address_search import WantedKey, find_addresses
from runner.declare.project import Project
from runner.errors import ProblemsFound
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.report.recipients import Recipients


def name_recipients(
    context: Context, facts: Facts, records: Iterable[Record], project: Project | None = None
) -> Recipients:
    """Returns the names of the records' recipients. Pass only the records that are printed: audiences are read for it.

    Off a terminal nothing is read, because every address would be masked. `project` saves reading the declarations
    again; without it they are read, and those with an error are left out.
    """
    workspace = "" if context.options.sandbox else facts.headers.merged(context.settings.salt).workspace
    wanted = [
        WantedKey(record.message, record.revision, record.key) for record in records if not record.to.startswith("id:")
    ]
    if not (wanted and context.output.show_values):
        return Recipients({}, workspace, context.settings.region)
    try:
        declarations = (project or context.load_project()).declarations
    except ProblemsFound:  # the command shows the ledger, whatever the state of the files
        declarations = ()
    addresses = find_addresses(declarations, context.settings.salt, wanted)
    return Recipients(addresses, workspace, context.settings.region)
