"""The command status: shows what the ledger knows."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import click

from runner.cli import next_steps
from runner.cli.context import Context, open_context
from runner.cli.ledger import exit_code_of, read_ledger, require_known_name
from runner.cli.options import command, format_option
from runner.cli.other_runs import find_other_runs
from runner.cli.pauses import current_notices
from runner.cli.recipients import explain_no_records, name_recipients, status_view
from runner.declare.address_search import Address, is_address, parse_recipient_address
from runner.declare.recipient_states import find_states
from runner.ledger.facts import Facts, MessageStatus
from runner.ledger.history import latest_states, sent_times
from runner.ledger.key_state import STATUS_WORDS, State, name_ids
from runner.ledger.lock_address import default_lockfile
from runner.ledger.record import MASKED
from runner.privacy import mark_private, reveal_or_mask
from runner.report import json_output, status_text
from runner.report.delivery_list import ListedDelivery, format_delivery_list
from runner.report.layout import wrap
from runner.report.next_steps import NextStep
from runner.report.notices import format_notices
from runner.report.plain_text import count_by_status
from runner.report.recipients import Recipients
from runner.report.status_text import SENDING, IsBeingSent, explain_state, format_time
from runner.shown_command import shown_command

_MAX_LISTED = 20  # deliveries: with the rest they fit a screen
_MAX_CODES = 3  # of refused deliveries that are explained


@command("status")
@click.argument("name", required=False, metavar="[NAME|EMAIL]")
@click.option(
    "--to", "address", metavar="KIND:VALUE|EMAIL", help="Only one recipient, e.g. ann@example.com or user_id:25."
)
@click.option("--all", "show_all", is_flag=True, help="List every delivery, not only the first 20.")
@click.option("--online", is_flag=True, help="Ask Intercom what became of what was sent: replied, dropped.")
@format_option("text", "json")
def status(name: str | None, address: str | None, *, show_all: bool, online: bool) -> int:
    """Show what the ledger knows.

    Without arguments it lists the messages, with the number sent and the time. With NAME it lists the deliveries of a
    message, with EMAIL what that recipient got. Links to the contacts in Intercom come with -v.

    With --online it also shows who replied, and which emails Intercom dropped, as far as their conversations show it.
    """
    if name is not None and address is None and is_address(name):
        name, address = None, name
    with open_context() as context:
        facts = read_ledger(context).facts
        counts = Counter({group: number for group, number in facts.counts().items() if name in (None, group.message)})
        if name is not None and not counts:
            require_known_name(context, facts, name)
        if context.output.output_format == "text":
            next_steps.note_other_clones(context)
            _print_notices(context)
        if address is not None:
            _print_recipient(context, facts, name, parse_recipient_address(address), online=online)
        elif context.output.output_format == "json":
            found = _read_online(context, facts, facts.states_with("sent", message=name)) if online else None
            _print_json(context, facts, counts, facts.states_with(*json_output.STATUSES, message=name), found)
        elif not counts:
            context.output.result(f"Nothing{f' of {name}' if name else ''} was sent yet.")
            next_steps.print_steps(context, [*_show_what_is_left(), *_show_sandbox(context)])
        else:
            _print_messages(context, facts, name, counts, show_all=show_all, online=online)
        return exit_code_of(facts)


def _print_notices(context: Context) -> None:
    """Prints what holds for all that this environment sends."""
    output = context.output
    if lines := format_notices(current_notices(context), output.width, show_values=output.show_values):
        output.result("\n".join([*lines, ""]))


def _print_recipient(context: Context, facts: Facts, name: str | None, wanted: Address, *, online: bool) -> None:
    """Prints what one recipient got."""
    states = [
        state for state in find_states(facts, context.settings.salt, wanted) if name in (None, state.record.message)
    ]
    sent = [state for state in states if state.status == "sent"]
    if context.output.output_format == "json":
        counts = Counter(MessageStatus(one.record.message, one.record.revision, one.status) for one in states)
        _print_json(context, facts, counts, states, _read_online(context, facts, sent) if online else None)
        return
    title = mark_private(wanted.label)
    recipients = name_recipients(context, facts, [])
    is_being_sent = find_other_runs(context, facts).is_sending
    text = status_text.format_recipient(title, states, recipients, status_view(context), is_being_sent)
    context.output.result(text)
    context.output.note_masking()
    if online:
        _print_online(context, facts, sent, name, show_all=True)
    unknown = [state for state in states if state.status == "unknown"]
    if sentence := status_text.may_have_arrived(unknown, is_being_sent):
        context.output.result(wrap(f"\n{sentence}", context.output.width, indent="  "))
    steps = _explain_refused(states) if states else explain_no_records(context, wanted)
    next_steps.print_steps(context, [*_settle(context, facts, unknown, by_key=True), *steps])


def _read_online(context: Context, facts: Facts, sent: Iterable[State]) -> json_output.OnlineJson:
    """Returns what Intercom shows of deliveries that were sent."""
    from runner.cli.online_status import read_online  # noqa: PLC0415  # saves 20 ms without --online

    return read_online(context, facts, sent)


def _print_online(context: Context, facts: Facts, sent: Iterable[State], name: str | None, *, show_all: bool) -> None:
    """Prints what Intercom shows of deliveries that were sent."""
    from runner.cli.online_status import print_online  # noqa: PLC0415  # saves 20 ms without --online

    print_online(context, facts, sent, name, show_all=show_all)


def _print_json(
    context: Context,
    facts: Facts,
    counts: Counter[MessageStatus],
    states: Iterable[State],
    online: json_output.OnlineJson | None,
) -> None:
    """Prints a document. Where recipients' values may be shown, each delivery has its address."""
    recipients = Recipients()
    if context.output.show_values:
        states = list(states)
        recipients = name_recipients(context, facts, (state.record for state in states))
    for part in json_output.format_status(counts, states, recipients.addresses, online):
        context.output.document(part)


