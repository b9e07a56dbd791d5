"""What Intercom shows of what was sent, for status: looked up with a line of progress, printed or made into JSON."""

from collections.abc import Iterable
from dataclasses import replace

from runner.cli.context import Context
from runner.cli.progress import StatusLine
from runner.cli.recipients import name_recipients, status_view
from runner.clock import format_timestamp
from runner.deliver.online_status import OnlineStatuses, look_up_statuses
from runner.deliver.online_status_file import save_online_status
from runner.intercom.conversations import Conversations
from runner.ledger.facts import Facts
from runner.ledger.key_state import State
from runner.ledger.record import MASKED
from runner.report import online_status_text
from runner.report.delivery_list import format_delivery_list
from runner.report.json_output import OnlineJson
from runner.report.layout import wrap
from runner.shown_command import shown_command

_MAX_LISTED = 20  # deliveries that were replied to or dropped


def read_online(context: Context, facts: Facts, states: Iterable[State]) -> OnlineJson:
    """Returns what became of the deliveries with these states, which are sent. Raises GuardRefused, RunStopped."""
    statuses, _ = _look_up(context, facts, states)
    return online_status_text.to_online_json(statuses)


def print_online(context: Context, facts: Facts, states: Iterable[State], name: str | None, *, show_all: bool) -> None:
    """Prints what became of the deliveries with these states, which are sent. Raises GuardRefused, RunStopped.

    `name` is the message that all are of, if they are of one. `show_all`: lists all that were replied to or dropped.
    """
    statuses, workspace = _look_up(context, facts, states)
    output = context.output
    is_old = not context.settings.can_open_conversation
    output.result(f"\nIn Intercom:\n{online_status_text.format_messages(statuses, output.width, is_old=is_old)}")
    reported = statuses.listed()
    first = reported if show_all else reported[:_MAX_LISTED]
    listed = [(delivery, state.record) for delivery in first if (state := facts.state(delivery.key))]
    if listed:
        recipients = name_recipients(context, facts, [record for _, record in listed])
        recipients = recipients if context.options.sandbox else replace(recipients, workspace=workspace)
        lines = format_delivery_list(
            online_status_text.list_deliveries(listed, with_conversations=output.verbose),
            recipients,
            status_view(context),
            with_message=name is None,
            most=len(listed),
            cut_status=listed[-1][0].status if len(reported) > len(listed) else "",
        )
        output.result("\n".join(["", *lines]))
        if any(MASKED in record.to for _, record in listed):
            output.note_masking()
    if len(reported) > len(listed):
        command_line = shown_command("status", *([name] if name else []), "--online", "--all")
        output.result(wrap(f"and {len(reported) - len(listed):,} more: {command_line}", output.width, indent="  "))


def _look_up(context: Context, facts: Facts, states: Iterable[State]) -> tuple[OnlineStatuses, str]:
    """Returns what became of the deliveries, and the workspace."""
    from runner.cli.connection import connect  # noqa: PLC0415  # requests takes 130 ms, which status offline saves

    settings = context.settings
    status_line = StatusLine(context.output)

    def report(number: int) -> None:
        if status_line.is_due():
            status_line.update(f"asked Intercom about {number:,} deliveries")

    with connect(context) as connection:
        workspace = connection.verify_workspace(context.header_of(facts).workspace)
        old_version = "" if settings.can_open_conversation else settings.api_version
        statuses = look_up_statuses(Conversations(connection.workspace), states, old_version, report)
    status_line.clear()
    save_online_status(context.online_status_file, statuses, facts, format_timestamp(context.now))
    return statuses, workspace
