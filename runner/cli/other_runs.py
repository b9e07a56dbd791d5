"""What other runs have of a plan: apply waits for them, so that its exit code tells how the plan ended."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from runner.cli.output import Output
from runner.ledger.ledger import Ledger
from runner.plan.plan import Plan

MAX_WAIT = 150.0  # seconds; whoever lives settles a claim sooner, and who died is known to have after 120


_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two looks; the last repeats


@dataclass(frozen=True, slots=True)
class OtherRunsSummary:
    """Deliveries that others were faster with: still being sent, unknown, or given up and free again."""

    sending: int = 0
    unknown: int = 0
    free: int = 0


def wait_for_other_runs(
    screen: Output, ledger: Ledger, plan: Plan, until: float | None, stops: Callable[[], bool]
) -> OtherRunsSummary:
    """Waits until others have settled what they claimed of a plan, and tells what became of it.

    `until` is a time of the monotonic clock at which it ends in any case, `stops` whether there is a stop file.
    Raises LedgerUnavailable.
    """
    sending = _sending(screen, ledger, plan, min(until or float("inf"), time.monotonic() + MAX_WAIT), stops)
    ledger.refresh()
    states = Counter(
        state.status if (state := ledger.facts.state(delivery.key)) else "free"
        for message in plan.messages
        for delivery in message.deliveries
        if delivery.action == "send"
    )
    # Of a run with a limit nobody can tell which of the free ones it would have sent.
    free = max(0, states["free"] - sending.total()) if plan.limit is None else 0
    found = OtherRunsSummary(sending.total(), states["unknown"], free)
    told = (
        (found.unknown, "unknown: another run does not know what became of them; msgrun status lists them"),
        (found.sending, f"still being sent, by {'; '.join(sending)}: msgrun status tells how they end"),
        (found.free, "given up by the run that had claimed them: run the same command again"),
    )
    for number, words in told:
        if number:
            screen.result(f"{number:,} of the plan {words}")
    return found


def _sending(screen: Output, ledger: Ledger, plan: Plan, until: float, stops: Callable[[], bool]) -> Counter[str]:
    """How many deliveries of the plan who is sending, once that has ended or there is no more time."""
    names = [message.name for message in plan.messages]
    tries = 0
    while (found := ledger.other_runs(names)) and time.monotonic() < until and not stops():
        if tries == len(_PAUSES) - 2:  # those who are about to end need no word
            screen.note(f"waiting for {found.total():,} that others are sending: {'; '.join(found)}")
        time.sleep(max(0.0, min(_PAUSES[min(tries, len(_PAUSES) - 1)], until - time.monotonic())))
        tries += 1
    return found
