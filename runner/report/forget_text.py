"""What forget removes, and where the recipient is still named: text for a person who answers an erasure request."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runner.ledger.facts import MessageStatus
from runner.ledger.key_state import State
from runner.report.layout import wrap_lines
from runner.report.plain_text import format_message_counts
from runner.report.problem_text import pluralize
from runner.report.terminal_text import one_line, style
from runner.shown_command import shown_command

MAX_LISTED = 20
_UNREACHED = (
    "Intercom itself",
    "other clones, work trees and forks",
    "caches and artifacts of CI, and files of --log-file",
    "backups",
)


@dataclass(frozen=True, slots=True)
class Remains:
    """Where the recipient is still named: `mentions` as path:line, `commits` as hash and date.

    Of the mentions, only those that are listed need be there; `mention_count` is the number of all.
    """

    mentions: Sequence[str]
    mention_count: int
    commits: Sequence[str]


def format_question(title: str, states: Sequence[State], ledger: str, width: int) -> str:
    """Returns what a person confirms: the deliveries of a recipient, what of them goes, and what stays."""
    statuses = Counter(MessageStatus(state.record.message, state.record.revision, state.status) for state in states)
    messages = format_message_counts(statuses)
    number = pluralize(len(states), "delivery", "deliveries")
    before = ", forgotten before" if all(state.record.forgotten for state in states) else ""
    lines = [
        "",
        one_line(f"{style(title, 'bold')} has {number} in the ledger {ledger}{before}:"),
        *(f"  {line}" for line in messages[:MAX_LISTED]),
        *([f"  and {len(messages) - MAX_LISTED:,} more messages"] if len(messages) > MAX_LISTED else []),
        "Goes:  contact, text and conversation, also from the copies in this clone. This cannot be undone.",
        "Stays: key, status and time, so nothing is sent again.",
    ]
    return wrap_lines("\n".join(lines), width)


def format_removal(title: str, deliveries: int, files: Sequence[str]) -> str:
    """Returns what was removed. `title` names the recipient, `files` the copies that were rewritten."""
    if not deliveries:
        return f"Nothing was forgotten: the ledger has no records of {title}."
    number = pluralize(deliveries, "delivery", "deliveries")
    if not files:
        return f"Nothing was left to remove of {title}: its {number} had been forgotten before."
    return (
        f"Removed contact, text and conversation of {title} from {number}, in {', '.join(files)}.\n"
        "Key, status and time stay, so nothing is sent again."
    )


def format_remains(found: Remains, width: int) -> str:
    """Returns where the recipient is still named, and what msgrun cannot reach."""
    sandbox = f"the sandbox of this project, which this empties: {shown_command('sandbox', '--reset')}"
    blocks = [
        _list("Still named in files of the project:", found.mentions, found.mention_count)
        or "No file of the project names the recipient.",
        _list("Still named in git's history of these files and of the lockfile:", found.commits, len(found.commits)),
        _list("Not reached by msgrun:", (*_UNREACHED, sandbox), 0),
    ]
    return wrap_lines("\n\n".join(filter(None, blocks)), width)


def _list(head: str, items: Sequence[str], count: int) -> str:
    more = [f"  and {count - MAX_LISTED:,} more"] if count > MAX_LISTED else []
    return "\n".join([head, *(one_line(f"  {item}") for item in items[:MAX_LISTED]), *more]) if items else ""
