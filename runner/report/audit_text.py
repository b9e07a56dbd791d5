"""Who applied what, when, in which run: as a table, as CSV and as JSON. No recipient is in it."""

import csv
import io
import re
from collections.abc import Sequence

from runner.ledger.record import NO_ORIGIN
from runner.ledger.runs import RunEntry
from runner.report.json_text import to_json
from runner.report.layout import table_or_blocks
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line

_COUNTS = ("sent", "refused", "unknown", "not_sent")
_COLUMNS = (
    "run", "command", "first", "last", "by", "where", "commit", "message", "revision", *_COUNTS, "plan",
)  # fmt: skip
# A spreadsheet takes what begins with one of these for a formula, also behind white space, and in some countries behind
# a semicolon, which separates cells there.
_FORMULA = re.compile("(^|[;\t])(?=\\s*[=+@|\uff1d\uff0b\uff0d\uff20-])")


def format_runs(entries: Sequence[RunEntry], width: int) -> str:
    """Returns a table with a row for each run and message; where it is wider than `width` columns, a block for each."""
    if not entries:
        return "The ledger has no run."
    heads = (
        "at (UTC)",
        "by",
        "command",
        "message",
        "revision",
        *(name.replace("_", " ") for name in _COUNTS),
        "where",
        "run",
    )
    several_revisions = any(entry.revision > 1 for entry in entries)
    rows = [
        [
            format_time(entry.last),
            one_line(entry.origin.actor),
            entry.command,
            one_line(entry.message),
            str(entry.revision) if several_revisions else "",
            *(f"{number:,}" if number else "" for number in _counts(entry)),
            one_line(_where(entry)),
            one_line(entry.run),
        ]
        for entry in entries
    ]
    return "\n".join(table_or_blocks(heads, rows, map(_block, entries), width, right=frozenset(heads[4:9])))


def format_runs_csv(entries: Sequence[RunEntry]) -> str:
    """Returns a row of CSV for each run and message, below a row of heads."""
    text = io.StringIO()
    # Quoted, so that no row begins with what a CI system takes for a command.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for entry in entries:
        writer.writerow([_guard(str(value)) for value in _to_dict(entry).values()])
    return text.getvalue().removesuffix("\n")


def format_runs_json(entries: Sequence[RunEntry]) -> str:
    """Returns the runs as JSON."""
    return to_json({"format_version": 1, "runs": [_to_dict(entry) for entry in entries]})


def _to_dict(entry: RunEntry) -> dict[str, str | int]:
    values = (
        entry.run, entry.command, entry.first, entry.last, entry.origin.actor, _where(entry), entry.origin.commit,
        entry.message, entry.revision, *_counts(entry), entry.plan,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _where(entry: RunEntry) -> str:
    """Returns the URL of the CI job; `local` outside CI; empty if the records do not say it."""
    return entry.origin.run_url or ("local" if entry.origin != NO_ORIGIN else "")


def _counts(entry: RunEntry) -> tuple[int, int, int, int]:
    return entry.sent, entry.refused, entry.unknown, entry.not_sent


def _block(entry: RunEntry) -> list[str]:
    words = [
        f"{number:,} {name.replace('_', ' ')}" for name, number in zip(_COUNTS, _counts(entry), strict=True) if number
    ]
    by = f"by {entry.origin.actor}" if entry.origin.actor else ""
    message = f"{entry.message} revision {entry.revision}" if entry.revision > 1 else entry.message
    run = f"run {entry.run}" if entry.run else ""
    return list(map(one_line, (format_time(entry.last), by, entry.command, message, *words, _where(entry), run)))


def _guard(cell: str) -> str:
    """Returns a cell that neither a spreadsheet, a terminal nor a CI system obeys. What it cannot show is visible."""
    return _FORMULA.sub(r"\1'", one_line(cell))
