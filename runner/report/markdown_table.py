"""The table of a plan as Markdown: a row for each message."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from runner.plan.deliveries import ACTIONS, PlannedMessage
from runner.report.markdown_escaping import fit_to_length, table_cell
from runner.report.markdown_results import MAX_TABLE_LENGTH
from runner.report.problem_text import list_first, pluralize

_MAX_NAMED = 10  # messages of those that are cut
_UNREAD = ("not read", "not known")  # an audience in the workspace


def format_table(
    messages: Sequence[PlannedMessage], sends: Mapping[str, int], find_change: Callable[[PlannedMessage], str] | None
) -> list[str]:
    """Returns a table with a row for each message. It is narrow: a comment on GitHub is 780 pixels wide.

    `find_change` returns the kind of a message's change; None where no plan is compared.
    """
    if not messages:
        return ["No message is declared."]
    change = ["change"] if find_change else []
    others = ["other recipients"] if any(_list_others(message) for message in messages) else []
    head = ["message", *change, "recipients", "to send", *others]
    rule = ["---", *["---"] * len(change), "--:", "--:", *["---"] * len(others)]
    rows = [
        _join_cells(
            [
                f"{table_cell(message.name)}<br>{_list_properties(message)}",
                *([find_change(message)] if find_change else ()),
                *(_UNREAD if message.is_unread else _list_numbers(message, sends[message.name])),
                *([_list_others(message)] if others else ()),
            ]
        )
        for message in messages
    ]
    shown = fit_to_length(
        rows,
        len(rows),
        MAX_TABLE_LENGTH,
        "messages",
        separator="\n",
        start="| ",
        end=" |" * len(head),
        describe=partial(describe_cut, messages, sends),
    )
    return ["\n".join([_join_cells(head), _join_cells(rule), *shown])]


def describe_cut(messages: Sequence[PlannedMessage], sends: Mapping[str, int], indices: Sequence[int]) -> str:
    """Returns the recipients of the messages with these indices, and the names of the first ones."""
    cut = [messages[index] for index in indices]
    unread = sum(message.is_unread for message in cut)
    to = [pluralize(sum(sends[message.name] + count_later(message) for message in cut), "recipient")]
    to += [f"{pluralize(unread, 'audience')} in the workspace"] if unread else []
    return (
        f", to {' and '.join(to)}: {list_first([table_cell(message.name) for message in cut[:_MAX_NAMED]], len(cut))}"
    )


def count_later(message: PlannedMessage) -> int:
    """Returns how many deliveries are excluded only because it is too early to send them."""
    checked = message.deliveries.checked_counts("excluded").total()
    return 0 if message.is_expired else message.counts["excluded"] - checked


def _list_numbers(message: PlannedMessage, sends: int) -> tuple[str, str]:
    return f"{len(message.deliveries):,}", f"**{sends:,}**" if sends else "0"


def _list_properties(message: PlannedMessage) -> str:
    """Returns what a message is, from whom, and until when it is sent."""
    declaration = message.declaration
    revision = [f"revision {declaration.revision}"] if declaration.revision > 1 else []
    word = "**expired**" if message.is_expired else "expires"
    expires = f"{word} {declaration.written('expires')}" if declaration.expires else "never expires"
    return " · ".join([declaration.message_type, f"admin {table_cell(declaration.sender.value)}", *revision, expires])


def _list_others(message: PlannedMessage) -> str:
    """Returns the recipients to whom nothing is to be sent, by action; empty if there are none."""
    return ", ".join(f"{message.counts[action]:,} {action}" for action in ACTIONS[1:] if message.counts[action])


def _join_cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
