"""Which records of one ledger another one lacks."""

from collections.abc import Iterator

from runner.ledger.facts import Facts
from runner.ledger.record import RANK, Record


def find_missing_records(former: Facts, now: Facts) -> Iterator[Record]:
    """The lasting facts of a former ledger that the one of now lacks: no such fact, and none that replaces it."""
    for record in former.compacted_records():
        of_attempt = (known for known in now.records_of(record.key) if known.attempt == record.attempt)
        if not any(known == record or RANK[known.status] > RANK[record.status] for known in of_attempt):
            yield record


def count_missing_records(former: Facts, now: Facts) -> int:
    """How many records of a former ledger the one of now lacks."""
    return sum(1 for _ in find_missing_records(former, now))
