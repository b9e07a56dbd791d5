"""The command forget: removes a recipient from the ledger, for an erasure request."""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from urllib.parse import unquote

import click

from runner.cli import next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, open_ledger
from runner.cli.options import command, stored_flag
from runner.cli.recipients import name_alike
from runner.declare.address_search import Address, parse_recipient_address
from runner.declare.recipient_states import find_states
from runner.declare.settings import environment_names, load_settings
from runner.declare.text_search import find_mentions
from runner.errors import LedgerUnavailable
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.local_records import forget_local_records
from runner.ledger.lock_address import LockfileAddress, default_lockfile
from runner.privacy import mark_private, reveal_or_mask
from runner.report import forget_text
from runner.report.next_steps import NextStep
from runner.shown_command import shown_command

_MAX_HISTORY = 64 << 20  # bytes of the list of commits
_MAX_PATHS = 200  # files that git's history is searched for by their names; with more, that of the project is
_MAX_KEYS = 500  # deliveries whose records git's history is searched for
_SHORT_REF = re.compile(r"^refs/(heads|remotes|tags|msgrun)/")


@command("forget")
@click.option(
    "--to", "address", required=True, metavar="KIND:VALUE|EMAIL", help="The recipient: ann@example.com or user_id:25."
)
@stored_flag("--yes", "Do not ask.")
@stored_flag("--no-fetch", "Do not read the lockfile of the git remote first.")
def forget(address: str) -> int:
    """Remove a recipient from the ledger, for an erasure request.

    Removes contact, text and conversation from every copy of the ledger that this clone can write. Keys and states
    stay, so nothing is sent again. A key is a hash: without the salt and the address it leads to no person.

    Lists the files that still name the recipient, what git's history keeps, and what msgrun cannot reach.
    """
    wanted = parse_recipient_address(address)
    with open_context(check_in_child=partial(_check_files, wanted=wanted)) as context:
        if not context.options.sandbox and not _has_ledger(context, context.settings.environment_name):
            # Nothing was ever sent from here, and to start a ledger would help nobody.
            context.output.sentence(
                f"There is no ledger {context.ledger.address.display_name}: nothing to forget in it."
            )
            return _forget(context, None, wanted)
        with open_ledger(context, "forget") as ledger:
            return _forget(context, ledger, wanted)


def _check_files(context: Context, wanted: Address) -> None:
    """Searches the files once: what does not end here is killed before the ledger is opened."""
    deque(find_mentions(context.tree.root, [wanted.value]), maxlen=0)


def _forget(context: Context, ledger: Ledger | None, wanted: Address) -> int:
    """Asks, removes the recipient and reports. Returns the exit code. Without a ledger it only reports."""
    output = context.output
    private = mark_private(wanted.label)
    title = reveal_or_mask(private, show_values=output.show_values)
    facts = ledger.facts if ledger else Facts()
    states = find_states(facts, context.settings.salt, wanted)
    records = (record for state in states for record in state.attempts if not record.redirected)
    contacts = {record.known_contact for record in records} - {""}
    keys = frozenset(state.record.key for state in states)
    files: list[str] = []
    if ledger and keys:
        question = forget_text.format_question(title, states, context.ledger.address.display_name, output.width)
        if not context.options.yes:
            output.error(question)
        context.confirm(f"Forget {title}?")
        files += [context.ledger.address.display_name] if ledger.forget(keys) else []
        files += forget_local_records(context.ledger, ledger.facts, keys)
    if ledger:
        output.sentence(forget_text.format_removal(title, len(keys), files))
    values = [wanted.value, *sorted(contacts)]
    mentions, paths, count = list[str](), dict[str, None](), 0
    for path, line in find_mentions(context.tree.root, values):
        paths[path] = None
        count += 1
        if count <= forget_text.MAX_LISTED:
            mentions.append(f"{path}:{line}")
    commits = _find_commits(context, values, keys, paths)
    output.result(f"\n{forget_text.format_remains(forget_text.Remains(mentions, count, commits), output.width)}")
    steps = _list_steps(context, wanted, bool(mentions), values if commits else [], has_changed=bool(files))
    alike = [] if keys else name_alike(context, wanted, "forget", "--to")
    next_steps.print_steps(context, [*alike, *steps])
    return exit_code_of(facts)


