"""The admins of a workspace, as a table or as JSON. They are the company's own team, so nothing of them is masked."""

from collections.abc import Sequence

from runner.intercom.admins import Admin
from runner.report.json_text import to_json
from runner.report.layout import fitted_table
from runner.report.terminal_text import one_line, style

_SEATS = {True: "yes", False: "no", None: ""}


def format_admins(items: Sequence[Admin], width: int) -> str:
    """Returns a table of admins; where it is wider than `width` columns, a block for each."""
    if not items:
        return "The workspace has no admin."
    rows = [
        [
            *map(one_line, (admin.id, admin.name, admin.email)),
            style(_SEATS[admin.has_seat], "yellow" if admin.has_seat is False else None),
        ]
        for admin in items
    ]
    return "\n".join(fitted_table(("id", "name", "email", "seat"), rows, width, named=frozenset({"seat"})))


def format_admins_json(items: Sequence[Admin]) -> str:
    """Returns admins as JSON. `seat` is null where Intercom does not say it."""
    rows = [{"id": admin.id, "name": admin.name, "email": admin.email, "seat": admin.has_seat} for admin in items]
    return to_json({"format_version": 1, "admins": rows})
