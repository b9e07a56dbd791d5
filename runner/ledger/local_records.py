"""The records of a ledger that this clone has outside of it: in its lockfile, in the journal, and in the rescue file.

They only add up, so adding them loses nothing. A ledger that moved away from a lockfile gets what was added to that
lockfile later, and a run gets the outcomes that an earlier one could not write.
"""

import contextlib
from collections.abc import Iterator

from runner.errors import LedgerUnavailable, UsageMistake
from runner.ledger.address import LockfileAddress, default_lockfile
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, append_missing, find_missing_records
from runner.ledger.lockfile.files import lockfile_paths, read_local_lockfile
from runner.ledger.record import Mark
from runner.ledger.rescue_file import import_rescue_file, rescue_path


def add_local_records(context: LedgerContext, ledger: Ledger) -> None:
    """Appends what this clone has of a ledger, and removes the rescue file. Raises GuardRefused, LedgerUnavailable."""
    ledger_id = ledger.facts.headers.merged(context.salt).ledger
    count = sum(append_missing(ledger, local) for local in _read_own_lockfiles(context, ledger.facts))
    count += import_rescue_file(rescue_path(context, ledger_id), ledger)
    if count:
        context.report(f"{context.address.display_name} lacked {count:,} records that this clone has")


def read_local_records(context: LedgerContext, facts: Facts) -> None:
    """Adds what this clone has of a ledger to its facts, and writes nothing. Raises GuardRefused, LedgerUnavailable."""
    for local in _read_own_lockfiles(context, facts):
        for record in find_missing_records(local, facts):
            facts.add(record)
    with contextlib.suppress(LedgerUnavailable):  # git cannot be read, and that is reported already
        rescue = rescue_path(context, facts.headers.merged(context.salt).ledger)
        facts.read_file(rescue, rescue.name)


def read_local_lockfiles(context: LedgerContext, mark: Mark) -> Iterator[tuple[str, Facts]]:
    """What this clone has of the default lockfile, and of the one that a ledger with this mark came from.

    Yields the path and the records of each. Of the second only the journal is read where there is one: a pull request
    can bring a file, and `lock verify` does not know that this one counts.
    """
    repository = context.readable_repository
    default = default_lockfile(context.stem).path
    yield default, read_local_lockfile(lockfile_paths(context.root, default, repository))
    with contextlib.suppress(UsageMistake):
        previous = context.parse(mark.address) if mark.address else None
        if isinstance(previous, LockfileAddress) and previous.path != default and not previous.is_outside:
            paths = lockfile_paths(context.root, previous.path, repository)
            yield previous.path, read_local_lockfile(paths, journal_only=repository is not None)


def _read_own_lockfiles(context: LedgerContext, facts: Facts) -> Iterator[Facts]:
    """What this clone's lockfiles have of a ledger of another kind."""
    if isinstance(context.address, LockfileAddress):
        return
    ledger_id = facts.headers.merged(context.salt).ledger or context.declared.ledger_id
    for path, local in read_local_lockfiles(context, facts.mark):
        ids = {header.ledger for header in local.headers if header.ledger}
        if ids <= {ledger_id}:
            local.headers.merged(context.salt)
            yield local
        elif len(local):
            context.report(f"{path} belongs to another ledger ({', '.join(ids)}), so its records do not count")
