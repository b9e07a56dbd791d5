"""What becomes of a message's deliveries, for a plan as text: a line for each action, with the first recipients."""

from collections.abc import Iterable, Iterator, Mapping

from runner.plan.actions import EDITED, REDIRECT_CHANGED, REFUSED_BEFORE, WHETHER_SENT
from runner.plan.deliveries import BEING_SENT, Action, PlannedMessage
from runner.privacy import reveal_or_mask
from runner.report.plan_words import format_unread
from runner.report.problem_text import list_sample
from runner.report.terminal_text import style

_MAX_REASONS = 20


def describe_actions(message: PlannedMessage, sends: int, *, show_values: bool) -> Iterator[tuple[Action, str]]:
    """Yields a line for each action, and for each reason of those that have several.

    `sends` is the number of deliveries that this run sends.
    """
    by_action, reasons = message.counts, message.deliveries.reasons()
    yield from _describe_edited(message, reasons["edited", REDIRECT_CHANGED], show_values=show_values)
    if being_sent := message.being_sent:
        yield "unknown", style(f"{being_sent:,} {BEING_SENT}", "yellow")
    if unknown := by_action["unknown"] - being_sent:
        names = _list_first(message, "unknown", WHETHER_SENT, unknown, show_values=show_values)
        yield "unknown", f"{style(f'{unknown:,} unknown', 'red')}, may have arrived, so never sent again{names}"
    if to_send := by_action["send"]:
        now = "" if sends == to_send else f" ({sends:,} in this run)"
        again = [
            f" ({number:,} of these {'is' if number == 1 else 'are'} {reason})"
            for (action, reason), number in most_frequent(reasons)
            if action == "send" and (action, reason) not in message.first_recipients_by_reason
        ]
        names = format_names(message, sends, show_values=show_values)
        names = f": {names}" if names else ""
        redirect = message.declaration.redirect
        if redirect and names:
            names = f" to {reveal_or_mask(redirect.display_name, show_values=show_values)} in place of{names}"
        yield "send", f"{style(f'{to_send:,} to send', 'green')}{now}{names}{''.join(again)}"
    for (action, reason), number in most_frequent(reasons):
        if action in {"refused", "excluded"} or (
            action == "send" and (action, reason) in message.first_recipients_by_reason
        ):
            yield action, format_reason(message, action, reason, number, show_values=show_values)
    if len(reasons) > _MAX_REASONS:
        yield "excluded", f"and {len(reasons) - _MAX_REASONS:,} other reasons"
    if sent := by_action["sent"]:
        yield "sent", style(f"{sent:,} already sent", "dim")
    if not by_action.total():
        yield _describe_no_one(message)


def _describe_no_one(message: PlannedMessage) -> tuple[Action, str]:
    if unread := format_unread(message):
        return "sent", unread
    return ("excluded", "no recipient is left") if message.left_out else ("sent", "no recipient is declared")


def _describe_edited(message: PlannedMessage, redirected: int, *, show_values: bool) -> Iterator[tuple[Action, str]]:
    if redirected:
        yield "edited", style(f"{redirected:,} {REDIRECT_CHANGED}", "red")
    if edited := message.counts["edited"] - redirected:
        names = _list_first(message, "edited", EDITED, edited, show_values=show_values)
        since = "since it was sent" if edited == 1 else "since they were sent"
        yield "edited", f"{style(f'{edited:,} edited', 'red')} {since}{names}"


def _list_first(message: PlannedMessage, action: Action, reason: str, number: int, *, show_values: bool) -> str:
    """Returns the first recipients with an action and a reason, after a colon."""
    labels = message.first_recipients_by_reason.get((action, reason), ())
    names = [reveal_or_mask(label, show_values=show_values) for label in labels]
    return f": {list_sample(names, number)}" if names else ""


def format_reason(message: PlannedMessage, action: Action, reason: str, number: int, *, show_values: bool) -> str:
    """Returns how many deliveries have an action for a reason and, if the check found it, the first of them by name."""
    listed = _list_first(message, action, reason, number, show_values=show_values)
    head = style(f"{number:,} {'sent anyway' if action == 'send' else action}", "yellow")
    return f"{head}: {reason.removeprefix(REFUSED_BEFORE)}{listed}"


def most_frequent(reasons: Mapping[tuple[Action, str], int]) -> Iterable[tuple[tuple[Action, str], int]]:
    """Returns the actions and reasons that are named at most, the most frequent first."""
    return sorted(reasons.items(), key=lambda item: -item[1])[:_MAX_REASONS]


def format_names(message: PlannedMessage, sends: int, *, show_values: bool) -> str:
    """Returns the first recipients of this run, and how many more there are."""
    names = [reveal_or_mask(name, show_values=show_values) for name in message.first_recipients[:sends]]
    return list_sample(names, sends) if names else ""
