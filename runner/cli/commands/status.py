"""The command status: shows what the ledger knows."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice

import click

from runner.cli.context import Context, open_context
from runner.cli.ledger import read_ledger
from runner.cli.options import EXIT, command, format_option
from runner.cli.recipients import name_recipients
from runner.cli.suggestions import suggest_names
from runner.declare.address_search import parse_address
from runner.declare.recipient_states import find_states
from runner.declare.similar_names import did_you_mean
from runner.errors import UsageMistake
from runner.ledger.facts import Facts, MessageStatus
from runner.ledger.history import latest_states, sent_times
from runner.ledger.key_state import State
from runner.privacy import mark_private
from runner.report import json_output, status_text
from runner.report.status_text import StatusView

_MAX_ATTENTION = 20  # deliveries to look at that are listed
_MAX_DELIVERIES = 50  # of one message


@command("status")
@click.argument("name", required=False, shell_complete=suggest_names)
@click.option(
    "--to", "address", metavar="KIND:VALUE|EMAIL", help="Only one recipient, as ann@example.com or user_id:25."
)
@format_option("text", "json")
def status(name: str | None, address: str | None, form: str) -> int:
    """Show what the ledger knows.

    Of each message how many were sent, and when; of the message NAME its deliveries; with --to, what one recipient got.
    What a person has to look at comes with its recipient and a link to the contact.
    """
    with open_context() as context:
        facts = read_ledger(context).facts
        counts = Counter({group: number for group, number in facts.counts().items() if name in (None, group.message)})
        if name is not None and not counts:
            names = sorted(facts.message_names())
            raise UsageMistake(f"the ledger knows nothing of {name}", did_you_mean(name, names))
        if address is not None:
            _print_recipient(context, facts, name, address, form)
        elif form == "json":
            _print_json(context, counts, facts.states_with(*json_output.STATUSES, message=name))
        else:
            _print_messages(context, facts, name, counts)
        return EXIT.guard if facts.duplicates() else EXIT.done


def _print_recipient(context: Context, facts: Facts, name: str | None, address: str, form: str) -> None:
    """Prints what one recipient got. Raises UsageMistake if `address` is none."""
    wanted = parse_address(address)
    states = [
        state for state in find_states(facts, context.settings.salt, wanted) if name in (None, state.record.message)
    ]
    if form == "json":
        counts = Counter(MessageStatus(one.record.message, one.record.revision, one.status) for one in states)
        _print_json(context, counts, states)
        return
    output = context.output
    title = mark_private(wanted.value if wanted.kind == "email" else f"{wanted.kind}:{wanted.value}")
    view = StatusView(output.width, output.show_values, output.verbose)
    output.result(status_text.recipient(title, states, name_recipients(context, facts, []), view))


def _print_json(context: Context, counts: Counter[MessageStatus], states: Iterable[State]) -> None:
    for part in json_output.status(counts, states):
        context.output.document(part)


def _print_messages(context: Context, facts: Facts, name: str | None, counts: Counter[MessageStatus]) -> None:
    """Prints the table of the messages, then the deliveries of one message, or those that a person has to look at."""
    output = context.output
    output.result(status_text.messages(counts, sent_times(facts), output.width))
    unknown = list(facts.states_with("unknown", message=name))
    if name is None:
        listed = list(islice(chain(unknown, facts.states_with("refused")), _MAX_ATTENTION))
        total = sum(number for group, number in counts.items() if group.status in status_text.ATTENTION)
    else:
        listed, total = _list_deliveries(facts, name), counts.total()
    if listed:
        recipients = name_recipients(context, facts, [state.record for state in listed])
        text = status_text.deliveries(
            listed, total, recipients, StatusView(output.width, output.show_values, output.verbose), name
        )
        output.result(f"\n{text}")
    if unknown:
        searchable = sum(record.is_searchable for state in unknown for record in state.open_attempts)
        output.result(f"\n{status_text.next_steps(len(unknown), searchable, output.width)}")


def _list_deliveries(facts: Facts, name: str) -> list[State]:
    """Returns the first deliveries of a message to list: unknown, refused, then the others, each the latest first."""
    listed = latest_states(facts, name, _MAX_DELIVERIES, "unknown")
    listed += latest_states(facts, name, _MAX_DELIVERIES - len(listed), "refused")
    return listed + latest_states(facts, name, _MAX_DELIVERIES - len(listed), "sent", "free")
