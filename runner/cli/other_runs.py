"""Waits for other runs that claimed deliveries of the same plan, so that apply's exit code covers the whole plan."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from runner.cli.output import Output
from runner.ledger.ledger import SharedLedger
from runner.plan.plan import Plan
from runner.shown_command import shown_command

MAX_WAIT = 150.0  # seconds; a live run writes its outcomes sooner, and a run counts as dead after 120
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two queries; the last repeats


@dataclass(frozen=True, slots=True)
class OtherRunsSummary:
    """How many deliveries of a plan are still being sent, are unknown, or were given up and can be claimed again.

    Those that are being sent are unknown too.
    """

    sending: int = 0
    unknown: int = 0
    free: int = 0


def wait_for_other_runs(
    output: Output, ledger: SharedLedger, plan: Plan, until: float | None, is_stopped: Callable[[], bool]
) -> OtherRunsSummary:
    """Waits until other runs have recorded the outcomes of what they claimed of a plan. Prints the result.

    The wait ends at the latest at `until`, a time of the monotonic clock, or if `is_stopped` returns that the stop file
    exists. Raises LedgerUnavailable.
    """
    sending = _wait_while_sending(
        output, ledger, plan, min(until or float("inf"), time.monotonic() + MAX_WAIT), is_stopped
    )
    ledger.refresh()
    states = Counter(
        state.status if (state := ledger.facts.state(delivery.key)) else "free"
        for message in plan.messages
        for delivery in message.deliveries
        if delivery.action == "send"
    )
    # With a limit, it is not known which of the free deliveries the plan would have sent.
    free = max(0, states["free"] - sending.total()) if plan.limit is None else 0
    summary = OtherRunsSummary(sending.total(), states["unknown"], free)
    lines = (
        (max(0, summary.unknown - summary.sending), f"unknown: {shown_command('status')} lists them"),
        (summary.sending, f"still being sent, by {'; '.join(sending)}: {shown_command('status')} shows how they end"),
        (summary.free, "given up by the run that had claimed them: run the same command again"),
    )
    for number, text in lines:
        if number:
            output.result(f"{number:,} of the plan {text}")
    return summary


def _wait_while_sending(
    output: Output, ledger: SharedLedger, plan: Plan, until: float, is_stopped: Callable[[], bool]
) -> Counter[str]:
    """Waits until no other run is sending deliveries of the plan, at most until a time of the monotonic clock.

    Returns how many deliveries each of them is still sending, by the run's name.
    """
    names = [message.name for message in plan.messages]
    tries = 0
    while (sending := ledger.other_runs(names)) and time.monotonic() < until and not is_stopped():
        if tries == len(_PAUSES) - 2:  # not at once: most runs end within the first pauses
            output.note(f"waiting for {sending.total():,} that other runs are sending: {'; '.join(sending)}")
        time.sleep(max(0.0, min(_PAUSES[min(tries, len(_PAUSES) - 1)], until - time.monotonic())))
        tries += 1
    return sending
