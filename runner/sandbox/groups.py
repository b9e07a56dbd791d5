"""The segments, tags and companies that there are, and the residents: the contacts that are their members.

Some groups exist from the start; the others are those that a project's audiences name.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from runner.sandbox.contact import DEFAULT_CREATED_AT
from runner.sandbox.subscriptions import TYPES

SEGMENTS = {"5a0000000000000000000001": "Active", "5a0000000000000000000002": "Slipping away"}
TAGS = {"7001": "beta", "7002": "vip"}
_DAY_SECONDS = 86_400
COMPANIES = {"6c0000000000000000000001": ("acme", "Acme"), "6c0000000000000000000002": ("ponies", "Ponies & Sons")}


@dataclass(frozen=True, slots=True)
class Groups:
    """The names of segments and tags by id, and the company_id and the name of companies by id.

    `invented` are the ids of those that were named beyond the ones from the start. Every resident is a member of them.
    """

    segments: Mapping[str, str]
    tags: Mapping[str, str]
    companies: Mapping[str, tuple[str, str]]
    invented: frozenset[str] = frozenset()


def make_groups(named: Iterable[tuple[str, str]] = ()) -> Groups:
    """Returns the groups, with one for each kind (segment, tag or company) and name; for a company, its company_id.

    A name that a group has already makes no second one. The ids are the same in every run.
    """
    segments, tags, companies = dict(SEGMENTS), dict(TAGS), dict(COMPANIES)
    invented = set()
    for kind, name in named:
        number = zlib.crc32(name.encode())
        match kind:
            case "segment" if name not in segments.values():
                group_id = f"5b{number:022x}"
                segments[group_id] = name
            case "tag" if name not in tags.values():
                group_id = str(1_000_000 + number)
                tags[group_id] = name
            case "company" if name not in {company_id for company_id, _ in companies.values()}:
                group_id = f"6d{number:022x}"
                companies[group_id] = (name, name)
            case _:
                continue
        invented.add(group_id)
    return Groups(segments, tags, companies, frozenset(invented))


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
