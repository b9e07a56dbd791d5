"""Which deliveries other runs are sending at this moment, which runs these are, and the wait for their outcomes."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.cli.context import Context
from runner.cli.output import Output
from runner.errors import GuardRefused
from runner.ledger.facts import Facts
from runner.ledger.key_state import State, is_live_claim
from runner.ledger.ledger import Ledger, SharedLedger, name_runs
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.lockfile.files import lockfile_paths
from runner.ledger.lockfile.ledger import find_other_owner
from runner.ledger.record import Record
from runner.ledger.runs import find_actors
from runner.plan.deliveries import BEING_SENT
from runner.plan.plan import Plan
from runner.report.problem_text import pluralize
from runner.report.progress_text import format_duration
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line
from runner.shown_command import shown_command

MAX_WAIT = 150.0  # seconds; a live run writes its outcomes sooner, and a run counts as dead after 120
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two queries; the last repeats


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


@dataclass(frozen=True, slots=True)
class OtherRunsSummary:
    """How many deliveries of a plan are still being sent, are unknown, or were given up and can be claimed again.

    Those that are being sent are unknown too.
    """

    sending: int = 0
    unknown: int = 0
    free: int = 0


def wait_for_other_runs(
    output: Output, ledger: SharedLedger, plan: Plan, until: float | None, find_hold: Callable[[], object]
) -> OtherRunsSummary:
    """Waits until other runs have recorded the outcomes of what they claimed of a plan. Prints the result.

    The wait ends at the latest at `until`, a time of the monotonic clock, or if `find_hold` finds a file that
    holds everything. Raises LedgerUnavailable.
    """
    sending = _wait_while_sending(
        output, ledger, plan, min(until or float("inf"), time.monotonic() + MAX_WAIT), find_hold
    )
    ledger.refresh()
    states = Counter(
        state.status if (state := ledger.facts.state(delivery.key)) else "free"
        for message in plan.messages
        for delivery in message.deliveries
        if delivery.action == "send" or delivery.reason == BEING_SENT
    )
    # With a limit, it is not known which of the free deliveries the plan would have sent.
    free = max(0, states["free"] - sending.total()) if plan.limit is None else 0
    summary = OtherRunsSummary(sending.total(), states["unknown"], free)
    lines = (
        (states["sent"], "sent, by all runs together"),
        (max(0, summary.unknown - summary.sending), f"unknown: {shown_command('status')} lists them"),
        (summary.sending, f"still being sent, by {name_runs(sending)}: {shown_command('status')} shows how they end"),
        (summary.free, "given up by the run that had claimed them: run the same command again"),
    )
    for number, text in lines:
        if number:
            output.result(one_line(f"{number:,} of the plan {text}"))
    return summary


def _wait_while_sending(
    output: Output, ledger: SharedLedger, plan: Plan, until: float, find_hold: Callable[[], object]
) -> Counter[str]:
    """Waits until no other run is sending deliveries of the plan, at most until a time of the monotonic clock.

    Returns how many deliveries each of them is still sending, by the run's name.
    """
    names = [message.name for message in plan.messages]
    tries = 0
    while (sending := ledger.other_runs(names)) and time.monotonic() < until and not find_hold():
        if tries == len(_PAUSES) - 2:  # not at once: most runs end within the first pauses
            most = format_duration(max(0.0, until - time.monotonic()))
            output.note(f"waiting {most} at most for {sending.total():,} that are being sent, by {name_runs(sending)}")
        time.sleep(max(0.0, min(_PAUSES[min(tries, len(_PAUSES) - 1)], until - time.monotonic())))
        tries += 1
    return sending
