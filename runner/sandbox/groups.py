"""The segments, tags and companies that there are: some from the start, and those that a project's audiences name."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEGMENTS = {"5a0000000000000000000001": "Active", "5a0000000000000000000002": "Slipping away"}
TAGS = {"7001": "beta", "7002": "vip"}
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
