"""Who applied what, when, in which run: as a table, as CSV and as JSON. No recipient is in it."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from runner.ledger.record import NO_ORIGIN
from runner.ledger.runs import RecordingCommand, RunEntry
from runner.report.json_text import to_json
from runner.report.layout import GAP, fits, flow, table
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line, style

_COLUMNS = (
    "run", "command", "first", "last", "by", "where", "commit", "message", "revision", "sent", "reconciled", "refused",
    "unknown", "not_sent", "plan",
)  # fmt: skip
_SHORT_RUN = 10  # characters of a run's id that say when it began, to the millisecond
_WITH_RUN = frozenset({"apply", "adopt"})  # the others decide about the attempts of an earlier run
_RIGHT = frozenset({"revision"})
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
    """Returns a table with a row for each run and message.

    Where it is wider than `width` columns, the URL of the CI job stands below the rows of a run, whose id is cut. Where
    that still is too wide, each run is a block of lines.
    """
    if not entries:
        return "The ledger has no run."
    heads = ("at (UTC)", "command", "message", "revision", "result", "by", "run", "where")
    several_revisions = any(entry.revision > 1 for entry in entries)
    rows = [
        (
            format_time(entry.last), _name_command(entry), one_line(entry.message),
            str(entry.revision) if several_revisions else "", _format_result(entry), one_line(entry.origin.actor),
            one_line(entry.run), one_line(_where(entry)),
        )
        for entry in entries
    ]  # fmt: skip
    lines = table(heads, rows, right=_RIGHT)
    if fits(lines, width):
        return "\n".join(lines)
    head, *lines = table(heads, [(*row[:-2], row[-2][:_SHORT_RUN], "") for row in rows], right=_RIGHT)
    is_table = fits([head, *lines], width)
    blocks = [head if is_table else style("times in UTC", "dim")]
    for _, group in groupby(zip(entries, lines, strict=True), key=lambda item: item[0].action):
        run_entries, run_lines = zip(*group, strict=True)
        blocks += run_lines if is_table else _format_block(run_entries, width)
        if url := run_entries[0].origin.run_url:  # all entries of a run have one origin
            blocks.append(f"  {one_line(url)}")
    return "\n".join(blocks)


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
        entry.message, entry.revision, entry.sent, entry.reconciled, entry.refused, entry.unknown, entry.not_sent,
        entry.plan,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _where(entry: RunEntry) -> str:
    """Returns the URL of the CI job; `local` outside CI; empty if the records do not say it."""
    return entry.origin.run_url or ("local" if entry.origin != NO_ORIGIN else "")


def _name_command(entry: RunEntry) -> str:
    """Returns the command without its option, which the result says."""
    return entry.command.partition(" ")[0]


def _format_result(entry: RunEntry) -> str:
    """Returns what became of the deliveries of an entry, e.g. 25 sent (10 found by reconcile), 1 refused."""
    sent, not_sent = _WORDS[entry.command]
    found = f" ({entry.reconciled:,} found by reconcile)" if entry.reconciled else ""
    counts = (
        (entry.sent, f"{sent}{found}"), (entry.refused, "refused"), (entry.unknown, "unknown"),
        (entry.not_sent, not_sent.removeprefix("marked ") if entry.sent else not_sent),
    )  # fmt: skip
    return ", ".join(f"{number:,} {word}" for number, word in counts if number)


def _format_block(entries: Sequence[RunEntry], width: int) -> Iterator[str]:
    """Yields the lines of a run: its time, who did what, and a line for each message."""
    first = entries[0]
    by = f"by {first.origin.actor}" if first.origin.actor else ""
    run = f"{'run' if first.command in _WITH_RUN else 'about run'} {first.run[:_SHORT_RUN]}"
    words = (format_time(max(entry.last for entry in entries)), _name_command(first), by, run)
    yield flow(map(one_line, words), width, separator=GAP)
    for entry in entries:
        revision = f"revision {entry.revision}" if entry.revision > 1 else ""
        items = (f"  {one_line(entry.message)}", revision, _format_result(entry))
        yield flow(items, width, indent=" " * 4, separator=GAP)


def _guard(cell: str) -> str:
    """Returns a cell that neither a spreadsheet, a terminal nor a CI system obeys. What it cannot show is visible."""
    return _FORMULA.sub(r"\1'", one_line(cell))
