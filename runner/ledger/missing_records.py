"""Finds the records of one ledger that another one lacks."""

from collections.abc import Iterator

from runner.ledger.facts import Facts
from runner.ledger.record import RANK, Record


def find_missing_records(previous: Facts, current: Facts) -> Iterator[Record]:
    """Yields the records of a previous ledger that the current one lacks, sorted by key and attempt.

    A record is not missing if the current ledger has one of the same attempt with a higher status. Records that
    compaction removes are left out.
    """
    for record in previous.compacted_records():
        same_attempt = (known for known in current.records_of(record.key) if known.attempt == record.attempt)
        if not any(known == record or RANK[known.status] > RANK[record.status] for known in same_attempt):
            yield record


def count_missing_records(previous: Facts, current: Facts) -> int:
    """Returns how many records of a previous ledger the current one lacks."""
    return sum(1 for _ in find_missing_records(previous, current))