def _print_messages(
    context: Context, facts: Facts, name: str | None, counts: Counter[MessageStatus], *, show_all: bool, online: bool
) -> None:
    """Prints the table of the messages, then the deliveries of one message, or those that a person has to look at."""
    output = context.output
    unknown = list(facts.states_with("unknown", message=name))
    is_being_sent = find_other_runs(context, facts).is_sending
    sending = Counter((state.record.message, state.record.revision) for state in unknown if is_being_sent(state))
    output.result(status_text.format_messages(counts, sent_times(facts), output.width, sending))
    if name is None:
        refused = facts.states_with("refused")
        attention = [*unknown, *(refused if show_all else islice(refused, _MAX_LISTED))]
        recipients = name_recipients(context, facts, [state.record for state in attention])
        sort_key = _make_sort_key(context, recipients, is_being_sent)
        listed = sorted(attention, key=sort_key)[: None if show_all else _MAX_LISTED]
        statuses = status_text.ATTENTION
    else:
        most = len(facts) if show_all else _MAX_LISTED
        listed, recipients = _list_deliveries(context, facts, name, unknown, is_being_sent, most)
        statuses = status_text.COUNTED
    gone = recipients.find_gone(state.record for state in listed)
    by_status = count_by_status(counts)
    numbers = Counter({STATUS_WORDS[status]: by_status[status] for status in statuses})
    twice = sum(state.record.message == name for state in facts.duplicates())
    numbers += Counter({status_text.TWICE: twice, STATUS_WORDS["sent"]: -twice})
    numbers += Counter({SENDING: sending.total(), STATUS_WORDS["unknown"]: -sending.total()})
    items = [_make_item(state, is_being_sent, is_gone=state.record.key in gone) for state in listed]
    if items:
        arrived = wrap(status_text.may_have_arrived(unknown, is_being_sent), output.width)
        output.result("\n".join(["", *filter(None, [arrived])]))
        _print_list(context, items, recipients, numbers, with_message=name is None)
    if online:
        _print_online(context, facts, facts.states_with("sent", message=name), name, show_all=show_all)
    others = _show_what_is_left() if any(group.status == "free" for group in counts) else []
    others += _explain_refused(state for state in listed if state.record.key not in gone)
    if numbers.total() > len(listed):
        others.append(NextStep("List the rest too", (shown_command("status", *([name] if name else []), "--all"),)))
    next_steps.print_steps(context, [*_settle(context, facts, unknown, name), *others])


def _make_item(state: State, is_being_sent: IsBeingSent, *, is_gone: bool) -> ListedDelivery:
    if state.is_duplicate:
        moments = " and ".join(format_time(record.at) for record in state.sent_records)
        return ListedDelivery(state.record, status_text.TWICE, "", (f"{name_ids(state.sent_records)} · {moments}",))
    word = SENDING if is_being_sent(state) else STATUS_WORDS[state.status]
    return ListedDelivery(state.record, word, explain_state(state, is_being_sent, is_gone=is_gone))


