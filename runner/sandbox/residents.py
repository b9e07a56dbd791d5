"""The contacts that exist from the start: the members of segments, tags and companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.sandbox.companies import COMPANIES
from runner.sandbox.contact import DEFAULT_CREATED_AT
from runner.sandbox.contact_groups import SEGMENTS, SUBSCRIPTION_TYPES, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY_SECONDS = 86_400


def list_resident_fields(count: int) -> Iterator[dict[str, object]]:
    """Yields the fields of `count` contacts. Each is in a segment; some have a tag, a company, a subscription."""
    for number in range(1, count + 1):
        yield {
            "email": f"resident-{number:02}@sandbox.example",
            "external_id": f"resident-{number:02}",
            "name": f"Resident {number:02}",
            "signed_up_at": DEFAULT_CREATED_AT,
            "last_seen_at": DEFAULT_CREATED_AT + number * _DAY_SECONDS,
            "segments": (tuple(SEGMENTS)[number % len(SEGMENTS)],),
            "tags": tuple(TAGS)[:1] if number % 3 == 0 else (),
            "companies": tuple(COMPANIES)[number % 3 : number % 3 + 1],
            "subscriptions": tuple(SUBSCRIPTION_TYPES)[number % 4 : number % 4 + 1],
            "attributes": (("plan", "pro" if number % 2 else "free"),),
        }
