"""The admins of a workspace, and which of them a declaration means by an id, an email address or a name.

Source: Intercom API reference, "List all admins". Nothing there says that an email address or a name is unique.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runner.declare.sender import Sender, SenderKind
from runner.declare.similar_names import closest_matches
from runner.intercom.identifiers import parse_id, parse_text
from runner.shown_command import shown_command

_MAX_LISTED = 10  # admins that a message lists
_NAMED = {"id": "the id", "email": "the email address", "name": "the name"}


@dataclass(frozen=True, slots=True)
class Admin:
    """A teammate. `has_seat` says whether there is an inbox seat; None if Intercom does not say."""

    id: str
    name: str
    email: str = ""
    has_seat: bool | None = None


@dataclass(frozen=True, slots=True)
class SenderFault:
    """Why a declared sender cannot be used, and what to do."""

    sender: Sender
    message: str
    hint: str


def parse_admins(value: Any) -> tuple[Admin, ...] | None:
    """Returns the admins in an answer of GET /admins, each id once; None if it has another form."""
    items = value.get("admins") if isinstance(value, dict) else None
    if not isinstance(items, list):
        return None
    admins: dict[str, Admin] = {}
    for item in items:
        if isinstance(item, dict) and (admin := _parse_admin(item)):
            admins.setdefault(admin.id, admin)
    return tuple(admins.values())


def find_admin(sender: Sender, admins: Sequence[Admin]) -> Admin | SenderFault:
    """Returns the one admin that a sender names, or why there is not exactly one. An email has no upper or lower case.

    For an id that is not in the list the answer is final only if Intercom does not know the id either.
    """
    wanted = _normalise(sender, sender.value)
    matches = [admin for admin in admins if _normalise(sender, getattr(admin, sender.kind)) == wanted]
    if len(matches) == 1:
        return matches[0]
    if matches:
        other: SenderKind = "name" if sender.kind == "email" else "email"
        message = f"{len(matches)} admins have {_NAMED[sender.kind]} {sender.value}: {_join(matches, other)}"
        return SenderFault(sender, message, f'write the id of one: from: {{type: admin, id: "{matches[0].id}"}}')
    hint = f"write another one into from:; see them all: {shown_command('admins')}"
    if sender.kind == "id":
        return SenderFault(sender, f"admin {sender.value} does not exist; yours are {_join(admins, 'name')}", hint)
    near = _find_near(sender, admins)
    among = f"near it: {_join(near, sender.kind)}" if near else f"yours are {_join(admins, sender.kind)}"
    return SenderFault(sender, f"no admin has {_NAMED[sender.kind]} {sender.value}; {among}", hint)


def unreadable_fault(sender: Sender) -> SenderFault:
    """Returns the fault of a sender whose id is not known, where the token may not list admins."""
    message = f"the token may not list admins, so it is not known which admin has {_NAMED[sender.kind]} {sender.value}"
    hint = (
        "give the app the permission to read admins (Developer Hub, your app, Authentication), or write id: into from:"
    )
    return SenderFault(sender, message, hint)


def _parse_admin(item: dict[str, Any]) -> Admin | None:
    admin_id, seat = parse_id(item.get("id")), item.get("has_inbox_seat")
    if not admin_id.isdecimal():  # the only form that POST /messages takes
        return None
    email, name = parse_text(item.get("email")), parse_text(item.get("name"))
    return Admin(admin_id, name, email, seat if isinstance(seat, bool) else None)


def _normalise(sender: Sender, value: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", value).split())
    return text.lower() if sender.kind == "email" else text


def _find_near(sender: Sender, admins: Iterable[Admin]) -> list[Admin]:
    """Returns the admins whose name, or email address, is most like the one that no admin has."""
    by_text: dict[str, Admin] = {}
    for admin in admins:
        by_text.setdefault(_normalise(sender, getattr(admin, sender.kind)).casefold(), admin)
    wanted = _normalise(sender, sender.value).casefold()
    return [by_text[text] for text in closest_matches(wanted, list(by_text), 3)]


def _join(admins: Sequence[Admin], described_by: SenderKind) -> str:
    """Returns the ids of admins, each with one more field."""
    texts = [getattr(admin, described_by) for admin in admins[:_MAX_LISTED]]
    listed = [f"{admin.id} ({text})" if text else admin.id for admin, text in zip(admins, texts, strict=False)]
    if len(admins) > _MAX_LISTED:
        return f"{', '.join(listed)} and {len(admins) - _MAX_LISTED} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:]))) or "none"
