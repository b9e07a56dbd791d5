"""Reads the subscription types of a workspace, and what a contact chose.

Source: reference, "List subscription types" and "List subscriptions for a contact" (2.14). The second lists explicit
choices alone: a type with the consent type opt_out is listed for contacts that left it, one with opt_in for those that
joined it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from runner.declare.similar_names import list_first, suggest_or_list
from runner.errors import RunStopped
from runner.intercom.identifiers import parse_id, parse_text
from runner.intercom.workspace import Workspace

_UNDOCUMENTED = "the list of subscription types is not as documented"
_LIVE = "live"


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """A subscription type. Contacts have it from the start or, if it `needs_opt_in`, once they opted in."""

    id: str
    name: str
    state: str
    needs_opt_in: bool

    def allows(self, choices: frozenset[str]) -> bool:
        """Returns whether a contact is subscribed who chose or left the types with these ids."""
        return (self.id in choices) == self.needs_opt_in


@dataclass(frozen=True, slots=True)
class SubscriptionFault:
    """Why a name is not that of exactly one live type, and what to do."""

    message: str
    hint: str


def find_subscription_types(
    workspace: Workspace, names: Collection[str]
) -> dict[str, SubscriptionType | SubscriptionFault]:
    """Returns the live type of each name, or its fault. Without names, it asks nothing. Raises RunStopped."""
    if not names:
        return {}
    listed = [_parse_type(item) for item in _read_list(workspace.read("GET", "/subscription_types"))]
    return {name: _find_type(name, listed) for name in names}


def read_choices(workspace: Workspace, contact_id: str) -> frozenset[str] | None:
    """Returns the ids of the types that a contact chose or left; None if there is no contact. Raises RunStopped."""
    path = f"/contacts/{quote(contact_id, safe='')}/subscriptions"
    answer = workspace.read("GET", path, none_if={HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
    if answer is None:
        return None
    ids = frozenset(parse_id(item.get("id")) for item in _read_list(answer))
    if "" in ids:  # a choice that is not understood may be that the contact left the type
        raise RunStopped(_UNDOCUMENTED)
    return ids


def _find_type(name: str, listed: list[SubscriptionType]) -> SubscriptionType | SubscriptionFault:
    named = [item for item in listed if item.name == name]
    live = [item for item in named if item.state == _LIVE]
    if len(live) == 1:
        return live[0]
    if live:
        message = f"{len(live)} subscription types are named {name}: {list_first([item.id for item in live])}"
        return SubscriptionFault(message, "rename all but one in Intercom")
    names = sorted({item.name for item in listed if item.name and item.state == _LIVE})
    message = f"the workspace has no subscription type named {name}"
    if named:
        message = f"the subscription type {name} is not live: its state is {named[0].state or 'not known'}"
    return SubscriptionFault(message, suggest_or_list(name, names))


def _read_list(answer: Any) -> list[dict[str, Any]]:
    """Returns the objects of a list. Raises RunStopped if it may lack some: who left a type would get its messages."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise RunStopped(_UNDOCUMENTED)
    pages = answer.get("pages")
    has_more = bool(answer.get("has_more")) or (isinstance(pages, dict) and bool(pages.get("next")))
    if has_more or (answer.get("total_count") or len(data)) != len(data):
        raise RunStopped(_UNDOCUMENTED)
    return data


def _parse_type(item: dict[str, Any]) -> SubscriptionType:
    """Returns a type. Raises RunStopped without an id or a known consent type, which decide who is subscribed."""
    translation, consent = item.get("default_translation"), item.get("consent_type")
    type_id = parse_id(item.get("id"))
    if not type_id or consent not in {"opt_in", "opt_out"}:
        raise RunStopped("Intercom shows a subscription type without an id or a consent type")
    name = parse_text(translation.get("name")).strip() if isinstance(translation, dict) else ""
    return SubscriptionType(type_id, name, parse_text(item.get("state")), consent == "opt_in")
