"""What a person can do after a run: settle what is unknown, send the rest."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import filterfalse
from shlex import join

from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context
from runner.cli.other_runs import OtherRuns, find_other_runs
from runner.clock import format_timestamp
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository
from runner.ledger.current_ledger import hint_for_other_default, refuse_fork
from runner.ledger.facts import Facts
from runner.ledger.key_state import latest_end
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.record import Record
from runner.plan.plan import Plan
from runner.report.next_steps import NextStep, format_next_steps
from runner.report.problem_text import pluralize
from runner.report.status_text import format_time
from runner.shown_command import shown_command, shown_git

_MAX_ASKED = 5  # unknown deliveries of a message: above it there is a command for all of them
_MAX_MESSAGES = 3  # that have a command or step of their own
_LATELY = 3600  # seconds


def print_steps(context: Context, steps: Sequence[NextStep]) -> None:
    """Prints what a person can do next, if there is something."""
    if steps:
        context.output.result(format_next_steps(steps, context.output.width))


def same_command(context: Context, *without: str) -> str:
    """Returns the command line of this run. `without` are options with a value that it leaves out.

    On a terminal it is without --yes: a command that is copied asks before it sends.
    """
    skipped = {*without, "--yes"} if context.output.is_interactive else {*without}
    words: list[str] = []
    is_value = False
    for word in context.options.arguments:
        if not is_value and word.partition("=")[0] not in skipped:
            words.append(word)
        is_value = not is_value and word in without
    return join(["msgrun", *words])


def run_again(context: Context, purpose: str) -> NextStep:
    """Returns the step that sends what a run left. In CI that is another run of the workflow.

    There the command line would name files of a machine that no longer exists.
    """
    if not context.output.in_ci:
        return NextStep(purpose, (same_command(context, "--canary"),))
    how = "the workflow again (Actions, Run workflow)" if os.environ.get("GITHUB_ACTIONS") else "the pipeline again"
    return NextStep(f"{purpose}: run {how}; docs/ci.md of msgrun says more", ())


def find_contacts(number: int) -> str:
    """Returns what a person does about contacts that were not found in Intercom."""
    which, them = ("the contact that was", "it") if number == 1 else (f"the {number:,} contacts that were", "them")
    return f"Correct the address of {which} not found, or create {them} in Intercom"


def after_second_signal(context: Context, plan: Plan) -> list[NextStep]:
    """Returns the steps after a run of a plan that a second Ctrl-C ended. The last one sends what is left."""
    can_search = any(message.declaration.opens_conversation and message.counts["send"] for message in plan.messages)
    look_up = [NextStep("Look for what is unknown in Intercom", (shown_command("reconcile"),))] if can_search else []
    return [
        *commit_ledger(context, will_change=True, with_sources=True),
        NextStep("See what is unknown", (shown_command("status"),)),
        *look_up,
        NextStep(f"Say what became of what is {'left' if can_search else 'unknown'}", (shown_command("resolve"),)),
        run_again(context, "Send the rest"),
    ]


def note_other_clones(context: Context) -> None:
    """Says what only apply asks a remote: whether the ledger moved, or another clone has sent.

    The default branch is read as this clone knows it. In CI it is the commit that was checked out.
    """
    repository, address = context.ledger.readable_repository, context.ledger.address
    remote = repository.main_remote if repository else ""
    if repository is None or not remote or context.output.in_ci:
        return
    try:
        refuse_fork(context.ledger)
    except GuardRefused as error:
        context.output.note(f"apply will refuse this: {error}", error.hint)
    try:
        default = context.ledger.declared_at(repository, f"refs/remotes/{remote}/HEAD")
    except (GuardRefused, LedgerUnavailable):  # apply says why
        default = None
    if default and default.address != address and not context.lock_override:
        other = f"names another ledger, {default.address.setting}. apply refuses until both name the same."
        note = f"The default branch of {remote}, as this clone has it, {other}"
        context.output.note(note, hint_for_other_default())
    elif (
        isinstance(address, LockfileAddress)
        and repository.try_git("rev-parse", "--verify", "--quiet", "@{upstream}")
        and (context.tree.root / address.path).exists()
        and not _has_asked_lately(repository, remote)
    ):
        context.output.note(
            f"{address.path} is read as this clone has it; apply asks {remote} for a newer one.", shown_git("pull")
        )


def _has_asked_lately(repository: Repository, remote: str) -> bool:
    """Returns whether this clone fetched from a remote, or was made, within the last hour. apply fetches, too."""
    files = repository.git_dir / "FETCH_HEAD", repository.common_dir / "refs" / "remotes" / remote / "HEAD"
    return any(file.exists() and time.time() - file.stat().st_mtime < _LATELY for file in files)


def _await(runs: OtherRuns, live: Sequence[Record]) -> list[NextStep]:
    number, pronoun = pluralize(len(live), "delivery is", "deliveries are"), "it" if len(live) == 1 else "them"
    end = latest_end(live)
    # The next full minute.
    when = f"at {format_time(format_timestamp(end + timedelta(seconds=59)))} (UTC)" if end else "later"
    purpose = f"{number} being sent by {runs.describe(live)}. See {when} what became of {pronoun}"
    return [NextStep(purpose, (shown_command("status"),))] if live else []


def release_messages(context: Context, plan: Plan) -> list[NextStep]:
    """Returns what a person can change where messages wait or are expired, for the first of them."""
    steps = []
    for message in plan.messages:
        declaration, file = message.declaration, message.declaration.document.source.path
        if message.is_expired:
            steps.append(NextStep(f"{message.name} is expired: to send it all the same, raise expires in {file}", ()))
        elif declaration.is_draft and message.counts["excluded"]:
            steps.append(NextStep(f"{message.name} is a draft: once it is ready, delete not_before in {file}", ()))
        elif declaration.not_before and declaration.not_before > context.now:
            path = os.path.relpath(context.tree.root / file, context.options.start_folder)
            when = format_time(format_timestamp(declaration.not_before))
            steps.append(NextStep(f"Send {message.name} from {when} (UTC) on", (shown_command("apply", path),)))
    return steps[:_MAX_MESSAGES]


def settle_unknown(
    context: Context, facts: Facts, unknown: Iterable[Record], name: str | None = None, *,
    by_key: bool = False, is_searched: bool = False,
) -> list[NextStep]:  # fmt: skip
    """Returns the steps that settle unknown deliveries, given the records of their open attempts.

    Others may be unknown too where `name` is their message, or with `by_key`: then the commands name it, or the key of
    each delivery. `is_searched`: Intercom was asked for them. Of what another run is sending nothing is to settle.
    """
    runs, records = find_other_runs(context, facts), list(unknown)
    live = list(filter(runs.is_live, records))
    records = list(filterfalse(runs.is_live, records))
    searchable = 0 if is_searched else sum(record.is_searchable for record in records)
    steps = _await(runs, live)
    if searchable:
        which, why = _name_unknown(searchable), ""
        if others := len(records) - searchable:
            closed = all(record.is_searchable or not record.opens_conversation for record in records)
            why = f" ({others:,} {'opened no conversation' if closed else 'cannot be found there'})"
            which = f"{searchable:,} of the {len(records):,} unknown"
        look = "In a clone, look" if context.output.in_ci else "Look"
        command = shown_command("reconcile", *filter(None, [name]))
        steps.append(NextStep(f"{look} for {which} in Intercom{why}", (command,)))
    return steps + _decide(context, records, name, is_left=bool(searchable), by_key=by_key)


def _decide(
    context: Context, records: Iterable[Record], name: str | None, *, is_left: bool = False, by_key: bool = False
) -> list[NextStep]:
    """Returns the step with which a person says what became of unknown deliveries.

    `is_left`: another step comes before it, which may settle some. `name` and `by_key`: see `settle_unknown`. Off a
    terminal it names the flags.
    """
    messages = {record.key: record.message for record in records}
    keys = list(messages)
    if not keys:
        return []
    of_all = _decide_all(messages.values())
    which = _name_unknown(len(keys))
    if is_left:
        which = "each that is left" if len(keys) > 1 else "it, if it is not found"
    if context.output.is_interactive:
        chosen = [key[:12] for key in keys] if by_key else [name]
        commands = tuple(shown_command("resolve", *filter(None, [one])) for one in chosen)
        return [NextStep(f"Say what became of {which}", commands), *of_all]
    if context.output.in_ci:  # where nobody can be asked
        return [NextStep(f"In a clone, say what became of {which}", (shown_command("resolve"),))]
    command = shown_command("resolve", keys[0][:12])
    how = ", one by one. Of the first" if len(keys) > 1 else ", by its key" if is_left else ""
    purpose = f"Say what became of {which}{how}"
    return [NextStep(purpose, (f"{command} --sent ID", f"{command} --not-sent")), *of_all]


def _decide_all(messages: Iterable[str]) -> list[NextStep]:
    """Returns the step that decides the unknown deliveries of a message at once, for the messages with the most."""
    return [
        NextStep(
            f"Or, if none of the {number:,} unknown of {name} arrived, mark them all as not sent",
            (shown_command("resolve", "--message", name, "--all", "--not-sent"),),
        )
        for name, number in Counter(messages).most_common(_MAX_MESSAGES)
        if number > _MAX_ASKED
    ]


def _name_unknown(number: int) -> str:
    return (
        "the unknown delivery" if number == 1 else f"the {pluralize(number, 'unknown delivery', 'unknown deliveries')}"
    )
