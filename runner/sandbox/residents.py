"""The contacts that exist from the start: the members of segments, tags and companies."""

from collections.abc import Iterator

from runner.sandbox.contact import DEFAULT_CREATED_AT
from runner.sandbox.groups import COMPANIES, SEGMENTS, TAGS, Groups
from runner.sandbox.subscriptions import TYPES

_DAY_SECONDS = 86_400


def list_resident_fields(count: int, groups: Groups) -> Iterator[dict[str, object]]:
    """Yields the fields of `count` contacts. Each is in a segment; some have a tag, a company, a subscription.

    All of them are members of the invented groups.
    """
    segments, tags, companies = (
        tuple(group for group in all_groups if group in groups.invented)
        for all_groups in (groups.segments, groups.tags, groups.companies)
    )
    for number in range(1, count + 1):
        yield {
            "email": f"resident-{number:02}@sandbox.example",
            "external_id": f"resident-{number:02}",
            "name": f"Resident {number:02}",
            "signed_up_at": DEFAULT_CREATED_AT,
            "last_seen_at": DEFAULT_CREATED_AT + number * _DAY_SECONDS,
            "segments": (tuple(SEGMENTS)[number % len(SEGMENTS)], *segments),
            "tags": (*(tuple(TAGS)[:1] if number % 3 == 0 else ()), *tags),
            "companies": (*tuple(COMPANIES)[number % 3 : number % 3 + 1], *companies),
            "subscriptions": tuple(item.id for item in TYPES)[number % 4 : number % 4 + 1],
            "attributes": (("plan", "pro" if number % 2 else "free"),),
        }
