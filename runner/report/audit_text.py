"""Who applied what, when, in which run: as a table, as CSV and as JSON. No recipient is in it."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

from runner.ledger.record import NO_ORIGIN
from runner.ledger.runs import RecordingCommand, RunEntry
from runner.report.json_text import to_json
from runner.report.layout import fitted_table
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line

_COLUMNS = (
    "run", "command", "first", "last", "by", "where", "commit", "message", "revision", "sent", "reconciled", "refused",
    "unknown", "decided", "not_sent", "plan", "resolved",
)  # fmt: skip
_SHORT_RUN = 10  # characters of a run's id that say when it began, to the millisecond
_HEADS = ("at (UTC)", "command", "message", "revision", "result", "by", "run", "where", "job")
_RIGHT = frozenset({"revision"})
_NAMED = frozenset({"revision", "by", "run"})
# What was done with the deliveries that count as sent, and as not sent.
_WORDS: Mapping[RecordingCommand, tuple[str, str]] = {
    "apply": ("sent", "not sent"),
    "adopt": ("adopted", ""),
    "accept": ("accepted", ""),
    "resolve": ("marked as sent", "marked as not sent"),
    "resolve --duplicate": ("acknowledged as sent twice", ""),
}
# A spreadsheet takes what begins with one of these for a formula, also behind white space, and in some countries behind
# a semicolon, which separates cells there.
_FORMULA = re.compile("(^|[;\t])(?=\\s*[=+@|\uff1d\uff0b\uff0d\uff20-])")


def format_runs(entries: Sequence[RunEntry], width: int) -> str:
    """Returns a table with a row for each run and message. The last row of a run has the URL of its CI job.

    A decision names the run whose deliveries it is about.
    """
    several_revisions = any(entry.revision > 1 for entry in entries)
    rows = []
    for entry, following in zip(entries, (*entries[1:], None), strict=True):
        url, is_last = entry.origin.run_url, following is None or following.action != entry.action
        run = entry.run[:_SHORT_RUN] if entry.command in {"apply", "adopt"} else f"of {entry.run[:_SHORT_RUN]}"
        cells = (
            entry.message, str(entry.revision) if several_revisions else "", _format_result(entry), entry.origin.actor,
            run, "CI" if url else _where(entry), url if is_last else "",
        )  # fmt: skip
        # Its option is in the result.
        rows.append([format_time(entry.last), entry.command.partition(" ")[0], *map(one_line, cells)])
    return "\n".join(fitted_table(_HEADS, rows, width, fixed=(8, 4), right=_RIGHT, named=_NAMED))


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
    # What a person decided to count as sent is no further message.
    sent, decided = (entry.sent, 0) if entry.command == "apply" else (0, entry.sent)
    values = (
        entry.run, entry.command, entry.first, entry.last, entry.origin.actor, _where(entry), entry.origin.commit,
        entry.message, entry.revision, sent, entry.reconciled, entry.refused, entry.unknown, decided, entry.not_sent,
        entry.plan, entry.resolved,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _where(entry: RunEntry) -> str:
    """Returns the URL of the CI job; `local` outside CI; empty if the records do not say it."""
    return entry.origin.run_url or ("local" if entry.origin != NO_ORIGIN else "")


def _format_result(entry: RunEntry) -> str:
    """Returns what became of the deliveries of an entry, e.g. 25 sent (10 found by reconcile), 1 refused."""
    sent, not_sent = _WORDS[entry.command]
    found = f" ({entry.reconciled:,} found by reconcile)" if entry.reconciled else ""
    counts = (
        (entry.sent, f"{sent}{found}"), (entry.refused, "refused"),
        (entry.being_sent, "being sent"), (entry.unknown - entry.being_sent, "unknown"),
        (entry.resolved, "unknown until resolved"),
        (entry.not_sent, not_sent.removeprefix("marked ") if entry.sent else not_sent),
    )  # fmt: skip
    return ", ".join(f"{number:,} {word}" for number, word in counts if number)


def _guard(cell: str) -> str:
    """Returns a cell that neither a spreadsheet, a terminal nor a CI system obeys. What it cannot show is visible."""
    return _FORMULA.sub(r"\1'", one_line(cell))
