"""The progress of a run as one line: for a log, or as wide as a terminal is."""

from collections.abc import Iterator
from dataclasses import dataclass

from runner.report.terminal_text import remove_styles, style, style_counts

_MAX_BAR = 30  # columns
_GAP = "  "
_UNLIMITED = 10_000  # requests a second; such a limit is as good as none


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    `rate` and `allowed` are in deliveries a second. `pause` is the number of seconds until the rate limit's window
    ends, 0 outside of a pause. `in_flight` is the number of requests without an answer. `is_stopping`: no other one
    follows.
    """

    done: int
    planned: int
    refused: int = 0
    unknown: int = 0
    rate: float = 0.0
    allowed: float = 0.0
    seconds_left: float = 0.0
    pause: float = 0.0
    in_flight: int = 0
    is_stopping: bool = False


def format_log_line(progress: Progress) -> str:
    """Returns the progress as a line of a log."""
    limit = f" of {progress.allowed:.0f} allowed" if 0 < progress.allowed < _UNLIMITED else ""
    parts = [
        f"{progress.done:,} of {progress.planned:,}",
        f"{progress.rate:.0f} a second{limit}",
        f"{progress.refused:,} refused",
        f"{progress.unknown:,} unknown",
        _format_state(progress),
    ]
    return ", ".join(filter(None, parts))


def format_check(progress: Progress) -> str:
    """Returns how many recipients were checked, and what the check waits for, for a log."""
    return ", ".join(filter(None, (f"{progress.done:,} of {progress.planned:,}", _format_state(progress))))


def format_terminal_line(progress: Progress, columns: int, *, unicode: bool = True) -> str:
    """Returns the progress with a bar, as much of it as fits into the columns: first what a person decides by.

    `unicode`: the terminal has the characters of the bar.
    """
    text = ""
    for text, min_bar in _variants(progress):
        room = columns - len(remove_styles(text)) - len(_GAP)
        if min_bar and room >= min_bar:
            return f"{_bar(progress, min(room, _MAX_BAR), unicode=unicode)}{_GAP}{text}"
        if not min_bar and room >= -len(_GAP):
            return text
    return remove_styles(text)[: max(0, columns)]


def _variants(progress: Progress) -> Iterator[tuple[str, int]]:
    """Yields the line in ever shorter forms, each with the least width of a bar before it; 0 for none."""
    count = f"{progress.done:,} of {progress.planned:,}"
    rate = _format_rate(progress.rate)
    limit = f", limit {progress.allowed:.0f}" if rate and 0 < progress.allowed < _UNLIMITED else ""
    outcomes, state = _format_outcomes(progress), _format_state(progress)
    yield _join(count, rate + limit, *outcomes, state), 12
    yield _join(count, rate, *outcomes, state), 6
    short_count = f"{progress.done:,}/{progress.planned:,}"
    for parts in ((rate, *outcomes, state), (*outcomes, state), outcomes):
        yield _join(short_count, *parts), 0


def _format_rate(rate: float) -> str:
    """Returns deliveries a second, with a decimal where they are few; empty if there were none."""
    if not rate:
        return ""
    return f"{rate:.1f}/s" if rate < 10 else f"{rate:,.0f}/s"  # noqa: PLR2004  # a decimal up to 10


def _format_outcomes(progress: Progress) -> list[str]:
    """Returns what a person has to look at: the refused and the unknown deliveries, if there are any."""
    return style_counts(((progress.refused, "refused", "yellow"), (progress.unknown, "unknown", "red")))


def _format_state(progress: Progress) -> str:
    """Returns what the run waits for, or how long it takes; empty if that is not known."""
    if progress.is_stopping:
        return f"stopping: {progress.in_flight:,} in flight"
    if progress.pause:
        return f"waiting {progress.pause:.0f} s for the rate window"
    if progress.seconds_left < 1 and progress.in_flight:
        return f"{progress.in_flight:,} without an answer yet"
    return f"{format_duration(progress.seconds_left)} left" if progress.seconds_left else ""


def _bar(progress: Progress, columns: int, *, unicode: bool) -> str:
    """Returns a bar of the part of the deliveries that is done."""
    filled, empty = ("━", "─") if unicode else ("#", "-")
    width = columns * progress.done // progress.planned if progress.planned else 0
    return style(filled * width, "green") + style(empty * (columns - width), "dim")


def _join(*parts: str) -> str:
    return _GAP.join(filter(None, parts))


def format_duration(seconds: float) -> str:
    """Returns a duration, as 2 min 5 s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