def _list_steps(
    context: Context, wanted: Address, is_named: bool, in_history: Sequence[str], *, has_changed: bool
) -> list[NextStep]:
    """Returns what is left to do for the erasure request, as far as msgrun knows.

    `in_history` are the address and ids of the recipient, if git's history names them.
    """
    aim = "each clone loses what was removed"
    steps = commit_ledger(context, aim, message="Forget a recipient") if has_changed else []
    if is_named:
        steps.append(NextStep("Remove the recipient from the files above, or the next message goes there too", ()))
    address = wanted.label if context.output.show_values else "KIND:VALUE"
    if in_history:
        lines = ", ".join(f"{value}==>" for value in in_history if context.output.show_values)
        which = f"the lines {lines}" if lines else "a line VALUE==> for the address and for each id of the contact"
        purpose = (
            f"If these commits may not name the recipient, write {which} into FILE, rewrite them in a new clone, push"
            " all branches by force, and let everyone clone again"
        )
        steps.append(NextStep(purpose, ("git filter-repo --replace-text FILE",)))
    if others := _other_environments(context):
        commands = (shown_command("forget", "--to", address, environment=name) for name in others)
        steps.append(
            NextStep(
                "Forget the recipient in the ledgers of the other environments too, unless that is done",
                tuple(commands),
            )
        )
    if has_changed and isinstance(context.ledger.address, LockfileAddress):
        purpose = "If a merge of an older lockfile brings it back, msgrun ignores it; this removes it from the file"
        steps.append(NextStep(purpose, (shown_command("lock", "compact"),)))
    return steps


def _find_commits(context: Context, values: Sequence[str], keys: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Returns the commits that add or remove a line which names the recipient, the newest first, each with its branch.

    They are searched in these files and in the lockfile, there also by the keys: what was forgotten is found too.
    """
    try:
        repository = context.ledger.repository
    except LedgerUnavailable:
        return []
    if repository is None:
        return []
    address = context.ledger.address
    own = address.path if isinstance(address, LockfileAddress) else default_lockfile(context.settings.stem).path
    root = repository.relative_path(context.tree.root) or "."
    files = {own, *paths}
    if len(files) > _MAX_PATHS:
        files = {""}
    names = [f":(top,literal){root}/{path}" if root != "." else f":(top,literal){path}" for path in files]
    names.append(f":(top,literal){default_lockfile(context.settings.stem).path}")  # on a branch it is at the top
    records = [f'"key":"{key}".*"(contact|text|conversation)":"' for key in sorted(keys)[:_MAX_KEYS]]
    pattern = "|".join([*(re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", value) for value in values), *records])
    options = ("--branches", "--remotes", "--all", "-i", "--text", "--date=short", "--format=%h %ad %S", f"-G{pattern}")
    try:
        text = repository.git("log", *options, "--", *names, max_output=_MAX_HISTORY).decode(errors="replace")
    except LedgerUnavailable as error:
        context.output.note(f"the history of git was not searched, and may name the recipient: {error.message}")
        return []
    commits = [line.split(" ", 2) for line in text.splitlines()]
    commits.sort(key=itemgetter(1), reverse=True)
    return [f"{commit} {date}  {unquote(_SHORT_REF.sub('', ref))}" for commit, date, ref in commits]


def _other_environments(context: Context) -> list[str]:
    if context.options.sandbox:
        return []
    names = environment_names(context.tree)
    return [name or "" for name in names if name != context.settings.environment_name and _has_ledger(context, name)]


def _has_ledger(context: Context, name: str | None) -> bool:
    """Returns whether the ledger of an environment was begun, as far as the project's files say."""
    settings = load_settings(context.tree, name)
    lock = settings.lock
    is_there = isinstance(lock, LockfileAddress) and (context.tree.root / lock.path).exists()
    return is_there or bool(settings.ledger_id)
