"""What doctor looked at: a line each, the worst last, with the one step that fixes it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runner.report.json_text import to_json
from runner.report.layout import display_width, wrap, wrap_hint
from runner.report.problem_text import pluralize
from runner.report.terminal_text import one_line, style

Verdict = Literal["ok", "skip", "warn", "fail"]
_ORDER: tuple[Verdict, ...] = ("ok", "skip", "warn", "fail")
_COLOURS: Mapping[Verdict, str] = {"ok": "green", "skip": "dim", "warn": "yellow", "fail": "red"}
_GAP = "  "
_MIN_ROOM = 50  # columns beside the names; with less, further lines stand below the names
_NARROW_INDENT = " " * 8


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `detail` is what there is to see; `fix` is a command, or what to do, or empty.

    `skip`: it could not be looked at, and `detail` says why.
    """

    name: str
    verdict: Verdict
    detail: str
    fix: str = ""


def format_checkup(title: str, checks: Sequence[Check], width: int) -> str:
    """Returns the checks as text on lines of at most `width` columns (0: no limit), and a summary as the last line."""
    shown = sorted(_join_skipped(checks), key=lambda check: _ORDER.index(check.verdict))
    name_width = max(len(check.name) for check in shown if check.verdict != "skip")
    lines = [line for check in shown for line in _format(check, name_width, width)]
    head = wrap(one_line(f"{style('msgrun doctor', 'bold')} · {title}"), width, indent="  ")
    return "\n".join([head, "", *lines, "", _summarize(checks, width)])


def format_checkup_json(checks: Sequence[Check]) -> str:
    """Returns the checks as JSON, in the order in which they were made."""
    rows = [
        {"check": check.name, "status": check.verdict, "detail": check.detail, "fix": check.fix} for check in checks
    ]
    verdicts = Counter(check.verdict for check in checks)
    counts = {verdict: verdicts[verdict] for verdict in _ORDER}
    return to_json({"format_version": 1, "counts": counts, "checks": rows})


def _join_skipped(checks: Sequence[Check]) -> list[Check]:
    """Returns the checks, with those that were not made for the same reason as one."""
    names: dict[str, list[str]] = {}
    for check in checks:
        if check.verdict == "skip":
            names.setdefault(check.detail, []).append(check.name)
    joined = [Check(", ".join(group), "skip", detail) for detail, group in names.items()]
    return [*(check for check in checks if check.verdict != "skip"), *joined]


def _format(check: Check, name_width: int, width: int) -> list[str]:
    verdict = style(f"{check.verdict:<4}", _COLOURS[check.verdict], *(["bold"] if check.verdict == "fail" else []))
    if check.verdict == "skip":
        return [wrap(one_line(f"  {verdict}{_GAP}{check.name}: {check.detail}"), width, indent=_NARROW_INDENT)]
    head = f"  {verdict}{_GAP}{check.name:<{name_width}}{_GAP}"
    used = display_width(head)
    indent = " " * used if not width or width - used >= _MIN_ROOM else _NARROW_INDENT
    lines = [wrap(one_line(f"{head}{check.detail}"), width, indent=indent)]
    if check.fix:
        lines.append(wrap_hint(f"{indent}{style('fix', 'bold')}: ", one_line(check.fix), width))
    return lines


def _summarize(checks: Sequence[Check], width: int) -> str:
    verdicts = Counter(check.verdict for check in checks)
    if verdicts["ok"] == len(checks):
        return style(f"All {len(checks)} checks are ok.", "green")
    parts = [f"{verdicts['ok']} ok"]
    if verdicts["skip"]:
        parts.append(f"{verdicts['skip']} not looked at")
    words: tuple[tuple[Verdict, str], ...] = (("warn", "warning"), ("fail", "failure"))
    parts += [
        style(pluralize(verdicts[verdict], word), _COLOURS[verdict], "bold")
        for verdict, word in words
        if verdicts[verdict]
    ]
    return wrap(f"{', '.join(parts)}.", width)
