"""Which deliveries other runs are sending at this moment, and which runs these are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.cli.context import Context
from runner.errors import GuardRefused
from runner.ledger.facts import Facts
from runner.ledger.key_state import State, is_live_claim
from runner.ledger.ledger import Ledger, SharedLedger, name_runs
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.lockfile.files import lockfile_paths
from runner.ledger.lockfile.ledger import find_other_owner
from runner.ledger.record import Record
from runner.ledger.runs import find_actors
from runner.report.problem_text import pluralize
from runner.report.status_text import format_time
from runner.shown_command import shown_command


@dataclass(frozen=True, slots=True)
class OtherRuns:
    """What is known of other runs at the time `now`.

    `owner` is the process that has locked the lockfile; empty if none has, None if the ledger has no such lock.
    """

    now: datetime
    owner: str | None
    facts: Facts

    def is_live(self, record: Record) -> bool:
        """Returns whether another run may be sending the delivery of an open attempt now."""
        return self.owner != "" and is_live_claim(record, self.now)

    def is_sending(self, state: State) -> bool:
        """Returns whether a delivery is unknown only because another run is sending it now."""
        return state.status == "unknown" and all(map(self.is_live, state.open_attempts))

    def list_sending(self, states: Sequence[State], ledger: Ledger) -> list[State]:
        """Returns those that another run may be sending: none of a lockfile, whose lock the opened `ledger` holds."""
        is_shared = isinstance(ledger, SharedLedger)
        return [state for state in states if is_shared and any(map(self.is_live, state.open_attempts))]

    def create_error(self, states: Sequence[State]) -> GuardRefused:
        """Returns the error for a decision about deliveries that other runs are sending."""
        attempts = [attempt for state in states for attempt in state.open_attempts]
        number = pluralize(len(states), "delivery is", "deliveries are")
        what = (
            f"{number} being sent by {self.describe(attempts)}; what becomes of them is not known before that run ends"
        )
        return GuardRefused(what, f"see it in two minutes: {shown_command('status')}")

    def warn_of(self, states: Sequence[State]) -> str:
        """Returns a warning about deliveries to decide: the run of a claim without an answer may still be alive."""
        claims = [record for state in states for record in state.open_attempts if record.status == "claimed"]
        if not claims:
            return ""
        of_them = "It was" if len(states) == 1 else f"{len(claims):,} of the {len(states):,} unknown were"
        return (
            f"{of_them} claimed by {self.describe(claims)}, which may still be alive on another machine, and send after"
            " all. Make sure that it is over."
        )

    def describe(self, claims: Iterable[Record]) -> str:
        """Returns the runs that made these claims, each with the time of its first one."""
        if self.owner:
            return self.owner
        since = dict[str, str]()
        for claim in sorted(claims, key=lambda claim: claim.at):
            since.setdefault(claim.run, claim.at)
        actors = find_actors(self.facts, since)
        return name_runs(
            [
                f"{f'{actors[run]}, ' if run in actors else ''}run {run}, since {format_time(at)} (UTC)"
                for run, at in since.items()
            ]
        )


def find_other_runs(context: Context, facts: Facts) -> OtherRuns:
    """Returns what is known of other runs now. Apart from the lock of a lockfile, the time of their claims tells it.

    A lockfile whose path is refused, as a link is, counts as not locked: a guard says what is wrong.
    """
    address = context.ledger.address
    if not isinstance(address, LockfileAddress):
        return OtherRuns(context.now, None, facts)
    try:
        paths = lockfile_paths(context.tree.root, address.path, context.ledger.readable_repository)
    except GuardRefused:
        return OtherRuns(context.now, "", facts)
    return OtherRuns(context.now, find_other_owner(paths), facts)
