"""Who the records of a ledger are about, where that may be shown: addresses from the declarations, and links."""

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TypeVar

from runner.cli.context import Context
from runner.cli.render_time_limit import limit_render_time
from runner.declare import sample
from runner.declare.address_search import (
    Address,
    FoundAddresses,
    WantedKey,
    find_addresses,
    find_declared,
    find_left_out,
)
from runner.declare.declaration import Declaration
from runner.declare.project import Project
from runner.errors import ProblemsFound, RunStopped
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.privacy import reveal_or_mask
from runner.report.next_steps import NextStep
from runner.report.problem_text import list_first
from runner.report.recipients import Recipients
from runner.report.status_text import StatusView
from runner.shown_command import shown_command, shown_path

Value = TypeVar("Value")
_MAX_LISTED = 20  # recipients that are named above a question


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
        found = find_addresses(project.declarations, context.settings.salt, wanted)
    else:
        found = _call_in_child(
            context,
            lambda: find_addresses(_load_declarations(context), context.settings.salt, wanted),
            FoundAddresses({}, frozenset()),
        )
    return Recipients(found.by_key, workspace, context.settings.region, found.read)


def list_people(context: Context, facts: Facts, records: Sequence[Record], total: int) -> str:
    """Returns the recipients of records by name, the first of `total`, and how many more there are."""
    recipients = name_recipients(context, facts, records)
    names = sorted(
        reveal_or_mask(recipients.name(record), show_values=context.output.show_values) for record in records
    )
    return list_first(names[:_MAX_LISTED], total)


def find_beginnings(context: Context, records: Sequence[Record]) -> Mapping[str, str]:
    """Returns by key how the messages of records begin, where a declaration still has that text."""
    digests = {record.key: record.digest for record in records}
    names = {record.message for record in records}

    def find() -> dict[str, str]:
        declarations = [declaration for declaration in _load_declarations(context) if declaration.name in names]
        return sample.find_beginnings(declarations, context.settings.salt, digests)

    return _call_in_child(context, find, {}) if context.output.show_values else {}


def list_files(context: Context, names: AbstractSet[str]) -> list[str]:
    """Returns the paths of the files that declare messages, as the user types them; empty if one is not declared."""

    def find() -> dict[str, str]:
        return {one.name: one.document.source.path for one in _load_declarations(context) if one.name in names}

    files = _call_in_child(context, find, dict[str, str]())
    return sorted(set(map(shown_path, files.values()))) if len(files) == len(names) else []


def explain_no_records(context: Context, wanted: Address) -> list[NextStep]:
    """Returns the step for a recipient without a record: the plan that says why, or the address that may be meant."""
    found = _search_declared(context, wanted)
    if step := _name_alike(context, found, wanted, "status"):
        return step
    files = [file for file, one in found.items() if one and wanted.matches(one.kind, one.value)]
    unread = [file for file, address in found.items() if address is None]
    if not (files or unread):
        purpose = (
            "No message to this recipient was found in the files. See all messages, and where their recipients are"
        )
        return [NextStep(purpose, (shown_command("plan", "--all"),))]
    find = partial(_find_left_out, context, files, wanted)
    if left_out := _call_in_child(context, find, dict[str, str]()):
        return [NextStep(f"{name} leaves this recipient out {reason}", ()) for name, reason in left_out.items()]
    purpose = "See what keeps back a message to" if files else "See whether an audience in the workspace has"
    command = shown_command("plan", "--online", *sorted(set(map(shown_path, files or unread))))
    return [NextStep(f"{purpose} this recipient", (command,))]


def _find_left_out(context: Context, files: Sequence[str], wanted: Address) -> dict[str, str]:
    declarations = (one for one in _load_declarations(context) if one.document.source.path in files)
    found = {one.name: find_left_out(one, wanted) for one in declarations}
    return {name: reason for name, reason in found.items() if reason}


def name_alike(context: Context, wanted: Address, *words: str) -> list[NextStep]:
    """Returns the step with the address that may be meant by one that is not declared; `words` stand before it."""
    return _name_alike(context, _search_declared(context, wanted), wanted, *words)


def _name_alike(context: Context, found: Mapping[str, Address | None], wanted: Address, *words: str) -> list[NextStep]:
    addresses = [address for address in found.values() if address]
    is_declared = any(wanted.matches(address.kind, address.value) for address in addresses)
    if not addresses or is_declared or not context.output.show_values:
        return []
    alike = addresses[0].label
    return [NextStep(f"If {alike} is meant", (shown_command(*words, alike),))]


def _search_declared(context: Context, wanted: Address) -> Mapping[str, Address | None]:
    return _call_in_child(context, lambda: find_declared(_load_declarations(context), wanted), {})


def _call_in_child(context: Context, find: Callable[[], Value], nothing: Value) -> Value:
    """Returns what is found in the declarations. A child reads these: a file may hold it for ever.

    If it is killed, that is said, and `nothing` is returned.
    """
    supervisor = context.options.supervisor
    if supervisor is None:
        return find()

    def find_in_time() -> bytes:
        with limit_render_time():  # a child has no timer of its parent
            return pickle.dumps(find())

    try:
        found: Value = pickle.loads(supervisor.call(find_in_time))  # noqa: S301  # our own child wrote it
    except (ProblemsFound, RunStopped) as error:
        problem = error.problems[0] if isinstance(error, ProblemsFound) else None
        reason = f"{problem.place.path}: {problem.message}" if problem and problem.place.path else error.message
        context.output.note(f"recipients are not named: {reason}")
        return nothing
    return found


def _load_declarations(context: Context) -> Sequence[Declaration]:
    try:
        return context.load_project().declarations
    except ProblemsFound:  # the command shows the ledger, whatever the state of the files
        return ()