def _print_list(
    context: Context, items: Sequence[ListedDelivery], recipients: Recipients, numbers: Counter[str], *,
    with_message: bool,
) -> None:  # fmt: skip
    """Prints deliveries, and how many more there are. `numbers` are those of all of them, by the word for a status."""
    left = numbers - Counter(item.status for item in items)
    lines = format_delivery_list(
        items,
        recipients,
        status_view(context),
        with_message=with_message,
        with_times=True,
        most=len(items),
        cut_status=items[-1].status if left else "",
    )
    context.output.result("\n".join(lines))
    if any(MASKED in item.record.to for item in items):
        context.output.note_masking()
    if left:
        more = ", ".join(f"{number:,} more {word}" for word, number in left.items())
        context.output.result(wrap(f"and {more}", context.output.width, indent="  "))


def _list_deliveries(
    context: Context, facts: Facts, name: str, unknown: Sequence[State], is_being_sent: IsBeingSent, limit: int
) -> tuple[list[State], Recipients]:
    """Returns at most `limit` deliveries of a message, with the names of their recipients.

    Those that were sent twice are first, then the unknown, the refused, and what is being sent, each sorted by
    recipient; then the latest that were sent.
    """
    twice = [state for state in facts.duplicates() if state.record.message == name]
    others = [*unknown, *facts.states_with("refused", message=name)]
    keys = {state.record.key for state in twice}
    latest = latest_states(facts, name, max(0, limit - len(others)), "sent")
    latest = [state for state in latest if state.record.key not in keys]
    recipients = name_recipients(context, facts, [state.record for state in (*twice, *others, *latest)])
    sort_key = _make_sort_key(context, recipients, is_being_sent)
    return [*sorted(twice, key=sort_key), *sorted(others, key=sort_key), *latest][:limit], recipients


def _make_sort_key(
    context: Context, recipients: Recipients, is_being_sent: IsBeingSent
) -> Callable[[State], tuple[bool, bool, str, str]]:
    """Returns a key that sorts deliveries: unknown, refused, being sent, each by message and recipient."""

    def sort_key(state: State) -> tuple[bool, bool, str, str]:
        shown = reveal_or_mask(recipients.name(state.record), show_values=context.output.show_values)
        return is_being_sent(state), state.status == "refused", state.record.message, shown

    return sort_key


def _settle(
    context: Context, facts: Facts, unknown: Sequence[State], name: str | None = None, *, by_key: bool = False
) -> list[NextStep]:
    """Returns the steps that settle unknown deliveries."""
    attempts = (record for state in unknown for record in state.open_attempts)
    return next_steps.settle_unknown(context, facts, attempts, name, by_key=by_key)


def _explain_refused(states: Iterable[State]) -> list[NextStep]:
    """Returns a step for each code of refused deliveries that is explained: what it means, and what to do about it."""
    codes = sorted({state.record.code for state in states if state.status == "refused"})
    if not codes:
        return []
    from runner.report.explanations import explained_code, load_explanations  # noqa: PLC0415  # saves 90 ms if nothing was refused

    explanations = load_explanations()
    known = [code for code in codes if explained_code(code) in explanations]
    steps = [
        NextStep(f"{code}: {explanations[explained_code(code)].title} What to do", (shown_command("explain", code),))
        for code in known[:_MAX_CODES]
    ]
    if len(steps) < len(codes):
        purpose = "See what refused means, and how to send it again"
        steps.append(NextStep(purpose, (shown_command("explain", "refused"),)))
    return steps


def _show_sandbox(context: Context) -> list[NextStep]:
    """Returns the step that shows the ledger of the sandbox, which is another one, if there is one."""
    path = context.sandbox_folder / default_lockfile(context.settings.stem).path
    if context.options.sandbox or not path.exists():
        return []
    return [NextStep("See what the sandbox was sent, in a ledger of its own", (shown_command("status", sandbox=True),))]


def _show_what_is_left() -> list[NextStep]:
    """Returns the step that shows what is left to send: the ledger has only what a run began."""
    return [NextStep("See what is left to send", (shown_command("plan"),))]
