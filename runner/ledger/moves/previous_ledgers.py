"""Reads and writes the ledgers that a ledger moved from: they still take outcomes of claims that were made there."""

from collections.abc import Iterable, Iterator
from shlex import quote

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, append_missing
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.opening import location_of, open_existing
from runner.ledger.record import Record

_MAX_ASKED = 20  # ledgers, each on a remote or in a database; one moves a few times in its life


def add_late_outcomes(context: LedgerContext, ledger: Ledger) -> None:
    """Adds what the previous ledgers got since this one was filled: outcomes of runs that were under way.

    Raises GuardRefused if a previous ledger is on a host that may not be asked, and LedgerUnavailable.
    """
    for previous, facts in _previous_ledgers(context, ledger.facts):
        if count := append_missing(ledger, facts):
            setting = previous.address.setting
            context.report(f"the previous ledger {setting} had {count:,} later records")


def write_to_previous(context: LedgerContext, facts: Facts, records: Iterable[Record]) -> None:
    """Writes a person's decisions to the previous ledgers that hold the claims. `facts` are the current ledger's.

    A run that is alive there sees them; a database refuses them while that run holds the claim. So this comes before
    they are written to the current ledger. Raises GuardRefused, LedgerUnavailable.
    """
    for location, previous in _previous_ledgers(context, facts):
        own = [record for record in records if _has_attempt(previous, record)]
        if own:
            with open_existing(location, "resolve") as ledger:
                ledger.append(*own)


def _previous_ledgers(context: LedgerContext, facts: Facts) -> Iterator[tuple[LedgerContext, Facts]]:
    """Yields the previous ledgers that still exist, each with its records.

    Without lockfiles: what this clone has of one was added when the ledger was opened. Of many, the latest come first.
    """
    queue, seen = _previous_addresses(facts), {context.address.setting}
    for setting in queue:  # the loop appends to it
        address = context.parse(setting)
        if setting in seen or isinstance(address, LockfileAddress):
            continue
        if len(seen) > _MAX_ASKED:
            context.report(f"only {_MAX_ASKED} previous ledgers were asked for later outcomes; the headers name more")
            return
        seen.add(setting)
        try:
            location = context.at(address, trusts_host=False)
            previous = location_of(location).read()
        except GuardRefused as error:
            raise GuardRefused(
                f"the previous ledger {setting} may have later outcomes: {error.message}",
                f"import them: MSGRUN_LOCK={quote(setting)} {context.command} lock export late.lock; then:"
                f" {context.command} lock import late.lock; then run this command with --no-fetch",
            ) from error
        if previous is not None:
            queue += _previous_addresses(previous)
            yield location, previous


def _previous_addresses(facts: Facts) -> list[str]:
    """Returns the addresses that the records of a ledger came from."""
    marks = {header.mark for header in facts.headers if header.mark.status != "moved" and header.mark.address}
    return [mark.address for mark in sorted(marks, key=lambda mark: mark.rank, reverse=True)]


def _has_attempt(facts: Facts, record: Record) -> bool:
    return any(known.attempt == record.attempt for known in facts.records_of(record.key))
