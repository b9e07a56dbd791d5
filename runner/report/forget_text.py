"""What forget removed, and where the recipient is still named: text for a person who answers an erasure request."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.layout import wrap
from runner.report.problem_text import pluralize
from runner.report.terminal_text import one_line

MAX_LISTED = 20
UNREACHABLE = (
    "Not reached by msgrun: other clones, work trees and forks, caches and artifacts of CI, files of --log-file,"
    " backups, and Intercom itself. What an old copy of the ledger brings back into this one is ignored, and lock"
    " compact removes it."
)


@dataclass(frozen=True, slots=True)
class Remains:
    """Where the recipient is still named: `mentions` as path:line, `commits` as hash and date, of `environments`.

    Of the mentions, only those that are listed need be there; `mention_count` is the number of all.
    """

    mentions: Sequence[str]
    mention_count: int
    commits: Sequence[str]
    environments: Sequence[str]


def removed(title: str, deliveries: int, files: Sequence[str]) -> str:
    """Returns what was removed. `title` names the recipient, `files` the copies that were rewritten."""
    if not deliveries:
        return f"The ledger has no records of {title}."
    number = pluralize(deliveries, "delivery", "deliveries")
    if not files:
        return f"Nothing was left to remove of {title}: its {number} had been forgotten before."
    return (
        f"Removed contact, text and conversation of {title} from {number}, in {', '.join(files)}. Keys and states stay,"
        " so nothing is sent again."
    )


def format_remains(found: Remains, width: int) -> str:
    """Returns where the recipient is still named, and what msgrun cannot reach."""
    blocks = []
    if found.mentions:
        blocks.append(_list("Files of the project name it:", found.mentions, found.mention_count))
    if found.commits:
        blocks.append(
            _list("git's history of these files and of the lockfile names it in:", found.commits, len(found.commits))
        )
    if found.environments:
        names = ", ".join(found.environments)
        blocks.append(wrap(f"Other environments have ledgers of their own: {names}. Run it with -e for each.", width))
    return "\n\n".join([*blocks, wrap(UNREACHABLE, width)])


def _list(head: str, items: Sequence[str], count: int) -> str:
    more = [f"  and {count - MAX_LISTED:,} more"] if count > MAX_LISTED else []
    return "\n".join([head, *(one_line(f"  {item}") for item in items[:MAX_LISTED]), *more])
