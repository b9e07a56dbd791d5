"""What holds for all that an environment sends, and stands above a plan: redirect, a hold, quiet hours, frequency."""

from collections.abc import Iterable

from runner.declare.hold_file import Hold
from runner.declare.settings import Settings
from runner.privacy import AnyText, reveal_or_mask
from runner.report.layout import wrap
from runner.report.terminal_text import one_line, style


def list_notices(settings: Settings, hold: Hold | None) -> list[AnyText]:
    """Returns the notices, as sentences. `hold` is the file that holds everything."""
    notices: list[AnyText] = []
    if redirect := settings.redirect:
        where = redirect.display_name
        notices.append("Everything is redirected: each message goes to " + where + " in place of its recipient.")
    if hold:
        reason = f": {hold.reason}" if hold.reason else "."
        notices.append(f"On hold by the file {hold.file}, so apply sends nothing{reason}")
    if settings.quiet_hours:
        notices.append(f"Quiet hours: apply sends nothing from {settings.quiet_hours}.")
    if settings.frequency and not settings.redirect:
        limit = f"at most {settings.frequency} to a contact"
        notices.append(f"Frequency: {limit}. A plan without --online does not check it.")
    return notices


def format_notices(notices: Iterable[AnyText], width: int, *, show_values: bool) -> list[str]:
    """Returns notices as lines of text. `width` is in columns, 0 for no limit."""
    mark = style("!", "yellow")
    return [
        wrap(one_line(f"{mark} {reveal_or_mask(notice, show_values=show_values)}"), width, indent="  ")
        for notice in notices
    ]
